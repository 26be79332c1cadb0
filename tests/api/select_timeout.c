/* SPDX-License-Identifier: MIT */
/*
 * Goal: case_timeout.  Method: a timeout may be late but never early, so only the early side is
 * measured; which case wins is decided by channels that are ready, or that nobody serves.
 */
#include "chan_help.h"

TEST(timeout_fires_when_nothing_else_does_and_never_early)
{
	static const int64_t waits[] = {1,
	                                LEAT_MICROSECOND,
	                                50 * LEAT_MICROSECOND,
	                                LEAT_MILLISECOND,
	                                5 * LEAT_MILLISECOND,
	                                20 * LEAT_MILLISECOND};
	chan(int) c = chan_make(int, 0);

	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
			int64_t begin = leat_now();
			int fired = 0;

			chan_select {
				case_recv(c)
					fired = -1;
				case_timeout(waits[i])
					fired++;
				case_send(c, 1)
					fired = -1;
			}
			CHECK_EQ(fired, 1);
			CHECK(leat_now() - begin >= waits[i]);
			CHECK(!chan_try_recv(c, NULL, NULL));
			CHECK(!chan_try_send(c, 1));
		}
	}
	chan_free(c);
}

TEST(timeout_of_zero_or_less_is_default)
{
	static const int64_t waits[] = {0, -1, -LEAT_HOUR, INT64_MIN};
	chan(int) c = chan_make(int, 1);

	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		for (int round = 0; round < 200; round++) {
			int fired = 0;

			chan_select {
				case_recv(c)
					fired = -1;
				case_timeout(waits[i])
					fired = 1;
			}
			CHECK_EQ(fired, 1);
			/* What is ready goes first, every time. */
			chan_send(c, 1);
			chan_select {
				case_timeout(waits[i])
					fired = 2;
				case_recv(c, v)
					fired += v;
			}
			CHECK_EQ(fired, 2);
			CHECK_EQ(chan_len(c), 0);
			fired = 0;
			chan_select {
				case_timeout(waits[i])
					fired = 1;
			}
			CHECK_EQ(fired, 1);
		}
	}
	chan_free(c);
}

TEST(what_is_ready_beats_any_timeout)
{
	chan(int) c = chan_make(int, 1);

	for (int i = 0; i < 3000; i++) {
		int64_t wait = i % 3 == 0 ? 1 : i % 3 == 1 ? LEAT_FOREVER : INT64_MAX - 1;
		int got = 0;

		chan_send(c, 5);
		chan_select {
			case_timeout(wait)
				got = -1;
			case_recv(c, v)
				got = v;
		}
		CHECK_EQ(got, 5);
	}
	chan_free(c);
}

struct late {
	chan(int) c;
	int64_t wait;
	_Atomic int *got;
};

static void late(struct late *a)
{
	chan_select {
		case_timeout(a->wait)
			atomic_store(a->got, -1);
		case_recv(a->c, v)
			atomic_store(a->got, v);
	}
}

/* A timeout beyond the clock's end must not wrap into the past. */
TEST(huge_timeouts_wait)
{
	static const int64_t waits[] = {LEAT_FOREVER, INT64_MAX - 1, INT64_MAX / 2, LEAT_HOUR};
	chan(int) c = chan_make(int, 0);

	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		_Atomic int got = 0;
		size_t base = leat_num_parked();

		go(late, c, waits[i], &got);
		test_parked(base + 1);
		leat_sleep(2 * LEAT_MILLISECOND);
		CHECK_EQ(atomic_load(&got), 0);
		CHECK_EQ(leat_num_parked(), base + 1);
		chan_send(c, 3);
		test_until(atomic_load(&got) == 3);
		test_goroutines(1);
	}
	chan_free(c);
}

/* After its case won, the timer is gone: it wakes nothing that the goroutine waits for later. */
struct later {
	chan(int) c, d;
	int64_t wait;
	int n;
	long sum;
	leat_waitgroup *wg;
};

