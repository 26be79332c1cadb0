/* SPDX-License-Identifier: MIT */
/*
 * Goal: the choice among ready cases is uniform and independent of the choice before.  Method: many
 * trials with cases that stay ready; a count may be off its mean by z standard deviations.  z is
 * Go's 4.89 (one false alarm in a million) for the one statistic of line 59, and 6 (one in 500
 * million) where a test looks at many counts.
 */
#include "chan_help.h"

/* No root needed: compare squares.  p = num / den. */
static void check_share(long hits, long trials, long num, long den, double z)
{
	double mean = (double)trials * (double)num / (double)den;
	double variance = mean * (1 - (double)num / (double)den);
	double off = (double)hits - mean;

	if (off * off > z * z * variance) {
		fprintf(stderr, "%ld of %ld hits, %ld/%ld were due\n", hits, trials, num, den);
		CHECK(off * off <= z * z * variance);
	}
}

enum { TRIALS = 10000 };

TEST(line_59_two_ready_of_four)
{
	chan(int) ready1 = chan_make(int, TRIALS), ready2 = chan_make(int, TRIALS);
	chan(int) idle1 = chan_make(int, 0), idle2 = chan_make(int, 0);
	long hits[2] = {0, 0};

	for (int i = 0; i < TRIALS; i++) {
		chan_send(ready1, 0);
		chan_send(ready2, 0);
	}
	for (int i = 0; i < TRIALS; i++) {
		chan_select {
			case_recv(idle1)
				CHECK(i < 0);
			case_recv(idle2)
				CHECK(i < 0);
			case_recv(ready1)
				hits[0]++;
			case_recv(ready2)
				hits[1]++;
		}
	}
	CHECK_EQ(hits[0] + hits[1], TRIALS);
	check_share(hits[0], TRIALS, 1, 2, 4.891676);
	chan_free(ready1);
	chan_free(ready2);
	chan_free(idle1);
	chan_free(idle2);
}

/* A choice that alternates, or sticks, is uniform too: look at how often it changes. */
TEST(line_59_choices_are_independent)
{
	chan(int) c = chan_make(int, 0), d = chan_make(int, 0);
	long changes = 0, triples[8] = {0};
	int last = 0;

	chan_close(c);
	chan_close(d);
	for (int i = 0; i < TRIALS; i++) {
		int now = 0;

		chan_select {
			case_recv(c)
				now = 0;
			case_recv(d)
				now = 1;
		}
		changes += now != (last & 1);
		last = (last << 1 | now) & 7;
		triples[last]++;
	}
	check_share(changes, TRIALS, 1, 2, 6);
	/* Overlapping triples vary a little more than independent ones, at most by half. */
	for (int i = 0; i < 8; i++)
		check_share(triples[i], TRIALS, 1, 8, 9);
	chan_free(c);
	chan_free(d);
}

/* Every subset of eight cases, some receives, some sends: each ready one gets its share. */
TEST(line_59_any_number_of_ready_cases)
{
	leat_chan *ready = leat_chan_make(sizeof(int), 0), *idle = leat_chan_make(sizeof(int), 0);
	leat_chan *room = leat_chan_make(0, 1 << 20);
	int trials = 20000; /* fewer are not normally distributed out to 6 deviations */

	leat_chan_close(ready);
	for (unsigned mask = 3; mask < 256; mask += 7) {
		leat_case cases[8];
		long hits[8] = {0};
		int v = 0, n = __builtin_popcount(mask);

		for (int i = 0; i < 8; i++) {
			bool is = mask >> i & 1;

			if (i % 3 == 2)
				cases[i] = (leat_case){is ? room : idle, LEAT_SEND, &v};
			else
				cases[i] = (leat_case){is ? ready : idle, LEAT_RECV, &v};
		}
		for (int t = 0; t < trials; t++)
			hits[leat_select(cases, 8, t % 2 ? LEAT_FOREVER : 0, NULL)]++;
		for (int i = 0; i < 8; i++)
			check_share(hits[i], trials, mask >> i & 1, n, 6);
	}
	leat_chan_free(ready);
	leat_chan_free(idle);
	leat_chan_free(room);
}

