/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_timer, by Go 1.23's rules: the value, stop, reset, nothing stale, one of several waiters.
 * Method: a timer may be late but never early, so only the early side is measured.  "It has gone off" is
 * observed on the clock, and nothing of it needs to have been received.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

/* Wait until the clock shows at, without a timer. */
static void wait_until(int64_t at)
{
	test_until(leat_now() >= at);
}

/* A timer that has gone off and was not received; *at is when. */
static leat_timer *gone_off(int64_t *at)
{
	leat_timer *t = leat_timer_new(LEAT_MICROSECOND);

	*at = leat_now() + LEAT_MICROSECOND;
	wait_until(*at);
	return t;
}

static bool empty(leat_timer *t)
{
	int64_t v = -1;
	bool ok = false, got = chan_try_recv(leat_timer_chan(t), &v, &ok);

	return !got && v == -1 && !ok;
}

TEST(line_141_the_value_is_the_instant_asked_for)
{
	static const int64_t waits[] = {0, 1, 1000, LEAT_MILLISECOND, 5 * LEAT_MILLISECOND};

	for (int i = 0; i < 5; i++) {
		int64_t before = leat_now(), v;
		leat_timer *t = leat_timer_new(waits[i]);
		int64_t after = leat_now();

		v = chan_recv(leat_timer_chan(t));
		CHECK(leat_now() >= v);
		CHECK(v >= before + waits[i] && v <= after + waits[i]);
		CHECK(empty(t)); /* once */
		leat_timer_free(t);
	}
}

TEST(line_141_read_late_it_is_the_same)
{
	int64_t at, v;
	leat_timer *t = gone_off(&at);

	leat_sleep(20 * LEAT_MILLISECOND);
	v = chan_recv(leat_timer_chan(t));
	CHECK(v <= at);
	leat_timer_free(t);
}

TEST(line_141_no_time_or_less_goes_off_at_once)
{
	static const int64_t waits[] = {0, -1, -LEAT_HOUR, INT64_MIN};

	for (int i = 0; i < 4; i++) {
		leat_timer *t = leat_timer_new(waits[i]);
		int64_t v;
		bool ok;

		CHECK(chan_try_recv(leat_timer_chan(t), &v, &ok) && ok);
		CHECK(v <= leat_now());
		leat_timer_free(t);
	}
}

TEST(line_142_length_and_capacity_are_0)
{
	int64_t at;
	leat_timer *t = gone_off(&at);

	CHECK_EQ(chan_len(leat_timer_chan(t)), 0);
	CHECK_EQ(chan_cap(leat_timer_chan(t)), 0);
	chan_recv(leat_timer_chan(t));
	CHECK_EQ(chan_len(leat_timer_chan(t)), 0);
	leat_timer_free(t);
}

TEST(line_143_after_a_stop_nothing_is_received)
{
	int64_t at;
	leat_timer *t = leat_timer_new(LEAT_HOUR);

	CHECK(leat_timer_stop(t));
	CHECK(empty(t));
	leat_timer_free(t);
	t = gone_off(&at);
	CHECK(leat_timer_stop(t)); /* not received yet: it was active */
	CHECK(empty(t));
	leat_timer_free(t);
	t = gone_off(&at);
	chan_recv(leat_timer_chan(t));
	CHECK(!leat_timer_stop(t));
	CHECK(empty(t));
	leat_timer_free(t);
}

TEST(line_144_after_a_reset_only_the_new_value_is_received)
{
	int64_t at, before;
	leat_timer *t = gone_off(&at);

	CHECK(leat_timer_reset(t, LEAT_HOUR)); /* not received yet: it was active */
	CHECK(empty(t));
	before = leat_now();
	CHECK(leat_timer_reset(t, LEAT_MILLISECOND));
	CHECK(chan_recv(leat_timer_chan(t)) >= before + LEAT_MILLISECOND);
	CHECK(!leat_timer_reset(t, 0)); /* received: it was not */
	CHECK(chan_recv(leat_timer_chan(t)) >= before + LEAT_MILLISECOND);
	leat_timer_free(t);
}

