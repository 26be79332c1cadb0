/* SPDX-License-Identifier: MIT */
/* CTEST: nosan */
/*
 * Goal: whoever uses a channel that was freed is told so, as long as its memory serves nobody else.
 * Method: every operation on channels of several kinds, owned by a processor and not, just after they were freed, and
 * no allocation in between.  A sanitizer would tell of it first.
 */
#include "chan_help.h"

static const char USE[] = "use of freed channel", FREE[] = "chan_free: channel is freed already";

static void send_one(void *p)
{
	chan_send((chan(int))p, 1);
}

static void recv_one(void *p)
{
	chan_recv((chan(int))p);
}

static void try_send_one(void *p)
{
	chan_try_send((chan(int))p, 1);
}

static void try_recv_one(void *p)
{
	chan_try_recv((chan(int))p, NULL, NULL);
}

static void close_it(void *p)
{
	chan_close((chan(int))p);
}

static void try_close_it(void *p)
{
	chan_try_close((chan(int))p);
}

static void is_closed(void *p)
{
	(void)chan_closed((chan(int))p);
}

static void reason(void *p)
{
	(void)chan_reason((chan(int))p);
}

static void len(void *p)
{
	(void)chan_len((chan(int))p);
}

static void cap(void *p)
{
	(void)chan_cap((chan(int))p);
}

static leat_ctx *until;

static void send_until(void *p)
{
	CHECK(chan_send_ctx((chan(int))p, 1, until) == 0);
}

static void recv_until(void *p)
{
	CHECK(chan_recv_ctx((chan(int))p, NULL, until) == 0);
}

static void select_recv(void *p)
{
	chan_select {
		case_recv((chan(int))p)
			break;
	}
}

static void select_send_now(void *p)
{
	chan_select {
		case_send((chan(int))p, 1)
			break;
		case_default
			break;
	}
}

static void select_soon(void *p)
{
	chan_select {
		case_recv((chan(int))p)
			break;
		case_send((chan(int))NULL, 1)
			break;
		case_timeout(LEAT_MINUTE)
			break;
	}
}

static void free_it(void *p)
{
	chan_free((chan(int))p);
}

static const struct op {
	void (*fn)(void *);
	const char *says;
} ops[] = {{send_one, USE},    {recv_one, USE},     {try_send_one, USE}, {try_recv_one, USE},
           {close_it, USE},    {try_close_it, USE}, {is_closed, USE},    {reason, USE},
           {len, USE},         {cap, USE},          {send_until, USE},   {recv_until, USE},
           {select_recv, USE}, {select_soon, USE},  {free_it, FREE},     {select_send_now, USE}};

enum { OPS = sizeof ops / sizeof ops[0] };

/* What c's user is told, each time of several: a panic leaves nothing behind that the next would meet. */
static void all_on(chan(int) c)
{
	for (int i = 0; i < 3 * OPS; i++)
		CHECK(test_panics(ops[i % OPS].fn, (void *)c, ops[i % OPS].says));
}

struct freed {
	int cap, before; /* how many values went through it before it was freed */
	bool closed;
	leat_waitgroup wg;
};

static void free_and_use(void *p)
{
	struct freed *f = p;
	chan(int) c = chan_make(int, f->cap), neighbour = chan_make(int, f->cap);

	for (int i = 0; i < f->before; i++) {
		CHECK(chan_try_send(c, i) == (f->cap > 0));
		if (f->cap)
			chan_recv(c);
	}
	if (f->closed)
		chan_close(c);
	chan_free(c);
	all_on(c);
	chan_free(neighbour); /* some allocators give back what is quite empty */
	leat_waitgroup_done(&f->wg);
}

/* Channels like those that are then freed, kept: what is free beside one another becomes one. */
static void in(enum kind kind)
{
	static const int caps[] = {0, 1, 10, 100, 1000};

	until = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
	for (int i = 0; i < 20; i++) {
		struct freed f = {.cap = caps[i % 5], .before = i < 10 ? 0 : 20000, .closed = i & 1};

		leat_waitgroup_add(&f.wg, 1);
		start(kind, free_and_use, &f);
		leat_waitgroup_wait(&f.wg);
	}
	leat_ctx_free(until);
}

TEST(a_goroutine_that_uses_a_freed_channel_panics)
{
	in(GOROUTINE);
}

TEST(a_thread_that_uses_a_freed_channel_panics)
{
	in(THREAD);
}

static chan(int) in_a_scope(void)
{
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, 3);

	chan_send(c, 1);
	return c;
}

TEST(the_channel_of_a_scope_that_is_left)
{
	until = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
	all_on(in_a_scope());
	leat_ctx_free(until);
}

static void recv_instant(void *p)
{
	chan_recv((recv_chan(int64_t))p);
}

static void try_recv_instant(void *p)
{
	chan_try_recv((recv_chan(int64_t))p, NULL, NULL);
}

static void reset(void *p)
{
	leat_timer_reset(p, LEAT_MINUTE);
}

TEST(the_channel_of_a_timer_that_is_freed)
{
	leat_timer *t = leat_timer_new(LEAT_MINUTE);
	recv_chan(int64_t) c = leat_timer_chan(t);

	leat_timer_free(t);
	CHECK(test_panics(recv_instant, (void *)c, USE));
	CHECK(test_panics(try_recv_instant, (void *)c, USE));
	CHECK(test_panics(reset, t, USE));
	CHECK(test_panics(reset, t, USE));
}

static void lagged(void *p)
{
	leat_broadcast_lagged(p);
}

TEST(a_subscription_that_is_over)
{
	leat_broadcast *b = leat_broadcast_make(sizeof(int), 1, LEAT_BROADCAST_BLOCK);
	leat_chan *c = leat_broadcast_subscribe(b);

	leat_broadcast_unsubscribe(b, c);
	CHECK(test_panics(lagged, c, USE));
	CHECK(test_panics(recv_one, c, USE));
	CHECK(test_panics(free_it, c, FREE));
	leat_broadcast_free(b);
}

TEST_MAIN
