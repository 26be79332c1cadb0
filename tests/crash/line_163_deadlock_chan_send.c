/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Main waits for a receiver. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 1);

	chan_send(c, 1);
	chan_send(c, 2);
	return 0;
}
