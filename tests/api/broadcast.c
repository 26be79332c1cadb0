/* SPDX-License-Identifier: MIT */
/*
 * Goal: a broadcast gives every subscriber each value sent after it came, all in one order, and loses only what
 * its policy says, counted.
 * Method: one thread of control where that shows it; senders that are observably parked on slow subscribers.
 */
#include "chan_help.h"

#include <errno.h>

static LEAT_ERROR(out_of_paper, -EIO, "printer: out of paper");

/* --- who gets what */

TEST(each_subscriber_gets_what_is_sent_after_it_came)
{
	broadcast_chan(int) b = broadcast_make(int, 8, LEAT_BROADCAST_BLOCK);
	recv_chan(int) early, late;

	broadcast_send(b, 1); /* nobody's */
	early = broadcast_subscribe(b);
	broadcast_send(b, 2);
	late = broadcast_subscribe(b);
	broadcast_send(b, 3);
	broadcast_send(b, 4);
	CHECK_EQ(chan_len(early), 3);
	CHECK_EQ(chan_len(late), 2);
	CHECK_EQ(chan_cap(late), 8);
	for (int i = 2; i <= 4; i++)
		CHECK_EQ(chan_recv(early), i);
	CHECK_EQ(chan_recv(late), 3);
	broadcast_unsubscribe(b, late); /* one value is dropped */
	broadcast_send(b, 5);
	CHECK_EQ(chan_recv(early), 5);
	CHECK_EQ(broadcast_lagged(early), 0);
	broadcast_unsubscribe(b, early);
	broadcast_send(b, 6);
	broadcast_free(b);
}

TEST(a_subscription_is_a_channel_for_select_and_range)
{
	broadcast_chan(int) b = broadcast_make(int, 4, LEAT_BROADCAST_BLOCK);
	recv_chan(int) c = broadcast_subscribe(b);
	int sum = 0;

	for (int i = 1; i <= 3; i++)
		broadcast_send(b, i);
	broadcast_close(b);
	chan_select {
		case_recv(c, v)
			sum += 100 * v;
		case_recv((recv_chan(int))NULL, v)
			sum -= v;
	}
	chan_range(v, c)
		sum += v;
	CHECK_EQ(sum, 105);
	broadcast_free(b);
}

struct three {
	int64_t a, b, c;
};

TEST(elements_of_any_size)
{
	broadcast_chan(struct three) b = broadcast_make(struct three, 2, LEAT_BROADCAST_DROP_OLDEST);
	broadcast_chan(leat_empty) e = broadcast_make(leat_empty, 2, LEAT_BROADCAST_DROP_OLDEST);
	recv_chan(struct three) c = broadcast_subscribe(b);
	recv_chan(leat_empty) events = broadcast_subscribe(e);
	struct three v;

	for (int i = 1; i <= 5; i++) {
		broadcast_send(b, (struct three){i, 2, 3});
		broadcast_send(e, {});
	}
	v = chan_recv(c);
	CHECK(v.a == 4 && v.b == 2 && v.c == 3);
	CHECK_EQ(broadcast_send_ctx(b, ((struct three){6, 2, 3}), (leat_ctx *)NULL), 0);
	CHECK_EQ(chan_recv(c).a, 5);
	CHECK_EQ(chan_recv(c).a, 6);
	CHECK_EQ(chan_len(events), 2);
	CHECK_EQ(broadcast_lagged(events), 3);
	broadcast_free(b);
	broadcast_free(e);
}

/* --- policies */

TEST(drop_oldest)
{
	broadcast_chan(int) b = broadcast_make(int, 3, LEAT_BROADCAST_DROP_OLDEST);
	recv_chan(int) c = broadcast_subscribe(b);

	for (int i = 1; i <= 10; i++)
		broadcast_send(b, i);
	CHECK_EQ(broadcast_lagged(c), 7);
	CHECK_EQ(broadcast_lagged(c), 0);
	CHECK_EQ(chan_recv(c), 8);
	broadcast_send(b, 11);
	broadcast_send(b, 12);
	CHECK_EQ(broadcast_lagged(c), 1);
	for (int i = 10; i <= 12; i++)
		CHECK_EQ(chan_recv(c), i);
	CHECK(!chan_try_recv(c, NULL, NULL));
	broadcast_free(b);
}

