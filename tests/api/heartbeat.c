/* SPDX-License-Identifier: MIT */
/*
 * Goal: what leat/heartbeat.h promises, and the runs of the book's chapters on heartbeats, in milliseconds for its
 * seconds.
 * Method: times are only bounded from below where a time-out is due, and a time-out that must not come is a minute.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

/* --- one per interval */

struct work {
	leat_ctx *ctx;
	leat_heartbeat *h;
	send_chan(int) out;
	int until; /* turns of its loop until it stops, without a word */
};

/* The book's doWork: pulses also while it waits to send. */
static void work(struct work *a)
{
	bool over = false;

	for (int i = 0; i != a->until && !over; i++) {
		bool sent = false;

		while (!sent && !over) {
			chan_select {
				case_recv(leat_ctx_done(a->ctx))
					over = true;
				case_recv(leat_heartbeat_due(a->h))
					leat_heartbeat_beat(a->h);
				case_send(a->out, i)
					sent = true;
			}
		}
	}
	if (over)
		leat_heartbeat_close(a->h);
}

TEST(pattern_18_a_healthy_worker_pulses_and_gives_results)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_heartbeat *h = leat_heartbeat_make(5 * MS);
	chan(int) out = chan_make(int, 0);
	int pulses = 0, results = 0;

	go(work, ctx, h, chan_sender(out), -1);
	while (pulses < 6) {
		chan_select {
			case_recv(leat_heartbeat_pulses(h)) {
				pulses++;
				if (pulses % 2 == 0)
					CHECK_EQ(chan_recv(out), results++);
			}
			case_recv(leat_heartbeat_ended(h))
				CHECK(!"the worker has ended");
			case_timeout(LEAT_MINUTE)
				CHECK(!"worker goroutine is not healthy!");
		}
	}
	CHECK_EQ(results, 3);
	CHECK(leat_heartbeat_count(h) >= 6);
	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_heartbeat_watch(h, LEAT_MINUTE, NULL), -EPIPE);
	test_goroutines(1);
	leat_heartbeat_free(h);
	leat_ctx_free(ctx);
	chan_free(out);
}

TEST(pattern_18_a_worker_that_stops_is_noticed_two_intervals_later)
{
	leat_heartbeat *h = leat_heartbeat_make(20 * MS);
	chan(int) out = chan_make(int, 2);
	int64_t latest, found;

	go(work, leat_ctx_background(), h, chan_sender(out), 2);
	CHECK_EQ(chan_recv(out), 0);
	CHECK_EQ(chan_recv(out), 1);
	test_goroutines(1);
	latest = leat_heartbeat_latest(h);
	CHECK_EQ(leat_heartbeat_watch(h, 0, NULL), -ETIME);
	found = leat_now();
	CHECK_EQ(leat_heartbeat_latest(h), latest);
	CHECK(found - latest >= 40 * MS);
	CHECK(found - latest < LEAT_MINUTE / 2);
	CHECK_EQ(leat_heartbeat_watch(h, 0, NULL), -ETIME); /* it still is */
	leat_heartbeat_free(h);
	chan_free(out);
}

struct beats {
	leat_heartbeat *h;
	int n;
	int64_t each_ns;
};

static void beats(struct beats *a)
{
	for (int i = 0; i < a->n; i++) {
		leat_sleep(a->each_ns);
		leat_heartbeat_beat(a->h);
	}
	leat_heartbeat_close(a->h);
}

TEST(a_watch_goes_on_for_as_long_as_there_are_beats_and_takes_no_pulse)
{
	leat_heartbeat *h = leat_heartbeat_make(0);

	go(beats, h, 10, 2 * MS);
	CHECK_EQ(leat_heartbeat_watch(h, 10 * LEAT_SECOND, NULL), -EPIPE);
	CHECK_EQ(leat_heartbeat_count(h), 10);
	CHECK_EQ(chan_len(leat_heartbeat_pulses(h)), 1);
	test_goroutines(1);
	leat_heartbeat_free(h);
}

struct watch {
	leat_heartbeat *h;
	leat_ctx *ctx;
	bool pulses;
	atomic_int *result;
};

static void watch(struct watch *a)
{
	atomic_store(a->result, a->pulses ? leat_heartbeat_wait(a->h, LEAT_MINUTE, a->ctx)
	                                  : leat_heartbeat_watch(a->h, LEAT_MINUTE, a->ctx));
}

