/* SPDX-License-Identifier: MIT */
/*
 * The threads that leat starts: how they are made, and for whom.
 *
 * A processor that must go on while no M is idle waits on leat__sched.starting until the monitor has
 * made a thread for it.  Nobody else makes threads:
 *  - whoever finds that one is needed may hold the timers' lock, a scope's or a channel's, and a thread
 *    costs a clone, an mmap and a malloc; it puts the processor on the list and wakes the monitor;
 *  - a goroutine's thread may have been changed by the program (affinity, name space, user), and a new
 *    thread inherits that; nobody touches the monitor's.
 *
 * Where no thread is to be had (EAGAIN, memory) the processor stays on the list: the monitor tries
 * again, ever more seldom, and any M that becomes free meanwhile takes it with all its goroutines.
 *
 * The limit of threads (leat_max_threads) bounds leat's own and the initial one.  A processor that needs
 * a thread beyond it waits on the list, too; or, in both cases, it goes to a goroutine that has a thread
 * of its own.  When no thread is left that could come back, because all block, that is the end of the
 * process, as in Go.  Goroutines that compute never bring it about: see stop.c.
 *
 * Invariants (scheduler's lock)
 *  - A processor on leat__sched.starting is held by nobody and not idle; p->starting is set.
 *  - While that list is not empty no M stays on the idle list for want of a processor.
 *  - leat__sched.threads counts the Ms that have a thread of leat's, and the initial thread's.
 */
#include "sched/netpoll.h"
#include "sched/panic.h"
#include "sched/scheduler.h"
#include "sched/settings.h"

#define THREAD_STACK ((size_t)256 << 10)
#define RETRY_MIN_NS ((int64_t)1000000)
#define RETRY_MAX_NS ((int64_t)100000000)
#define STUCK_NS     ((int64_t)200000000)

static struct leat__m *spare; /* without a thread; scheduler's lock */

/* Threads so far, and how many of these have taken their name: until then it is the monitor's, which made
   them. */
static _Atomic uint32_t made, named;

uint32_t leat__threads_made(void)
{
	return atomic_load_explicit(&made, memory_order_seq_cst);
}

uint32_t leat__threads_named(void)
{
	return atomic_load_explicit(&named, memory_order_seq_cst);
}

/* Locked. */
static void spare_put(struct leat__m *m)
{
	store_relaxed(&m->in_runtime, 0); /* a fork waits for those inside */
	m->idle_next = spare;
	spare = m;
}

/* --- a thread's life */

static void *machine_main(void *arg)
{
	struct leat__m *m = arg;
	void *low, *high;

	leat__san_thread_begun();
	leat__os_stack_bounds(&low, &high);
	m->g0_stack.low = low;
	m->g0.stack = &m->g0_stack;
	m->g = &m->g0;
	leat__m_adopt_thread(m);
	leat__san_adopt(&m->g0_stack.san, low, (size_t)((char *)high - (char *)low));
	leat__os_restore_signals();
	leat__os_thread_name("leat");
	atomic_fetch_add_explicit(&named, 1, memory_order_seq_cst);
	leat__os_precise_timers();
	store_relaxed(&m->in_runtime, 1);
	leat__monitor_ring();
	leat__schedule();

	/* The program's own destructors of thread-local data run after this, on a plain thread. */
	leat__m_leave_thread(m);
	leat__lock(&leat__sched.lock);
	fetch_add_relaxed(&leat__sched.threads, -1);
	m->tid = 0;
	spare_put(m);
	leat__unlock(&leat__sched.lock);
	return NULL;
}

void leat__give_away(struct leat__m *m)
{
	struct leat__p *p = m->p;

	m->p = NULL;
	store_relaxed(&p->m, NULL);
	leat__sched.held--;
	if (leat__work_waits(p)) {
		leat__start_machine(p, false);
		return;
	}
	leat__idle_put(p);
	leat__unlock(&leat__sched.lock);

	/* As in go_idle. */
	leat__fence_heavy();
	leat__lock(&leat__sched.lock);
	if (leat__sched.idle_p && leat__anything_shared()) {
		leat__start_machine(leat__idle_take(), false);
		return;
	}
	leat__check_deadlock();
	leat__unlock(&leat__sched.lock);
}

void leat__retire_machine(struct leat__m *m)
{
	leat__lock(&leat__sched.lock);
	if (m->p)
		leat__give_away(m);
	else
		leat__unlock(&leat__sched.lock);
	while (m->initial) {
		static _Atomic uint32_t for_ever;

		leat__leave(m); /* a fork is not to wait for it */

		leat__os_wait(&for_ever, 0, INT64_MAX);
	}
}