TEST(drop_newest)
{
	broadcast_chan(int) b = broadcast_make(int, 3, LEAT_BROADCAST_DROP_NEWEST);
	recv_chan(int) c = broadcast_subscribe(b), other;

	for (int i = 1; i <= 10; i++)
		broadcast_send(b, i);
	other = broadcast_subscribe(b);
	CHECK_EQ(chan_recv(c), 1);
	broadcast_send(b, 11);
	CHECK_EQ(broadcast_lagged(c), 7);
	CHECK_EQ(broadcast_lagged(other), 0);
	CHECK_EQ(chan_recv(c), 2);
	CHECK_EQ(chan_recv(c), 3);
	CHECK_EQ(chan_recv(c), 11);
	CHECK_EQ(chan_recv(other), 11);
	broadcast_free(b);
}

struct reader {
	recv_chan(int) c;
	atomic_int got;
};

static void read_one(void *p)
{
	struct reader *r = p;

	atomic_store(&r->got, chan_recv(r->c));
}

TEST(without_a_buffer_those_who_wait_get_it)
{
	static const leat_broadcast_policy drop[] = {LEAT_BROADCAST_DROP_OLDEST,
	                                             LEAT_BROADCAST_DROP_NEWEST};

	for (int i = 0; i < 2; i++) {
		broadcast_chan(int) b = broadcast_make(int, 0, drop[i]);
		struct reader r = {.c = broadcast_subscribe(b)};
		recv_chan(int) other = broadcast_subscribe(b);

		start((enum kind)i, read_one, &r);
		test_parked(1);
		broadcast_send(b, 7);
		broadcast_send(b, 8);
		test_until(atomic_load(&r.got) == 7);
		CHECK_EQ(broadcast_lagged(r.c), 1);
		CHECK_EQ(broadcast_lagged(other), 2);
		broadcast_free(b);
	}
}

struct sender {
	broadcast_chan(int) b;
	int value, err;
	leat_ctx *ctx;
	atomic_int done;
};

static void send_one(void *p)
{
	struct sender *s = p;

	s->err = broadcast_send_ctx(s->b, s->value, s->ctx);
	atomic_store(&s->done, 1);
}

TEST(block_waits_for_room_but_the_others_have_it_already)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct sender s = {.b = broadcast_make(int, 1, LEAT_BROADCAST_BLOCK), .value = 2};
		recv_chan(int) slow = broadcast_subscribe(s.b), quick = broadcast_subscribe(s.b);

		broadcast_send(s.b, 1);
		CHECK_EQ(chan_recv(quick), 1);
		start((enum kind)kind, send_one, &s);
		test_parked(1);
		CHECK(!atomic_load(&s.done));
		CHECK_EQ(chan_recv(quick), 2);
		CHECK_EQ(chan_recv(slow), 1);
		test_until(atomic_load(&s.done));
		CHECK_EQ(chan_recv(slow), 2);
		CHECK_EQ(broadcast_lagged(slow), 0);
		broadcast_free(s.b);
	}
}

TEST(block_without_a_buffer_meets_each_subscriber)
{
	struct sender s = {.b = broadcast_make(int, 0, LEAT_BROADCAST_BLOCK), .value = 7};
	recv_chan(int) c[3];

	for (int i = 0; i < 3; i++)
		c[i] = broadcast_subscribe(s.b);
	start(GOROUTINE, send_one, &s);
	for (int i = 0; i < 3; i++) {
		test_parked(1);
		CHECK(!atomic_load(&s.done));
		CHECK_EQ(chan_recv(c[i]), 7);
	}
	test_until(atomic_load(&s.done));
	broadcast_free(s.b);
}

