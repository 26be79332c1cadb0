/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Who is notified no more cannot be woken by a signal. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 1);

	signal_notify(c, SIGUSR1);
	raise(SIGUSR1);
	chan_recv(c);
	signal_stop(c);
	chan_recv(c);
	return 0;
}
