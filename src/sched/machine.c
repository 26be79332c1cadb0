/* SPDX-License-Identifier: MIT */
/*
 * Threads: how the runtime begins, how threads join it, lose their processor and get one again.
 *
 * Invariants
 *  - leat__tls_self of a thread never changes once set, until the thread ends.
 *  - m->retake is TAKEN exactly while m's goroutine is counted in leat__sched.detached.
 *  - Every M is on leat__sched.all_m for ever; those of ended plain threads are used again.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sched/biased.h"
#include "sched/fault.h"
#include "sched/netpoll.h"
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/settings.h"
#include "sched/scheduler.h"

#include <leat/go.h>

#include <pthread.h>
#include <stdlib.h>

#define MIGRATE_EVERY 16 /* calls into leat, on average, while LEAT_MIGRATE says so */

/* Named in assembly, which an optimiser of the whole program does not read. */
__thread struct leat__m *leat__tls_self __attribute__((tls_model("initial-exec"))) LEAT__FOR_ASM;
bool leat__fenced;

static uint8_t start_lock;
static _Atomic bool started;
static pthread_key_t thread_end;
static struct leat__m *_Atomic spare_foreign; /* of threads that ended; start_lock */
static struct leat__stack main_stack;         /* goroutine 1's bounds */

/* --- the runtime begins */

static void measure_ticks(void)
{
	int64_t ns = leat__os_now(), end = ns + 200000;
	uint64_t ticks = leat__ticks();

	while (leat__os_now() < end)
		leat__cpu_relax();
	ticks = leat__ticks() - ticks;
	leat__sched.ticks_per_us = ticks * 1000 / (uint64_t)(leat__os_now() - ns);
	if (!leat__sched.ticks_per_us)
		leat__sched.ticks_per_us = 1;
}

static bool add_processor(int id)
{
	struct leat__p *p = load_relaxed(&leat__sched.p[id]);

	if (!p) {
		p = leat__os_map((sizeof *p + 4095) & ~(size_t)4095);
		if (!p)
			return false;
		p->id = id;
		p->mark = leat__mark_new(id, false);
		p->until_poll = 1;
		store_relaxed(&p->timers.next, INT64_MAX);
		if (leat__settings.migrate)
			store_relaxed(&p->attention, LEAT__ATTEND_MIGRATE);
		p->random = leat__random_seed(leat__settings.seed + (uint64_t)id);
		store_release(&leat__sched.p[id], p);
		store_release(&leat__sched.made, id + 1);
	}
	atomic_fetch_and_explicit(&p->attention, ~(uint32_t)LEAT__ATTEND_RETIRE, memory_order_relaxed);
	if (!load_relaxed(&p->m) && !p->idle && !p->starting)
		leat__idle_put(p);
	return true;
}

static void thread_ends(void *arg);

/* What a parked goroutine's stack points to has not leaked. */
static void add_stack_root(struct leat__g *g, void *arg)
{
	char *sp = __atomic_load_n(&g->sp, __ATOMIC_ACQUIRE);
	unsigned kind = load_relaxed(&g->kind);

	(void)arg;
	if (kind != LEAT__GOROUTINE && kind != LEAT__GONE)
		return;
	/* In a coroutine it has those of who wait below, too. */
	for (struct leat__stack *s = g->stack; s && sp; s = s->resumer ? s->resumer->stack : NULL) {
		leat__san_add_root(sp, (size_t)((char *)s->san.low + s->san.bytes - sp));
		sp = s->resumer ? s->resumer->sp : NULL;
	}
}

static void at_exit(void)
{
	/* The process may end by main's return while another goroutine panics: let it say so. */
	leat__panic_wait();
	leat__report_wait();
	if (leat__sanitizers & LEAT__LSAN)
		leat__g_each(add_stack_root, NULL);
}

static void start(void)
{
	leat__settings_read();
	leat__os_save_signals();
	leat__fenced = leat__settings.fenced || !leat__os_has_membarrier();
	measure_ticks();
	store_relaxed(&leat__sched.keeper_until, INT64_MAX);
	store_relaxed(&leat__sched.wake_gap, 0);
	leat__sched.procs = leat__settings.procs ? leat__settings.procs : leat__procs_default();
	store_relaxed(&leat__sched.procs_chosen, leat__settings.procs != 0);
	leat__sched.max_threads = LEAT__MAX_THREADS;
	for (int i = 0; i < leat__sched.procs; i++)
		if (!add_processor(i))
			leat__fatal("out of memory: no processors");
	pthread_key_create(&thread_end, thread_ends);
	atexit(at_exit);
	leat__fault_init();
	leat__quit_init();
	leat__fork_init();
	leat__locks_init();
}

/* --- Ms */

