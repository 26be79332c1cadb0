/* SPDX-License-Identifier: MIT */
/*
 * Goal: chan_send_ctx and chan_recv_ctx do what chan_send and chan_recv do, until their context is done; then nothing
 * was sent or received, and nobody waits any more.
 * Method: waiters that are observably parked before they are cancelled; then races of cancel against send, receive
 * and close in which what went over is counted on both sides.  chan_free panics where a waiter was left.
 */
#include "chan_help.h"

#include <errno.h>

static leat_ctx *cancelable(void)
{
	return leat_ctx_with_cancel(leat_ctx_background());
}

TEST(as_send_and_receive_while_the_context_is_not_done)
{
	leat_ctx *ctxs[] = {NULL, leat_ctx_background(), cancelable()};
	int v = 0;

	for (int i = 0; i < 3; i++) {
		chan(int) c = chan_make(int, 2);

		CHECK_EQ(chan_send_ctx(c, 1, ctxs[i]), 0);
		CHECK_EQ(chan_send_ctx(chan_sender(c), 2, ctxs[i]), 0);
		CHECK_EQ(chan_recv_ctx(chan_receiver(c), &v, ctxs[i]), 0);
		CHECK_EQ(v, 1);
		CHECK_EQ(chan_recv_ctx(c, NULL, ctxs[i]), 0);
		CHECK_EQ(chan_send_ctx(c, 3, ctxs[i]), 0);
		chan_close(c);
		CHECK_EQ(chan_recv_ctx(c, &v, ctxs[i]), 0);
		CHECK_EQ(v, 3);
		CHECK_EQ(chan_recv_ctx(c, &v, ctxs[i]), -EPIPE);
		CHECK_EQ(v, 0);
		CHECK_EQ(chan_recv_ctx(c, NULL, ctxs[i]), -EPIPE);
		chan_free(c);
	}
	leat_ctx_free(ctxs[2]);
}

TEST(a_done_context_fails_a_channel_that_is_ready)
{
	leat_ctx *canceled = cancelable();
	leat_ctx *late = leat_ctx_with_deadline(leat_ctx_background(), leat_now() - 1);
	chan(int) c = chan_make(int, 2);
	int v = 7;

	leat_ctx_cancel(canceled);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(chan_send_ctx(c, 1, canceled), -ECANCELED);
		CHECK_EQ(chan_send_ctx(c, 1, late), -ETIMEDOUT);
	}
	CHECK_EQ(chan_len(c), 0);
	chan_send(c, 5);
	CHECK_EQ(chan_recv_ctx(c, &v, canceled), -ECANCELED);
	CHECK_EQ(chan_recv_ctx(c, &v, late), -ETIMEDOUT);
	CHECK_EQ(v, 7);
	CHECK_EQ(chan_recv(c), 5);
	chan_close(c);
	CHECK_EQ(chan_recv_ctx(c, &v, canceled), -ECANCELED);
	CHECK_EQ(chan_send_ctx(c, 1, canceled), -ECANCELED);
	chan_free(c);
	leat_ctx_free(canceled);
	leat_ctx_free(late);
}

struct op {
	chan(int) c;
	leat_ctx *ctx;
	bool sends;
	int value;
	int err;
	atomic_int done;
};

static void operate(void *p)
{
	struct op *o = p;

	o->err =
	    o->sends ? chan_send_ctx(o->c, o->value, o->ctx) : chan_recv_ctx(o->c, &o->value, o->ctx);
	atomic_store(&o->done, 1);
}

/* A parked one of each kind is cancelled, or its time passes. */
static void end_parked(enum kind kind, bool sends, bool timeout)
{
	struct op o = {.c = chan_make(int, sends ? 1 : 0), .sends = sends, .value = 7};

	if (sends)
		chan_send(o.c, 1);
	o.ctx =
	    timeout ? leat_ctx_with_timeout(leat_ctx_background(), 5 * LEAT_MILLISECOND) : cancelable();
	start(kind, operate, &o);
	if (!timeout) {
		test_parked(1);
		leat_ctx_cancel(o.ctx);
	}
	test_until(atomic_load(&o.done));
	CHECK_EQ(o.err, timeout ? -ETIMEDOUT : -ECANCELED);
	CHECK_EQ(o.value, 7);
	if (sends) {
		CHECK_EQ(chan_recv(o.c), 1);
		CHECK(!chan_try_recv(o.c, NULL, NULL)); /* it sent nothing */
	} else {
		CHECK(!chan_try_send(o.c, 2)); /* it does not take it */
	}
	chan_free(o.c);
	leat_ctx_free(o.ctx);
}

TEST(a_parked_one_is_ended_and_leaves_nothing)
{
	for (int i = 0; i < 8; i++)
		end_parked(i & 1 ? THREAD : GOROUTINE, i & 2, i & 4);
}