static void two_waits(void *p)
{
	struct later *a = p;

	for (int i = 0; i < a->n; i++) {
		bool won = false;

		chan_select {
			case_recv(a->c, v) {
				a->sum += v;
				won = true;
			}
			case_timeout(a->wait) {
			}
		}
		if (!won)
			a->sum += chan_recv(a->c);
		a->sum += chan_recv(a->d);
	}
	leat_waitgroup_done(a->wg);
}

/* Timeouts of the same size as the time it takes to serve: some win, some lose, nothing gets lost. */
TEST(a_timeout_races_with_its_rival)
{
	static const int64_t waits[] = {1, 1000, 5000, 20000, 100000, LEAT_SECOND};
	int n = test_count(5000);
	leat_waitgroup wg = {0};

	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		for (int k = 0; k < KINDS; k++) {
			struct later a = {chan_make(int, 0), chan_make(int, 1), waits[i], n, 0, &wg};

			leat_waitgroup_add(&wg, 1);
			start(k, two_waits, &a);
			for (int j = 0; j < n; j++) {
				for (int y = j % 3; y > 0; y--)
					leat_yield();
				chan_send(a.c, 1);
				chan_send(a.d, 1000);
			}
			leat_waitgroup_wait(&wg);
			CHECK_EQ(a.sum, 1001L * n);
			chan_free(a.c);
			chan_free(a.d);
		}
	}
}

/* Many timers at once, in any order of deadlines: each fires, none early. */
struct sleeper {
	chan(int) never;
	int64_t wait;
	leat_waitgroup *wg;
};

static void sleeper(void *p)
{
	struct sleeper *a = p;
	int64_t begin = leat_now();
	bool fired = false;

	chan_select {
		case_recv(a->never) {
		}
		case_timeout(a->wait)
			fired = true;
	}
	CHECK(fired);
	CHECK(leat_now() - begin >= a->wait);
	leat_waitgroup_done(a->wg);
}

TEST(many_timeouts_at_once)
{
	enum { MOST = 2000 };
	int n = test_count(10 * MOST);
	static struct sleeper s[MOST * 10];
	chan(int) never = chan_make(int, 0);
	leat_waitgroup wg = {0};
	uint64_t state = seed();

	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++) {
		s[i] = (struct sleeper){never, rnd_below(&state, 20000) * LEAT_MICROSECOND, &wg};
		start(i % 100 == 99 ? THREAD : GOROUTINE, sleeper, &s[i]);
	}
	leat_waitgroup_wait(&wg);
	CHECK(!chan_try_send(never, 1));
	chan_free(never);
}

/* On threads, alone and next to parked goroutines. */
static void thread_timeout(void *p)
{
	struct sleeper *a = p;

	for (int i = 0; i < 50; i++) {
		int64_t begin = leat_now();
		leat_case one = {(leat_chan *)(void *)a->never, LEAT_RECV, NULL};

		CHECK_EQ(leat_select(&one, 1, a->wait, NULL), LEAT_SELECT_NONE);
		CHECK(leat_now() - begin >= a->wait);
	}
	leat_waitgroup_done(a->wg);
}

TEST(timeouts_on_threads)
{
	struct sleeper s = {chan_make(int, 0), 300 * LEAT_MICROSECOND, NULL};
	leat_waitgroup wg = {0};

	s.wg = &wg;
	leat_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		start(i < 4 ? THREAD : GOROUTINE, thread_timeout, &s);
	leat_waitgroup_wait(&wg);
	chan_free(s.never);
}

/* A loop that hears something often enough never times out; then it does. */
TEST(timeout_counts_from_its_own_select)
{
	chan(int) c = chan_make(int, 1);
	int heard = 0, quiet = 0;

	for (int i = 0; i < 100; i++) {
		chan_send(c, i);
		chan_select {
			case_recv(c)
				heard++;
			case_timeout(LEAT_HOUR)
				quiet++;
		}
	}
	for (int i = 0; i < 3; i++) {
		int64_t begin = leat_now();

		chan_select {
			case_recv(c)
				heard++;
			case_timeout(LEAT_MILLISECOND)
				quiet++;
		}
		CHECK(leat_now() - begin >= LEAT_MILLISECOND);
	}
	CHECK_EQ(heard, 100);
	CHECK_EQ(quiet, 3);
	chan_free(c);
}

TEST_MAIN