/* --- making them */

/* Locked. */
static struct leat__p *starting_take(bool *searching)
{
	struct leat__p *p = leat__sched.starting;

	if (p) {
		leat__sched.starting = p->idle_next;
		leat__sched.starting_n--;
		p->starting = false;
		*searching = p->start_searching;
	}
	return p;
}

/* Locked. */
static void starting_put(struct leat__p *p, bool searching)
{
	p->starting = true;
	p->start_searching = searching;
	p->idle_next = leat__sched.starting;
	leat__sched.starting = p;
	leat__sched.starting_n++;
}

struct leat__p *leat__free_take(void)
{
	bool searching = false;
	struct leat__p *p = starting_take(&searching);

	if (searching)
		fetch_add_relaxed(&leat__sched.searching, -1);
	return p ? p : leat__idle_take();
}

void leat__start_machine(struct leat__p *p, bool searching)
{
	struct leat__m **link = &leat__sched.idle_m, *m;
	bool awaited;

	if (*link && leat__in_poller(*link) && (*link)->idle_next)
		link = &(*link)->idle_next; /* another one, so that somebody stays there */
	m = *link;
	if (m) {
		bool polls = leat__in_poller(m);

		*link = m->idle_next;
		store_relaxed(&leat__sched.idle_ms, load_relaxed(&leat__sched.idle_ms) - 1);
		leat__acquire(m, p);
		m->searching = searching;
		/* Under the lock: a keeper whose time is up must see that it is off the list. */
		store_release(&m->wake, 1);
		leat__unlock(&leat__sched.lock);
		leat__wake_machine(m, polls);
		return;
	}
	starting_put(p, searching);
	awaited = leat__sched.starting_n <= leat__sched.settling;
	leat__unlock(&leat__sched.lock);
	if (!awaited)
		leat__monitor_call();
}

void leat__threads_forget(void)
{
	store_relaxed(&made, 0);
	store_relaxed(&named, 0);
	spare = NULL;
	leat__sched.starting = NULL;
	leat__sched.starting_n = 0;
	leat__sched.settling = 0;
}

static struct leat__m *spare_or_new(void)
{
	struct leat__m *m;

	leat__lock(&leat__sched.lock);
	m = spare;
	if (m)
		spare = m->idle_next;
	leat__unlock(&leat__sched.lock);
	return m ? m : leat__m_new();
}

static COLD void tell(void)
{
	static _Atomic bool told;
	static const char text[] =
	    "leat: cannot start a thread; goroutines wait for one that is busy\n";

	if (!atomic_exchange(&told, true))
		leat__os_write(2, text, sizeof text - 1);
}

LEAT__NORETURN static void exhausted(void)
{
	leat__report_begin();
	leat__report("runtime: program exceeds %d-thread limit\nfatal error: thread exhaustion\n",
	             leat__sched.max_threads);
	if (leat__settings.traceback > LEAT__TRACE_NONE) {
		leat__report("\n");
		leat__report_all();
	}
	leat__report_end(2);
}

/* p, which nobody holds, may wait for long: its goroutines go where who has a processor finds them, one
   that never parks, too.  Locked. */
static void give_out(struct leat__p *p)
{
	struct leat__g *g = load_relaxed(&p->next);

	store_relaxed(&p->next, NULL);
	if (g)
		leat__global_append(g);
	while ((g = leat__ring_get(p)))
		leat__global_append(g);
	while (!leat__deque_empty(p)) {
		g = leat__deque_steal(p, true);
		if (g) /* else a thief has it */
			leat__global_append(g);
	}
}

/* m gets the first processor of the list, and a thread.  False: there was none to be had; whether it
   was wanted, the list says. */
