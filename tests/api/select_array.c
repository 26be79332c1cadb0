/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_select, the array form, for every number of cases.  Method: n cases of which chosen ones
 * can proceed, at once, after a wait, or never.
 */
#include "chan_help.h"

static const size_t counts[] = {1, 2, 3, 7, 8, 9, 16, 64, 100, 1000};

enum { COUNTS = sizeof counts / sizeof counts[0], MOST = 1000 };

static leat_chan *chans[MOST];
static leat_case cases[MOST];
static int values[MOST];

/* n cases on channels of their own: every third is a send of its index plus 1, the others receive. */
static void set_up(size_t n, ptrdiff_t cap)
{
	for (size_t i = 0; i < n; i++) {
		bool sends = i % 3 == 2;

		chans[i] = leat_chan_make(sizeof(int), cap);
		values[i] = sends ? (int)i + 1 : -1;
		cases[i] = (leat_case){chans[i], sends ? LEAT_SEND : LEAT_RECV, &values[i]};
		/* A full buffer keeps a send from being ready. */
		for (ptrdiff_t k = 0; sends && k < cap; k++)
			leat_chan_send(chans[i], &(int){-5});
	}
}

static void tear_down(size_t n)
{
	for (size_t i = 0; i < n; i++)
		leat_chan_free(chans[i]);
}

/* Nothing but case `chosen` (or nothing at all: n) has changed. */
static void check_untouched(size_t n, size_t chosen)
{
	for (size_t i = 0; i < n; i++) {
		if (i != chosen) {
			CHECK_EQ(values[i], i % 3 == 2 ? (int)i + 1 : -1);
			CHECK_EQ(leat_chan_len(chans[i]), i % 3 == 2 ? leat_chan_cap(chans[i]) : 0);
		}
	}
}

static size_t step(size_t n)
{
	return n < 20 ? 1 : n / 16 + 1;
}

TEST(array_each_place_ready)
{
	for (int t = 0; t < COUNTS; t++) {
		size_t n = counts[t];

		set_up(n, 1);
		for (size_t want = 0; want < n; want += step(n)) {
			for (int turn = 0; turn < 3; turn++) {
				int64_t timeout = turn == 0 ? 0 : turn == 1 ? LEAT_HOUR : LEAT_FOREVER;
				bool ok = false;
				int v = 8;

				if (want % 3 == 2)
					CHECK(leat_chan_recv(chans[want], NULL));
				else
					leat_chan_send(chans[want], &v);
				CHECK_EQ(leat_select(cases, n, timeout, turn == 2 ? NULL : &ok), want);
				CHECK(turn == 2 || ok);
				check_untouched(n, want);
				if (want % 3 == 2) {
					CHECK(leat_chan_recv(chans[want], &v));
					CHECK_EQ(v, want + 1);
					leat_chan_send(chans[want], &v);
				} else {
					CHECK_EQ(values[want], 8);
					values[want] = -1;
				}
			}
		}
		tear_down(n);
	}
}

TEST(array_nothing_ready)
{
	CHECK_EQ(leat_select(NULL, 0, 0, NULL), LEAT_SELECT_NONE);
	CHECK_EQ(leat_select(cases, 0, 0, NULL), LEAT_SELECT_NONE);
	CHECK_EQ(leat_select(NULL, 0, LEAT_MILLISECOND, NULL), LEAT_SELECT_NONE);
	for (int t = 0; t < COUNTS; t++) {
		size_t n = counts[t];

		for (int cap = 0; cap < 2; cap++) {
			set_up(n, cap);
			for (int i = 0; i < 3; i++) {
				int64_t timeout = i * LEAT_MILLISECOND / 2, begin = leat_now();
				bool ok = true;

				CHECK_EQ(leat_select(cases, n, timeout, &ok), LEAT_SELECT_NONE);
				CHECK(leat_now() - begin >= timeout);
				CHECK(ok);
				check_untouched(n, n);
			}
			/* Nothing of it is left in the queues. */
			for (size_t i = 0; i < n; i++) {
				CHECK_EQ(leat_chan_try_recv(chans[i], NULL, NULL), cap && i % 3 == 2);
				if (cap == 0)
					CHECK(!leat_chan_try_send(chans[i], &(int){0}));
			}
			tear_down(n);
		}
	}
}

TEST(array_of_null_channels)
{
	for (int t = 0; t < COUNTS; t++) {
		size_t n = counts[t];
		int v = 4;
		bool ok = false;

		for (size_t i = 0; i < n; i++)
			cases[i] = (leat_case){NULL, i % 2 ? LEAT_SEND : LEAT_RECV, i % 5 ? &v : NULL};
		CHECK_EQ(leat_select(cases, n, 0, NULL), LEAT_SELECT_NONE);
		CHECK_EQ(leat_select(cases, n, LEAT_MILLISECOND, NULL), LEAT_SELECT_NONE);
		CHECK_EQ(v, 4);
		/* One that is none. */
		cases[n / 2] = (leat_case){leat_chan_make(sizeof v, 1), LEAT_SEND, &v};
		CHECK_EQ(leat_select(cases, n, LEAT_FOREVER, &ok), n / 2);
		CHECK(ok);
		CHECK_EQ(leat_select(cases, n, 0, NULL), LEAT_SELECT_NONE);
		CHECK_EQ(leat_chan_len(cases[n / 2].chan), 1);
		leat_chan_free(cases[n / 2].chan);
	}
}

struct serve {
	leat_chan *c;
	bool send;
	size_t parked;
};

