/* SPDX-License-Identifier: MIT */
/*
 * Goal: elements of every size arrive whole, and nothing beyond them is touched.  Method: the function
 * form with sizes known only at run time, over every way a value can travel (buffer, to a parked
 * receiver, from a parked sender, through select), in buffers with guard bytes on both sides.
 */
#include "chan_help.h"

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

static const size_t sizes[] = {0,   1,   2,   3,   4,   5,    7,    8,    9,    12,   15,
                               16,  17,  23,  24,  31,  32,   33,   63,   64,   65,   100,
                               127, 128, 129, 255, 256, 1000, 4095, 4096, 4097, 65536};

struct buffer {
	unsigned char *all, *elem;
	size_t bytes;
};

static struct buffer buffer_new(size_t bytes)
{
	struct buffer b = {malloc(bytes + 2 * GUARD), NULL, bytes};

	CHECK(b.all);
	memset(b.all, GUARD_BYTE, bytes + 2 * GUARD);
	b.elem = b.all + GUARD;
	return b;
}

static void buffer_free(struct buffer *b)
{
	for (size_t i = 0; i < GUARD; i++) {
		CHECK_EQ(b->all[i], GUARD_BYTE);
		CHECK_EQ(b->elem[b->bytes + i], GUARD_BYTE);
	}
	free(b->all);
}

static unsigned char pattern(int seq, size_t i)
{
	return (unsigned char)((size_t)seq * 37 + i * 11 + (i >> 8) + 1);
}

static void fill(struct buffer *b, int seq)
{
	for (size_t i = 0; i < b->bytes; i++)
		b->elem[i] = pattern(seq, i);
}

static void check(struct buffer *b, int seq)
{
	for (size_t i = 0; i < b->bytes; i++)
		CHECK_EQ(b->elem[i], pattern(seq, i));
}

/* The ways to do one operation; the select ones have an idle channel as company. */
enum form { PLAIN, TRY, SELECT, FORMS };

struct worker {
	leat_chan *c, *idle;
	size_t bytes;
	int from, to;
	enum form form;
	leat_waitgroup *wg;
};

static void send_all(void *p)
{
	struct worker *w = p;
	struct buffer b = buffer_new(w->bytes);

	for (int seq = w->from; seq < w->to; seq++) {
		leat_case cases[] = {{w->idle, LEAT_RECV, NULL}, {w->c, LEAT_SEND, b.elem}};

		fill(&b, seq);
		if (w->form == PLAIN)
			leat_chan_send(w->c, b.elem);
		else if (w->form == SELECT)
			CHECK_EQ(leat_select(cases, 2, LEAT_FOREVER, NULL), 1);
		else
			test_until(leat_chan_try_send(w->c, b.elem));
		/* The value must have left by now. */
		memset(b.elem, 0x5a, b.bytes);
	}
	buffer_free(&b);
	leat_waitgroup_done(w->wg);
}

static void recv_all(void *p)
{
	struct worker *w = p;

	for (int seq = w->from; seq < w->to; seq++) {
		struct buffer b = buffer_new(w->bytes);
		leat_case cases[] = {{w->c, LEAT_RECV, b.elem}, {w->idle, LEAT_RECV, NULL}};
		bool ok = false;

		if (w->form == PLAIN)
			ok = leat_chan_recv(w->c, b.elem);
		else if (w->form == SELECT)
			CHECK_EQ(leat_select(cases, 2, LEAT_FOREVER, &ok), 0);
		else
			test_until(leat_chan_try_recv(w->c, b.elem, &ok));
		CHECK(ok);
		check(&b, seq);
		buffer_free(&b);
	}
	leat_waitgroup_done(w->wg);
}

/* Send n values through c, the one end by form s, the other by form r. */
static void carry(leat_chan *c, leat_chan *idle, size_t bytes, enum form s, enum form r, int n)
{
	leat_waitgroup wg = {0};
	struct worker in = {c, idle, bytes, 0, n, s, &wg};
	struct worker out = {c, idle, bytes, 0, n, r, &wg};

	leat_waitgroup_add(&wg, 2);
	start(GOROUTINE, send_all, &in);
	start(GOROUTINE, recv_all, &out);
	leat_waitgroup_wait(&wg);
}

TEST(line_36_every_size_travels_whole)
{
	static const int caps[] = {0, 1, 3, 16};
	leat_chan *idle = leat_chan_make(4, 0);

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (size_t j = 0; j < sizeof caps / sizeof caps[0]; j++) {
			leat_chan *c = leat_chan_make(sizes[i], caps[j]);

			for (int f = 0; f < FORMS * FORMS; f++)
				if (f != TRY * FORMS + TRY || caps[j] > 0)
					carry(c, idle, sizes[i], f / FORMS, f % FORMS, 7);
			CHECK_EQ(leat_chan_len(c), 0);
			leat_chan_free(c);
		}
	}
	leat_chan_free(idle);
}

