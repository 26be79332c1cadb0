/* SPDX-License-Identifier: MIT */
/*
 * Contexts: how goroutines run, stop, and hand the thread to one another.  How they begin: spawn.c.
 *
 * Invariants
 *  - A goroutine runs on at most one thread.  Who takes it from a queue owns it; its sp is non-zero
 *    exactly while no thread is on its stack.
 *  - Inside the runtime m->g is the caller's descriptor; on the scheduler context it is &m->g0.
 *  - A scheduler context never leaves its thread.
 *  - errno and the floating-point control words are a goroutine's own: it finds them as it left them,
 *    on whatever thread; a new one begins with 0 and the ABI's initial words.
 *
 * A goroutine that parks jumps straight to the next one if that is known and off its stack; else to the
 * scheduler context, which may wait.  The direct jump must not wait for the target's sp: two threads
 * that park into each other would wait for ever.  It is worth 7 of 17 ns per yield.
 *
 * A goroutine that ends continues as the next new one on the same stack; else it leaves for good.
 * Under a sanitizer both shortcuts go by way of the scheduler context, since the sanitizers want a
 * context made current before another is destroyed, and new fibers to inherit from nobody.
 */
#include "sched/scheduler.h"

#include "sched/panic.h"
#include "sched/policy.h"

#include <leat/go.h>

#define NO_STACK_NS ((int64_t)10000000000)
#define SOON_ENOUGH 16 /* goroutines */

struct leat__sched leat__sched;
struct leat__coarse leat__coarse;
void (*leat__on_end)(struct leat__m *m, void *joined);

/* --- stacks for those that start */

/* Bind a stack of the usual size to g, which has none, and has none still if memory is out: false. */
static bool leat__bind(struct leat__p *p, struct leat__g *g)
{
	struct leat__stack *s = leat__stack_get(&p->stacks[LEAT__STACK_USUAL], LEAT__STACK_USUAL);

	if (unlikely(!s))
		return false;
	s->name = NULL;
	g->stack = s;
	g->special = s->special;
	return true;
}

/* There is no memory for a stack for g: it waits its turn anew, until others have ended and left theirs.
   When for long nobody has, there is no hope. */
static COLD void postpone(struct leat__g *g)
{
	static int64_t since, last; /* scheduler's lock, and so the others */
	static uint64_t ended_then;
	static unsigned tries;
	int64_t now = leat__clock();
	uint64_t ended = 0;
	unsigned attempt;
	bool hopeless;

	leat__lock(&leat__sched.lock);
	for (int i = 0; i < load_relaxed(&leat__sched.made); i++)
		ended += load_relaxed(&load_relaxed(&leat__sched.p[i])->ended);
	if (ended != ended_then || now - last > NO_STACK_NS / 2) {
		ended_then = ended;
		since = now;
		tries = 0;
	}
	last = now;
	attempt = tries++;
	hopeless = now - since > NO_STACK_NS;
	leat__global_append(g);
	leat__unlock(&leat__sched.lock);
	if (hopeless)
		leat__fatal("out of memory: no stack for a goroutine");
	leat__os_backoff(attempt);
}

/* --- switching */

static inline void leat__switch_context(struct leat__g *from, struct leat__g *to)
{
	if (unlikely(leat__sanitizers))
		leat__san_before(&from->stack->san, &to->stack->san, false);
	leat__switch(&from->sp, &to->sp);
	if (unlikely(leat__sanitizers))
		leat__san_after(&from->stack->san);
}

/* Begin g, which has just been given its stack. */
static ALWAYS_INLINE void leat__switch_to_new(struct leat__m *m, struct leat__g *from,
                                              struct leat__g *g)
{
	m->g = g;
	if (unlikely(leat__sanitizers))
		leat__san_before(&from->stack->san, &g->stack->san, false);
	leat__switch_start(&from->sp, leat__stack_high(g->stack), leat__goroutine_start);
	if (unlikely(leat__sanitizers))
		leat__san_after(&from->stack->san);
}