TEST(line_145_results_of_stop_and_reset)
{
	leat_timer *t = leat_timer_new(LEAT_HOUR);

	CHECK(leat_timer_stop(t));
	CHECK(!leat_timer_stop(t));
	CHECK(!leat_timer_reset(t, LEAT_HOUR));
	CHECK(leat_timer_reset(t, 2 * LEAT_HOUR));
	CHECK(leat_timer_stop(t));
	CHECK(!leat_timer_reset(t, INT64_MAX));
	CHECK(leat_timer_stop(t));
	leat_timer_free(t);
	leat_timer_free(NULL);
	CHECK(leat_timer_chan(NULL) == NULL);
}

static void stop_null(void *arg)
{
	(void)arg;
	leat_timer_stop(NULL);
}

static void reset_null(void *arg)
{
	(void)arg;
	leat_timer_reset(NULL, 1);
}

TEST(line_150_stop_and_reset_of_no_timer_panic)
{
	CHECK(test_panics(stop_null, NULL, "time: Stop called on uninitialized Timer"));
	CHECK(test_panics(reset_null, NULL, "time: Reset called on uninitialized Timer"));
}

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, pages;

	CHECK(f != NULL);
	CHECK_EQ(fscanf(f, "%lu %lu", &size, &pages), 2);
	fclose(f);
	return (long)(pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

/* Ten times over, so that what is not given back shows; the first time does not count. */
TEST(line_147_freed_timers_leave_nothing_behind)
{
	int n = test_count(200000);
	leat_timer **all = malloc((size_t)n * sizeof *all);
	long before = 0, grown;

	CHECK(all != NULL);
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < n; i++)
			all[i] = leat_timer_new(LEAT_HOUR + i);
		for (int i = 0; i < n; i++) {
			CHECK(leat_timer_reset(all[i], 2 * LEAT_HOUR - i));
			if (i % 2)
				CHECK(leat_timer_stop(all[i]));
		}
		for (int i = 0; i < n; i++)
			leat_timer_free(all[i]);
		if (round == 0)
			before = resident_kib();
	}
	grown = resident_kib() - before;
	fprintf(stderr, "\tgrown by %ld KiB\n", grown);
#ifndef TEST_SANITIZED
	CHECK(grown < 4096);
#endif
	free(all);
}

struct slot {
	int number;
	int64_t step_ns;
	send_chan(int) out;
};

static void slot(struct slot *a)
{
	recv_chan(int64_t) c = leat_after(a->number * a->step_ns);

	chan_recv(c);
	chan_free(c);
	chan_send(a->out, a->number);
}

/* A busy machine may swap two neighbours: then the steps become longer, up to what no load explains. */
TEST(line_151_timers_fire_in_order)
{
	static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
	enum { N = sizeof slots / sizeof slots[0] };
	bool sorted = false;

	for (int64_t step = 5 * LEAT_MILLISECOND; !sorted && step < 2 * LEAT_SECOND; step *= 4) {
		chan(int) out = chan_make(int, N);
		int last = -1;

		sorted = true;
		for (int i = 0; i < N; i++)
			go(slot, slots[i], step, chan_sender(out));
		for (int i = 0; i < N; i++) {
			int number = chan_recv(out);

			sorted &= number >= last;
			last = number;
		}
		chan_free(out);
	}
	CHECK(sorted);
}

TEST(line_152_far_away_it_does_not_overflow)
{
	static const int64_t waits[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2};

	for (int i = 0; i < 3; i++) {
		leat_timer *t = leat_timer_new(waits[i]);

		chan_select {
			case_recv(leat_timer_chan(t))
				CHECK(!"it went off");
			case_timeout(LEAT_MILLISECOND) {
			}
		}
		CHECK(leat_timer_reset(t, waits[i]));
		CHECK(empty(t));
		CHECK(leat_timer_stop(t));
		leat_timer_free(t);
	}
}

struct receiver {
	recv_chan(int64_t) c;
	atomic_int *got;
	int number;
	int *first; /* the number of the one that got it */
};

