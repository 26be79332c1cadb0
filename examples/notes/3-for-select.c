/* SPDX-License-Identifier: MIT */
/*
 * A select in a loop, in its two forms.  The first sends what it iterates over, unless it is told to stop.  The second
 * goes on until it is told to, and works while nobody does.
 */
#include <leat.h>

#include <stdio.h>

struct send_words {
	recv_chan(leat_empty) done;
	send_chan(const char *) out;
};

static void send_words(struct send_words *a)
{
	const char *const words[] = {"one", "two", "three", "four"};

	for (int i = 0; i < 4; i++) {
		chan_select {
			case_send(a->out, words[i])
				continue;
			case_recv(a->done)
				return;
		}
	}
}

int main(void)
{
	bool working = true;
	int cycles = 0;
	scope(s, NULL);
	chan(leat_empty) done = scope_chan(s, leat_empty, 0);
	chan(const char *) words = scope_chan(s, const char *, 0);

	scope_go(s, send_words, .done = chan_receiver(done), .out = chan_sender(words));
	printf("%s, ", chan_recv(words));
	printf("%s, enough\n", chan_recv(words));
	chan_close(done);

	recv_chan(leat_empty) over = leat_ctx_done(leat_ctx_with_timeout(s, 50 * LEAT_MILLISECOND));
	while (working) {
		chan_select {
			case_recv(over)
				working = false;
			case_default
				cycles++;
		}
		leat_sleep(10 * LEAT_MILLISECOND);
	}
	printf("%d cycles of work before it was over\n", cycles);
}