/*
 * Inline where goroutines park: what a switch resumes returns through its callers, and each of these
 * returns is mispredicted unless the other context had the same callers.
 */
static ALWAYS_INLINE void leat__switch_now(struct leat__m *m, struct leat__g *me, struct leat__g *g)
{
	if (unlikely(me->special & (LEAT__UNGUARDED | LEAT__WATCHED))) {
		/* In this order, in which a call comes between, the compiler tests the byte where it lies. */
		if (!leat__stack_intact(me->stack))
			leat__stack_exceeded(me, NULL);
		if (me->special & LEAT__WATCHED)
			leat__locks_check(me, false);
	}
	leat__stamp(me);
	if (likely(g != NULL)) {
		if (unlikely(g == me))
			return; /* readied before it got here */
		if (!g->stack) {
			/* Making stacks may need more room than a packed one has. */
			if (likely(!leat__sanitizers) && likely(!(me->special & LEAT__UNGUARDED)) &&
			    likely(leat__bind(m->p, g))) {
				leat__switch_to_new(m, me, g);
				return;
			}
		} else if (likely(leat__off_cpu(g)) && likely(!(g->special & LEAT__LOCKED))) {
			m->g = g;
			leat__switch_context(me, g);
			return;
		}
	}
	m->pending = g;
	m->g = &m->g0;
	leat__switch_context(me, &m->g0);
}

void leat__switch_to(struct leat__m *m, struct leat__g *me, struct leat__g *g)
{
	leat__switch_now(m, me, g);
}

static NOINLINE void await_off_cpu(struct leat__g *g)
{
	for (unsigned tries = 0; !leat__off_cpu(g); tries++) {
		leat__cpu_relax();
		if (tries > 1000)
			leat__os_backoff(tries - 1000);
	}
}

static void reap(struct leat__m *m)
{
	struct leat__stack *s = m->dead;

	m->dead = NULL;
	leat__san_destroy(&s->san);
	if (s->class == LEAT__STACK_OWN) {
		leat__stack_unmap(s);
	} else {
		leat__stack_forget(s);
		leat__stack_put(&m->p->stacks[s->class], s);
	}
}

void leat__on_scheduler(struct leat__m *m, void (*fn)(void *arg), void *arg)
{
	struct leat__g *me = m->g;

	m->call = fn;
	m->call_arg = arg;
	m->caller = me;
	m->g = &m->g0;
	if (unlikely(leat__sanitizers))
		leat__san_before(&me->stack->san, &m->g0.stack->san, false);
	/* Not in me->sp: the caller may be on some queue already, and whoever finds it there is to believe
	   that it still runs. */
	leat__switch(&m->caller_sp, &m->g0.sp);
	if (unlikely(leat__sanitizers))
		leat__san_after(&me->stack->san);
}

void leat__with_room(void (*fn)(void *arg), void *arg)
{
	struct leat__m *m = leat__self();

	if (leat__cramped(m))
		leat__on_scheduler(m, fn, arg);
	else
		fn(arg);
}

/* The other half of leat__on_scheduler. */
static COLD void serve_caller(struct leat__m *m)
{
	struct leat__g *g = m->caller;

	m->call(m->call_arg);
	m->caller = NULL;
	m->g = g;
	if (unlikely(leat__sanitizers))
		leat__san_before(&m->g0.stack->san, &g->stack->san, false);
	leat__switch(&m->g0.sp, &m->caller_sp);
	if (unlikely(leat__sanitizers))
		leat__san_after(&m->g0.stack->san);
}