static void receiver(struct receiver *a)
{
	chan_recv(a->c);
	if (a->first)
		*a->first = a->number;
	atomic_fetch_add(a->got, 1);
}

/* Once for each, always back into the past, with somebody waiting; they go off all the same. */
TEST(line_153_set_from_the_past_again_and_again)
{
	enum { N = 1000 };
	static leat_timer *all[N];
	atomic_int got = 0;

	for (int i = 0; i < N; i++) {
		all[i] = leat_timer_new(LEAT_HOUR);
		go(receiver, leat_timer_chan(all[i]), &got, i, NULL);
	}
	test_parked(N);
	for (int i = 0; i < N; i++)
		CHECK(leat_timer_reset(all[i], LEAT_HOUR - i));
	for (int round = 0; round < 10; round++)
		for (int i = 0; i < N; i++)
			leat_timer_reset(all[i], -round * LEAT_SECOND);
	test_until(atomic_load(&got) == N);
	test_goroutines(1);
	for (int i = 0; i < N; i++)
		leat_timer_free(all[i]);
}

struct stopped {
	atomic_int *woken;
	int64_t ns;
};

static void sleeper(struct stopped *a)
{
	leat_sleep(a->ns);
	atomic_fetch_add(a->woken, 1);
}

TEST(line_153_many_short_ones_beside_5000_sleepers)
{
	enum { SLEEPERS = 5000 };
	int n = test_count(1000000);
	atomic_int woken = 0;
	int64_t begin = leat_now();

	for (int i = 0; i < SLEEPERS; i++)
		go_as(stopped, sleeper, &woken, (i % 100 + 1) * LEAT_MILLISECOND);
	for (int i = 0; i < n; i++) {
		recv_chan(int64_t) c = leat_after(LEAT_MICROSECOND);

		if (i % 10 == 0)
			chan_recv(c);
		chan_free(c);
	}
	test_until(atomic_load(&woken) == SLEEPERS);
	test_goroutines(1);
	CHECK(leat_now() - begin < LEAT_MINUTE);
}

TEST(line_154_who_waits_on_a_stopped_timer_goes_on_waiting)
{
	leat_timer *t = leat_timer_new(LEAT_HOUR);
	atomic_int got = 0;

	go(receiver, leat_timer_chan(t), &got, 0, NULL);
	test_parked(1);
	CHECK(leat_timer_stop(t));
	leat_sleep(LEAT_MILLISECOND);
	test_parked(1);
	CHECK_EQ(got, 0);
	CHECK(!leat_timer_reset(t, LEAT_MILLISECOND));
	test_until(atomic_load(&got) == 1);
	leat_timer_free(t);
	test_goroutines(1);
}

TEST(line_154_of_several_waiters_one_gets_it_the_longest_first)
{
	enum { N = 5 };
	leat_timer *t = leat_timer_new(LEAT_HOUR);
	atomic_int got = 0;
	int first = -1;

	for (int i = 0; i < N; i++) {
		go(receiver, leat_timer_chan(t), &got, i, &first);
		test_parked(i + 1);
	}
	for (int i = 0; i < N; i++) {
		CHECK_EQ(leat_timer_reset(t, i % 2 ? 0 : LEAT_MILLISECOND), i == 0);
		test_until(atomic_load(&got) == i + 1);
		CHECK_EQ(first, i);
		test_parked(N - 1 - i);
		CHECK(!leat_timer_stop(t));
	}
	leat_timer_free(t);
	test_goroutines(1);
}

/* The one who asks without waiting does not get ahead of one who waits, though the timer may have been
   due for a moment without anybody having seen to it. */
TEST(line_154_who_waits_goes_before_who_asks)
{
	for (int i = 0; i < 300; i++) {
		leat_timer *t = leat_timer_new(LEAT_HOUR);
		atomic_int got = 0;

		go(receiver, leat_timer_chan(t), &got, 0, NULL);
		test_parked(1);
		leat_timer_reset(t, 0);
		CHECK(empty(t));
		test_until(atomic_load(&got) == 1);
		leat_timer_free(t);
	}
	test_goroutines(1);
}

