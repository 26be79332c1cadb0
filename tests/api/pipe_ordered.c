/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 */
/*
 * Goal: pipe_map_ordered keeps the order, calls its function at the same time, and is no further ahead of what it has
 * sent than it was allowed.
 * Method: a million values; functions that wait for one another, which only those that run at the same time can do.
 */
#include "test.h"

#include <stdatomic.h>

typedef recv_chan(int) ints;

struct count {
	int next, end;
};

static bool count(int *out, struct count *c)
{
	*out = c->next++;
	return *out < c->end;
}

/* Some take much longer than others, and let others run. */
static void triple(const int *in, long *out)
{
	for (int i = *in % 7 == 0 ? 3 : 0; i > 0; i--)
		leat_yield();
	*out = 3L * *in;
}

TEST(a_million_in_order)
{
	static const struct {
		int workers, ahead;
		ptrdiff_t cap;
	} ways[] = {{1, 0, 0}, {4, 0, 0}, {4, 1, 0}, {3, 100, 0}, {8, 5, 16}};
	int n = test_count(1000000);

	for (int i = 0; i < 5; i++) {
		long expected = 0;
		scope(s, NULL);

		chan_range(v, pipe_map_ordered0(pipe_at(s, .workers = ways[i].workers,
		                                        .ahead = ways[i].ahead, .cap = ways[i].cap),
		                                pipe_from(s, int, count, .end = n), long, triple)) {
			CHECK_EQ(v, expected);
			expected += 3;
		}
		CHECK_EQ(expected, 3L * n);
	}
}

/* --- at the same time */

struct meet {
	atomic_int *inside;
	int all;
};

static void meet(const int *in, int *out, struct meet *m)
{
	atomic_fetch_add(m->inside, 1);
	test_until(atomic_load(m->inside) >= m->all);
	*out = *in;
}

TEST(workers_run_at_the_same_time)
{
	atomic_int inside = 0;
	scope(s, NULL);
	int expected = 0;

	chan_range(v, pipe_map_ordered(pipe_at(s, .workers = 5), pipe_from(s, int, count, .end = 5),
	                               int, meet, &inside, 5))
		CHECK_EQ(v, expected++);
	CHECK_EQ(expected, 5);
}

/* --- how far ahead */

struct gate {
	atomic_int *called;
	recv_chan(leat_empty) open;
};

/* The first waits; the others do not. */
static void gate(const int *in, int *out, struct gate *g)
{
	atomic_fetch_add(g->called, 1);
	if (*in == 0)
		chan_recv(g->open);
	*out = *in;
}

/* While the first result is missing, and while nobody receives, so many values are received and no more. */
static void ahead(int workers, int ahead, bool first_is_late)
{
	atomic_int called = 0;
	size_t parked = leat_num_parked(), goroutines = leat_num_goroutine();
	chan(leat_empty) open = chan_make(leat_empty, 0);
	int allowed = ahead ? ahead : 2 * workers;

	if (!first_is_late)
		chan_close(open);
	{
		scope(s, NULL);
		int expected = 0;
		ints out = pipe_map_ordered(pipe_at(s, .workers = workers, .ahead = ahead),
		                            pipe_from(s, int, count, .end = 100), int, gate, &called,
		                            chan_receiver(open));

		test_until(leat_num_parked() - parked == leat_num_goroutine() - goroutines);
		/* A worker alone is the one that is late, or the one that sends. */
		CHECK_EQ(atomic_load(&called), workers == 1 ? 1 : allowed);
		if (first_is_late)
			chan_close(open);
		chan_range(v, out)
			CHECK_EQ(v, expected++);
		CHECK_EQ(expected, 100);
	}
	chan_free(open);
}

TEST(looks_ahead_as_far_as_it_may)
{
	for (int late = 0; late < 2; late++) {
		ahead(1, 0, late);
		ahead(2, 0, late);
		ahead(2, 2, late);
		ahead(4, 17, late);
		ahead(8, 3, late);
	}
}

/* The scope is done while the first result is missing and the others wait for places; and while they wait for input. */
TEST(cancelled_while_it_waits)
{
	for (int round = 0; round < 50; round++) {
		atomic_int called = 0;
		size_t parked = leat_num_parked(), goroutines = leat_num_goroutine();
		chan(leat_empty) open = chan_make(leat_empty, 0);

		{
			scope(s, NULL);
			ints out = pipe_map_ordered(pipe_at(s, .workers = 4, .ahead = 6),
			                            pipe_from(s, int, count, .end = round % 2 ? 100 : 3), int,
			                            gate, &called, chan_receiver(open));

			test_until(leat_num_parked() - parked == leat_num_goroutine() - goroutines);
			scope_cancel(s);
			chan_close(open);
			CHECK(!chan_recv_ok(out, &(int){0}));
			CHECK(chan_reason(out) == &leat_canceled);
		}
		test_until(leat_num_goroutine() == goroutines);
		chan_free(open);
	}
}

TEST_MAIN
