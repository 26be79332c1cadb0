/* SPDX-License-Identifier: MIT */
/*
 * A steward keeps a goroutine, its ward, alive.  This ward hangs at first, which its missing beats tell; then it fails;
 * the third time it comes to its end.  It goes on where it was, without a lock, as there are never two of it; and it
 * sends on a channel of its own each time, of which a bridge makes one stream.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

typedef recv_chan(int) stream;

struct count {
	leat_scope *scope;
	send_chan(stream) streams;
	int last;
};

static int count_on(leat_ward *w)
{
	struct count *a = w->arg;
	chan(int) out = scope_chan(a->scope, int, 2);

	chan_send(out, ++a->last);
	leat_heartbeat_beat(w->heartbeat);
	chan_send(out, ++a->last);
	chan_close(out);
	if (chan_send_ctx(a->streams, chan_receiver(out), w->scope))
		return -ECANCELED;
	if (w->start == 0)
		return leat_sleep_ctx(LEAT_HOUR, w->scope);
	return w->start == 1 ? -EIO : 0;
}

static void say(const leat_steward_event *e, void *arg)
{
	(void)arg;
	printf("ward %d %s\n", (int)e->start, leat_steward_reason_string(e->reason));
}

static void count(struct count *a)
{
	leat_steward steward = {.ward = count_on,
	                        .arg = a,
	                        .timeout_ns = 300 * LEAT_MILLISECOND,
	                        .backoff_ns = -1,
	                        .hook = say};

	printf("the steward ends with %d\n", leat_steward_run(&steward, a->scope));
	chan_close(a->streams);
}

int main(void)
{
	size_t n;
	scope(s, NULL);
	chan(stream) streams = scope_chan(s, stream, 0);

	scope_go(s, count, .scope = s, .streams = chan_sender(streams));
	int *numbers = pipe_collect(s, pipe_bridge(s, streams), &n);
	printf("%zu numbers, from %d to %d\n", n, numbers[0], numbers[n - 1]);
}