void leat__schedule(void)
{
	struct leat__m *m = leat__self();

	for (;;) {
		struct leat__g *g;

		while (unlikely(m->caller != NULL))
			serve_caller(m);
		g = m->pending;
		m->pending = NULL;
		if (unlikely(m->dead != NULL))
			reap(m);
		if (unlikely(m->ending)) {
			leat__retire_machine(m);
			return;
		}
		if (unlikely(m->locked != NULL))
			g = leat__locked_wait(m);
		else if (!g)
			g = leat__find_work(m);
		if (unlikely(!g))
			continue; /* m is surplus */
		if (unlikely(g->special & (LEAT__LOCKED | LEAT__STOPPED)) && leat__hand_off(m, g))
			continue;
		if (!g->stack) {
			if (likely(leat__bind(m->p, g)))
				leat__switch_to_new(m, &m->g0, g);
			else
				postpone(g);
			continue;
		}
		if (unlikely(!leat__off_cpu(g)))
			await_off_cpu(g);
		m->g = g;
		leat__switch_context(&m->g0, g);
	}
}

/* --- park and ready */

/* A plain thread sleeps on its own word. */
static NOINLINE void leat__park_thread(struct leat__m *m)
{
	struct leat__g *me = m->g;

	fetch_add_acq_rel(&leat__sched.foreign_parked, 1);
	if (load_relaxed(&me->woken) == 0) {
		leat__lock(&leat__sched.lock);
		leat__check_deadlock();
		leat__unlock(&leat__sched.lock);
	}
	/* A thread has no context to save; a non-zero sp says that it is asleep, as for a goroutine. */
	__atomic_store_n(&me->sp, (void *)me, __ATOMIC_RELEASE);
	while (exchange_acquire(&me->woken, 0) == 0)
		leat__os_wait(&me->woken, 0, INT64_MAX);
	__atomic_store_n(&me->sp, NULL, __ATOMIC_RELEASE);
}

/* A plain thread, or what is no more. */
static COLD void wake_thread(struct leat__g *g)
{
	if (load_relaxed(&g->kind) == LEAT__GONE)
		return;
	/* Counted as awake before it can run, and in this order: who finds it counted as asleep still has not
	   seen the wake-up (deadlock.c). */
	fetch_add_acq_rel(&leat__sched.foreign_parked, -1);
	fetch_add_acq_rel(&leat__sched.foreign_woken, 1);
	store_release(&g->woken, 1);
	leat__os_wake(&g->woken, 1);
}

/* The same where it may be anything; g: what it is, taken off its queue, or NULL: it is not known. */
static NOINLINE void leat__park_any(struct leat__m *m, struct leat__g *g)
{
	struct leat__g *me = m->g;

	/* What is locked to this thread takes it along. */
	if (!g && likely(!(me->special & LEAT__LOCKED)))
		g = leat__next(m->p);
	leat__switch_now(m, me, g);
}

/* What a processor meets most where there is nothing in next: leat__next without what is due seldom, and the ring's
   head.  Calls nothing that returns. */
void leat__park_slow(struct leat__m *m)
{
	struct leat__p *p = m->p;
	struct leat__g *me = m->g, *g;

	if (unlikely(!p)) {
		leat__park_thread(m);
		return;
	}
	if (unlikely(load_relaxed(&m->retake) & LEAT__RETAKE_SLOW) || unlikely(me->special) ||
	    load_relaxed(&p->next) || unlikely(p->until_poll == 1) ||
	    unlikely(load_relaxed(&p->attention)) || unlikely(load_relaxed(&leat__sched.urgents)) ||
	    (unlikely(load_relaxed(&p->timers.next) != INT64_MAX) && (p->until_poll & 3) == 1)) {
		leat__park_any(m, NULL);
		return;
	}
	g = leat__ring_get(p);
	if (unlikely(!g)) {
		leat__park_any(m, NULL);
		return;
	}
	p->until_poll--;
	store_relaxed(&p->tick, load_relaxed(&p->tick) + 1);
	if (unlikely(g == me) || unlikely(!g->stack) || unlikely(!leat__off_cpu(g)) ||
	    unlikely(g->special)) {
		leat__park_any(m, g);
		return;
	}
	leat__stamp(me);
	m->g = g;
	leat__switch(&me->sp, &g->sp);
}

