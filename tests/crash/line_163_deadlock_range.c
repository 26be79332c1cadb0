/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A range over a channel that nobody closes. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 2);

	chan_send(c, 1);
	chan_range(v, c)
		(void)v;
	return 0;
}
