/* SPDX-License-Identifier: MIT */
/*
 * WaitGroup.
 *
 * state holds the counter (high half) and the number of waiters (low half), so one atomic addition
 * both counts and tells whether anyone waits.  A waiter raises their number, then shows itself: the first by
 * a store, for nobody else writes there; the others, who are rare, by a compare-and-swap.  Who brings the
 * counter to 0 knows how many there are, and waits for those that have not shown themselves yet.  For one
 * goroutine that ends and one that waits that makes three locked instructions, the addition before
 * included; with a lock it was five.
 *
 * Who waits with a context may leave, so he is in a queue under a lock instead, and counts only as QUEUED: set
 * with the lock held by who finds the counter not yet 0, cleared by the last who leaves, likewise.  So while
 * QUEUED is set and the counter is not 0 somebody is in the queue, and who brings it to 0 finds him there.
 *
 * Who brings the counter to 0 with nobody waiting touches the group no more: its owner may see the 0
 * and free it.  Where somebody waits he touches it until he has let all go; so who wants to leave then, which he
 * sees by the 0 and QUEUED, waits for that.
 *
 * Ordering: the additions acquire and release, so all that came before any of them is seen by who
 * sees the 0, and by the waiters it readies.
 */
#include "sync/waitgroup.h"

#include "ctx/wait.h"
#include "sched/panic.h"

#define QUEUED UINT32_C(0x80000000) /* among the waiters: somebody is in the queue */

struct sleeper {
	struct sleeper *next;
	struct leat__g *g;
};

static void pause(unsigned *attempt)
{
	leat__cpu_relax();
	if (++*attempt > 50)
		leat__os_backoff(*attempt - 50);
}

/* All n waiters, as a list; NULL where another, who brought the counter to 0 as well, came before: an add at
   the wrong time is no reason to wait for ever. */
static struct sleeper *collect(leat_waitgroup *wg, uint32_t n)
{
	struct sleeper *all, *s, *next;
	unsigned attempt = 0;

	while (!(all = __atomic_load_n(&wg->leat__first, __ATOMIC_ACQUIRE))) {
		if (!__atomic_load_n(&wg->leat__state, __ATOMIC_RELAXED))
			return NULL;
		pause(&attempt);
	}
	wg->leat__first = NULL;
	all->next = NULL;
	n--;
	while (n > 0) {
		while (!(s = __atomic_exchange_n(&wg->leat__others, NULL, __ATOMIC_ACQUIRE)))
			pause(&attempt);
		for (; s; s = next, n--) {
			next = s->next;
			s->next = all;
			all = s;
		}
	}
	return all;
}

/* All who are in the queue, in order.  Then nobody waits any more, and wg may vanish with the first who goes. */
static struct leat__waiter *drain(leat_waitgroup *wg)
{
	struct leat__waiter *all = NULL, **link = &all, *w;

	leat__lock(&wg->leat__lock);
	while ((w = leat__waiters_take(&wg->leat__queue))) {
		*link = w;
		link = &w->next;
	}
	*link = NULL;
	__atomic_store_n(&wg->leat__state, 0, __ATOMIC_RELEASE);
	leat__unlock(&wg->leat__lock);
	return all;
}

/* The counter is 0 and there are n waiters: let them go. */
static NOINLINE void release(struct leat__m *m, leat_waitgroup *wg, uint32_t n)
{
	struct leat__waiter *queued = NULL, *w;
	struct sleeper *s = NULL, *next;

	if (likely(n & ~QUEUED)) {
		s = collect(wg, n & ~QUEUED);
		if (unlikely(!s))
			return;
	}
	if (unlikely(n & QUEUED))
		queued = drain(wg);
	else
		__atomic_store_n(&wg->leat__state, 0, __ATOMIC_RELEASE);
	for (; s; s = next) {
		next = s->next; /* the sleeper's stack, gone once it runs */
		leat__ready(m, s->g, true);
	}
	while ((w = queued)) {
		queued = w->next;
		leat__ready(m, w->g, true);
	}
}

/* Before an addition.  What an increment comes after is nobody's business. */
static inline void tell(leat_waitgroup *wg, int delta)
{
	if (unlikely(leat__sanitizers & LEAT__TSAN) && delta < 0)
		leat__san_release(wg);
}

/* Add and judge; *release_n is how many waiters are to be released. */
static inline const char *add(leat_waitgroup *wg, int delta, uint32_t *release_n)
{
	uint64_t state =
	    __atomic_add_fetch(&wg->leat__state, (uint64_t)(int64_t)delta << 32, __ATOMIC_ACQ_REL);
	int32_t counter = (int32_t)(state >> 32);
	uint32_t waiters = (uint32_t)state;

	*release_n = counter == 0 && delta ? waiters : 0; /* adding 0 brings it nowhere */
	if (unlikely(counter < 0))
		return "sync: negative WaitGroup counter";
	if (unlikely(waiters && delta > 0 && counter == delta))
		return "sync: WaitGroup misuse: Add called concurrently with Wait";
	return NULL;
}

const char *leat__waitgroup_add(struct leat__m *m, leat_waitgroup *wg, int delta)
{
	const char *wrong;
	uint32_t n;

	tell(wg, delta);
	wrong = add(wg, delta, &n);
	if (n)
		release(m, wg, n);
	return wrong;
}

void leat_waitgroup_add(leat_waitgroup *wg, int delta)
{
	const char *wrong;
	uint32_t n;

	tell(wg, delta);
	wrong = add(wg, delta, &n);
	if (unlikely(n)) {
		struct leat__m *m = leat__enter();

		release(m, wg, n);
		leat__leave(m);
	}
	if (unlikely(wrong != NULL))
		leat__panic_runtime(wrong);
}