void leat__ready(struct leat__m *m, struct leat__g *g, bool soon)
{
	struct leat__p *p = m->p;

	store_relaxed(&g->wait, LEAT__RUNNABLE);
	if (unlikely(load_relaxed(&g->kind) != LEAT__GOROUTINE)) {
		wake_thread(g);
		return;
	}
	if (unlikely(!p)) {
		leat__urgent_put(g, g, 1);
		return;
	}
	if (soon) {
		struct leat__g *old = load_relaxed(&p->next);

		store_relaxed(&p->next, g);
		if (!old)
			return;
		g = old;
	}
	leat__ring_put(p, g);
	leat__wake();
}

void leat__ready_due(struct leat__m *m, struct leat__g *g)
{
	struct leat__p *p = m->p;
	bool idle = load_relaxed(&leat__sched.idle) != 0, soon = p && !idle && !load_relaxed(&p->next);

	if (!p || soon || load_relaxed(&g->kind) != LEAT__GOROUTINE) {
		leat__ready(m, g, soon);
		return;
	}
	store_relaxed(&g->wait, LEAT__RUNNABLE);
	/* Behind some others is soon enough, and where somebody idles he may take it: who fires looks for him after
	   the batch. */
	if (!idle && load_relaxed(&p->tail) - load_relaxed(&p->head) > SOON_ENOUGH)
		leat__urgent_put(g, g, 1);
	else
		leat__ring_put(p, g);
}

NOINLINE void leat__demote_next(struct leat__p *p)
{
	struct leat__g *g = load_relaxed(&p->next);
	uint64_t now;

	if (!load_relaxed(&leat__sched.idle) && !load_relaxed(&leat__sched.searching))
		return;
	now = leat__ticks();
	if (p->waited_tick != load_relaxed(&p->tick)) {
		p->waited_tick = load_relaxed(&p->tick);
		p->waited_since = now;
	} else if (now - p->waited_since > 3 * leat__sched.ticks_per_us) {
		store_relaxed(&p->next, NULL);
		leat__ring_put(p, g);
		leat__wake();
	}
}

struct leat__m *leat__yield(struct leat__m *m)
{
	struct leat__p *p = m->p;
	struct leat__g *me = m->g, *g = NULL;

	if (unlikely(!p)) {
		leat__os_backoff(0);
		return m;
	}
	/* Who yields has computed, more often than not. */
	if (likely(!leat__policy))
		leat__timers_glance(p);
	if (!load_relaxed(&p->next) && !leat__p_has_shared_work(p) &&
	    !load_relaxed(&leat__sched.queued) && !load_relaxed(&p->attention)) {
		store_relaxed(&p->tick, load_relaxed(&p->tick) + 1);
		return m;
	}
	/* Behind all that waits here: the ring, and a backlog of new goroutines in the global queue. */
	if (unlikely(load_relaxed(&leat__sched.queued) != 0)) {
		leat__lock(&leat__sched.lock);
		leat__global_append(me);
		leat__unlock(&leat__sched.lock);
	} else {
		leat__ring_put(p, me);
	}
	if (unlikely(me->special & LEAT__LOCKED)) {
		leat__switch_to(m, me, NULL);
		return leat__self();
	}
	/* New goroutines stand behind the ring, where the caller may now wait for ever: prefer one, but
	   for every so many times. */
	if (likely(p->until_poll > 1) && !load_relaxed(&p->attention) &&
	    !load_relaxed(&leat__sched.urgents) && !leat__policy)
		g = leat__deque_pop(p);
	if (g) {
		p->until_poll--;
		store_relaxed(&p->tick, load_relaxed(&p->tick) + 1);
	} else {
		g = leat__next(p);
	}
	leat__switch_to(m, me, g);
	return leat__self();
}

void leat_yield(void)
{
	leat__leave(leat__yield(leat__enter()));
}

