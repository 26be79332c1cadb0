/* SPDX-License-Identifier: MIT */
/*
 * fork: the child keeps the goroutine, or plain thread, that called it, and nothing else.
 *
 * In the parent all stand still while the kernel copies the process, so that the child finds no lock
 * held and no list half changed.  A thread stands still
 *  - outside: in the program's code.  LEAT__RETAKE_STOP sends its next entry to leat__fork_entry,
 *    which waits outside; by the argument of the door (machine.h) a thread that was seen outside after
 *    the bit and the heavy fence is seen by nobody inside before the bit is taken away;
 *  - idle: on the list of Ms without work, or with a goroutine locked to it that waits for its turn; both
 *    change under the scheduler's lock;
 *  - asleep: a plain thread that parked and that nobody has woken.
 * The others are on their way to one of these, as long as nothing holds them up: so they are waited for
 * with no lock held but that of first calls, and judged with all of them (the timers', the scheduler's,
 * the pools'), which stops the monitor, timers that fire, and the idle.
 *
 * One look does not do: a thread that was seen asleep may be woken afterwards by one that was still
 * inside then, and is outside when its turn comes.  Two looks do, if each finds every thread as the
 * other did.  Who was outside at the first stayed there; who slept at both slept in between, since to
 * sleep anew it would have had to enter; so at the moment between the looks nobody moved.
 *
 * The monitor, and who sleeps in the poller, may still pass on that descriptors are ready.  That takes no
 * lock but to queue goroutines; a plain thread that is woken by it after the looks goes on, at most, until
 * it wants one of those that are held here, or its descriptor's, which begin anew in the child.
 *
 * In the child almost nothing is done at once, since most children only exec: our M, or the next first
 * call, is told, and the runtime begins anew at the next entry.  (The poller's descriptors are closed at
 * once, while their numbers mean nothing else.)  Then goroutines of others become GONE:
 * they are readied in vain, and what waits on a channel for them is passed over.  Their stacks and
 * descriptors are never used again; plain threads' stacks are, by libc, which is why nothing is read
 * from those.
 *
 * Tried in thought and rejected: keeping parked goroutines alive in the child, as their stacks are
 * there.  Those that were running would be missing, in the middle of what the others wait for.
 */
#include "os/terminal.h"
#include "sched/biased.h"
#include "sched/panic.h"
#include "sched/polldesc.h"
#include "sched/scheduler.h"
#include "sched/settings.h"
#include "sched/signals.h"
#include "sched/timer.h"

#include <pthread.h>

enum halt { MOVING, OUTSIDE, IDLE, ASLEEP };

static _Atomic uint32_t closed; /* the gate before which those wait who enter meanwhile */
static _Atomic int forker;      /* the thread that forks; changes under the lock of first calls */
static bool halted;             /* all stand still: no fork from inside the runtime */
static bool unattached;         /* the child's thread has no M: its first call begins anew */
static bool has_turn;           /* who forks has the turn to report; changes likewise */
static uint64_t held_back;      /* the signals that it got, and does not while it forks; likewise */
void (*leat__on_gone)(struct leat__g *g);
bool (*leat__coro_suspended)(const struct leat_coro *c);

/* --- standing still */

static void lock_all(void)
{
	leat__signals_lock();
	leat__timers_lock();
	leat__lock(&leat__sched.lock);
	leat__g_pool_lock();
	leat__stacks_lock();
}

static void unlock_all(void)
{
	leat__stacks_unlock();
	leat__g_pool_unlock();
	leat__unlock(&leat__sched.lock);
	leat__timers_unlock();
	leat__signals_unlock();
}

/* Ask all to stop, also those that appeared since; true when there were any. */
static bool ask(const struct leat__m *self)
{
	bool any = false;

	for (struct leat__m *m = load_acquire(&leat__sched.all_m); m; m = m->all_next)
		if (m != self && !(load_relaxed(&m->retake) & LEAT__RETAKE_STOP)) {
			atomic_fetch_or_explicit(&m->retake, LEAT__RETAKE_STOP, memory_order_seq_cst);
			any = true;
		}
	if (any)
		leat__fence_heavy();
	return any;
}

static enum halt halt_of(const struct leat__m *m)
{
	if (!load_acquire(&m->in_runtime))
		return OUTSIDE;
	if (m->foreign && __atomic_load_n(&m->g->sp, __ATOMIC_ACQUIRE) && !load_acquire(&m->g->woken))
		return ASLEEP;
	if (!m->p && load_relaxed(&m->pinned) && !load_relaxed(&m->wake))
		return IDLE;
	return MOVING;
}

