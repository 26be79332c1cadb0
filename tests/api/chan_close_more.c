/* SPDX-License-Identifier: MIT */
/*
 * Goal: closing beyond Go's: one of many closers wins, receivers learn the reason, and what tells of a close
 * is ordered after it.
 * Method: many racing closers, goroutines and threads, on channels with and without waiters; what the closer wrote
 * before, plainly, is read by who was told.
 */
#include "chan_help.h"

#include <errno.h>

static LEAT_ERROR(out_of_paper, -EIO, "printer: out of paper");
static LEAT_ERROR(on_fire, -EIO, "printer: on fire");

struct race {
	chan(int) c;
	int plain; /* written by who closes, read by who was told */
	atomic_int go, won, lost;
	leat_waitgroup wg;
};

static void close_once(void *p)
{
	struct race *r = p;

	test_until(atomic_load(&r->go));
	if (chan_try_close_with(r->c, &out_of_paper)) {
		atomic_fetch_add(&r->won, 1);
	} else {
		CHECK(chan_closed(r->c));
		CHECK(chan_reason(r->c) == &out_of_paper);
		atomic_fetch_add(&r->lost, 1);
	}
	leat_waitgroup_done(&r->wg);
}

static void receive_closed(void *p)
{
	struct race *r = p;
	int v = 1;

	CHECK(!chan_recv_ok(r->c, &v));
	CHECK_EQ(v, 0);
	CHECK(chan_reason(r->c) == &out_of_paper);
	leat_waitgroup_done(&r->wg);
}

static void race_of(enum kind kinds, int closers, int receivers)
{
	struct race r = {.c = chan_make(int, 1)};

	leat_waitgroup_add(&r.wg, closers + receivers);
	for (int i = 0; i < receivers; i++)
		start((enum kind)(i % (int)kinds), receive_closed, &r);
	for (int i = 0; i < closers; i++)
		start((enum kind)(i % (int)kinds), close_once, &r);
	atomic_store(&r.go, 1);
	leat_waitgroup_wait(&r.wg);
	CHECK_EQ(atomic_load(&r.won), 1);
	CHECK_EQ(atomic_load(&r.lost), closers - 1);
	chan_free(r.c);
}

TEST(of_many_closers_one_wins_and_none_panics)
{
	for (int i = test_count(2000); i-- > 0;)
		race_of((enum kind)(GOROUTINE + 1), 8, 3);
}

TEST(of_many_closers_that_are_threads_one_wins)
{
	for (int i = test_count(200); i-- > 0;)
		race_of(KINDS, 4, 2);
}

TEST(try_close_is_true_once)
{
	chan(int) c = chan_make(int, 2);

	chan_send(c, 7);
	CHECK(!chan_closed(c));
	CHECK(chan_try_close(c));
	CHECK(!chan_try_close(c));
	CHECK(!chan_try_close_with(c, &on_fire));
	CHECK(chan_closed(c));
	CHECK(chan_reason(c) == NULL);
	CHECK_EQ(chan_recv(c), 7);
	CHECK(!chan_recv_ok(c, &(int){0}));
	chan_free(c);
}

TEST(the_reason_is_that_of_who_closed)
{
	chan(int) c = chan_make(int, 2);
	int v = 0;

	CHECK(chan_reason(c) == NULL);
	chan_send(c, 7);
	chan_close_with(c, &out_of_paper);
	CHECK(!chan_try_close_with(c, &on_fire));
	CHECK(chan_reason(chan_receiver(c)) == &out_of_paper);
	CHECK(chan_closed(chan_receiver(c)) && chan_closed(chan_sender(c)));
	CHECK(chan_recv_ok(c, &v) && v == 7);
	CHECK(!chan_recv_ok(c, &v) && v == 0);
	CHECK_STR(leat_error_message(chan_reason(c)), "printer: out of paper");
	chan_free(c);

	c = chan_make(int, 0);
	chan_close_with(c, NULL);
	CHECK(chan_closed(c) && chan_reason(c) == NULL);
	chan_free(c);
}

TEST(of_no_channel)
{
	CHECK(!chan_closed((chan(int))NULL));
	CHECK(chan_reason((chan(int))NULL) == NULL);
}

static void close_with(void *c)
{
	leat_chan_close_with(c, &on_fire);
}

static void try_close(void *c)
{
	leat_chan_try_close(c);
}

static void try_close_with(void *c)
{
	leat_chan_try_close_with(c, &on_fire);
}

TEST(line_45_panics)
{
	chan(int) c = chan_make(int, 0);
	leat_timer *t = leat_timer_new(LEAT_HOUR);

	CHECK(test_panics(close_with, NULL, "close of nil channel"));
	CHECK(test_panics(try_close, NULL, "close of nil channel"));
	CHECK(test_panics(try_close_with, NULL, "close of nil channel"));
	chan_close(c);
	CHECK(test_panics(close_with, c, "close of closed channel"));
	CHECK(chan_reason(c) == NULL);
	CHECK(test_panics(try_close, leat_timer_chan(t), "close of closed channel"));
	CHECK(test_panics(close_with, leat_timer_chan(t), "close of closed channel"));
	CHECK(!chan_closed(leat_timer_chan(t)));
	leat_timer_free(t);
	chan_free(c);
}

struct send_args {
	chan(int) c;
	atomic_int *panics;
};

static void send_one(void *p)
{
	chan_send(((struct send_args *)p)->c, 1);
}

static void send_into_close(void *p)
{
	CHECK(test_panics(send_one, p, "send on closed channel"));
	atomic_fetch_add(((struct send_args *)p)->panics, 1);
}

TEST(line_48_try_close_panics_parked_senders)
{
	atomic_int panics = 0;
	struct send_args a = {chan_make(int, 0), &panics};

	for (int i = 0; i < 5; i++)
		start((enum kind)(i % KINDS), send_into_close, &a);
	test_parked(5);
	CHECK(chan_try_close(a.c));
	test_until(atomic_load(&panics) == 5);
	chan_free(a.c);
}

/* What tells of the close without a receive. */

static void close_after_writing(void *p)
{
	struct race *r = p;

	r->plain = 42;
	chan_close_with(r->c, &on_fire);
}

TEST(who_is_told_sees_what_was_done_before_the_close)
{
	for (int i = test_count(3000); i-- > 0;) {
		static struct race r; /* not on the stack, where the sanitizer does not look */

		r.c = chan_make(int, 0);
		start(GOROUTINE, close_after_writing, &r);
		switch (i % 3) {
		case 0:
			test_until(chan_closed(r.c));
			break;
		case 1:
			test_until(chan_reason(r.c));
			break;
		default:
			chan_recv(r.c);
			CHECK(chan_reason(r.c) == &on_fire);
		}
		CHECK_EQ(r.plain, 42);
		test_goroutines(1);
		chan_free(r.c);
	}
}

static void close_ours_after_writing(void *p)
{
	struct race *r = p;

	r->plain = 42;
	if (!chan_try_close(r->c))
		CHECK(!"nobody else closes it for true");
}

TEST(who_comes_second_sees_what_the_first_did_before)
{
	for (int i = test_count(3000); i-- > 0;) {
		static struct race r; /* not on the stack, where the sanitizer does not look */

		r.c = chan_make(int, 0);
		start(GOROUTINE, close_ours_after_writing, &r);
		while (!chan_closed(r.c) || chan_try_close(r.c))
			leat_yield();
		CHECK_EQ(r.plain, 42);
		test_goroutines(1);
		chan_free(r.c);
	}
}

TEST_MAIN
