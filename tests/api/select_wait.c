/* SPDX-License-Identifier: MIT */
/*
 * Goal: a parked select is woken by one case alone, and takes nothing else with it.  Method: a helper
 * parks in the select and is known to be parked; then one case is served, and the others are probed
 * by tries, which would find a forgotten queue entry.
 */
#include "chan_help.h"

enum { A, B, C, D, NONE = -1 };

/* What a helper selects over, and how it ended. */
struct waiter {
	chan(int) c[4];
	int chosen, value;
	bool ok;
	_Atomic int done;
};

/* Receive from A and B, send to C and D. */
static void wait_four(void *p)
{
	struct waiter *w = p;

	w->chosen = NONE;
	chan_select {
		case_recv(w->c[A], v, ok) {
			w->chosen = A;
			w->value = v;
			w->ok = ok;
		}
		case_recv(w->c[B], v, ok) {
			w->chosen = B;
			w->value = v;
			w->ok = ok;
		}
		case_send(w->c[C], 33)
			w->chosen = C;
		case_send(w->c[D], 44)
			w->chosen = D;
	}
	atomic_store(&w->done, 1);
}

/* The same by the array form; it waits on 12 cases, each channel three times. */
static void wait_twelve(void *p)
{
	struct waiter *w = p;
	int in[12], out[4] = {0, 0, 33, 44};
	leat_case cases[12];

	for (int i = 0; i < 12; i++) {
		int k = i % 4;

		in[i] = -1;
		cases[i] = (leat_case){(leat_chan *)(void *)w->c[k], k < C ? LEAT_RECV : LEAT_SEND,
		                       k < C ? &in[i] : &out[k]};
	}
	int i = leat_select(cases, 12, LEAT_FOREVER, &w->ok);
	w->chosen = i % 4;
	w->value = in[i];
	for (int j = 0; j < 12; j++)
		if (j != i)
			CHECK_EQ(in[j], -1);
	atomic_store(&w->done, 1);
}

/* Nobody waits on c: neither side of an unbuffered channel finds a party. */
static void check_forgotten(chan(int) c)
{
	int v;

	CHECK(!chan_try_recv(c, &v, NULL));
	CHECK(!chan_try_send(c, 1));
}

static void each_case_wakes_alone(void (*wait)(void *), enum kind kind)
{
	for (int want = A; want <= D; want++) {
		struct waiter w = {.chosen = NONE};
		size_t base = leat_num_parked();

		for (int i = 0; i < 4; i++)
			w.c[i] = chan_make(int, 0);
		start(kind, wait, &w);
		test_parked(base + 1);
		if (want < C)
			chan_send(w.c[want], 7);
		else
			CHECK_EQ(chan_recv(w.c[want]), want == C ? 33 : 44);
		/* From here on it is not in any queue, whether it has run yet or not. */
		for (int i = 0; i < 4; i++)
			check_forgotten(w.c[i]);
		test_until(atomic_load(&w.done));
		CHECK_EQ(w.chosen, want);
		if (want < C) {
			CHECK_EQ(w.value, 7);
			CHECK(w.ok);
		}
		/* Freeing panics if somebody waits. */
		for (int i = 0; i < 4; i++) {
			check_forgotten(w.c[i]);
			chan_free(w.c[i]);
		}
	}
}

TEST(line_67_the_cases_not_chosen_are_forgotten)
{
	for (int k = 0; k < KINDS; k++)
		each_case_wakes_alone(wait_four, k);
}

TEST(line_64_a_channel_in_several_cases)
{
	for (int k = 0; k < KINDS; k++)
		each_case_wakes_alone(wait_twelve, k);
}

/* The same channel at every place: a wake-up through it removes the other entries as well. */
TEST(line_64_duplicates_of_the_channel_that_wakes)
{
	for (int i = 0; i < 2 * KINDS; i++) {
		chan(int) c = chan_make(int, 0);
		struct waiter w = {.c = {c, c, NULL, NULL}}, s = {.c = {NULL, NULL, c, c}};
		void (*wait)(void *) = i / KINDS ? wait_twelve : wait_four;
		size_t base = leat_num_parked();
		int v = 0;

		start(i % KINDS, wait, &w);
		test_parked(base + 1);
		CHECK(chan_try_send(c, 5));
		check_forgotten(c);
		test_until(atomic_load(&w.done));
		CHECK(w.chosen == A || w.chosen == B);
		CHECK_EQ(w.value, 5);

		start(i % KINDS, wait, &s);
		test_parked(base + 1);
		CHECK(chan_try_recv(c, &v, NULL));
		CHECK(v == 33 || v == 44);
		check_forgotten(c);
		test_until(atomic_load(&s.done));
		CHECK_EQ(s.chosen, v == 33 ? C : D);
		chan_free(c);
	}
}

