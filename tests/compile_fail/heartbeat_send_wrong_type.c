/* SPDX-License-Identifier: MIT */
/* ERROR-GCC: incompatible type|invalid initializer */
/* ERROR-CLANG: incompatible type */
#include <leat.h>

struct point {
	int x, y;
};

int main(void)
{
	chan(int) c = chan_make(int, 1);
	leat_heartbeat *h = leat_heartbeat_make(0);
	struct point p = {1, 2};

	return heartbeat_send(h, c, p, NULL);
}