TEST(a_close_ends_parked_receivers)
{
	leat_ctx *ctx = cancelable();
	struct op o[6];

	for (int i = 0; i < 6; i++)
		o[i] =
		    (struct op){.c = i ? o[0].c : chan_make(int, 0), .ctx = i & 1 ? ctx : NULL, .value = 7};
	for (int i = 0; i < 6; i++)
		start((enum kind)(i / 2 % 2), operate, &o[i]);
	test_parked(6);
	chan_close(o[0].c);
	for (int i = 0; i < 6; i++) {
		test_until(atomic_load(&o[i].done));
		CHECK_EQ(o[i].err, -EPIPE);
		CHECK_EQ(o[i].value, 0);
	}
	chan_free(o[0].c);
	leat_ctx_free(ctx);
}

static void send_it(void *p)
{
	struct op *o = p;

	o->err = chan_send_ctx(o->c, 1, o->ctx);
}

static void send_into_close(void *p)
{
	struct op *o = p;

	CHECK(test_panics(send_it, o, "send on closed channel"));
	atomic_store(&o->done, 1);
}

TEST(line_45_line_48_a_send_on_closed_panics)
{
	struct op o = {.c = chan_make(int, 0), .ctx = cancelable()};

	start(GOROUTINE, send_into_close, &o);
	test_parked(1);
	chan_close(o.c);
	test_until(atomic_load(&o.done));
	CHECK(test_panics(send_it, &o, "send on closed channel"));
	leat_ctx_free(o.ctx);
	o.ctx = NULL;
	CHECK(test_panics(send_it, &o, "send on closed channel"));
	chan_free(o.c);
}

TEST(line_44_on_no_channel_the_context_alone_ends_it)
{
	for (int i = 0; i < 4; i++) {
		struct op o = {.ctx = cancelable(), .sends = i & 1, .value = 7};

		start(i & 2 ? THREAD : GOROUTINE, operate, &o);
		test_parked(1);
		leat_ctx_cancel(o.ctx);
		test_until(atomic_load(&o.done));
		CHECK_EQ(o.err, -ECANCELED);
		CHECK_EQ(chan_recv_ctx(o.c, NULL, o.ctx), -ECANCELED);
		leat_ctx_free(o.ctx);
	}
}

/* Those with a context wait in one queue with the others. */
TEST(who_waits_longest_is_served_first)
{
	leat_ctx *ctx = cancelable();
	chan(int) c = chan_make(int, 0);
	struct op o[6];

	for (int i = 0; i < 6; i++) {
		o[i] = (struct op){.c = c, .ctx = i % 3 ? ctx : NULL, .sends = true, .value = i};
		start(GOROUTINE, operate, &o[i]);
		test_parked(i + 1);
	}
	for (int i = 0; i < 6; i++)
		CHECK_EQ(chan_recv(c), i);
	for (int i = 0; i < 6; i++)
		test_until(atomic_load(&o[i].done));
	for (int i = 0; i < 6; i++) {
		o[i] = (struct op){.c = c, .ctx = i % 3 ? ctx : NULL};
		start(GOROUTINE, operate, &o[i]);
		test_parked(i + 1);
	}
	for (int i = 0; i < 6; i++)
		chan_send(c, i);
	for (int i = 0; i < 6; i++) {
		test_until(atomic_load(&o[i].done));
		CHECK_EQ(o[i].value, i);
	}
	chan_free(c);
	leat_ctx_free(ctx);
}

struct letter {
	chan(int) c, answers;
	leat_ctx *ctx;
	int question, answer; /* plain */
};

static void answer(void *p)
{
	struct letter *l = p;
	int v;

	for (;;) {
		if (chan_recv_ctx(l->c, &v, l->ctx) != 0)
			break;
		l->answer = l->question + 1;
		CHECK_EQ(chan_send_ctx(l->answers, v, l->ctx), 0);
	}
	CHECK_EQ(l->question, -1);
	chan_close(l->answers);
}

TEST(what_precedes_a_send_a_close_and_a_cancel_is_seen)
{
	for (int i = 0; i < 6; i++) {
		static struct letter l; /* not on the stack, where the sanitizer does not look */

		l = (struct letter){chan_make(int, i / 2), chan_make(int, i / 2), cancelable(), 0, 0};
		start(GOROUTINE, answer, &l);
		for (int k = 0; k < test_count(1000); k++) {
			if (k % 2)
				test_parked(1); /* it waits for the question */
			l.question = k;
			CHECK_EQ(chan_send_ctx(l.c, k, l.ctx), 0);
			CHECK_EQ(chan_recv_ctx(l.answers, NULL, l.ctx), 0);
			CHECK_EQ(l.answer, k + 1);
		}
		l.question = -1;
		if (i & 1)
			leat_ctx_cancel(l.ctx);
		else
			chan_close(l.c);
		chan_recv(l.answers);
		chan_free(l.c);
		chan_free(l.answers);
		leat_ctx_free(l.ctx);
	}
}

