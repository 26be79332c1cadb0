/* SPDX-License-Identifier: MIT */
/*
 * A buffer lets a stage go on, though the next one is not ready for its values.  The writer here has sent all four and
 * gone home before anybody reads.  The work is not done any sooner by that, and whatever is in the buffer is lost if the
 * reader fails; what is gained is that the two need not wait for each other.
 */
#include <leat.h>

#include <stdio.h>

struct write_all {
	send_chan(int) out;
};

static void write_all(struct write_all *a)
{
	for (int i = 1; i <= 4; i++)
		chan_send(a->out, i);
	chan_close(a->out);
	printf("the writer goes home\n");
}

int main(void)
{
	leat_waitgroup gone = {0};
	scope(s, NULL);
	chan(int) letters = scope_chan(s, int, 4);

	wg_go(&gone, write_all, .out = chan_sender(letters));
	leat_waitgroup_wait(&gone);
	printf("%zu letters lie here\n", chan_len(letters));
	chan_range(letter, letters)
		printf("letter %d is read\n", letter);
}
