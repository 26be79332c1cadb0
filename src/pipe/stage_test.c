/* SPDX-License-Identifier: MIT */
/*
 * Goal: what cancels a pipeline by closing its channels races with all else, and nothing is lost by that: stages that
 * are made meanwhile are closed, too; whoever waits is woken; each channel is closed once; and a channel that is
 * closed without a reason has given all.
 * And whose outlet a channel is.
 * Method: in many rounds the scope is cancelled at a random instant from another goroutine or thread.
 */
#include "test.h"

#include "pipe/stage.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_uint seed = 1;

/* Let some time pass: none, or up to some ten microseconds, by computing, and a goroutine by letting others run, too. */
static void dawdle(bool yield)
{
	unsigned n = atomic_fetch_add(&seed, 0x9e3779b9) >> 8;

	for (volatile unsigned i = (n & 4095) << (n >> 12 & 3); i > 0; i--)
		if (yield && i % 256 == 0)
			leat_yield();
}

struct cancel {
	leat_scope *s;
	atomic_int *ready;
};

static void cancel(struct cancel *a)
{
	atomic_fetch_add(a->ready, 1);
	dawdle(true);
	scope_cancel(a->s);
}

struct plus {
	int by;
};

static void plus(const int *in, int *out, struct plus *a)
{
	*out = *in + a->by;
}

/* Closed, drained, and why. */
static int drain(recv_chan(int) c)
{
	int n = 0;

	chan_range(v, c) {
		(void)v;
		n++;
	}
	return n;
}

static void never_called(const void *in, void *args)
{
	(void)in;
	(void)args;
	abort();
}

enum { VALUES = 5 };

/* Without a reason all values came, with one it is the scope's. */
static void complete_or_cancelled(leat_scope *s, recv_chan(int) c)
{
	int n = drain(c);

	if (chan_reason(c)) {
		CHECK(chan_reason(c) == &leat_canceled);
		CHECK_EQ(scope_err(s), -ECANCELED);
	} else {
		CHECK_EQ(n, VALUES);
	}
}

TEST(a_channel_without_a_reason_has_given_all)
{
	static const int numbers[VALUES];
	int cut = 0, whole = 0;

	for (int round = 0; round < test_count(20000); round++) {
		atomic_int ready = 0;
		scope(s, NULL);
		recv_chan(int) c;

		scope_go(s, cancel, s, &ready);
		test_until(ready == 1);
		c = pipe_map(pipe_at(s, .cap = round % 3), pipe_from_array(s, numbers, VALUES), int, plus,
		             1);
		complete_or_cancelled(s, c);
		*(chan_reason(c) ? &cut : &whole) += 1;
	}
	fprintf(stderr, "%d cut, %d whole\n", cut, whole);
}

/* The pipe closes the newest first: the stage meets the end of its scope before the pipe comes to its channel. */
TEST(a_stage_that_ends_before_the_pipe_closes_it)
{
	for (int round = 0; round < test_count(1000); round++) {
		atomic_int ready = 0;
		scope(s, NULL);
		recv_chan(int) c = pipe_map(pipe_at(s, .cap = 20),
		                            pipe_repeat(pipe_at(s, .cap = 20), int, 1), int, plus, 1);

		for (int i = 0; i < 50; i++)
			leat_pipe_each((leat_pipe_opts){.scope = s}, NULL, 0, never_called, NULL, 0);
		scope_go(s, cancel, s, &ready);
		drain(c);
		CHECK(chan_reason(c) == &leat_canceled);
	}
}

/* The first stages of a scope are made by several at once: there is one pipe, which closes them all. */
struct make {
	leat_scope *s;
	atomic_int *ready;
	recv_chan(int) *c;
};

static void make(struct make *a)
{
	atomic_fetch_add(a->ready, 1);
	dawdle(true);
	*a->c = pipe_map(a->s, pipe_repeat(a->s, int, 1), int, plus, 1);
}

TEST(stages_made_while_the_scope_becomes_done)
{
	enum { MAKERS = 4 };

	for (int round = 0; round < test_count(20000); round++) {
		atomic_int ready = 0;
		recv_chan(int) c[MAKERS];
		scope(s, NULL);
		struct leat__pipe *p;
		int stages = 0;

		for (int i = 0; i < MAKERS; i++)
			scope_go(s, make, s, &ready, &c[i]);
		scope_go(s, cancel, s, &ready);
		scope_wait(s); /* those that wait to send are cancelled */
		for (int i = 0; i < MAKERS; i++) {
			drain(c[i]);
			CHECK(chan_reason(c[i]) == &leat_canceled);
		}
		p = s->leat__pipe;
		CHECK(p->cancelled);
		for (struct leat__stage *st = p->stages; st; st = st->next) {
			stages++;
			CHECK_EQ(st->alive, 0);
			CHECK(st->pipe == p);
		}
		CHECK_EQ(stages, 2 * MAKERS);
	}
}