/* Somebody else in the queues, before and behind, stays there and is served next. */
TEST(line_64_neighbours_in_the_queue_stay)
{
	chan(int) c = chan_make(int, 0), d = chan_make(int, 0);
	struct waiter first = {.c = {c, d, NULL, NULL}}, middle = {.c = {c, c, NULL, NULL}},
	              last = {.c = {c, d, NULL, NULL}};
	size_t base = leat_num_parked();

	struct waiter *w[] = {&first, &middle, &last};

	for (size_t i = 0; i < 3; i++) {
		start(GOROUTINE, wait_twelve, w[i]);
		test_parked(base + i + 1);
	}
	chan_send(c, 1);
	test_until(atomic_load(&first.done));
	CHECK_EQ(first.value, 1);
	/* last alone is left in d. */
	chan_send(d, 2);
	test_until(atomic_load(&last.done));
	CHECK_EQ(last.value, 2);
	CHECK_EQ(atomic_load(&middle.done), 0);
	chan_send(c, 3);
	test_until(atomic_load(&middle.done));
	CHECK_EQ(middle.value, 3);
	check_forgotten(c);
	check_forgotten(d);
	chan_free(c);
	chan_free(d);
}

/* After its select the helper waits elsewhere: nothing that happens to the old channels wakes it. */
struct moved {
	struct waiter w;
	chan(int) next;
	int got;
	_Atomic int moved, done;
};

static void wait_then_move(void *p)
{
	struct moved *m = p;

	wait_four(&m->w);
	atomic_store(&m->moved, 1);
	m->got = chan_recv(m->next);
	atomic_store(&m->done, 1);
}

TEST(line_67_no_later_wake_up)
{
	for (int k = 0; k < KINDS; k++) {
		struct moved m = {.next = chan_make(int, 0)};
		size_t base = leat_num_parked();

		for (int i = 0; i < 4; i++)
			m.w.c[i] = chan_make(int, i < C);
		start(k, wait_then_move, &m);
		test_parked(base + 1);
		chan_send(m.w.c[A], 1);
		test_until(atomic_load(&m.moved));
		test_parked(base + 1);
		/* Values, tries and closes on all of the old ones. */
		chan_send(m.w.c[A], 2);
		chan_send(m.w.c[B], 3);
		for (int i = A; i <= D; i++) {
			int v = -1;

			CHECK_EQ(chan_try_recv(m.w.c[i], &v, NULL), i < C);
			CHECK_EQ(v, i < C ? i + 2 : -1);
			chan_close(m.w.c[i]);
		}
		for (int i = 0; i < 100; i++)
			leat_yield();
		CHECK_EQ(atomic_load(&m.done), 0);
		CHECK_EQ(leat_num_parked(), base + 1);
		chan_send(m.next, 9);
		test_until(atomic_load(&m.done));
		CHECK_EQ(m.got, 9);
		CHECK_EQ(m.w.value, 1);
		for (int i = A; i <= D; i++)
			chan_free(m.w.c[i]);
		chan_free(m.next);
	}
}

/* Of several ready cases the select consumes one, and sends at most one. */
TEST(line_66_a_ready_select_does_one_thing)
{
	for (int i = 0; i < 200; i++) {
		struct waiter w = {0};
		size_t held = 0;

		for (int k = 0; k < 4; k++)
			w.c[k] = chan_make(int, 2);
		for (int k = 0; k < 4; k++)
			chan_send(w.c[k], 1);
		(i % 2 ? wait_four : wait_twelve)(&w);
		for (int k = 0; k < 4; k++) {
			size_t len = chan_len(w.c[k]);

			CHECK_EQ(len, k != w.chosen ? 1 : k < C ? 0 : 2);
			held += len;
			chan_free(w.c[k]);
		}
		CHECK(held == 3 || held == 5);
	}
}