uint32_t leat__retake_at_rest(const struct leat__m *m)
{
	return leat__fenced || leat__policy || leat__sanitizers || leat__settings.migrate || m->foreign
	           ? LEAT__RETAKE_SLOW
	           : 0;
}

struct leat__m *leat__m_new(void)
{
	struct leat__m *m = NULL, *first;

	if (posix_memalign((void **)&m, CACHE_LINE, sizeof *m) != 0)
		return NULL;
	*m = (struct leat__m){0};
	first = load_relaxed(&leat__sched.all_m);
	do
		m->all_next = first;
	while (!atomic_compare_exchange_weak_explicit(&leat__sched.all_m, &first, m,
	                                              memory_order_release, memory_order_relaxed));
	return m;
}

void leat__m_adopt_thread(struct leat__m *m)
{
	/* A fork may have asked it to stop already. */
	atomic_fetch_or_explicit(&m->retake, leat__retake_at_rest(m), memory_order_relaxed);
	m->tid = leat__os_tid();
	store_relaxed(&m->g0.kind, LEAT__SCHEDULER);
	m->g0.thread = m;
	leat__tls_self = m;
	pthread_setspecific(thread_end, m);
	if (!m->foreign)
		leat__fault_init_thread(m);
}

void leat__m_leave_thread(struct leat__m *m)
{
	leat__fault_done_thread(m);
	pthread_setspecific(thread_end, NULL);
	leat__san_thread_done();
	leat__tls_self = NULL;
}

/* A descriptor for the calling thread's own code. */
static struct leat__g *adopt_code(enum leat__kind kind, uint64_t id)
{
	struct leat__g *g = leat__g_get(NULL);

	if (!g)
		leat__fatal("out of memory at a thread's first call");
	g->sp = NULL;
	g->stack = NULL;
	store_relaxed(&g->claim, LEAT__UNARMED);
	store_relaxed(&g->wait, LEAT__RUNNABLE);
	store_relaxed(&g->woken, 0);
	g->special = 0;
	g->faults = 0;
	g->id = id;
	g->parent = 0;
	g->created_at = NULL;
	g->records = NULL;
	g->catches = NULL;
	g->panics = NULL;
	g->joined = NULL;
	g->thread = NULL;
	store_release(&g->kind, kind);
	return g;
}

/* The initial thread: its code becomes goroutine 1, and it gets a scheduler context of its own.  It
   has no processor yet: its first entry queues for one. */
static struct leat__m *attach_main(void)
{
	struct leat__g *g = adopt_code(LEAT__GOROUTINE, 1);
	struct leat__m *m = leat__m_new();
	struct leat__stack *s = leat__stack_map(LEAT__STACK_USABLE);
	void *low, *high;

	if (!m || !s)
		leat__fatal("out of memory at the first call");
	leat__os_stack_bounds(&low, &high);
	main_stack.low = low;
	main_stack.class = LEAT__STACK_OWN;
	main_stack.special = leat__stack_watched;
	leat__san_adopt(&main_stack.san, low, (size_t)((char *)high - (char *)low));
	g->stack = &main_stack;
	g->special = main_stack.special;
	fetch_add_relaxed(&leat__sched.foreign_started, 1);

	m->g = g;
	m->initial = true;
	m->g0.stack = s;
	m->g0.sp = leat__context_make(leat__stack_high(s), leat__schedule_start);
	/* Before it is the thread's: a handler may interrupt us that calls leat. */
	store_relaxed(&m->retake, LEAT__RETAKE_TAKEN);
	leat__m_adopt_thread(m);
	fetch_add_relaxed(&leat__sched.threads, 1);
	fetch_add_relaxed(&leat__sched.detached, 1);
	leat__monitor_start();
	return m;
}

/* A plain thread: it never runs goroutines, and sleeps by itself. */
static struct leat__m *attach_foreign(void)
{
	struct leat__m *m = load_relaxed(&spare_foreign);

	if (m)
		store_relaxed(&spare_foreign, m->idle_next);
	else
		m = leat__m_new();
	if (!m)
		leat__fatal("out of memory at a thread's first call");
	m->foreign = true;
	m->g = adopt_code(LEAT__THREAD, 0);
	m->g->special = LEAT__BARE;
	m->g->thread = m;
	leat__m_adopt_thread(m);
	leat__monitor_start();
	return m;
}

/*
 * Goroutine 1 called pthread_exit, and its thread ends: a goexit, for what libc promises of pthread_exit in
 * main.  Nothing deferred runs: where main was on the initial thread, this lies where its frames lay.  And
 * so does the scheduler context of another thread: it gives its processor away, and is a plain one from
 * here on.
 */