/* A thread that cancels is in the runtime by another door than a goroutine. */
static void *cancel_by_thread(void *arg)
{
	struct cancel *a = arg;

	dawdle(false);
	scope_cancel(a->s);
	return NULL;
}

TEST(a_thread_cancels_whoever_waits)
{
	for (int round = 0; round < test_count(1000); round++) {
		chan(int) never = chan_make(int, 0);
		pthread_t thread;
		{
			scope(s, NULL);
			struct cancel a = {s, NULL};
			recv_chan(int) sends = pipe_repeat(s, int, 1);
			recv_chan(int) receives = pipe_map(s, pipe_take(s, never, 10), int, plus, 1);
			int v;

			CHECK(pthread_create(&thread, NULL, cancel_by_thread, &a) == 0);
			while (chan_recv_ok(sends, &v))
				CHECK_EQ(v, 1);
			CHECK_EQ(drain(receives), 0);
			CHECK(chan_reason(sends) == &leat_canceled);
			CHECK(chan_reason(receives) == &leat_canceled);
			CHECK(pthread_join(thread, NULL) == 0);
		}
		chan_free(never);
	}
}

/* Waits with a time limit are selects, of which the channel's close, the clock and the value are all to wake one. */
static recv_chan(int) timed(leat_scope *s, int kind, recv_chan(int) in)
{
	switch (kind) {
	case 0:
		return pipe_debounce(s, in, LEAT_HOUR);
	case 1:
		return pipe_timeout_or(s, in, LEAT_MICROSECOND, 1);
	case 2:
		return pipe_timeout(s, in, LEAT_HOUR);
	default:
		return pipe_sample(s, in, 20 * LEAT_MICROSECOND);
	}
}

TEST(a_cancel_ends_waits_with_a_time_limit)
{
	for (int round = 0; round < test_count(20000); round++) {
		atomic_int ready = 0;
		chan(int) other = chan_make(int, 0);
		{
			scope(s, NULL);
			recv_chan(int) in = round % 3 == 0   ? chan_receiver(other)
			                    : round % 3 == 1 ? pipe_take(s, other, 1)
			                                     : pipe_repeat(s, int, 1);
			recv_chan(int) c = timed(s, round / 3 % 4, in);

			scope_go(s, cancel, s, &ready);
			drain(c);
			CHECK(chan_reason(c) == &leat_canceled);
		}
		chan_free(other);
	}
}

/* By a deadline, by a parent, by a failing worker, and by leaving: whoever comes first gives the one reason. */
struct fail_at {
	int n;
};

static void fail_at(const int *in, int *out, struct fail_at *a)
{
	*out = *in;
	if (__atomic_sub_fetch(&a->n, 1, __ATOMIC_RELAXED) <= 0)
		leat_panic("enough");
}

TEST(reasons_race)
{
	int by[3] = {0};

	for (int round = 0; round < test_count(20000); round++) {
		atomic_int ready = 0;
		scope(top, NULL);
		scope(s, top);
		recv_chan(int) c;
		const leat_error *why;

		scope_timeout(s, round % 100 * 3000);
		c = pipe_map(pipe_at(s, .panics = LEAT_PIPE_FAIL, .workers = 3), pipe_repeat(s, int, 1),
		             int, fail_at, round % 10);
		scope_go(top, cancel, top, &ready);
		drain(c);
		why = chan_reason(c);
		CHECK(why != NULL);
		CHECK(why == leat_ctx_cause(s));
		by[why == &leat_canceled ? 0 : why == &leat_deadline_exceeded ? 1 : 2]++;
		if (why != &leat_canceled && why != &leat_deadline_exceeded)
			CHECK_STR(leat_error_message(why), "fail_at: panic: enough");
	}
	fprintf(stderr, "%d cancelled, %d too late, %d panicked\n", by[0], by[1], by[2]);
}

static bool ten(int *out)
{
	*out = 1;
	return true;
}

/* Where it is nobody's that is known without a look at all stages. */
TEST(whose_outlet_it_is)
{
	scope(s, NULL);
	scope(other, NULL);
	chan(int) plain = scope_chan(s, int, 0);
	recv_chan(int) c = pipe_from0(s, int, ten);
	recv_chan(int) d = pipe_take(s, c, 3);
	recv_chan(int) *tee = pipe_tee(s, d, 2);

	CHECK(!LEAT__RAW(plain)->outlet && !leat__stage_of(s, LEAT__RAW(plain)));
	CHECK(!leat__pipe_owns(leat__pipe_of(s), LEAT__RAW(plain)));
	CHECK_STR(leat__stage_of(s, LEAT__RAW(c))->kind, "from");
	CHECK_STR(leat__stage_of(s, LEAT__RAW(d))->kind, "take");
	CHECK_STR(leat__stage_of(s, LEAT__RAW(tee[1]))->kind, "tee");
	CHECK(leat__pipe_owns(leat__pipe_of(s), LEAT__RAW(c)));
	CHECK(!leat__stage_of(other, LEAT__RAW(c)));
	CHECK(!leat__stage_of(s, NULL));
	scope_cancel(s);
}

TEST_MAIN