/* --- other channels and contexts */

TEST(line_154_timers)
{
	leat_timer *t = leat_timer_new(LEAT_HOUR);
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	int64_t at = 7, begin = leat_now();

	CHECK_EQ(chan_recv_ctx(leat_timer_chan(t), &at, ctx), -ETIMEDOUT);
	CHECK_EQ(at, 7);
	leat_ctx_free(ctx);
	ctx = cancelable();
	leat_timer_reset(t, LEAT_MILLISECOND);
	CHECK_EQ(chan_recv_ctx(leat_timer_chan(t), &at, ctx), 0);
	CHECK(at >= begin + LEAT_MILLISECOND && at <= leat_now());
	CHECK(!leat_timer_stop(t));
	leat_timer_free(t);
	leat_ctx_free(ctx);
}

TEST(a_scope_is_a_context)
{
	chan(int) c = chan_make(int, 0);
	scope(s, NULL);

	scope_timeout(s, LEAT_MILLISECOND);
	CHECK_EQ(chan_recv_ctx(c, NULL, s), -ETIMEDOUT);
	CHECK_EQ(chan_send_ctx(c, 1, s), -ETIMEDOUT);
	CHECK_EQ(scope_wait(s), 0);
	chan_free(c);
}

struct own {
	chan(leat_empty) done;
};

static recv_chan(leat_empty) own_done(void *self)
{
	return chan_receiver(((struct own *)self)->done);
}

static int own_err(void *self)
{
	return chan_closed(((struct own *)self)->done) ? -ECANCELED : 0;
}

static const leat_ctx_ops own_ops = {.name = "own", .done = own_done, .err = own_err};

TEST(line_139_custom_contexts)
{
	struct own own = {chan_make(leat_empty, 0)};
	struct op o = {.c = chan_make(int, 1), .value = 7};

	o.ctx = leat_ctx_custom(leat_ctx_background(), &own_ops, &own);
	CHECK_EQ(chan_send_ctx(o.c, 1, o.ctx), 0);
	CHECK_EQ(leat_num_goroutine(), 1); /* nothing to wait for, none that watches */
	CHECK_EQ(chan_recv_ctx(o.c, NULL, o.ctx), 0);
	start(GOROUTINE, operate, &o);
	test_parked(2);
	chan_close(own.done);
	test_until(atomic_load(&o.done));
	CHECK_EQ(o.err, -ECANCELED);
	CHECK_EQ(o.value, 7);
	CHECK_EQ(chan_send_ctx(o.c, 1, o.ctx), -ECANCELED);
	test_goroutines(1);
	leat_ctx_free(o.ctx);
	chan_free(o.c);
	chan_free(own.done);
}

struct pair {
	int64_t a, b, d;
};

TEST(elements_of_any_size_and_values_evaluated_once)
{
	leat_ctx *ctx = cancelable();
	chan(struct pair) c = chan_make(struct pair, 1);
	chan(leat_empty) e = chan_make(leat_empty, 1);
	struct pair p = {0};
	int n = 0;

	CHECK_EQ(chan_send_ctx(c, ((struct pair){++n, 2, 3}), ctx), 0);
	CHECK_EQ(n, 1);
	CHECK_EQ(chan_recv_ctx(c, &p, ctx), 0);
	CHECK_EQ(p.a + p.b + p.d, 6);
	CHECK_EQ(chan_send_ctx(e, {}, ctx), 0);
	CHECK_EQ(chan_recv_ctx(e, &(leat_empty){}, ctx), 0);
	chan_free(c);
	chan_free(e);
	leat_ctx_free(ctx);
}

/* --- races */

/*
 * One operation meets a cancel at every moment there is.  On each side of a channel several workers operate with a
 * context that a partner of theirs cancels meanwhile; each value that was sent is received once.
 */
struct side {
	chan(int) c;
	int rounds;
	_Atomic int64_t sum, count;
	leat_waitgroup *wg;
	uint64_t random;
};

struct cancel_each {
	chan(leat_ctx *) asked;
	chan(leat_empty) answered;
};

static void cancel_each(struct cancel_each *p)
{
	uint64_t random = leat_goid();

	chan_range(ctx, p->asked) {
		for (unsigned n = rnd_below(&random, 4); n > 0; n--)
			leat_yield();
		leat_ctx_cancel(ctx);
		chan_send(p->answered, {});
	}
	chan_close(p->answered);
}

