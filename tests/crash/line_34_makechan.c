/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A capacity below zero. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, -1);

	chan_free(c);
	return 0;
}