static bool make(struct leat__m *m)
{
	struct leat__p *p = NULL;
	bool searching = false;

	leat__lock(&leat__sched.lock);
	if (load_relaxed(&leat__sched.threads) < leat__sched.max_threads)
		p = starting_take(&searching);
	if (!p) {
		spare_put(m);
		leat__unlock(&leat__sched.lock);
		return false;
	}
	fetch_add_relaxed(&leat__sched.threads, 1);
	leat__acquire(m, p);
	m->searching = searching;
	m->g = &m->g0;
	m->tid = 0;
	m->ending = false;
	m->light = 0;
	m->found_at = 0;
	store_relaxed(&m->announced, 0);
	store_relaxed(&m->in_runtime, 1);
	leat__unlock(&leat__sched.lock);
	atomic_fetch_add_explicit(&made, 1, memory_order_seq_cst);
	if (leat__os_thread_start(machine_main, m, THREAD_STACK) == 0)
		return true;

	atomic_fetch_add_explicit(&named, 1, memory_order_seq_cst);
	leat__lock(&leat__sched.lock);
	fetch_add_relaxed(&leat__sched.threads, -1);
	if (searching)
		fetch_add_relaxed(&leat__sched.searching, -1);
	m->searching = false;
	m->p = NULL;
	store_relaxed(&p->m, NULL);
	leat__sched.held--;
	spare_put(m);
	if (leat__sched.idle_m) {
		/* One that found no processor meanwhile. */
		leat__start_machine(p, false);
		return true;
	}
	give_out(p);
	starting_put(p, false);
	leat__unlock(&leat__sched.lock);
	return false;
}

/* There is no thread to be had: a processor of the list goes to a goroutine that has one (if it was
   stopped, it may hold the very lock that the others wait for); else what it has goes to the others. */
static bool hand_over(void)
{
	leat__lock(&leat__sched.lock);
	for (struct leat__p *p = leat__sched.starting; p; p = p->idle_next) {
		struct leat__g *g = leat__own_thread_take(p);

		if (g) {
			leat__hand_to(g, leat__free_take());
			return true;
		}
		give_out(p);
	}
	leat__unlock(&leat__sched.lock);
	return false;
}

static bool wanted(void)
{
	bool yes;

	leat__lock(&leat__sched.lock);
	yes = leat__sched.starting != NULL;
	leat__unlock(&leat__sched.lock);
	return yes;
}

/* What leat's threads have computed, in ns; -1: one of them is not asleep. */
static int64_t computed_by_sleepers(void)
{
	int64_t sum = 0;

	for (struct leat__m *m = load_acquire(&leat__sched.all_m); m; m = m->all_next) {
		int64_t cpu;

		if (m->foreign || !m->tid)
			continue;
		if (leat__os_thread_state(m->tid) == LEAT__OS_RUNNING)
			return -1;
		cpu = leat__os_thread_cpu(m->tid);
		if (cpu > 0) /* else there is no clock for it */
			sum += cpu;
	}
	return sum;
}

/* No thread is left that could come back by itself: for a while nobody has held a processor, and all
   threads have slept in the kernel.  Those that wait for one another, for malloc's lock, may be looked at
   one by one just while each sleeps: so none may have computed since the look before. */
static bool stuck(int64_t now)
{
	static uint64_t acquisitions;
	static int64_t since, cpu_then;
	int64_t cpu_before = cpu_then;
	bool possible;

	leat__lock(&leat__sched.lock);
	possible = leat__sched.held == 0 && !leat__sched.idle_m &&
	           acquisitions == load_relaxed(&leat__sched.acquisitions);
	acquisitions = load_relaxed(&leat__sched.acquisitions);
	leat__unlock(&leat__sched.lock);
	if (!possible)
		since = now;
	if (now - since < STUCK_NS)
		return false;
	since = now;
	cpu_then = computed_by_sleepers();
	return cpu_then >= 0 && cpu_then == cpu_before;
}

int64_t leat__threads_make(void)
{
	static int64_t pause = RETRY_MIN_NS, again = INT64_MAX;
	struct leat__m *m;

	if (again != INT64_MAX && leat__os_now() < again)
		return again;
	while (wanted()) {
		if (((m = spare_or_new()) && make(m)) || hand_over()) {
			pause = RETRY_MIN_NS;
			continue;
		}
		if (!wanted())
			break;
		again = leat__os_now() + pause;
		if (load_relaxed(&leat__sched.threads) < leat__sched.max_threads) {
			tell();
			if (pause < RETRY_MAX_NS)
				pause *= 2;
		} else if (stuck(leat__os_now())) {
			exhausted();
		}
		return again;
	}
	again = INT64_MAX;
	return again;
}

int leat_max_threads(int n)
{
	struct leat__m *m = leat__enter();
	int before;

	leat__lock(&leat__sched.lock);
	before = leat__sched.max_threads;
	if (n >= 1)
		leat__sched.max_threads = n;
	if (leat__threads_tight())
		leat__mind_last_thread();
	leat__unlock(&leat__sched.lock);
	leat__leave(m);
	return before;
}