/* --- subscribers come and go while a send waits */

TEST(unsubscribing_releases_a_send_that_waits)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct sender s = {.b = broadcast_make(int, 1, LEAT_BROADCAST_BLOCK), .value = 2};
		recv_chan(int) c[3];

		for (int i = 0; i < 3; i++)
			c[i] = broadcast_subscribe(s.b);
		broadcast_send(s.b, 1);
		start((enum kind)kind, send_one, &s);
		test_parked(1);
		broadcast_unsubscribe(s.b, c[1]); /* not the one that it waits for, and the next */
		broadcast_unsubscribe(s.b, c[0]);
		test_parked(1);
		CHECK(!atomic_load(&s.done));
		CHECK_EQ(chan_recv(c[2]), 1);
		test_until(atomic_load(&s.done));
		CHECK_EQ(s.err, 0);
		CHECK_EQ(chan_recv(c[2]), 2);
		broadcast_free(s.b);
	}
}

TEST(the_last_one_goes_while_a_send_waits_for_it)
{
	struct sender s = {.b = broadcast_make(int, 0, LEAT_BROADCAST_BLOCK), .value = 2};
	recv_chan(int) c = broadcast_subscribe(s.b);

	s.ctx = leat_ctx_with_cancel(leat_ctx_background());
	start(GOROUTINE, send_one, &s);
	test_parked(1);
	broadcast_unsubscribe(s.b, c);
	test_until(atomic_load(&s.done));
	CHECK_EQ(s.err, 0);
	broadcast_send(s.b, 3);
	leat_ctx_free(s.ctx);
	broadcast_free(s.b);
}

TEST(who_subscribes_while_a_send_waits_gets_the_next)
{
	struct sender s = {.b = broadcast_make(int, 1, LEAT_BROADCAST_BLOCK), .value = 2};
	recv_chan(int) slow = broadcast_subscribe(s.b), late;

	broadcast_send(s.b, 1);
	start(GOROUTINE, send_one, &s);
	test_parked(1);
	late = broadcast_subscribe(s.b);
	CHECK_EQ(chan_recv(slow), 1);
	test_until(atomic_load(&s.done));
	CHECK_EQ(chan_recv(slow), 2);
	CHECK_EQ(chan_len(late), 0);
	broadcast_send(s.b, 3);
	CHECK_EQ(chan_recv(slow), 3);
	CHECK_EQ(chan_recv(late), 3);
	broadcast_free(s.b);
}

/* --- contexts */

TEST(a_done_context_sends_nothing)
{
	static const leat_broadcast_policy policies[] = {
	    LEAT_BROADCAST_BLOCK, LEAT_BROADCAST_DROP_OLDEST, LEAT_BROADCAST_DROP_NEWEST};
	leat_ctx *canceled = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *late = leat_ctx_with_timeout(leat_ctx_background(), -1);

	leat_ctx_cancel(canceled);
	for (int i = 0; i < 3; i++) {
		broadcast_chan(int) b = broadcast_make(int, 1, policies[i]);
		recv_chan(int) c = broadcast_subscribe(b);

		CHECK_EQ(broadcast_send_ctx(b, 1, canceled), -ECANCELED);
		CHECK_EQ(broadcast_send_ctx(b, 1, late), -ETIMEDOUT);
		CHECK_EQ(chan_len(c), 0);
		CHECK_EQ(broadcast_lagged(c), 0);
		CHECK_EQ(broadcast_send_ctx(b, 2, leat_ctx_background()), 0);
		CHECK_EQ(chan_recv(c), 2);
		broadcast_free(b);
	}
	leat_ctx_free(canceled);
	leat_ctx_free(late);
}

