/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Closing twice. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 1);

	chan_close(c);
	chan_close(chan_sender(c));
	return 0;
}