/* --- beginning and end */

/* The goroutine of m is over, in the runtime: account for it, and free its descriptor. */
static struct leat__stack *leat__retire(struct leat__m *m)
{
	struct leat__p *p = m->p;
	struct leat__g *g = m->g;
	struct leat__stack *s = g->stack;

	if (g->joined)
		leat__on_end(m, g->joined);
	/* With the acquire of leat__num_goroutine, which by this reads what those ended here did before, too: one thread
	   after the other has p. */
	leat__hb_release(&leat__sched.ends);
	store_release(&p->ended, load_relaxed(&p->ended) + 1);
	leat__g_put(&p->gs, g);
	return s;
}

/* Leave a stack for good: for g, or the scheduler.  Inline, for there must be no call on the way that does not
   return: see leat__switch_last. */
static ALWAYS_INLINE LEAT__NORETURN void leave_stack(struct leat__m *m, struct leat__stack *s,
                                                     struct leat__g *g)
{
	if (likely(!leat__sanitizers) && s->class != LEAT__STACK_OWN) {
		leat__stack_put(&m->p->stacks[s->class], s);
		if (g && g->stack && leat__off_cpu(g) && !(g->special & LEAT__LOCKED)) {
			m->g = g;
			leat__switch_last(&g->sp);
		}
	} else {
		m->dead = s;
	}
	m->pending = g;
	m->g = &m->g0;
	if (unlikely(leat__sanitizers)) {
		/* The frames that are here still: a jump is no call that does not return, before which the
		   compiler would see to them. */
		leat__san_unpoison(s->san.low, s->san.bytes);
		leat__san_before(&s->san, &m->g0.stack->san, true);
	}
	leat__switch_last(&m->g0.sp);
}

/* The same from a goroutine with something special about it. */
static NOINLINE LEAT__NORETURN void leat__end_special(struct leat__m *m)
{
	struct leat__g *g = m->g;
	struct leat__stack *s;

	if (g->special & LEAT__WATCHED)
		leat__locks_check(g, true);
	if (!leat__stack_intact(g->stack))
		leat__stack_exceeded(g, NULL);
	if (g->special & LEAT__LOCKED)
		leat__locked_end(m);
	s = leat__retire(m);
	leave_stack(m, s, m->ending ? NULL : leat__next(m->p));
}

void leat__goroutine_start(void)
{
	struct leat__m *m = leat__self();

	if (unlikely(leat__sanitizers))
		leat__san_after(&m->g->stack->san);
	for (;;) {
		struct leat__g *g = m->g;
		struct leat__stack *s;

		leat__hb_acquire(g);
		leat__leave(m);
		g->fn(g->arg);
		m = leat__enter();
		if (unlikely(g->special))
			leat__end_special(m);
		s = leat__retire(m);
		g = leat__next(m->p);
		if (!g || g->stack || leat__sanitizers || s->class != LEAT__STACK_USUAL)
			leave_stack(m, s, g);
		s->name = NULL;
		g->stack = s;
		g->special = s->special;
		g->sp = NULL;
		m->g = g;
		leat__context_reset();
	}
}

void leat__end_goroutine(struct leat__m *m)
{
	struct leat__stack *s;

	if (m->g->id == 1) {
		if (m->g->special & LEAT__WATCHED)
			leat__locks_check(m->g, true);
		/* Its stack is the process's: it stays, parked for ever. */
		store_release(&leat__sched.main_exited, true);
		fetch_add_acq_rel(&leat__sched.ended_elsewhere, 1);
		store_relaxed(&m->g->kind, LEAT__FREE);
		leat__switch_to(m, m->g, NULL);
		__builtin_unreachable();
	}
	s = m->g->stack;
	leat__san_unpoison(s->san.low, s->san.bytes);
	if (unlikely(m->g->special))
		leat__end_special(m);
	s = leat__retire(m);
	leave_stack(m, s, NULL);
}