/* The two ends are sure to be parked here, which the test above leaves to chance. */
TEST(line_36_every_size_to_and_from_a_parked_party)
{
	leat_chan *idle = leat_chan_make(4, 0);
	leat_waitgroup wg = {0};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		leat_chan *c = leat_chan_make(sizes[i], 0);
		struct buffer b = buffer_new(sizes[i]);
		size_t base = leat_num_parked();

		for (int f = 0; f < 2 * KINDS; f++) {
			struct worker w = {c, idle, sizes[i], 5, 6, f / KINDS ? SELECT : PLAIN, &wg};

			leat_waitgroup_add(&wg, 1);
			start(f % KINDS, recv_all, &w);
			test_parked(base + 1);
			fill(&b, 5);
			leat_chan_send(c, b.elem);
			leat_waitgroup_wait(&wg);

			leat_waitgroup_add(&wg, 1);
			start(f % KINDS, send_all, &w);
			test_parked(base + 1);
			memset(b.elem, 0, b.bytes);
			CHECK(leat_chan_recv(c, b.elem));
			check(&b, 5);
			leat_waitgroup_wait(&wg);
		}
		buffer_free(&b);
		leat_chan_free(c);
	}
	leat_chan_free(idle);
}

TEST(line_36_values_are_dropped_when_nobody_wants_them)
{
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		leat_chan *c = leat_chan_make(sizes[i], 2);
		struct buffer b = buffer_new(sizes[i]);
		leat_case drop = {c, LEAT_RECV, NULL};
		bool ok = false;

		for (int turn = 0; turn < 3; turn++) {
			fill(&b, 1);
			leat_chan_send(c, b.elem);
			fill(&b, 2);
			leat_chan_send(c, b.elem);
			if (turn == 0) {
				CHECK(leat_chan_recv(c, NULL));
			} else if (turn == 1) {
				CHECK(leat_chan_try_recv(c, NULL, NULL));
			} else {
				CHECK_EQ(leat_select(&drop, 1, LEAT_FOREVER, &ok), 0);
				CHECK(ok);
			}
			memset(b.elem, 0, b.bytes);
			CHECK(leat_chan_recv(c, b.elem));
			check(&b, 2);
		}
		buffer_free(&b);
		leat_chan_free(c);
	}
}

TEST(line_47_every_size_is_zeroed_after_close)
{
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		leat_chan *c = leat_chan_make(sizes[i], 2);
		struct buffer b = buffer_new(sizes[i]);
		leat_case one = {c, LEAT_RECV, b.elem};
		bool ok;

		fill(&b, 3);
		leat_chan_send(c, b.elem);
		leat_chan_close(c);
		memset(b.elem, 0xff, b.bytes);
		CHECK(leat_chan_recv(c, b.elem));
		check(&b, 3);
		for (int turn = 0; turn < 6; turn++) {
			memset(b.elem, 0xff, b.bytes);
			ok = true;
			if (turn % 3 == 0)
				ok = leat_chan_recv(c, b.elem);
			else if (turn % 3 == 1)
				CHECK(leat_chan_try_recv(c, b.elem, &ok));
			else
				CHECK_EQ(leat_select(&one, 1, LEAT_FOREVER, &ok), 0);
			CHECK(!ok);
			for (size_t k = 0; k < b.bytes; k++)
				CHECK_EQ(b.elem[k], 0);
		}
		buffer_free(&b);
		leat_chan_free(c);
	}
}

/* A parked receiver's buffer is zeroed by the close that wakes it. */
static void recv_closed(void *p)
{
	struct worker *w = p;
	struct buffer b = buffer_new(w->bytes);
	leat_case cases[] = {{w->idle, LEAT_RECV, NULL}, {w->c, LEAT_RECV, b.elem}};
	bool ok = true;

	memset(b.elem, 0xff, b.bytes);
	if (w->form == PLAIN)
		ok = leat_chan_recv(w->c, b.elem);
	else
		CHECK_EQ(leat_select(cases, 2, LEAT_FOREVER, &ok), 1);
	CHECK(!ok);
	for (size_t k = 0; k < b.bytes; k++)
		CHECK_EQ(b.elem[k], 0);
	buffer_free(&b);
	leat_waitgroup_done(w->wg);
}

TEST(line_48_every_size_is_zeroed_for_parked_receivers)
{
	leat_chan *idle = leat_chan_make(1, 0);
	leat_waitgroup wg = {0};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		leat_chan *c = leat_chan_make(sizes[i], (ptrdiff_t)(i % 3));
		struct worker plain = {c, idle, sizes[i], 0, 1, PLAIN, &wg};
		struct worker select = {c, idle, sizes[i], 0, 1, SELECT, &wg};
		size_t base = leat_num_parked();

		leat_waitgroup_add(&wg, 4);
		start(GOROUTINE, recv_closed, &plain);
		start(GOROUTINE, recv_closed, &select);
		start(THREAD, recv_closed, &plain);
		start(THREAD, recv_closed, &select);
		test_parked(base + 4);
		leat_chan_close(c);
		leat_waitgroup_wait(&wg);
		leat_chan_free(c);
	}
	leat_chan_free(idle);
}

TEST_MAIN
