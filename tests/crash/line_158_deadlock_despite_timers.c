/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Timers and tickers that nobody waits for hide no deadlock. */
#include <leat.h>

int main(void)
{
	leat_timer *timer = leat_timer_new(LEAT_HOUR);
	leat_ticker *ticker = leat_ticker_new(LEAT_HOUR);
	recv_chan(int64_t) after = leat_after(LEAT_HOUR);
	chan(int) c = chan_make(int, 0);

	/* Each was waited for once. */
	chan_select {
		case_recv(leat_timer_chan(timer)) {
		}
		case_recv(leat_ticker_chan(ticker)) {
		}
		case_recv(after) {
		}
		case_timeout(LEAT_MILLISECOND) {
		}
	}
	chan_recv(c);
	return 0;
}
