/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The notes' fan-in stops before the goroutine that waits for the others and closes the output: the range never ends. */
#include <leat.h>

#include <stdio.h>

struct feed {
	recv_chan(int) in;
	send_chan(int) out;
};

static void feed(struct feed *f)
{
	chan_range(v, f->in)
		chan_send(f->out, v);
}

int main(void)
{
	static const int numbers[] = {1, 2, 3};
	chan(int) out = chan_make(int, 0);
	int sum = 0;
	scope(s, NULL);

	for (int i = 0; i < 2; i++)
		scope_go(s, feed, pipe_from_array(s, numbers, 3), chan_sender(out));
	chan_range(v, out) {
		sum += v;
		if (sum == 12) {
			puts("all received");
			fflush(stdout);
		}
	}
	return 0;
}
