/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A send that select chose on a closed channel. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 0);

	chan_close(c);
	chan_select {
		case_send(c, 1) {
		}
	}
	return 0;
}
