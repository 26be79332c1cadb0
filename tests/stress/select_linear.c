/* SPDX-License-Identifier: MIT */
/*
 * Goal: taking waiters out of queues that hold many others costs the same for each (line 69).  Method:
 * queues of 100,000 waiters (fewer unless TEST_FULL, where each needs a goroutine) that are left from
 * the front, the back and the middle.  A search of the queue for each would be 10^10 steps, beyond the
 * time-out; no time is measured.
 */
#include "chan_help.h"

struct many {
	chan(int) shared, *own;
	_Atomic int *left;
	_Atomic long *sum;
};

static void wait_two(void *p)
{
	struct many *a = p;

	chan_select {
		case_recv(a->shared, v)
			atomic_fetch_add(a->sum, v);
		case_recv(*a->own, v)
			atomic_fetch_add(a->sum, v);
	}
	atomic_fetch_sub(a->left, 1);
}

/* i-th to leave of n: oldest first, newest first, or from both ends towards the middle. */
static int leaver(int i, int n, int order)
{
	if (order == 0)
		return i;
	if (order == 1)
		return n - 1 - i;
	return i % 2 ? n - 1 - i / 2 : i / 2;
}

TEST(line_69_goroutines_leave_a_shared_queue)
{
	int n = test_count(100000);
	chan(int) shared = chan_make(int, 0), *own = malloc((size_t)n * sizeof *own);
	struct many *m = malloc((size_t)n * sizeof *m);
	_Atomic int left;
	_Atomic long sum;

	CHECK(own && m);
	for (int i = 0; i < n; i++)
		own[i] = chan_make(int, 0);
	for (int order = 0; order < 3; order++) {
		long expect = 0;

		atomic_store(&left, n);
		atomic_store(&sum, 0);
		for (int i = 0; i < n; i++) {
			m[i] = (struct many){shared, &own[i], &left, &sum};
			start(GOROUTINE, wait_two, &m[i]);
		}
		test_parked(n);
		for (int i = 0; i < n; i++) {
			chan_send(own[leaver(i, n, order)], i);
			expect += i;
		}
		test_until(atomic_load(&left) == 0);
		CHECK_EQ(atomic_load(&sum), expect);
		/* The shared queue is empty. */
		CHECK(!chan_try_send(shared, 1));
		test_goroutines(1);
	}
	for (int i = 0; i < n; i++)
		chan_free(own[i]);
	chan_free(shared);
	free(own);
	free(m);
}

/* One select that waits 100,000 times on one channel, and once on another. */
struct wake {
	leat_chan *c;
};

static void wake(struct wake *a)
{
	test_parked(1);
	leat_chan_send(a->c, &(int){7});
}

TEST(line_69_one_select_of_many_cases)
{
#ifdef TEST_SANITIZED
	size_t n = 10000;
#else
	size_t n = 100000;
#endif
	leat_case *cases = malloc(n * sizeof *cases);
	leat_chan *c = leat_chan_make(sizeof(int), 0), *d = leat_chan_make(sizeof(int), 0);
	int v = 0;

	CHECK(cases);
	for (size_t i = 0; i < n; i++)
		cases[i] = (leat_case){c, LEAT_RECV, &v};
	for (int round = 0; round < 4; round++) {
		size_t place = round == 0 ? 0 : round == 1 ? n - 1 : n / 2;

		cases[place].chan = d;
		CHECK_EQ(leat_select(cases, n, 0, NULL), LEAT_SELECT_NONE);
		go(wake, round == 3 ? c : d);
		int chosen = leat_select(cases, n, LEAT_FOREVER, NULL);
		CHECK(chosen >= 0 && (size_t)chosen < n);
		CHECK_EQ((size_t)chosen == place, round < 3);
		CHECK_EQ(v, 7);
		CHECK(!leat_chan_try_send(c, &v));
		CHECK(!leat_chan_try_send(d, &v));
		test_goroutines(1);
		cases[place].chan = c;
	}
	/* Different channels: sorting them, too, must not be quadratic. */
	for (size_t i = 0; i < n; i++)
		cases[i].chan = leat_chan_make(sizeof(int), 0);
	for (int round = 0; round < 2; round++) {
		go(wake, cases[n / 3].chan);
		CHECK_EQ(leat_select(cases, n, LEAT_FOREVER, NULL), n / 3);
		test_goroutines(1);
		/* The other way round in memory, as far as the allocator counts upwards. */
		for (size_t i = 0; i < n / 2; i++) {
			leat_case swap = cases[i];

			cases[i] = cases[n - 1 - i];
			cases[n - 1 - i] = swap;
		}
	}
	for (size_t i = 0; i < n; i++)
		leat_chan_free(cases[i].chan);
	leat_chan_free(c);
	leat_chan_free(d);
	free(cases);
}

/* One select that waits 400,000 times on one channel, to send and to receive: each time it has to
   see that all who wait for the other direction are its own. */
TEST(line_69_one_select_of_both_directions)
{
#ifdef TEST_SANITIZED
	size_t n = 10000;
#else
	size_t n = 400000;
#endif
	leat_case *cases = malloc(n * sizeof *cases);
	leat_chan *c = leat_chan_make(sizeof(int), 0);
	int in = 0, out = 1;

	CHECK(cases);
	for (size_t i = 0; i < n; i++)
		cases[i] = i % 2 ? (leat_case){c, LEAT_RECV, &in} : (leat_case){c, LEAT_SEND, &out};
	for (int round = 0; round < 2; round++) {
		in = 0;
		go(wake, c);
		CHECK_EQ(leat_select(cases, n, LEAT_FOREVER, NULL) % 2, 1);
		CHECK_EQ(in, 7);
		test_goroutines(1);
	}
	leat_chan_free(c);
	free(cases);
}

TEST_MAIN