/* One look.  True when all stand still, and stood so at the look before.  All locked. */
static bool look(const struct leat__m *self)
{
	bool still = true;

	for (struct leat__m *m = load_acquire(&leat__sched.all_m); m; m = m->all_next) {
		m->halt_before = m->halt;
		m->halt = (uint8_t)halt_of(m);
	}
	for (struct leat__m *m = leat__sched.idle_m; m; m = m->idle_next)
		m->halt = IDLE;
	for (struct leat__m *m = load_relaxed(&leat__sched.all_m); m; m = m->all_next)
		still &= m == self || (m->halt != MOVING && m->halt == m->halt_before);
	return still;
}

static void halt_all(const struct leat__m *self)
{
	for (unsigned tries = 0;; tries++) {
		bool more = ask(self);

		lock_all();
		look(self);
		/* Ms are made under no lock of these: one that is not asked yet counts as moving. */
		if (look(self) && !more && !ask(self) && leat__timers_locked_all())
			return;
		unlock_all();
		leat__os_backoff(tries);
	}
}

/* --- what fork(2) calls */

_Atomic unsigned leat__fork_calls;

static void before_fork(void)
{
	struct leat__m *m = leat__self();
	bool turn;

	fetch_add_relaxed(&leat__fork_calls, 1);
	/* In a signal handler that interrupted the runtime: the child may only exec. */
	halted = !m || !load_relaxed(&m->in_runtime);
	if (!halted)
		return;
	/* So nobody is in the libraries for traces, which have locks of their own. */
	turn = leat__report_before_fork();
	if (m)
		m->forking = true;
	compiler_barrier(); /* a signal handler looks: stop.c */
	leat__attach_lock();
	has_turn = turn;
	/* The child is to meet none that was sent to it with handlers that were the parent's. */
	held_back = leat__os_signals_hold();
	store_relaxed(&forker, leat__os_tid());
	store_release(&closed, 1);
	halt_all(m);
}

static void release_all(struct leat__m *self)
{
	uint64_t got = held_back;

	for (struct leat__m *m = load_acquire(&leat__sched.all_m); m; m = m->all_next)
		atomic_fetch_and_explicit(&m->retake, ~(uint32_t)LEAT__RETAKE_STOP, memory_order_relaxed);
	unlock_all();
	store_relaxed(&forker, 0);
	store_release(&closed, 0);
	leat__os_wake(&closed, INT32_MAX);
	leat__attach_unlock();
	compiler_barrier();
	if (self)
		self->forking = false;
	leat__os_signals_let(got);
}

static void after_in_parent(void)
{
	bool turn = has_turn;

	if (!halted)
		return;
	has_turn = false;
	release_all(leat__self());
	if (turn)
		leat__turn_give();
}

static void after_in_child(void)
{
	struct leat__m *m = leat__self();

	leat__signals_forget(halted);
	leat__os_terminal_forget();
	leat__report_forget(has_turn);
	has_turn = false;
	leat__stack_reader_forget();
	leat__sched.forks++;
	if (m)
		atomic_fetch_or_explicit(&m->retake, LEAT__RETAKE_FORKED, memory_order_relaxed);
	else
		unattached = true;
	if (!halted)
		return;
	leat__netpoll_drop();
	release_all(m);
}

void leat__fork_init(void)
{
	pthread_atfork(before_fork, after_in_parent, after_in_child);
}

/* --- the child begins anew */

/* The caller alone exists: nothing here needs a lock. */
static void leave_behind(struct leat__g *g, void *me)
{
	unsigned kind = load_relaxed(&g->kind);

	if (g == me || kind == LEAT__GONE)
		return;
	store_relaxed(&g->kind, LEAT__GONE);
	store_relaxed(&g->claim, LEAT__FIRED);
	if (kind == LEAT__GOROUTINE && leat__on_gone)
		leat__on_gone(g);
}

/* It is on the stack of a coroutine that nobody was in, which whoever is left may resume. */
static bool is_on_suspended(uintptr_t at)
{
	const struct leat__stack *s = leat__coro_suspended ? leat__stack_at(at) : NULL;

	return s && s->resumer && leat__coro_suspended(s->resumer->coro);
}

/* Whose stacks are kept; of a plain thread, also its own. */
struct kept {
	struct leat__m *m;
	void *low, *high;
};

/* g was to be joined by what lies on a stack that is kept, or on that of a coroutine: a scope, or a wait group that
   started it. */
static void leave_joiner(struct leat__g *g, void *arg)
{
	const struct kept *kept = arg;
	const struct leat__stack *s = kept->m->g->stack;
	uintptr_t at = (uintptr_t)g->joined;

	if (load_relaxed(&g->kind) != LEAT__GONE || !g->joined)
		return;
	/* On a coroutine's stack it has those of who wait below, too. */
	while (s && at - (uintptr_t)s->san.low >= s->san.bytes)
		s = s->resumer ? s->resumer->stack : NULL;
	if (s || (at >= (uintptr_t)kept->low && at < (uintptr_t)kept->high) || is_on_suspended(at))
		leat__on_end(kept->m, g->joined);
	g->joined = NULL;
}

