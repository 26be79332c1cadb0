/* SPDX-License-Identifier: MIT */
/*
 * Permissions: which attempt is the current one, and how far it has come.
 *
 * All of it is decided under the mutex; who asks waits on the cond.  The channel only tells the parent that somebody
 * asks, and its number is looked at again when it answers.  It has one place, and there is one attempt that can ask, so
 * a number that lies there is emptied out before another one is put in, and nobody ever waits to send.
 *
 * Invariants (the mutex)
 *  - GRANTED is for good, and then `current` does not change any more: so of all attempts one at most gets 0.
 *  - The channel holds a number only while state is ASKING, and that of the current attempt.
 */
#include "sched/panic.h"

#include <leat/cond.h>
#include <leat/defer.h>
#include <leat/duplicates.h>
#include <leat/mutex.h>
#include <leat/panic.h>

#include <errno.h>
#include <stdlib.h>

enum state { IDLE, ASKING, GRANTED, DENIED };

struct leat_permission {
	leat_mutex mutex; /* over all below */
	leat_cond changed;
	leat_chan *asks;
	uint64_t current; /* 0: none was begun */
	enum state state; /* of that one */
	bool ended;
	size_t waiting;
};

static void leat__permission_make_asks(void *arg)
{
	*(leat_chan **)arg = leat_chan_make(sizeof(uint64_t), 1);
}

leat_permission *leat_permission_make(void)
{
	/* What is in it is aligned to 16 bytes at most, as malloc's. */
	leat_permission *p = calloc(1, sizeof *p);

	if (!p || leat_catch(leat__permission_make_asks, &p->asks, NULL)) {
		free(p);
		leat__panic_runtime("out of memory");
	}
	return p;
}

void leat_permission_free(leat_permission *p)
{
	bool waited_for;

	if (!p)
		return;
	leat_mutex_lock(&p->mutex);
	waited_for = p->waiting > 0;
	leat_mutex_unlock(&p->mutex);
	if (waited_for)
		leat__panic_runtime("permission_free: goroutines are waiting");
	leat_chan_free(p->asks);
	free(p);
}

/* Locked.  Nobody asks any more, with this state. */
static void settle(leat_permission *p, enum state state)
{
	p->state = state;
	leat_chan_try_recv(p->asks, NULL, NULL);
	leat_cond_broadcast(&p->changed);
}

/* --- the parent */

uint64_t leat_permission_attempt(leat_permission *p)
{
	uint64_t attempt = 0;

	leat_mutex_lock(&p->mutex);
	if (p->state != GRANTED && !p->ended) {
		attempt = ++p->current;
		settle(p, IDLE);
	}
	leat_mutex_unlock(&p->mutex);
	return attempt;
}

LEAT_RECV_CHAN(uint64_t) leat_permission_asks(leat_permission *p)
{
	return (LEAT_RECV_CHAN(uint64_t))(void *)p->asks;
}

bool leat_permission_answer(leat_permission *p, uint64_t attempt, bool yes)
{
	bool it_asks;

	leat_mutex_lock(&p->mutex);
	it_asks = attempt == p->current && p->state == ASKING && !p->ended;
	if (it_asks)
		settle(p, yes ? GRANTED : DENIED);
	leat_mutex_unlock(&p->mutex);
	return it_asks;
}

void leat_permission_end(leat_permission *p)
{
	leat_mutex_lock(&p->mutex);
	p->ended = true;
	if (p->state == ASKING)
		settle(p, IDLE);
	leat_mutex_unlock(&p->mutex);
}

/* --- who asks */

/* Locked.  Why the attempt need not ask; or 0. */
static int refusal(const leat_permission *p, uint64_t attempt)
{
	if (attempt != p->current || attempt == 0)
		return -ESTALE;
	if (p->state == GRANTED)
		return -EALREADY;
	return p->ended ? -EPIPE : 0;
}

/* Locked.  What has become of the question, ended by err (0: it was not the context). */
static int outcome(leat_permission *p, uint64_t attempt, int err)
{
	if (attempt == p->current && p->state == GRANTED)
		return 0;
	if (attempt == p->current && p->state == DENIED) {
		p->state = IDLE;
		return -EACCES;
	}
	return err ? err : refusal(p, attempt);
}

struct question {
	leat_permission *p;
	uint64_t attempt;
	bool asked;
};

/* Locked.  On every way out: a custom context may panic where memory is out. */
static void leat__permission_asked(void *arg)
{
	struct question *q = arg;
	leat_permission *p = q->p;

	if (q->asked)
		p->waiting--;
	if (q->asked && q->attempt == p->current && p->state == ASKING)
		settle(p, IDLE);
	leat_mutex_unlock(&p->mutex);
}

int leat_permission_ask(leat_permission *p, uint64_t attempt, leat_any_ctx ctx)
{
	struct question q = {p, attempt, false};
	int err = leat_ctx_err(ctx);

	if (err)
		return err;
	leat_mutex_lock(&p->mutex);
	LEAT_DEFER(leat__permission_asked, &q);
	err = refusal(p, attempt);
	if (err)
		return err;
	q.asked = true;
	p->waiting++;
	p->state = ASKING;
	leat_chan_try_send(p->asks, &attempt); /* it is empty: nobody asked */
	while (!err && attempt == p->current && p->state == ASKING)
		err = leat_cond_wait_ctx(&p->changed, &p->mutex, ctx);
	return outcome(p, attempt, err);
}