TEST(watches_end_by_their_context_and_any_number_may_watch)
{
	leat_heartbeat *h = leat_heartbeat_make(0);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int result[4] = {1, 1, 1, 1};

	for (int i = 0; i < 4; i++)
		go(watch, h, i < 2 ? ctx : NULL, i & 1, &result[i]);
	test_parked(4);
	leat_ctx_cancel(ctx);
	test_goroutines(3);
	CHECK_EQ(result[0], -ECANCELED);
	CHECK_EQ(result[1], -ECANCELED);
	CHECK_EQ(result[2], 1);
	CHECK_EQ(leat_heartbeat_watch(h, LEAT_MINUTE, ctx), -ECANCELED);
	CHECK_EQ(leat_heartbeat_wait(h, LEAT_MINUTE, ctx), -ECANCELED);
	leat_heartbeat_close(h);
	test_goroutines(1);
	CHECK_EQ(result[2], -EPIPE);
	CHECK_EQ(result[3], -EPIPE);
	leat_heartbeat_free(h);
	leat_ctx_free(ctx);
}

/* --- one per unit of work */

struct units {
	leat_heartbeat *h;
	send_chan(int) out;
	int n;
};

static void units(struct units *a)
{
	defer(leat_heartbeat_close, a->h);

	for (int i = 0; i < a->n; i++) {
		leat_heartbeat_beat(a->h);
		chan_send(a->out, i);
	}
	chan_close(a->out);
}

TEST(pattern_18_a_pulse_per_unit_of_work)
{
	leat_heartbeat *h = leat_heartbeat_make(0);
	chan(int) out = chan_make(int, 0);
	int pulses = 0, results = 0;
	bool open = true;

	CHECK(leat_heartbeat_due(h) == NULL);
	go(units, h, chan_sender(out), 10);
	while (open) {
		chan_select {
			case_recv(leat_heartbeat_pulses(h))
				pulses++;
			case_recv(out, v, ok) {
				if (ok)
					CHECK_EQ(v, results++);
				open = ok;
			}
		}
	}
	CHECK_EQ(results, 10);
	CHECK(pulses >= 1 && pulses <= 10);
	CHECK_EQ(leat_heartbeat_count(h), 10);
	test_goroutines(1);
	leat_heartbeat_free(h);
	chan_free(out);
}

/* The book's test of a worker that is slow to begin: it waits for the first pulse. */
TEST(pattern_18_the_first_pulse_says_that_the_worker_has_started)
{
	int rounds = test_count(10000);

	for (int i = 0; i < rounds; i++) {
		leat_heartbeat *h = leat_heartbeat_make(0);
		chan(int) out = chan_make(int, 4);
		bool ok = true;

		go(units, h, chan_sender(out), 4);
		chan_recv(leat_heartbeat_started(h));
		CHECK(leat_heartbeat_count(h) >= 1);
		CHECK(chan_reason(leat_heartbeat_started(h)) == NULL);
		for (int k = 0; k < 4; k++)
			CHECK_EQ(chan_recv(out), k);
		chan_recv(out);
		/* The end is no pulse: but for the one in the slot there is none. */
		CHECK_EQ(leat_heartbeat_wait(h, LEAT_MINUTE, NULL), 0);
		CHECK_EQ(leat_heartbeat_wait(h, LEAT_MINUTE, NULL), -EPIPE);
		CHECK(!chan_try_recv(leat_heartbeat_pulses(h), NULL, &ok));
		CHECK(chan_closed(leat_heartbeat_ended(h)));
		test_goroutines(1);
		leat_heartbeat_free(h);
		chan_free(out);
	}
}

TEST(beats_wait_for_nobody_and_leave_one_pulse)
{
	leat_heartbeat *h = leat_heartbeat_make(0);
	int64_t before = leat_now();

	CHECK_EQ(leat_heartbeat_wait(h, 5 * MS, NULL), -ETIME);
	CHECK(leat_now() - before >= 5 * MS);
	for (int i = 0; i < 100000; i++)
		leat_heartbeat_beat(h);
	CHECK_EQ(leat_heartbeat_count(h), 100000);
	CHECK(leat_heartbeat_latest(h) > before);
	CHECK_EQ(leat_heartbeat_wait(h, 0, NULL), 0);
	CHECK_EQ(leat_heartbeat_wait(h, 1, NULL), -ETIME);
	leat_heartbeat_free(h);
}