static void serve(struct serve *a)
{
	int v = 0;

	test_parked(a->parked);
	if (a->send) {
		leat_chan_send(a->c, &(int){9});
	} else {
		CHECK(leat_chan_recv(a->c, &v));
		CHECK(v > 0);
	}
}

TEST(array_each_place_wakes_a_parked_select)
{
	for (int t = 0; t < COUNTS; t++) {
		size_t n = counts[t];

		set_up(n, 0);
		for (size_t want = 0; want < n; want += step(n)) {
			bool ok = false;

			go(serve, chans[want], want % 3 != 2, 1);
			CHECK_EQ(leat_select(cases, n, want % 2 ? LEAT_HOUR : LEAT_FOREVER, &ok), want);
			CHECK(ok);
			check_untouched(n, want);
			if (want % 3 != 2) {
				CHECK_EQ(values[want], 9);
				values[want] = -1;
			}
			test_goroutines(1);
		}
		tear_down(n);
	}
}

struct close_later {
	leat_chan *c;
	size_t parked;
};

static void close_later(struct close_later *a)
{
	test_parked(a->parked);
	leat_chan_close(a->c);
}

TEST(array_close_wakes_a_parked_select)
{
	for (int t = 0; t < COUNTS; t++) {
		size_t n = counts[t], want = (n - 1) / 3 * 3;
		bool ok = true;

		set_up(n, 0);
		go(close_later, chans[want], 1);
		values[want] = 77;
		CHECK_EQ(leat_select(cases, n, LEAT_FOREVER, &ok), want);
		CHECK(!ok);
		CHECK_EQ(values[want], 0);
		check_untouched(n, want);
		test_goroutines(1);
		/* It stays ready. */
		ok = true;
		CHECK_EQ(leat_select(cases, n, 0, &ok), want);
		CHECK(!ok);
		tear_down(n);
	}
}

static void select_all(void *p)
{
	size_t *n = p;

	leat_select(cases, *n, LEAT_FOREVER, NULL);
}

TEST(array_closed_send_panics)
{
	for (int t = 0; t < COUNTS; t++) {
		size_t n = counts[t], want;

		if (n < 3)
			continue;
		set_up(n, 0);
		want = n / 3 * 3 - 1;
		leat_chan_close(chans[want]);
		CHECK(test_panics(select_all, &n, "send on closed channel"));
		check_untouched(n, n);
		tear_down(n);
	}
}

/* One channel in all the places. */
TEST(array_of_duplicates)
{
	for (int t = 0; t < COUNTS; t++) {
		size_t n = counts[t];
		leat_chan *c = leat_chan_make(sizeof(int), 0);
		size_t changed = 0;
		int chosen, v = 0;
		bool ok = false;

		for (size_t i = 0; i < n; i++) {
			values[i] = -1;
			cases[i] = (leat_case){c, LEAT_RECV, &values[i]};
		}
		CHECK_EQ(leat_select(cases, n, 0, NULL), LEAT_SELECT_NONE);
		go(serve, c, true, 1);
		chosen = leat_select(cases, n, LEAT_FOREVER, &ok);
		CHECK(chosen >= 0 && (size_t)chosen < n);
		CHECK(ok);
		for (size_t i = 0; i < n; i++)
			changed += values[i] != -1;
		CHECK_EQ(changed, 1);
		CHECK_EQ(values[chosen], 9);
		CHECK(!leat_chan_try_send(c, &v));
		test_goroutines(1);

		/* Both directions at once. */
		for (size_t i = 0; i < n; i++) {
			values[i] = i % 2 ? (int)i + 1 : -1;
			cases[i] = (leat_case){c, i % 2 ? LEAT_SEND : LEAT_RECV, &values[i]};
		}
		CHECK_EQ(leat_select(cases, n, LEAT_MILLISECOND, NULL), LEAT_SELECT_NONE);
		if (n > 1) {
			go(serve, c, false, 1);
			chosen = leat_select(cases, n, LEAT_FOREVER, NULL);
			CHECK_EQ(chosen % 2, 1);
			test_goroutines(1);
		}
		CHECK(!leat_chan_try_send(c, &v));
		CHECK(!leat_chan_try_recv(c, &v, NULL));
		leat_chan_free(c);
	}
}

/* The cases are the caller's: read, never written, and reusable at once. */
TEST(array_cases_stay_as_they_are)
{
	size_t n = MOST;
	static leat_case before[MOST];

	set_up(n, 1);
	memcpy(before, cases, sizeof cases);
	for (int i = 0; i < 100; i++) {
		leat_chan_send(chans[(size_t)i * 3], &(int){1});
		CHECK_EQ(leat_select(cases, n, LEAT_FOREVER, NULL), i * 3);
		CHECK_EQ(leat_select(cases, n, 1000, NULL), LEAT_SELECT_NONE);
		CHECK(memcmp(before, cases, sizeof cases) == 0);
	}
	tear_down(n);
}

/* ok belongs to the chosen case: true for a send, whatever it was. */
TEST(array_ok_of_sends)
{
	leat_chan *c = leat_chan_make(sizeof(int), 1);
	int v = 3;
	leat_case send = {c, LEAT_SEND, &v}, recv = {c, LEAT_RECV, &v};
	bool ok = false;

	CHECK_EQ(leat_select(&send, 1, 0, &ok), 0);
	CHECK(ok);
	v = 0;
	ok = false;
	CHECK_EQ(leat_select(&recv, 1, 0, &ok), 0);
	CHECK(ok);
	CHECK_EQ(v, 3);
	leat_chan_free(c);
}

TEST_MAIN
