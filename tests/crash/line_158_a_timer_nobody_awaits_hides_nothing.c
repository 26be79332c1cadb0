/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/* A timer is pending for an hour, but nobody waits for it. */
#include <leat.h>

int main(void)
{
	recv_chan(int64_t) after = leat_after(LEAT_HOUR);
	chan(int) c = chan_make(int, 0);

	(void)after;
	chan_recv(c);
	return 0;
}
