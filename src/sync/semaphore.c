/* SPDX-License-Identifier: MIT */
/*
 * Weighted semaphore: a word that says how many tokens are out and whether anyone waits, and a queue.
 *
 * While nobody waits the word is all there is: acquire and release are one compare-and-swap each.  Whoever
 * must wait sets WAITING with the same swap that finds too few tokens, so no release comes in between
 * unseen.  From then on every swap of the others fails, and all go by way of the lock: that keeps the order of
 * arrival exact, since no newcomer can take a token past the queue.
 *
 * Invariants (the lock)
 *  - When it is let go, WAITING is set exactly if the queue is not empty, and then only who holds the lock
 *    changes the word.
 *  - Then, too, the first in the queue cannot have his tokens, or he is not to be served any more: his
 *    context is done, and he is about to take himself off the queue and to grant in his place; or a fork
 *    left him behind.  For the latter's sake whoever comes to the lock begins by granting.
 *
 * What is granted is taken out of the word by the granter, so tokens that are handed over are never free.
 * Those who got theirs are readied after the unlock, in order; a waiter is gone once it is readied.
 *
 * Lock order: beside a channel's; nothing is taken under it.
 *
 * Ordering: a release swaps with release, and all later changes of the word are read-modify-writes, so an
 * acquire's swap synchronises with each release before it.  Who queues does so with an acquire, too; what
 * is released afterwards the granter has seen under the lock, and the ready orders that before the waiter
 * goes on.
 */
#include "ctx/wait.h"
#include "sched/panic.h"

#include <leat/semaphore.h>

enum { WAITING = 1, TOKEN = 2 };

struct request {
	struct leat__waiter w;
	int64_t n;
};

_Static_assert(offsetof(leat_semaphore, leat__last) - offsetof(leat_semaphore, leat__first) ==
                   offsetof(struct leat__waiters, last),
               "the two are a queue");

static struct leat__waiters *queue_of(leat_semaphore *s)
{
	return (struct leat__waiters *)(void *)&s->leat__first;
}

static bool fits(const leat_semaphore *s, uint64_t state, int64_t n)
{
	return n <= s->leat__size - (int64_t)(state / TOKEN);
}

static ALWAYS_INLINE void check_weight(int64_t n)
{
	if (unlikely(n < 0))
		leat__panic_runtime("semaphore: negative weight");
}

void leat_semaphore_init(leat_semaphore *s, int64_t n)
{
	if (n < 0)
		leat__panic_runtime("semaphore: negative size");
	*s = (leat_semaphore)LEAT_SEMAPHORE(n);
}

