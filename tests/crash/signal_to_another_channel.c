/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Signals are ints: a channel of something else is refused, where the program asks, not in leat. */
#include <leat.h>

int main(void)
{
	chan(long) c = chan_make(long, 1);

	leat_signal_notify((leat_chan *)(void *)c, (const int[]){SIGINT}, 1);
	return 0;
}
