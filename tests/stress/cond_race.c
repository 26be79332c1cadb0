/* SPDX-License-Identifier: MIT */
/* CTEST: san */
/*
 * Goal: no signal is lost, or counts twice, however it meets a cancel, a time-out, a value on a channel or
 * another signal; nobody who has left is still in the queue.
 * Method: two waits of three can be ended by something else, and are, all the time.  Signals are sent only
 * while more of the others wait than signals are under way, so each must end a wait; all are counted.  One
 * that is lost stops the test, one too many is seen at once.
 */
#include "chan_help.h"

enum { PLAIN = 3, WITH_CTX = 3, SELECTS = 3, WAITERS = PLAIN + WITH_CTX + SELECTS };

struct slot {
	leat_mutex mutex;
	leat_ctx *ctx; /* of the wait under way, which may be cancelled; under the mutex */
};

struct race {
	leat_mutex mutex;
	leat_cond cond;
	int sent, woken,
	    plain;    /* under the mutex, as stop; plain: how many wait who cannot but be signalled */
	int ended[3]; /* by a cancel, a time-out, a value */
	bool stop;
	_Atomic bool over;
	int signals;
	struct slot slots[WITH_CTX];
	chan(int) values;
	leat_waitgroup waiters, others;
};

/* A wait was signalled.  The mutex is locked. */
static void signalled(struct race *r)
{
	if (!r->stop)
		CHECK(++r->woken <= r->sent);
}

static void wait_plainly(void *arg)
{
	struct race *r = arg;

	leat_mutex_lock(&r->mutex);
	while (!r->stop) {
		r->plain++;
		leat_cond_wait(&r->cond, &r->mutex);
		r->plain--;
		signalled(r);
	}
	leat_mutex_unlock(&r->mutex);
	leat_waitgroup_done(&r->waiters);
}

static void publish(struct slot *s, leat_ctx *ctx)
{
	with_lock(&s->mutex);
	s->ctx = ctx;
}

struct wait_with {
	struct race *r;
	struct slot *slot;
};

static bool wait_once(struct race *r, struct slot *slot)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	bool go_on;

	publish(slot, ctx);
	leat_mutex_lock(&r->mutex);
	go_on = !r->stop;
	if (go_on) {
		if (leat_cond_wait_ctx(&r->cond, &r->mutex, ctx) == 0)
			signalled(r);
		else
			r->ended[0]++;
	}
	leat_mutex_unlock(&r->mutex);
	publish(slot, NULL);
	leat_ctx_free(ctx);
	return go_on;
}

static void wait_with(void *arg)
{
	struct wait_with *a = arg;

	while (wait_once(a->r, a->slot)) {
	}
	leat_waitgroup_done(&a->r->waiters);
}

static void wait_in_selects(void *arg)
{
	struct race *r = arg;

	leat_mutex_lock(&r->mutex);
	for (int i = 0; !r->stop; i++)
		chan_select {
			case_cond(&r->cond, &r->mutex)
				signalled(r);
			case_recv(r->values)
				r->ended[2]++;
			case_timeout(i % 4 ? LEAT_MINUTE : 5 * LEAT_MICROSECOND)
				r->ended[1]++;
		}
	leat_mutex_unlock(&r->mutex);
	leat_waitgroup_done(&r->waiters);
}

static void cancel(struct slot *s)
{
	with_lock(&s->mutex);
	if (s->ctx)
		leat_ctx_cancel(s->ctx);
}

/* End waits otherwise, over and over. */
static void canceller(void *arg)
{
	struct race *r = arg;

	for (int i = 0; !atomic_load(&r->over); i++) {
		cancel(&r->slots[i % WITH_CTX]);
		chan_select {
			case_send(r->values, i) {
			}
			case_default {
			}
		}
		if (i % 4 == 0)
			leat_yield();
	}
	leat_waitgroup_done(&r->others);
}

/* False: all are sent, and have come. */
static bool send_one(struct race *r, unsigned how)
{
	bool go_on, now;

	leat_mutex_lock(&r->mutex);
	now = r->sent < r->signals && r->plain > r->sent - r->woken;
	go_on = r->woken < r->signals;
	r->sent += now;
	if (now && how & 1)
		leat_cond_signal(&r->cond);
	leat_mutex_unlock(&r->mutex);
	if (now && !(how & 1))
		leat_cond_signal(&r->cond);
	if (!now)
		leat_yield();
	return go_on;
}

static void race(int signals, unsigned threads)
{
	struct race r = {.signals = signals, .values = chan_make(int, 0)};
	struct wait_with with[WITH_CTX];

	leat_waitgroup_add(&r.waiters, WAITERS);
	leat_waitgroup_add(&r.others, 1);
	for (int i = 0; i < PLAIN; i++)
		start(threads & 1, wait_plainly, &r);
	for (int i = 0; i < WITH_CTX; i++) {
		with[i] = (struct wait_with){&r, &r.slots[i]};
		start(threads >> 1 & 1, wait_with, &with[i]);
	}
	for (int i = 0; i < SELECTS; i++)
		start(threads >> 2 & 1, wait_in_selects, &r);
	start(threads >> 3 & 1, canceller, &r);
	for (unsigned i = 0; send_one(&r, i); i++) {
	}
	atomic_store(&r.over, true);
	leat_mutex_lock(&r.mutex);
	CHECK_EQ(r.sent, r.woken);
	r.stop = true;
	leat_cond_broadcast(&r.cond); /* all who wait; and nobody waits any more */
	leat_mutex_unlock(&r.mutex);
	leat_waitgroup_wait(&r.waiters);
	leat_waitgroup_wait(&r.others);
	fprintf(stderr, "\t%d signals; ended by cancel %d, time-out %d, value %d\n", r.woken,
	        r.ended[0], r.ended[1], r.ended[2]);
	chan_free(r.values);
}

TEST(no_signal_is_lost_among_goroutines)
{
	race(test_count(1000000), 0);
}

TEST(no_signal_is_lost_between_goroutines_and_threads)
{
	for (unsigned threads = 1; threads < 16; threads++)
		race(test_count(20000), threads);
}

TEST_MAIN