/* Without the lock.  False: there are too few, or somebody waits. */
static ALWAYS_INLINE bool take(leat_semaphore *s, int64_t n)
{
	uint64_t state = __atomic_load_n(&s->leat__state, __ATOMIC_RELAXED);

	do {
		if (state & WAITING || !fits(s, state, n))
			return false;
	} while (!__atomic_compare_exchange_n(&s->leat__state, &state, state + TOKEN * (uint64_t)n,
	                                      true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

/* --- under the lock */

/* Nobody waits: take n, or say that somebody does now. */
static bool take_or_mark(leat_semaphore *s, int64_t n)
{
	uint64_t state = __atomic_load_n(&s->leat__state, __ATOMIC_RELAXED), then;

	do
		then = fits(s, state, n) ? state + TOKEN * (uint64_t)n : state | WAITING;
	while (!__atomic_compare_exchange_n(&s->leat__state, &state, then, true, __ATOMIC_ACQUIRE,
	                                    __ATOMIC_RELAXED));
	return !(then & WAITING);
}

/* False: there are not that many out. */
static bool give_back(leat_semaphore *s, int64_t n)
{
	uint64_t state = __atomic_load_n(&s->leat__state, __ATOMIC_RELAXED);

	do {
		if ((int64_t)(state / TOKEN) < n)
			return false;
	} while (!__atomic_compare_exchange_n(&s->leat__state, &state, state - TOKEN * (uint64_t)n,
	                                      true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return true;
}

/* It is not to be served any more. */
static bool is_over(const struct leat__waiter *w)
{
	return w->special & LEAT__SELECTING && load_relaxed(&w->g->claim) != LEAT__ARMED;
}

static bool claim(struct leat__waiter *w)
{
	uint32_t armed = LEAT__ARMED;

	if (w->special & LEAT__SELECTING && !cas_acq_rel(&w->g->claim, &armed, LEAT__FIRED))
		return false;
	w->g->fired = w;
	return true;
}

/* Serve from the head of the queue who can be served: a list of those to be readied. */
static struct leat__waiter *grant(leat_semaphore *s)
{
	struct leat__waiters *q = queue_of(s);
	struct leat__waiter *w, *granted = NULL, **link = &granted;
	uint64_t state = __atomic_load_n(&s->leat__state, __ATOMIC_RELAXED);

	if (!(state & WAITING))
		return NULL;
	while ((w = q->first)) {
		int64_t n = container_of(w, struct request, w)->n;

		if (!is_over(w)) {
			if (!fits(s, state, n))
				break;
			if (claim(w)) {
				state += TOKEN * (uint64_t)n;
				*link = w;
				link = &w->next;
			}
		}
		leat__waiters_remove(q, w);
	}
	*link = NULL;
	if (!q->first)
		state &= ~(uint64_t)WAITING;
	/* An exchange and no store, so that the releases before it keep their place in the word's order. */
	__atomic_exchange_n(&s->leat__state, state, __ATOMIC_RELAXED);
	return granted;
}

/* --- slowly */

/* After the unlock. */
static void wake(struct leat__m *m, struct leat__waiter *w)
{
	struct leat__waiter *next;

	for (; w; w = next) {
		next = w->next; /* on the sleeper's stack, gone once it runs */
		leat__ready(m, w->g, false);
	}
}

/* r waits in s, or for nothing but ctx.  Why it waits no more: 0 with its tokens. */
static int leat__semaphore_sleep(struct leat__m *m, leat_semaphore *s, struct request *r,
                                 leat_ctx *ctx)
{
	struct leat__waiter *granted;
	int err;

	m = leat__await_ctx(m, ctx, &err);
	if (err) {
		leat__lock(&s->leat__lock);
		leat__unqueue(queue_of(s), &r->w);
		granted = grant(s);
		leat__unlock(&s->leat__lock);
		wake(m, granted);
	}
	leat__leave(m);
	return err;
}

/* More than there will ever be. */
static int leat__semaphore_never(leat_ctx *ctx)
{
	struct leat__waiters nobody = {0};
	struct leat__waiter w;
	struct leat__m *m = leat__enter();
	int err;

	do {
		leat__queue(m, &nobody, &w, ctx, LEAT__WAIT_SEMAPHORE);
		m = leat__await_ctx(m, ctx, &err);
		leat__unqueue(&nobody, &w);
	} while (!err);
	leat__leave(m);
	return err;
}

static int leat__semaphore_wait(leat_semaphore *s, int64_t n, leat_ctx *ctx)
{
	struct request r = {.n = n};
	struct leat__m *m = leat__enter();
	struct leat__waiter *granted;
	bool taken;

	leat__lock(&s->leat__lock);
	granted = grant(s);
	taken = !queue_of(s)->first && take_or_mark(s, n);
	if (!taken)
		leat__queue(m, queue_of(s), &r.w, ctx, LEAT__WAIT_SEMAPHORE);
	leat__unlock(&s->leat__lock);
	wake(m, granted);
	if (!taken)
		return leat__semaphore_sleep(m, s, &r, ctx);
	leat__leave(m);
	return 0;
}

static NOINLINE int leat__semaphore_slow(leat_semaphore *s, int64_t n, leat_ctx *ctx)
{
	int err = leat__ctx_begin_wait(ctx);

	if (err)
		return err;
	if (n > s->leat__size)
		err = leat__semaphore_never(ctx);
	else
		err = leat__semaphore_wait(s, n, ctx);
	leat__ctx_end_wait(ctx);
	if (!err)
		leat__hb_acquire(s);
	return err;
}

/* Somebody waits, or did just now. */
static NOINLINE bool leat__semaphore_try(leat_semaphore *s, int64_t n)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter *granted;
	bool taken;

	leat__lock(&s->leat__lock);
	granted = grant(s);
	taken = take(s, n);
	leat__unlock(&s->leat__lock);
	wake(m, granted);
	leat__leave(m);
	return taken;
}

static NOINLINE bool leat__semaphore_hand_over(leat_semaphore *s, int64_t n)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter *granted;
	bool given;

	leat__lock(&s->leat__lock);
	given = give_back(s, n);
	granted = grant(s);
	leat__unlock(&s->leat__lock);
	wake(m, granted);
	leat__leave(m);
	return given;
}

/* --- the calls */

void leat_semaphore_acquire(leat_semaphore *s, int64_t n)
{
	check_weight(n);
	if (likely(take(s, n)))
		leat__hb_acquire(s);
	else
		leat__semaphore_slow(s, n, NULL);
}

int leat_semaphore_acquire_ctx(leat_semaphore *s, int64_t n, leat_any_ctx ctx)
{
	int err;

	check_weight(n);
	err = leat_ctx_err(ctx);
	if (err)
		return err;
	if (unlikely(!take(s, n)))
		return leat__semaphore_slow(s, n, ctx.leat__ctx);
	leat__hb_acquire(s);
	return 0;
}

bool leat_semaphore_tryacquire(leat_semaphore *s, int64_t n)
{
	check_weight(n);
	if (!take(s, n) && (!(__atomic_load_n(&s->leat__state, __ATOMIC_RELAXED) & WAITING) ||
	                    !leat__semaphore_try(s, n)))
		return false;
	leat__hb_acquire(s);
	return true;
}

void leat_semaphore_release(leat_semaphore *s, int64_t n)
{
	uint64_t state = __atomic_load_n(&s->leat__state, __ATOMIC_RELAXED);
	bool given = true;

	check_weight(n);
	leat__hb_release(s);
	do {
		if (unlikely(state & WAITING)) {
			given = leat__semaphore_hand_over(s, n);
			break;
		}
		given = (int64_t)(state / TOKEN) >= n;
		if (unlikely(!given))
			break;
	} while (!__atomic_compare_exchange_n(&s->leat__state, &state, state - TOKEN * (uint64_t)n,
	                                      true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	if (unlikely(!given))
		leat__panic_runtime("semaphore: released more than held");
}