TEST(a_worker_that_ends_before_it_beats_has_started_with_a_reason)
{
	leat_heartbeat *h = leat_heartbeat_make(0);

	leat_heartbeat_close(h);
	leat_heartbeat_close(h);
	leat_heartbeat_beat(h); /* too late to be one */
	CHECK_EQ(leat_heartbeat_count(h), 0);
	CHECK_EQ(chan_len(leat_heartbeat_pulses(h)), 0);
	chan_recv(leat_heartbeat_started(h));
	CHECK_EQ(leat_error_code(chan_reason(leat_heartbeat_started(h))), -EPIPE);
	CHECK_EQ(leat_heartbeat_wait(h, 0, NULL), -EPIPE);
	CHECK_EQ(leat_heartbeat_watch(h, 0, NULL), -EPIPE);
	leat_heartbeat_free(h);
	leat_heartbeat_free(NULL);
}

/* What comes before a beat is seen by who has its pulse, or counts it: no atomics here, for the race detector. */
struct written {
	leat_heartbeat *h;
	int *value;
};

static void written(struct written *a)
{
	*a->value = 7;
	leat_heartbeat_beat(a->h);
}

TEST(a_beat_orders)
{
	for (int i = 0; i < test_count(2000); i++) {
		leat_heartbeat *h = leat_heartbeat_make(0);
		int value = 0;

		go(written, h, &value);
		if (i % 3 == 0)
			CHECK_EQ(leat_heartbeat_wait(h, LEAT_MINUTE, NULL), 0);
		else if (i % 3 == 1)
			chan_recv(leat_heartbeat_started(h));
		else
			test_until(leat_heartbeat_count(h) > 0);
		CHECK_EQ(value, 7);
		test_goroutines(1);
		leat_heartbeat_free(h);
	}
}

/* --- waits that beat */

struct sender {
	leat_heartbeat *h;
	send_chan(int) out;
	leat_ctx *ctx;
	atomic_int *result;
};

static void sender(struct sender *a)
{
	atomic_store(a->result, heartbeat_send(a->h, a->out, 42, a->ctx));
}

TEST(pattern_18_who_waits_to_send_beats)
{
	leat_heartbeat *h = leat_heartbeat_make(MS);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	chan(int) out = chan_make(int, 0);
	atomic_int result = 1;
	int v;

	for (int cancelled = 0; cancelled < 2; cancelled++) {
		atomic_store(&result, 1);
		go(sender, h, chan_sender(out), cancelled ? ctx : NULL, &result);
		for (int i = 0; i < 5; i++)
			CHECK_EQ(leat_heartbeat_wait(h, LEAT_MINUTE, NULL), 0);
		CHECK_EQ(atomic_load(&result), 1);
		if (cancelled)
			leat_ctx_cancel(ctx);
		else
			CHECK_EQ(chan_recv(out), 42);
		test_goroutines(1);
		CHECK_EQ(atomic_load(&result), cancelled ? -ECANCELED : 0);
		CHECK(!chan_try_recv(out, &v, NULL));
	}
	CHECK_EQ(heartbeat_send(h, chan_sender(out), 1, ctx), -ECANCELED);
	leat_heartbeat_free(h);
	leat_ctx_free(ctx);
	chan_free(out);
}

struct receiver {
	leat_heartbeat *h;
	recv_chan(int) in;
	leat_ctx *ctx;
	atomic_int *value, *result;
};

static void receiver(struct receiver *a)
{
	int v = 5, err = heartbeat_recv(a->h, a->in, &v, a->ctx);

	atomic_store(a->value, v);
	atomic_store(a->result, err);
}

TEST(pattern_18_who_waits_to_receive_beats)
{
	leat_heartbeat *h = leat_heartbeat_make(MS);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	chan(int) in = chan_make(int, 0);
	atomic_int result, value;

	for (int closed = 0; closed < 2; closed++) {
		atomic_store(&result, 1);
		go(receiver, h, chan_receiver(in), ctx, &value, &result);
		for (int i = 0; i < 5; i++)
			CHECK_EQ(leat_heartbeat_wait(h, LEAT_MINUTE, NULL), 0);
		if (closed)
			chan_close(in);
		else
			chan_send(in, 42);
		test_goroutines(1);
		CHECK_EQ(atomic_load(&result), closed ? -EPIPE : 0);
		CHECK_EQ(atomic_load(&value), closed ? 0 : 42);
	}
	CHECK_EQ(heartbeat_recv(h, chan_receiver(in), NULL, ctx), -EPIPE);
	leat_ctx_cancel(ctx);
	CHECK_EQ(heartbeat_recv(h, chan_receiver(in), NULL, ctx), -ECANCELED);
	leat_heartbeat_free(h);
	leat_ctx_free(ctx);
	chan_free(in);
}