void leat_waitgroup_done(leat_waitgroup *wg)
{
	leat_waitgroup_add(wg, -1);
}

/* Inline as the switch is, see scheduler.c: a join resumes here. */
static ALWAYS_INLINE struct leat__m *leat__wait(struct leat__m *m, leat_waitgroup *wg,
                                                enum leat__wait why)
{
	struct sleeper s = {.g = m->g};
	void *others;
	uint64_t state = __atomic_load_n(&wg->leat__state, __ATOMIC_ACQUIRE);

	do {
		if (state >> 32 == 0) {
			leat__hb_acquire(wg);
			return m;
		}
	} while (!__atomic_compare_exchange_n(&wg->leat__state, &state, state + 1, true,
	                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	leat__park_as(m->g, why);
	if (likely(((uint32_t)state & ~QUEUED) == 0)) {
		__atomic_store_n(&wg->leat__first, &s, __ATOMIC_RELEASE);
	} else {
		others = __atomic_load_n(&wg->leat__others, __ATOMIC_RELAXED);
		do
			s.next = others;
		while (!__atomic_compare_exchange_n(&wg->leat__others, &others, &s, true, __ATOMIC_RELEASE,
		                                    __ATOMIC_RELAXED));
	}
	m = leat__park(m);
	leat__hb_acquire(wg);
	return m;
}

struct leat__m *leat__waitgroup_wait(struct leat__m *m, leat_waitgroup *wg, enum leat__wait why)
{
	return leat__wait(m, wg, why);
}

void leat_waitgroup_wait(leat_waitgroup *wg)
{
	if (__atomic_load_n(&wg->leat__state, __ATOMIC_ACQUIRE) >> 32 == 0) {
		leat__hb_acquire(wg);
		return;
	}
	leat__leave(leat__wait(leat__enter(), wg, LEAT__WAIT_WAITGROUP));
}

/* Queue, unless the counter is 0; then false. */
static bool enqueue(struct leat__m *m, leat_waitgroup *wg, struct leat__waiter *w, leat_ctx *ctx)
{
	uint64_t state;

	leat__lock(&wg->leat__lock);
	state = __atomic_load_n(&wg->leat__state, __ATOMIC_ACQUIRE);
	do {
		if (state >> 32 == 0) {
			leat__unlock(&wg->leat__lock);
			return false;
		}
	} while (!(state & QUEUED) &&
	         !__atomic_compare_exchange_n(&wg->leat__state, &state, state | QUEUED, true,
	                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	leat__queue(m, &wg->leat__queue, w, ctx, LEAT__WAIT_WAITGROUP);
	leat__unlock(&wg->leat__lock);
	return true;
}

/* The context of w came first.  If the counter is 0 by now, who brought it there is still to look into the queue:
   so stay for that, since the caller may find the 0 and let wg vanish. */
static struct leat__m *leat__leave_queue(struct leat__m *m, leat_waitgroup *wg,
                                         struct leat__waiter *w)
{
	uint64_t state;

	leat__lock(&wg->leat__lock);
	leat__unqueue(&wg->leat__queue, w);
	state = __atomic_load_n(&wg->leat__state, __ATOMIC_ACQUIRE);
	while (state >> 32 && !wg->leat__queue.first &&
	       !__atomic_compare_exchange_n(&wg->leat__state, &state, state & ~(uint64_t)QUEUED, true,
	                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		continue;
	if (likely(state >> 32 || !(state & QUEUED))) {
		leat__unlock(&wg->leat__lock);
		return m;
	}
	leat__queue(m, &wg->leat__queue, w, NULL, LEAT__WAIT_WAITGROUP);
	leat__unlock(&wg->leat__lock);
	return leat__park(m);
}

struct leat__m *leat__waitgroup_wait_ctx(struct leat__m *m, leat_waitgroup *wg, leat_ctx *ctx,
                                         int *err)
{
	struct leat__waiter w;

	*err = 0;
	if (enqueue(m, wg, &w, ctx)) {
		m = leat__await_ctx(m, ctx, err);
		if (*err)
			m = leat__leave_queue(m, wg, &w);
	}
	if (!*err)
		leat__hb_acquire(wg);
	return m;
}

int leat_waitgroup_wait_ctx(leat_waitgroup *wg, leat_any_ctx any)
{
	leat_ctx *ctx = any.leat__ctx;
	int err;

	if (!ctx || !ctx->leat__source) {
		leat_waitgroup_wait(wg);
		return 0;
	}
	err = leat__ctx_begin_wait(ctx);
	if (err)
		return err;
	leat__leave(leat__waitgroup_wait_ctx(leat__enter(), wg, ctx, &err));
	leat__ctx_end_wait(ctx);
	return err;
}

/* --- goroutines that are counted */

static void goroutine_ends(struct leat__m *m, void *joined)
{
	leat__waitgroup_add(m, joined, -1);
}

/* As early: constructors may start goroutines.  Where there are scopes they set their own, later. */
__attribute__((constructor(101))) static void connect(void)
{
	leat__on_end = goroutine_ends;
}

void leat_waitgroup_go(leat_waitgroup *wg, void (*fn)(void *), const void *args, size_t args_bytes)
{
	leat__go_check(fn, args_bytes);
	leat_waitgroup_add(wg, 1);
	leat__go_joined(wg, fn, args, args_bytes, __builtin_return_address(0));
}
