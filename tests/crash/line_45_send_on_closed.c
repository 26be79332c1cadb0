/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Sending on a closed channel. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 1);

	chan_close(c);
	chan_send(c, 1);
	return 0;
}