static void wait_on(void *p)
{
	struct waiter *w = p;

	w->value = -1;
	chan_select {
		case_send(w->c[A], 1)
			w->chosen = A;
		case_recv(w->c[B], v, ok) {
			w->chosen = B;
			w->value = v;
			w->ok = ok;
		}
	}
	atomic_store(&w->done, 1);
}

/* A send on a closed channel is ready; it panics when chosen, and only then. */
TEST(line_63_closed_send_panics_only_when_chosen)
{
	struct waiter w = {.c = {chan_make(int, 1), chan_make(int, 0)}};
	int panics = 0, trials = 1000;

	chan_close(w.c[A]);
	chan_close(w.c[B]);
	for (int i = 0; i < trials; i++) {
		leat_panic_info info = {.message = ""};

		w.chosen = NONE;
		if (leat_catch(wait_on, &w, &info)) {
			CHECK_STR(info.message, "send on closed channel");
			CHECK_EQ(w.chosen, NONE);
			panics++;
		} else {
			CHECK_EQ(w.chosen, B);
			CHECK(!w.ok);
			CHECK_EQ(w.value, 0);
		}
	}
	/* Both are ready each time: by chance one in 10^18 runs is off by that much. */
	CHECK(panics > trials / 2 - 150 && panics < trials / 2 + 150);

	/* Alone it is always chosen. */
	chan_free(w.c[B]);
	w.c[B] = NULL;
	for (int i = 0; i < 100; i++)
		CHECK(test_panics(wait_on, &w, "send on closed channel"));
	CHECK_EQ(chan_len(w.c[A]), 0);
	chan_free(w.c[A]);
}

TEST(line_63_a_parked_select_and_close)
{
	/* Woken by a value first, the close of the send's channel means nothing. */
	for (int k = 0; k < KINDS; k++) {
		chan(int) c = chan_make(int, 0), d = chan_make(int, 0);
		struct waiter w = {.c = {c, d}};
		size_t base = leat_num_parked();

		start(k, wait_on, &w);
		test_parked(base + 1);
		chan_send(d, 4);
		chan_close(c);
		test_until(atomic_load(&w.done));
		CHECK_EQ(w.chosen, B);
		CHECK_EQ(w.value, 4);
		CHECK(w.ok);

		/* Woken by the close of a receive. */
		chan_free(c);
		c = chan_make(int, 0);
		w = (struct waiter){.c = {c, d}};
		start(k, wait_on, &w);
		test_parked(base + 1);
		chan_close(d);
		check_forgotten(c);
		test_until(atomic_load(&w.done));
		CHECK_EQ(w.chosen, B);
		CHECK_EQ(w.value, 0);
		CHECK(!w.ok);
		chan_free(c);
		chan_free(d);
	}
}

TEST(line_61_null_cases_are_never_ready)
{
	for (int i = 0; i < 300; i++) {
		struct waiter w = {0};
		int want = i % 4;

		w.c[want] = chan_make(int, 1);
		if (want < C)
			chan_send(w.c[want], 6);
		(i % 2 ? wait_four : wait_twelve)(&w);
		CHECK_EQ(w.chosen, want);
		chan_free(w.c[want]);
	}
}

TEST(line_62_default_iff_nothing_is_ready)
{
	chan(int) c = chan_make(int, 1), d = chan_make(int, 1), closed = chan_make(int, 0);
	int dflt = 0, n = 0;

	chan_close(closed);
	for (int i = 0; i < 1000; i++) {
		bool c_holds = chan_len(c) > 0, chosen = false;

		chan_select {
			case_recv(c)
				chosen = c_holds;
			case_default {
				chosen = !c_holds;
				dflt++;
			}
		}
		CHECK(chosen);
		if (i % 3 == 0)
			chan_send(c, i);
		/* One of two is always ready. */
		chan_select {
			case_default
				CHECK(i < 0);
			case_send(d, i)
				n++;
			case_recv(d)
				n++;
		}
		chan_select {
			case_recv(NULL ? c : (chan(int))NULL)
				CHECK(i < 0);
			case_recv(closed)
				n++;
			case_default
				CHECK(i < 0);
		}
	}
	CHECK_EQ(n, 2000);
	CHECK_EQ(dflt, 1000 - 333);
	chan_free(c);
	chan_free(d);
	chan_free(closed);
}

TEST_MAIN
