/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_cond_wait_ctx gives up when its context is done, with the mutex locked, and takes no signal
 * along; leat_cond_wait excludes nobody, threads neither.
 * Method: waiters that are counted under the mutex as they wait; then races of cancel against signal, in each of which exactly
 * one of two waits must have got the signal.
 */
#include "chan_help.h"

#include <errno.h>

struct shared {
	leat_mutex mutex;
	leat_cond cond;
	int waiting; /* under the mutex */
};

/* All others have ended; what they wrote under the mutex is seen. */
static void joined(struct shared *s)
{
	test_goroutines(1);
	leat_mutex_lock(&s->mutex);
	leat_mutex_unlock(&s->mutex);
}

struct wait_with {
	struct shared *s;
	leat_ctx *ctx;
	int *result; /* 1: not back.  Under the mutex */
};

static void wait_with(struct wait_with *a)
{
	with_lock(&a->s->mutex);
	a->s->waiting++;
	*a->result = leat_cond_wait_ctx(&a->s->cond, &a->s->mutex, a->ctx);
	CHECK(!leat_mutex_trylock(&a->s->mutex));
}

/* So many wait.  Who has counted himself and unlocked the mutex can be signalled: that is the point. */
static void await_waiting(struct shared *s, int n)
{
	for (bool there = false; !there; leat_yield()) {
		with_lock(&s->mutex);
		CHECK(s->waiting <= n);
		there = s->waiting == n;
	}
}

static int read_of(struct shared *s, const int *result)
{
	with_lock(&s->mutex);
	return *result;
}

struct lock_it {
	struct shared *s;
};

static void lock_it(struct lock_it *a)
{
	leat_mutex_lock(&a->s->mutex);
	leat_mutex_unlock(&a->s->mutex);
}

TEST(a_context_that_is_done_fails_the_call_and_the_mutex_stays_locked)
{
	struct shared s = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *late = leat_ctx_with_timeout(leat_ctx_background(), 0);

	leat_ctx_cancel(ctx);
	leat_mutex_lock(&s.mutex);
	go(lock_it, &s);
	test_parked(1);
	CHECK_EQ(leat_cond_wait_ctx(&s.cond, &s.mutex, ctx), -ECANCELED);
	CHECK_EQ(leat_cond_wait_ctx(&s.cond, &s.mutex, late), -ETIMEDOUT);
	CHECK_EQ(leat_num_parked(), 1); /* it had no chance */
	leat_mutex_unlock(&s.mutex);
	joined(&s);
	leat_ctx_free(ctx);
	leat_ctx_free(late);
}

TEST(a_deadline_ends_the_wait)
{
	struct shared s = {0};
	scope(sc, NULL);

	leat_mutex_lock(&s.mutex);
	scope_timeout(sc, LEAT_MILLISECOND);
	CHECK_EQ(leat_cond_wait_ctx(&s.cond, &s.mutex, sc), -ETIMEDOUT);
	CHECK(!leat_mutex_trylock(&s.mutex));
	leat_mutex_unlock(&s.mutex);
}

TEST(without_a_context_or_with_one_that_is_never_done_it_waits_for_the_signal)
{
	struct shared s = {0};
	int result[2] = {1, 1};

	go(wait_with, &s, NULL, &result[0]);
	await_waiting(&s, 1);
	go(wait_with, &s, leat_ctx_background(), &result[1]);
	await_waiting(&s, 2);
	leat_cond_signal(&s.cond);
	test_goroutines(2);
	CHECK_EQ(read_of(&s, &result[0]), 0);
	CHECK_EQ(read_of(&s, &result[1]), 1);
	leat_cond_broadcast(&s.cond);
	joined(&s);
	CHECK_EQ(result[1], 0);
}

/* Of three who wait that one gives up, and the others are signalled. */
static void one_of_three_gives_up(int leaver)
{
	struct shared s = {0};
	leat_ctx *ctx[3];
	int result[3] = {1, 1, 1}, next = leaver == 0;

	for (int i = 0; i < 3; i++) {
		ctx[i] = leat_ctx_with_cancel(leat_ctx_background());
		go(wait_with, &s, ctx[i], &result[i]);
		await_waiting(&s, i + 1);
	}
	leat_ctx_cancel(ctx[leaver]);
	test_goroutines(3);
	CHECK_EQ(read_of(&s, &result[leaver]), -ECANCELED);
	leat_cond_signal(&s.cond);
	test_goroutines(2);
	CHECK_EQ(read_of(&s, &result[next]), 0);
	leat_cond_signal(&s.cond);
	joined(&s);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(result[i], i == leaver ? -ECANCELED : 0);
		leat_ctx_free(ctx[i]);
	}
}

TEST(who_gives_up_takes_no_signal_along)
{
	for (int i = 0; i < 3; i++)
		one_of_three_gives_up(i);
}

TEST(who_gives_up_returns_with_the_mutex_not_before_it_can_be_had)
{
	struct shared s = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int result = 1;

	go(wait_with, &s, ctx, &result);
	await_waiting(&s, 1);
	leat_mutex_lock(&s.mutex);
	leat_ctx_cancel(ctx);
	for (int i = 0; i < 100; i++)
		leat_yield();
	CHECK_EQ(result, 1);
	leat_mutex_unlock(&s.mutex);
	joined(&s);
	CHECK_EQ(result, -ECANCELED);
	leat_ctx_free(ctx);
}

/* --- cancel against signal */

