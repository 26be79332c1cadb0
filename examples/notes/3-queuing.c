/* SPDX-License-Identifier: MIT */
/*
 * A queue pays where work is cheaper in batches: this one gathers bytes, so that the system is asked once for four
 * thousand of them.  And it pays at the entrance, to turn away what is too much; for who waits too long asks again,
 * which makes the queue longer still (a negative feedback loop).  Nowhere else does it make anything faster.
 */
#include <leat.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { BYTES = 25 * 4096 };

struct writer {
	int file, calls;
	size_t queued, room;
	char queue[4096];
};

static void flush(struct writer *w)
{
	w->calls += write(w->file, w->queue, w->queued) >= 0;
	w->queued = 0;
}

static double ns_per_byte(struct writer *w)
{
	int64_t begin = leat_now();

	for (int i = 0; i < BYTES; i++) {
		w->queue[w->queued++] = 'x';
		if (w->queued == w->room)
			flush(w);
	}
	return (double)(leat_now() - begin) / BYTES;
}

int main(void)
{
	int null = open("/dev/null", O_WRONLY), rejected = 0;
	struct writer single = {.file = null, .room = 1};
	struct writer batch = {.file = null, .room = sizeof batch.queue};
	scope(s, NULL);
	chan(int) entrance = scope_chan(s, int, 3);

	printf("one by one: %.1f ns for a byte\n", ns_per_byte(&single));
	printf("in batches: %.1f ns for a byte\n", ns_per_byte(&batch));
	printf("%d calls and %d\n", single.calls, batch.calls);
	for (int i = 0; i < 10; i++)
		rejected += !chan_try_send(entrance, i);
	printf("%zu requests let in, %d turned away\n", chan_len(entrance), rejected);
}