TEST(a_cancel_ends_a_send_that_waits_and_those_without_room_miss_it)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct sender s = {.b = broadcast_make(int, 1, LEAT_BROADCAST_BLOCK), .value = 2};
		recv_chan(int) c[4];

		s.ctx = leat_ctx_with_cancel(leat_ctx_background());
		for (int i = 0; i < 4; i++)
			c[i] = broadcast_subscribe(s.b);
		broadcast_send(s.b, 1);
		CHECK_EQ(chan_recv(c[1]), 1);
		start((enum kind)kind, send_one, &s);
		test_parked(1);
		CHECK_EQ(chan_recv(c[3]), 1); /* room by the time of the cancel */
		leat_ctx_cancel(s.ctx);
		test_until(atomic_load(&s.done));
		CHECK_EQ(s.err, -ECANCELED);
		for (int i = 0; i < 4; i += 2) {
			CHECK_EQ(broadcast_lagged(c[i]), 1);
			CHECK_EQ(chan_recv(c[i]), 1);
			CHECK_EQ(chan_len(c[i]), 0);
			CHECK_EQ(broadcast_lagged(c[i + 1]), 0);
			CHECK_EQ(chan_recv(c[i + 1]), 2);
		}
		broadcast_send(s.b, 3);
		CHECK_EQ(chan_recv(c[0]), 3);
		leat_ctx_free(s.ctx);
		broadcast_free(s.b);
	}
}

TEST(a_cancel_ends_the_wait_for_ones_turn)
{
	struct sender first = {.b = broadcast_make(int, 0, LEAT_BROADCAST_BLOCK), .value = 1}, second;
	recv_chan(int) c = broadcast_subscribe(first.b);

	second = (struct sender){.b = first.b, .value = 2};
	second.ctx = leat_ctx_with_cancel(leat_ctx_background());
	start(GOROUTINE, send_one, &first);
	test_parked(1);
	start(GOROUTINE, send_one, &second);
	test_parked(2);
	leat_ctx_cancel(second.ctx);
	test_until(atomic_load(&second.done));
	CHECK_EQ(second.err, -ECANCELED);
	CHECK(!atomic_load(&first.done));
	CHECK_EQ(chan_recv(c), 1);
	test_until(atomic_load(&first.done));
	CHECK(!chan_try_recv(c, NULL, NULL));
	CHECK_EQ(broadcast_lagged(c), 0);
	leat_ctx_free(second.ctx);
	broadcast_free(first.b);
}

/* --- the end */

TEST(close_drains_then_says_why)
{
	broadcast_chan(int) b = broadcast_make(int, 4, LEAT_BROADCAST_BLOCK);
	recv_chan(int) c = broadcast_subscribe(b), late;
	int v = 1;

	broadcast_send(b, 7);
	broadcast_close_with(b, &out_of_paper);
	late = broadcast_subscribe(b);
	CHECK(chan_recv_ok(c, &v) && v == 7);
	CHECK(!chan_recv_ok(c, &v) && v == 0);
	CHECK(!chan_recv_ok(late, &v));
	CHECK(chan_reason(c) == &out_of_paper && chan_reason(late) == &out_of_paper);
	broadcast_unsubscribe(b, c);
	broadcast_free(b);
}

static void send_into_close(void *p)
{
	struct sender *s = p;

	CHECK(test_panics(send_one, s, "send on closed broadcast"));
	atomic_store(&s->done, 2);
}

TEST(close_panics_sends_that_wait)
{
	struct sender s[3] = {{.b = broadcast_make(int, 1, LEAT_BROADCAST_BLOCK)}};
	recv_chan(int) c = broadcast_subscribe(s[0].b), other = broadcast_subscribe(s[0].b);

	s[1].b = s[2].b = s[0].b;
	broadcast_send(s[0].b, 1);
	for (int i = 0; i < 3; i++) {
		s[i].value = 2 + i;
		start((enum kind)(i % KINDS), send_into_close, &s[i]);
		test_parked(i + 1);
	}
	broadcast_close(s[0].b);
	for (int i = 0; i < 3; i++)
		test_until(atomic_load(&s[i].done) == 2);
	CHECK_EQ(chan_recv(c), 1);
	CHECK(!chan_recv_ok(c, &(int){0}));
	CHECK_EQ(chan_recv(other), 1);
	CHECK(!chan_recv_ok(other, &(int){0}));
	broadcast_free(s[0].b);
}

