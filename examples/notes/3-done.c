/* SPDX-License-Identifier: MIT */
/*
 * A goroutine ends when its work is complete, when it cannot go on, or when it is told to stop.  Who starts one sees to
 * it that one of these comes.  Nobody will ever send a string here, and so it is told to stop: a channel that is closed
 * tells everybody who looks.  Its own channel tells the other way that it has ended.
 */
#include <leat.h>

#include <stdio.h>

struct print_strings {
	recv_chan(leat_empty) done;
	recv_chan(const char *) strings;
	send_chan(leat_empty) terminated;
};

static void print_strings(struct print_strings *a)
{
	defer(leat_chan_close, (leat_chan *)a->terminated);
	for (;;) {
		chan_select {
			case_recv(a->strings, text)
				printf("%s\n", text);
			case_recv(a->done) {
				printf("it was told to stop\n");
				return;
			}
		}
	}
}

int main(void)
{
	scope(s, NULL);
	chan(leat_empty) done = scope_chan(s, leat_empty, 0);
	chan(leat_empty) terminated = scope_chan(s, leat_empty, 0);

	scope_go(s, print_strings, chan_receiver(done), NULL, chan_sender(terminated));
	leat_sleep(10 * LEAT_MILLISECOND);
	printf("telling it to stop\n");
	chan_close(done);
	chan_recv(terminated);
	printf("it has ended\n");
}