static struct cancel_each partner_start(void)
{
	struct cancel_each p = {chan_make(leat_ctx *, 1), chan_make(leat_empty, 1)};

	go(cancel_each, p.asked, p.answered);
	return p;
}

static void partner_end(struct cancel_each *p)
{
	chan_close(p->asked);
	chan_recv(p->answered);
	chan_free(p->asked);
	chan_free(p->answered);
}

static void work(struct side *s, bool sends)
{
	struct cancel_each p = partner_start();
	uint64_t random = leat_goid();
	int64_t sum = 0, count = 0;

	for (int i = 0; i < s->rounds; i++) {
		leat_ctx *ctx = cancelable();
		int v = (int)rnd_below(&random, 1 << 20), err;

		chan_send(p.asked, ctx);
		err = sends ? chan_send_ctx(s->c, v, ctx) : chan_recv_ctx(s->c, &v, ctx);
		if (!err) {
			sum += v;
			count++;
		} else {
			CHECK_EQ(err, -ECANCELED);
		}
		chan_recv(p.answered);
		leat_ctx_free(ctx);
	}
	partner_end(&p);
	atomic_fetch_add(&s->sum, sum);
	atomic_fetch_add(&s->count, count);
	leat_waitgroup_done(s->wg);
}

static void sender(void *s)
{
	work(s, true);
}

static void receiver(void *s)
{
	work(s, false);
}

static void storm(ptrdiff_t cap, int workers, int rounds)
{
	leat_waitgroup wg = {0};
	chan(int) c = chan_make(int, cap);
	struct side out = {.c = c, .rounds = rounds, .wg = &wg}, in = out;
	int v;

	leat_waitgroup_add(&wg, 2 * workers);
	for (int i = 0; i < workers; i++) {
		start(i % 4 == 3 ? THREAD : GOROUTINE, sender, &out);
		start(i % 4 == 2 ? THREAD : GOROUTINE, receiver, &in);
	}
	leat_waitgroup_wait(&wg);
	CHECK(chan_len(c) <= (size_t)cap);
	while (chan_try_recv(c, &v, NULL)) {
		atomic_fetch_add(&in.sum, v);
		atomic_fetch_add(&in.count, 1);
	}
	fprintf(stderr, "\tcap %td: %" PRId64 " of %d went over\n", cap, atomic_load(&in.count),
	        workers * rounds);
	CHECK_EQ(atomic_load(&in.count), atomic_load(&out.count));
	CHECK_EQ(atomic_load(&in.sum), atomic_load(&out.sum));
	chan_free(c); /* panics if anybody waited still */
}

TEST(cancel_against_send_and_receive_unbuffered)
{
	storm(0, 4, test_count(400000) / 8);
}

TEST(cancel_against_send_and_receive_buffered)
{
	storm(1, 4, test_count(200000) / 8);
	storm(3, 3, test_count(200000) / 6);
}

/* One receiver, one cancel, one send or close: exactly what the other side says came over. */
struct duel {
	chan(int) c;
	leat_ctx *ctx;
	int err, value;
	leat_waitgroup *wg;
};

static void duel_recv(void *p)
{
	struct duel *d = *(struct duel **)p;

	d->err = chan_recv_ctx(d->c, &d->value, d->ctx);
	leat_waitgroup_done(d->wg);
}

static void duel_cancel(void *p)
{
	struct duel *d = *(struct duel **)p;

	leat_ctx_cancel(d->ctx);
	leat_waitgroup_done(d->wg);
}

TEST(cancel_against_one_send_or_close)
{
	int n = test_count(200000), canceled = 0;

	for (int i = 0; i < n; i++) {
		leat_waitgroup wg = {0};
		struct duel d = {chan_make(int, 0), cancelable(), 0, 7, &wg}, *p = &d;
		bool sent = false;

		leat_waitgroup_add(&wg, 2);
		leat_go(i & 1 ? duel_recv : duel_cancel, &p, sizeof p);
		leat_go(i & 1 ? duel_cancel : duel_recv, &p, sizeof p);
		for (int k = i / 2 % 4; k > 0; k--)
			leat_yield();
		if (i & 8)
			chan_close(d.c);
		else
			sent = chan_try_send(d.c, 42);
		leat_waitgroup_wait(&wg);
		if (sent) {
			CHECK_EQ(d.err, 0);
			CHECK_EQ(d.value, 42);
		} else if (d.err == -EPIPE) {
			CHECK(i & 8);
			CHECK_EQ(d.value, 0);
		} else {
			CHECK_EQ(d.err, -ECANCELED);
			CHECK_EQ(d.value, 7);
			canceled++;
		}
		chan_free(d.c);
		leat_ctx_free(d.ctx);
	}
	fprintf(stderr, "\t%d of %d were cancelled\n", canceled, n);
}

TEST_MAIN