/* --- misuse */

static void make_negative(void *arg)
{
	(void)arg;
	leat_broadcast_free(leat_broadcast_make(4, -1, LEAT_BROADCAST_BLOCK));
}

static void make_unknown(void *arg)
{
	(void)arg;
	leat_broadcast_free(leat_broadcast_make(4, 1, (leat_broadcast_policy)3));
}

static void close_it(void *b)
{
	leat_broadcast_close(b);
}

static void free_it(void *b)
{
	leat_broadcast_free(b);
}

static void free_chan(void *c)
{
	leat_chan_free(c);
}

struct of {
	leat_broadcast *b;
	leat_chan *c;
};

static void unsubscribe(void *p)
{
	leat_broadcast_unsubscribe(((struct of *)p)->b, ((struct of *)p)->c);
}

static void receive(void *c)
{
	leat_chan_recv(c, NULL);
}

TEST(misuse_panics_and_changes_nothing)
{
	leat_broadcast *b = leat_broadcast_make(4, 1, LEAT_BROADCAST_BLOCK);
	struct of mine = {b, leat_broadcast_subscribe(b)}, strange = {b, leat_chan_make(4, 1)};
	struct sender s = {.b = (void *)b, .value = 7};
	int v;

	CHECK(test_panics(make_negative, NULL, "makechan: size out of range"));
	CHECK(test_panics(make_unknown, NULL, "broadcast_make: no such policy"));
	CHECK(test_panics(free_chan, mine.c, "chan_free: the channel belongs to a broadcast"));
	CHECK(test_panics(unsubscribe, &strange,
	                  "broadcast_unsubscribe: not a subscription of this broadcast"));
	start(GOROUTINE, receive, mine.c);
	test_parked(1);
	CHECK(test_panics(unsubscribe, &mine,
	                  "broadcast_unsubscribe: goroutines are waiting on the subscription"));
	CHECK(test_panics(free_it, b, "broadcast_free: goroutines are waiting on a subscription"));
	leat_broadcast_send(b, &v);
	test_parked(0);
	leat_broadcast_send(b, &v);
	start(GOROUTINE, send_one, &s);
	test_parked(1);
	CHECK(test_panics(free_it, b, "broadcast_free: a send is under way"));
	leat_chan_recv(mine.c, NULL);
	test_until(atomic_load(&s.done));
	leat_broadcast_close(b);
	CHECK(test_panics(close_it, b, "close of closed broadcast"));
	CHECK(leat_chan_recv(mine.c, &v) && v == 7);
	leat_broadcast_unsubscribe(b, NULL);
	leat_broadcast_unsubscribe(b, mine.c);
	CHECK_EQ(leat_broadcast_lagged(strange.c), 0);
	CHECK_EQ(leat_broadcast_lagged(NULL), 0);
	leat_chan_free(strange.c);
	leat_broadcast_free(b);
	leat_broadcast_free(NULL);
}

TEST(it_leaves_no_memory)
{
	size_t before = 0;

	for (int i = 0; i < 200; i++) {
		broadcast_chan(int) b = broadcast_make(int, 100, LEAT_BROADCAST_BLOCK);
		recv_chan(int) c[8];

		if (i == 10)
			before = test_heap_in_use();
		for (int k = 0; k < 8; k++)
			c[k] = broadcast_subscribe(b);
		broadcast_send(b, 1);
		broadcast_unsubscribe(b, c[3]);
		broadcast_unsubscribe(b, c[0]);
		broadcast_unsubscribe(b, c[7]);
		broadcast_free(b);
	}
	CHECK(test_heap_in_use() < before + 64 * 1024);
}

TEST_MAIN