struct race {
	struct shared s;
	int rounds;
	bool thread; /* at least one of the three is a plain thread */
	chan(leat_ctx *) first;
	chan(leat_empty) second;
	_Atomic int round, cancelled; /* how many began, and are over for the canceller */
	leat_ctx *ctx;                /* of the round */
	int result;                   /* of the first, 1: not back; under the mutex */
	bool second_woken;
	leat_waitgroup done;
};

static void first(void *arg)
{
	struct race *r = arg;

	chan_range(ctx, r->first) {
		with_lock(&r->s.mutex);
		r->s.waiting++;
		r->result = leat_cond_wait_ctx(&r->s.cond, &r->s.mutex, ctx);
	}
	leat_waitgroup_done(&r->done);
}

static void second(void *arg)
{
	struct race *r = arg;

	for (int i = 0; i < r->rounds; i++) {
		chan_recv(r->second);
		with_lock(&r->s.mutex);
		r->s.waiting++;
		leat_cond_wait(&r->s.cond, &r->s.mutex);
		r->second_woken = true;
	}
	leat_waitgroup_done(&r->done);
}

static void canceller(void *arg)
{
	struct race *r = arg;
	uint64_t random = 1;

	for (int i = 1; i <= r->rounds; i++) {
		await_round(&r->round, i);
		pause_for(rnd_below(&random, 256));
		leat_ctx_cancel(r->ctx);
		atomic_store(&r->cancelled, i);
	}
	leat_waitgroup_done(&r->done);
}

static bool are_waiting(struct race *r, int n)
{
	with_lock(&r->s.mutex);
	return r->s.waiting == n;
}

/* The first is back, and how; then whether the second is. */
static int first_of(struct race *r)
{
	with_lock(&r->s.mutex);
	return r->result;
}

static bool second_of(struct race *r)
{
	with_lock(&r->s.mutex);
	return r->second_woken;
}

static void one_race(struct race *r, int i, uint64_t *random)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int got;

	r->ctx = ctx;
	r->result = 1;
	r->second_woken = false;
	r->s.waiting = 0;
	chan_send(r->first, ctx);
	test_until(are_waiting(r, 1));
	chan_send(r->second, (leat_empty){});
	test_until(are_waiting(r, 2));
	atomic_store(&r->round, i);
	pause_for(rnd_below(random, 1024));
	if (rnd_below(random, 8) == 0)
		leat_yield(); /* with one processor nobody comes first otherwise */
	leat_cond_signal(&r->s.cond);
	test_until(atomic_load(&r->cancelled) == i);
	test_until((got = first_of(r)) != 1);
	if (got == 0) {
		CHECK(!second_of(r));
		leat_cond_signal(&r->s.cond);
	} else {
		CHECK_EQ(got, -ECANCELED);
	}
	test_until(second_of(r)); /* the signal that the first did not get */
	leat_ctx_free(ctx);
}

static void races(int rounds, enum kind a, enum kind b, enum kind c)
{
	struct race r = {
	    .rounds = rounds, .first = chan_make(leat_ctx *, 0), .second = chan_make(leat_empty, 0)};
	uint64_t random = 2;

	leat_waitgroup_add(&r.done, 3);
	start(a, first, &r);
	start(b, second, &r);
	start(c, canceller, &r);
	for (int i = 1; i <= rounds; i++)
		one_race(&r, i, &random);
	chan_close(r.first);
	leat_waitgroup_wait(&r.done);
	chan_free(r.first);
	chan_free(r.second);
}

TEST(a_signal_that_meets_a_cancel_goes_to_one_of_the_two)
{
	races(test_count(20000), GOROUTINE, GOROUTINE, GOROUTINE);
}

TEST(the_same_with_plain_threads)
{
	races(test_count(2000), THREAD, GOROUTINE, GOROUTINE);
	races(test_count(2000), GOROUTINE, THREAD, THREAD);
	races(test_count(2000), THREAD, THREAD, THREAD);
}

/* --- a queue of the usual kind */

struct queue {
	leat_mutex mutex;
	leat_cond filled, emptied;
	int n, produced, consumed; /* under the mutex */
	int total;
	long sum;
	leat_waitgroup done;
};

enum { ROOM = 3 };

static void produce(void *arg)
{
	struct queue *q = arg;

	for (;;) {
		with_lock(&q->mutex);
		while (q->n == ROOM)
			leat_cond_wait(&q->emptied, &q->mutex);
		if (q->produced == q->total)
			break;
		q->produced++;
		q->n++;
		leat_cond_signal(&q->filled);
	}
	leat_cond_broadcast(&q->emptied);
	leat_cond_broadcast(&q->filled);
	leat_waitgroup_done(&q->done);
}

static void consume(void *arg)
{
	struct queue *q = arg;

	for (;;) {
		with_lock(&q->mutex);
		while (q->n == 0 && q->consumed < q->total)
			leat_cond_wait(&q->filled, &q->mutex);
		if (q->consumed == q->total)
			break;
		q->n--;
		q->sum += ++q->consumed;
		leat_cond_signal(&q->emptied);
	}
	leat_cond_broadcast(&q->emptied);
	leat_cond_broadcast(&q->filled);
	leat_waitgroup_done(&q->done);
}

TEST(a_bounded_queue_of_goroutines_and_threads)
{
	struct queue q = {.total = test_count(100000)};

	leat_waitgroup_add(&q.done, 8);
	for (int i = 0; i < 4; i++) {
		start(i % KINDS, produce, &q);
		start(i % KINDS, consume, &q);
	}
	leat_waitgroup_wait(&q.done);
	CHECK_EQ(q.n, 0);
	CHECK_EQ(q.sum, (long)q.total * (q.total + 1) / 2);
}

TEST_MAIN