static void empty_processor(struct leat__p *p)
{
	store_relaxed(&p->next, NULL);
	store_relaxed(&p->head, load_relaxed(&p->tail));
	store_relaxed(&p->top, load_relaxed(&p->bottom));
	atomic_fetch_and_explicit(&p->attention, LEAT__ATTEND_MIGRATE, memory_order_relaxed);
	store_relaxed(&p->started, 0);
	store_relaxed(&p->ended, 0);
	store_relaxed(&p->m, NULL);
	p->idle = false;
	p->starting = false;
}

static void empty_scheduler(void)
{
	struct leat__sched *s = &leat__sched;

	leat__threads_forget();
	s->queue = s->urgent = (struct leat__g_list){0};
	store_relaxed(&s->urgents, 0);
	store_relaxed(&s->queued, 0);
	s->idle_p = NULL;
	s->idle_m = NULL;
	store_relaxed(&s->idle_ms, 0);
	s->held = 0;
	s->keeper = NULL;
	store_relaxed(&s->keeper_until, INT64_MAX);
	store_relaxed(&s->keeper_polls, false);
	store_relaxed(&s->idle, 0);
	store_relaxed(&s->searching, 0);
	store_relaxed(&s->detached, 0);
	store_relaxed(&s->hogs, 0);
	store_relaxed(&s->stopped, 0);
	store_relaxed(&s->threads, 0);
	store_relaxed(&s->foreign_parked, 0);
	store_relaxed(&s->foreign_started, 0);
	store_relaxed(&s->ended_elsewhere, 0);
	store_relaxed(&s->main_exited, false);
	store_relaxed(&s->all_m, NULL);
	for (int i = 0; i < load_relaxed(&s->made); i++)
		empty_processor(load_relaxed(&s->p[i]));
}

/* The thread that called fork, as it was, but alone.  What it was locked to it stays locked to. */
static void keep(struct leat__m *m)
{
	bool detached = !m->foreign && !m->p;

	if (m->g->special & LEAT__STOPPED)
		leat__stop_over(m->g);
	store_relaxed(&leat__sched.stopped, 0);
	m->hog = false;
	if (!m->foreign)
		store_relaxed(&m->wake, 0);
	m->initial = !m->foreign; /* its thread is the first of this process */

	store_relaxed(&m->retake, leat__retake_at_rest(m) | (detached ? LEAT__RETAKE_TAKEN : 0));
	m->tid = leat__os_tid();
	m->pending = NULL;
	m->all_next = NULL;
	store_relaxed(&leat__sched.all_m, m);
	if (m->foreign)
		return;
	store_relaxed(&leat__sched.threads, 1);
	store_relaxed(&leat__sched.detached, detached);
	store_relaxed(&leat__sched.foreign_started, 1);
	/* Without goroutine 1 the end of the last one is the end, as if that had left by goexit. */
	store_relaxed(&leat__sched.main_exited, m->g->id != 1);
	if (m->p)
		leat__acquire(m, m->p);
}

static COLD void begin_anew(struct leat__m *m)
{
	struct kept kept = {.m = m};
	bool fenced = leat__fenced;

	leat__fenced = leat__settings.fenced || !leat__os_has_membarrier();
	/* What has an owner by now could not be taken from it. */
	if (leat__fenced && !fenced)
		for (int i = 0; i < load_relaxed(&leat__sched.made); i++)
			load_relaxed(&leat__sched.p[i])->mark = leat__mark_new(i, true);
	leat__g_each(leave_behind, m ? m->g : NULL);
	leat__timers_forget();
	leat__panic_forget();
	leat__attach_forget();
	empty_scheduler();
	if (m)
		keep(m);
	for (int i = 0; i < leat__sched.procs; i++) {
		struct leat__p *p = load_relaxed(&leat__sched.p[i]);

		if (!m || m->p != p)
			leat__idle_put(p);
	}
	leat__monitor_forget();
	if (m) {
		if (m->foreign)
			leat__os_stack_bounds(&kept.low, &kept.high);
		leat__g_each(leave_joiner, &kept);
		leat__monitor_start();
	}
	leat__pd_forget();
}

void leat__fork_attach(void)
{
	if (!unattached)
		return;
	unattached = false;
	begin_anew(NULL);
}

void leat__fork_entry(struct leat__m *m)
{
	uint32_t retake = load_relaxed(&m->retake);

	if (retake & LEAT__RETAKE_FORKED) {
		if (!halted)
			leat__fatal("leat called after fork in a signal handler that interrupted leat");
		begin_anew(m);
		return;
	}
	if (load_relaxed(&forker) == m->tid)
		leat__fatal("leat called by a handler that pthread_atfork knows from before leat's start");
	store_release(&m->in_runtime, 0);
	while (load_acquire(&closed))
		leat__os_wait(&closed, 1, INT64_MAX);
	store_relaxed(&m->in_runtime, 1);
	leat__fence_light(); /* then the caller looks at retake again */
}