static COLD void leave_main(struct leat__m *m)
{
	struct leat__p *p;

	store_relaxed(&m->in_runtime, 1);
	compiler_barrier();
	if (load_relaxed(&m->retake) & LEAT__RETAKE_FORKED)
		leat__fork_entry(m);
	leat__stop_await(m, NULL);
	leat__lock(&leat__sched.lock);
	p = m->p;
	m->p = NULL;
	m->foreign = true;
	atomic_fetch_or_explicit(&m->retake, LEAT__RETAKE_SLOW, memory_order_relaxed);
	m->initial = false;
	m->locks = 0;
	m->locked = NULL;
	m->g->special = 0;
	if (m->hog)
		store_relaxed(&leat__sched.hogs, load_relaxed(&leat__sched.hogs) - 1);
	m->hog = false;
	store_release(&leat__sched.main_exited, true);
	fetch_add_relaxed(&leat__sched.ended_elsewhere, 1);
	/* The kernel counts the initial thread as long as there are others. */
	if (!leat__os_is_initial_thread())
		fetch_add_relaxed(&leat__sched.threads, -1);
	if (p) {
		store_relaxed(&p->m, NULL);
		leat__sched.held--;
		leat__start_machine(p, false);
	} else {
		fetch_add_relaxed(&leat__sched.detached, -1);
		leat__retake_over(m);
		leat__check_deadlock();
		leat__unlock(&leat__sched.lock);
	}
	leat__leave(m);
}

static void hide_main(struct leat__g *g, void *unused)
{
	(void)unused;
	if (g->id == 1)
		store_relaxed(&g->kind, LEAT__GONE);
}

static void thread_ends(void *arg)
{
	struct leat__m *m = arg;

	if (!m->foreign) {
		/* Of another goroutine it cannot be made good: on the initial thread what runs now lies
		   over main's frames, and nothing is to be seen of these any more. */
		if (m->g->id != 1) {
			if (m->initial)
				leat__g_each(hide_main, NULL);
			leat__fatal("pthread_exit in a goroutine: leat_goexit ends one");
		}
		leave_main(m);
	}
	leat__fault_done_thread(m);
	m->g->thread = NULL;
	leat__g_put(NULL, m->g);
	m->g = &m->g0;
	leat__tls_self = NULL;
	leat__lock(&start_lock);
	m->idle_next = load_relaxed(&spare_foreign);
	store_relaxed(&spare_foreign, m);
	leat__unlock(&start_lock);
}

void leat__attach_lock(void)
{
	leat__lock(&start_lock);
}

void leat__attach_unlock(void)
{
	leat__unlock(&start_lock);
}

void leat__attach_forget(void)
{
	store_relaxed(&spare_foreign, NULL);
}

COLD struct leat__m *leat__attach(void)
{
	struct leat__m *m;

	leat__lock(&start_lock);
	if (!load_relaxed(&started)) {
		start();
		store_release(&started, true);
	}
	leat__fork_attach();
	/* Only one copy of leat in a process can make a goroutine of the initial thread's code, and move
	   it.  To another its thread is a plain one, as the threads of goroutines are. */
	m = leat__os_is_initial_thread() && !leat__monitor_of_others() ? attach_main()
	                                                               : attach_foreign();
	leat__unlock(&start_lock);
	return m;
}

/* A scheduler context on a stack of its own begins here. */
void leat__schedule_start(void)
{
	struct leat__m *m = leat__self();

	if (unlikely(leat__sanitizers))
		leat__san_after(&m->g0.stack->san);
	leat__schedule();
	__builtin_unreachable(); /* the initial thread never ends */
}

/* --- the slow half of the door */

struct leat__p *leat__detach(struct leat__m *m, bool hog)
{
	struct leat__p *p = m->p;

	atomic_fetch_or_explicit(&m->retake, LEAT__RETAKE_TAKEN, memory_order_relaxed);
	fetch_add_relaxed(&leat__sched.detached, 1);
	m->hog = hog;
	if (hog)
		store_relaxed(&leat__sched.hogs, load_relaxed(&leat__sched.hogs) + 1);
	m->p = NULL;
	store_relaxed(&p->m, NULL);
	leat__sched.held--;
	return p;
}

