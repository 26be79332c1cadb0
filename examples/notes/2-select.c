/* SPDX-License-Identifier: MIT */
/*
 * A select waits for the first of several channels, and takes one at random where several are ready: two closed ones,
 * which are always ready, get about half each.  With a default it does not wait; with a time-out, not for ever.
 */
#include <leat.h>

#include <stdio.h>

int main(void)
{
	scope(s, NULL);
	chan(int) heads = scope_chan(s, int, 0);
	chan(int) tails = scope_chan(s, int, 0);
	chan(int) silent = scope_chan(s, int, 0);
	int count = 0;

	chan_close(heads);
	chan_close(tails);
	for (int i = 0; i < 1000; i++) {
		chan_select {
			case_recv(heads)
				count++;
			case_recv(tails)
				continue;
		}
	}
	printf("%d of 1000 times heads\n", count);

	chan_select {
		case_recv(silent)
			printf("it spoke\n");
		case_default
			printf("nothing yet\n");
	}
	chan_select {
		case_recv(silent)
			printf("it spoke\n");
		case_timeout(10 * LEAT_MILLISECOND)
			printf("nothing in time\n");
	}
}