TEST(who_sleeps_beats)
{
	leat_heartbeat *h = leat_heartbeat_make(2 * MS);
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 20 * MS);
	int64_t before = leat_now();
	uint64_t count;

	CHECK_EQ(leat_heartbeat_sleep(h, 20 * MS, NULL), 0);
	CHECK(leat_now() - before >= 20 * MS);
	count = leat_heartbeat_count(h);
	CHECK(count >= 1);
	CHECK_EQ(leat_heartbeat_sleep(h, LEAT_MINUTE, ctx), -ETIMEDOUT);
	CHECK_EQ(leat_heartbeat_sleep(h, 0, ctx), -ETIMEDOUT);
	CHECK_EQ(leat_heartbeat_sleep(h, -1, NULL), 0);
	leat_heartbeat_free(h);
	leat_ctx_free(ctx);
}

/* --- beats from beside the worker */

static void call_that_cannot_beat(leat_heartbeat *h, bool panics)
{
	with_heartbeat(h);

	test_until(leat_heartbeat_count(h) >= 5);
	if (panics)
		leat_panic("left");
}

static void call_that_panics(void *h)
{
	call_that_cannot_beat(h, true);
}

static void keep_without_interval(void *h)
{
	with_heartbeat((leat_heartbeat *)h);
}

TEST(with_heartbeat_beats_until_the_block_is_left)
{
	leat_heartbeat *none = leat_heartbeat_make(0);

	for (int panics = 0; panics < 2; panics++) {
		leat_heartbeat *h = leat_heartbeat_make(MS);
		uint64_t count;

		if (panics)
			CHECK(test_panics(call_that_panics, h, "left"));
		else
			call_that_cannot_beat(h, false);
		count = leat_heartbeat_count(h);
		test_goroutines(1);
		CHECK_EQ(leat_heartbeat_watch(h, 20 * MS, NULL), -ETIME);
		CHECK_EQ(leat_heartbeat_count(h), count);
		leat_heartbeat_free(h);
	}
	CHECK(test_panics(keep_without_interval, none, "heartbeat: no interval"));
	test_goroutines(1);
	leat_heartbeat_free(none);
}

/* --- all at once */

static void *beat_in_thread(void *h)
{
	for (int i = 0; i < 1000; i++)
		leat_heartbeat_beat(h);
	return NULL;
}

TEST(goroutines_and_threads_beat_watch_and_close_one)
{
	for (int i = 0; i < test_count(200); i++) {
		leat_heartbeat *h = leat_heartbeat_make(MS);
		atomic_int result[2] = {1, 1};
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, beat_in_thread, h), 0);
		go(beats, h, 3, 0);
		go(watch, h, NULL, false, &result[0]);
		go(watch, h, NULL, true, &result[1]);
		pthread_join(thread, NULL);
		test_goroutines(1);
		CHECK_EQ(result[0], -EPIPE);
		CHECK(result[1] == 0 || result[1] == -EPIPE);
		leat_heartbeat_free(h);
	}
}

static void make_negative(void *arg)
{
	(void)arg;
	leat_heartbeat_free(leat_heartbeat_make(-1));
}

static void free_it(void *h)
{
	leat_heartbeat_free(h);
}

TEST(misuse_panics)
{
	leat_heartbeat *h = leat_heartbeat_make(0);
	atomic_int result = 1;

	CHECK(test_panics(make_negative, NULL, "heartbeat: negative interval"));
	go(watch, h, NULL, true, &result);
	test_parked(1);
	CHECK(test_panics(free_it, h, "heartbeat_free: goroutines are waiting on a channel"));
	leat_heartbeat_beat(h);
	test_goroutines(1);
	CHECK_EQ(result, 0);
	CHECK_EQ(leat_heartbeat_interval(h), 0);
	leat_heartbeat_free(h);
}

TEST_MAIN