/* m's processor was taken while its goroutine was in the program: get one like anyone else. */
static NOINLINE struct leat__m *leat__queue_for_processor(struct leat__m *m)
{
	struct leat__g *me = m->g;
	struct leat__p *p = NULL;

	leat__lock(&leat__sched.lock);
	leat__retake_over(m);
	if (unlikely(m->p || (me->special & LEAT__STOPPED))) {
		/* It was to be stopped, and came in before it was.  So it is in the queue already, or out
		   of it again, with a processor. */
		p = m->p;
		leat__stop_over(me);
		store_relaxed(&m->wake, 0);
		leat__unlock(&leat__sched.lock);
		if (p)
			leat__monitor_ring();
		else
			leat__switch_to(m, me, NULL);
		return leat__self();
	}
	fetch_add_relaxed(&leat__sched.detached, -1);
	if (m->hog)
		store_relaxed(&leat__sched.hogs, load_relaxed(&leat__sched.hogs) - 1);
	m->hog = false;
	/* LEAT_MIGRATE: by way of the scheduler context, unless it is to stay on this thread. */
	if (likely(!leat__settings.migrate) || (me->special & LEAT__LOCKED))
		p = leat__free_take();
	if (p) {
		leat__acquire(m, p);
		leat__unlock(&leat__sched.lock);
		leat__monitor_ring();
		return m;
	}
	store_relaxed(&me->sequence, (uint32_t)m->tid);
	store_relaxed(&me->wait, LEAT__RUNNABLE);
	leat__global_append(me);
	leat__unlock(&leat__sched.lock);
	leat__switch_to(m, me, NULL);
	return leat__self();
}

struct leat__m *leat__enter_slow(struct leat__m *m)
{
	bool requested = false;

	while (!requested) {
		uint32_t retake;

		if (leat__fenced)
			fence_seq_cst(); /* the light fence: in_runtime is stored, retake still to be read */
		retake = load_acquire(&m->retake);
		if (retake & (LEAT__RETAKE_STOP | LEAT__RETAKE_FORKED)) {
			leat__fork_entry(m);
			continue;
		}
		if (retake & LEAT__RETAKE_TAKEN)
			return leat__queue_for_processor(m);
		if (!(retake & LEAT__RETAKE_REQUESTED))
			break;
		requested = cas_acq_rel(&m->retake, &retake, retake & ~(uint32_t)LEAT__RETAKE_REQUESTED);
	}
	/* The processor stays here, but somebody waits for it.  Who calls leat all the time is hardly ever
	   outside for long enough to lose it, and would keep it for good. */
	if (requested && m->p)
		return leat__yield(m);
	/* Under a policy there is no monitor that takes processors: here is where one could be lost. */
	if (leat__policy && m->p && leat__policy->choose(LEAT__CHOOSE_RETAKE, 2))
		return leat__yield(m);
	/* LEAT_MIGRATE: the processor could be lost at any entry, so some do lose it. */
	if (leat__settings.migrate && m->p && !m->locked && leat__random(m->p) % MIGRATE_EVERY == 0)
		return leat__yield(m);
	return m;
}

void leat__entered_twice(void)
{
	leat__fatal("leat called from a signal handler that interrupted leat");
}

/* --- how many processors */

int leat__procs_set(int n, bool chosen)
{
	int before;

	leat__lock(&leat__sched.lock);
	before = leat__sched.procs;
	if (chosen)
		store_relaxed(&leat__sched.procs_chosen, true);
	else if (load_relaxed(&leat__sched.procs_chosen))
		n = before;
	if (n != before) {
		struct leat__p **link = &leat__sched.idle_p;

		leat__sched.procs = n;
		for (int i = 0; i < n; i++)
			if (!add_processor(i)) {
				leat__sched.procs = i;
				break;
			}
		/* The surplus: idle ones rest, held ones are told. */
		while (*link) {
			struct leat__p *p = *link;

			if (p->id < leat__sched.procs) {
				link = &p->idle_next;
				continue;
			}
			*link = p->idle_next;
			p->idle = false;
			store_relaxed(&leat__sched.idle, load_relaxed(&leat__sched.idle) - 1);
		}
		for (int i = leat__sched.procs; i < load_relaxed(&leat__sched.made); i++)
			atomic_fetch_or_explicit(&load_relaxed(&leat__sched.p[i])->attention,
			                         LEAT__ATTEND_RETIRE, memory_order_relaxed);
	}
	if (n > before && load_relaxed(&leat__sched.queued) && leat__sched.idle_p)
		leat__start_machine(leat__idle_take(), false);
	else
		leat__unlock(&leat__sched.lock);
	return before;
}

int leat_procs(int n)
{
	struct leat__m *m = leat__enter();
	int before;

	if (n > LEAT__MAX_PROCS)
		n = LEAT__MAX_PROCS;
	if (n >= 1) {
		before = leat__procs_set(n, true);
	} else {
		leat__lock(&leat__sched.lock);
		before = leat__sched.procs;
		leat__unlock(&leat__sched.lock);
	}
	leat__leave(m);
	return before;
}

uint32_t leat__random(struct leat__p *p)
{
	static _Atomic uint64_t shared;
	uint64_t state;

	if (p)
		return leat__random_next(&p->random);
	/* Plain threads share a counter; hashing it makes the numbers. */
	state = leat__random_seed(leat__settings.seed ^ fetch_add_relaxed(&shared, 1));
	return leat__random_next(&state);
}