struct keeper {
	int64_t ns;
	atomic_int *got;
};

static void waits_for_its_own(struct keeper *a)
{
	leat_timer *t = leat_timer_new(a->ns);

	chan_recv(leat_timer_chan(t));
	leat_timer_free(t);
	atomic_fetch_add(a->got, 1);
}

TEST(line_13_line_155_timers_of_processors_that_are_gone)
{
	int procs = leat_procs(8);
	atomic_int got = 0;

	for (int round = 0; round < 5; round++) {
		atomic_store(&got, 0);
		leat_procs(8);
		for (int i = 0; i < 200; i++)
			go_as(keeper, waits_for_its_own, (i % 20 + 1) * LEAT_MILLISECOND, &got);
		leat_yield();
		leat_procs(1);
		leat_sleep(5 * LEAT_MILLISECOND);
		leat_procs(3);
		test_until(atomic_load(&got) == 200);
	}
	leat_procs(procs);
	test_goroutines(1);
}

/* The processor in whose heap the timer is runs a goroutine that never comes by. */
TEST(line_155_the_timer_of_a_busy_processor)
{
	for (int i = 0; i < 20; i++) {
		leat_timer *t = leat_timer_new(LEAT_HOUR);
		atomic_int got = 0;

		go(receiver, leat_timer_chan(t), &got, 0, NULL);
		test_parked(1);
		leat_timer_reset(t, LEAT_MILLISECOND);
		while (!atomic_load(&got))
			; /* no call into leat */
		leat_timer_free(t);
	}
	test_goroutines(1);
}

TEST(a_select_finds_it_and_leaves_it_alone)
{
	leat_timer *soon = leat_timer_new(LEAT_MILLISECOND), *late = leat_timer_new(LEAT_HOUR);
	chan(int) c = chan_make(int, 1);
	int defaults = 0, fired = 0;

	for (int i = 0; i < 100; i++) {
		chan_select {
			case_recv(leat_timer_chan(late))
				CHECK(!"it went off");
			case_default
				defaults++;
		}
	}
	CHECK_EQ(defaults, 100);
	while (!fired) {
		chan_send(c, 1);
		chan_select {
			case_recv(leat_timer_chan(late))
				CHECK(!"it went off");
			case_recv(leat_timer_chan(soon), v, ok) {
				CHECK(ok && v <= leat_now());
				fired++;
				chan_recv(c);
			}
			case_recv(c) {
			}
		}
	}
	CHECK(!leat_timer_stop(soon));
	CHECK(leat_timer_stop(late));
	leat_timer_free(soon);
	leat_timer_free(late);
	chan_free(c);
}

static void free_awaited(void *t)
{
	leat_timer_free(t);
}

static void free_channel(void *t)
{
	chan_free(leat_timer_chan(t));
}

TEST(freeing_what_is_in_use_panics)
{
	leat_timer *t = leat_timer_new(LEAT_HOUR);
	atomic_int got = 0;

	CHECK(test_panics(free_channel, t, "chan_free: the channel belongs to a timer"));
	go(receiver, leat_timer_chan(t), &got, 0, NULL);
	test_parked(1);
	CHECK(test_panics(free_awaited, t, "timer_free: goroutines are waiting on the channel"));
	leat_timer_reset(t, 0);
	test_until(atomic_load(&got) == 1);
	test_goroutines(1);
	leat_timer_free(t);
}

static void *in_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		leat_timer *t = leat_timer_new(i * 10 * LEAT_MICROSECOND);
		bool got = false;

		if (i % 3) {
			CHECK(chan_recv(leat_timer_chan(t)) <= leat_now());
			got = true;
		}
		CHECK_EQ(leat_timer_stop(t), !got);
		CHECK(empty(t));
		leat_timer_free(t);
	}
	return NULL;
}

TEST(plain_threads_use_it_too)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, in_thread, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

TEST_MAIN