TEST(line_59_many_cases)
{
	enum { N = 100 };
	leat_chan *c[N];
	leat_case cases[N];
	long hits[N] = {0};
	int trials = test_count(200000), v;

	if (trials < 20000)
		trials = 20000;

	for (int i = 0; i < N; i++) {
		c[i] = leat_chan_make(sizeof(int), 0);
		if (i % 4 == 0)
			leat_chan_close(c[i]);
		cases[i] = (leat_case){c[i], LEAT_RECV, &v};
	}
	for (int t = 0; t < trials; t++)
		hits[leat_select(cases, N, LEAT_FOREVER, NULL)]++;
	for (int i = 0; i < N; i++)
		check_share(hits[i], trials, i % 4 == 0, N / 4, 6);
	for (int i = 0; i < N; i++)
		leat_chan_free(c[i]);
}

/* Chosen by default's neighbours too. */
TEST(line_59_with_default)
{
	chan(int) c = chan_make(int, 0), d = chan_make(int, 0);
	long hits[2] = {0, 0};

	chan_close(c);
	chan_close(d);
	for (int i = 0; i < TRIALS; i++) {
		chan_select {
			case_recv(c)
				hits[0]++;
			case_default
				CHECK(i < 0);
			case_recv(d)
				hits[1]++;
		}
	}
	CHECK_EQ(hits[0] + hits[1], TRIALS);
	check_share(hits[0], TRIALS, 1, 2, 6);
	chan_free(c);
	chan_free(d);
}

/* On a plain thread, which has no processor whose generator it could use. */
static void thread_trials(void *p)
{
	leat_waitgroup *wg = p;
	chan(int) c = chan_make(int, 0), d = chan_make(int, 0);
	long hits[2] = {0, 0};

	chan_close(c);
	chan_close(d);
	for (int i = 0; i < TRIALS; i++) {
		chan_select {
			case_recv(c)
				hits[0]++;
			case_recv(d)
				hits[1]++;
		}
	}
	check_share(hits[0], TRIALS, 1, 2, 6);
	chan_free(c);
	chan_free(d);
	leat_waitgroup_done(wg);
}

TEST(line_59_on_threads_and_goroutines)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		start(i % KINDS, thread_trials, &wg);
	leat_waitgroup_wait(&wg);
}

struct random_bits {
	chan(int) c;
	int n;
};

static void random_bits(struct random_bits *a)
{
	for (int i = 0; i < a->n; i++) {
		chan_select {
			case_send(a->c, 0) {
			}
			case_send(a->c, 1) {
			}
		}
	}
	chan_close(a->c);
}

TEST(line_60_fair_per_case_on_one_channel)
{
	int n = test_count(100000);

	for (int cap = 0; cap < 4; cap++) {
		chan(int) c = chan_make(int, cap);
		long ones = 0;

		go(random_bits, c, n);
		chan_range(v, c)
			ones += v;
		CHECK(ones * 10 > n && (n - ones) * 10 > n);
		test_goroutines(1);
		chan_free(c);
	}
}

/* Three cases of one channel against one of another: each case counts, not each channel. */
TEST(line_60_cases_count_not_channels)
{
	chan(int) c = chan_make(int, 0), d = chan_make(int, 0);
	long hits[4] = {0};

	chan_close(c);
	chan_close(d);
	for (int i = 0; i < TRIALS; i++) {
		chan_select {
			case_recv(c)
				hits[0]++;
			case_recv(c)
				hits[1]++;
			case_recv(d)
				hits[2]++;
			case_recv(c)
				hits[3]++;
		}
	}
	for (int i = 0; i < 4; i++)
		check_share(hits[i], TRIALS, 1, 4, 6);
	chan_free(c);
	chan_free(d);
}

/* Parked senders and receivers make cases as ready as buffers do. */
struct supply {
	chan(int) c, stop;
};

static void supply(struct supply *a)
{
	for (bool more = true; more;) {
		chan_select {
			case_send(a->c, 1) {
			}
			case_recv(a->stop)
				more = false;
		}
	}
}

TEST(line_59_parked_senders)
{
	enum { EACH = 8 };
	chan(int) c = chan_make(int, 0), d = chan_make(int, 0), stop = chan_make(int, 0);
	int trials = test_count(40000);
	long hits[2] = {0, 0};

	for (int i = 0; i < EACH; i++) {
		go(supply, c, stop);
		go(supply, d, stop);
	}
	for (int i = 0; i < trials; i++) {
		/* Both sides ready: every supplier is back in its select. */
		test_parked(2 * EACH);
		chan_select {
			case_recv(c)
				hits[0]++;
			case_recv(d)
				hits[1]++;
		}
	}
	check_share(hits[0], trials, 1, 2, 6);
	chan_close(stop);
	test_goroutines(1);
	chan_free(c);
	chan_free(d);
	chan_free(stop);
}

TEST_MAIN
