/* SPDX-License-Identifier: MIT */
/*
 * The monitor: one thread that keeps the promises which no processor can keep for itself.
 *
 *  - A goroutine that spins or blocks loses its processor when others wait for it: after 10 ms of CPU
 *    time (more the more goroutines already compute without one, so that the number of threads stays
 *    bounded), once its thread has slept in the kernel for 100 us, or once a call that it announced
 *    (blocking.c) has lasted 20 us.  The protocol is in machine.h.
 *  - A processor that waits for a thread gets one: threads.c.
 *  - Timers fire, and descriptors are looked at, although every processor is busy.  Where all take turns
 *    they look for timers themselves (next.c), and it keeps out of the way for a while.
 *  - Work whose wake-up was saved (the gap in work.c, and those who rest) is found: what waited at the look before
 *    and waits still wakes a processor that idles, however fast its own takes turns.
 *  - A new goroutine at the bottom of a deque starts within about a millisecond.
 *  - Goroutines that wake one another through next share one time slice: then the ring has its turn.
 *  - Signals reach the channels and contexts that want them (signals.c).
 *  - Stacks that nobody uses any more give their pages back (trim.c).
 *  - The number of processors follows the CPUs and the quota, where nobody has chosen one: procs.c.
 *
 * It looks every 500 us while anything runs (up to 4 ms the longer nobody has needed it, 100 us while it
 * suspects a sleeper, 20 us while somebody waits for the end of an announced call, 5 ms while nobody
 * waits for anything, but 2 ms while it has the last word on wake-ups), and sleeps once nothing has run
 * for a while: an idle program uses no CPU.  A processor whose goroutine sleeps in the kernel for long is
 * taken although nobody waits for it, so that this holds for programs that block, too.
 *
 * A look takes a CPU from who computes for 50 us and more, with the timer and the two switches: every
 * 500 us, 10% of fork-join and of pipelines whose stages take 5 us.  So its pace slows down to a quarter
 * of the time since somebody needed it: what it does for the next one comes late by at most a third of
 * the time in which nobody did.
 *
 * Only goroutines that keep others waiting are looked at closely: reading a thread's CPU clock costs
 * 300 ns, its state 5 us.
 */
#include "sched/netpoll.h"
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/settings.h"
#include "sched/scheduler.h"
#include "sched/signals.h"
#include "sched/timer.h"
#include "sched/trim.h"

#include <inttypes.h>
#include <stdio.h>

#define LOOK_NS        500000
#define SUSPECT_NS     100000
#define CALL_NS        20000
#define CALM_NS        4000000
#define CALM_SHARE     4 /* of the time since somebody needed it */
#define QUIET_NS       5000000
#define GAP_NS         2000000 /* while nobody is woken: the longest gap of work.c */
#define GRACE_NS       200000  /* for processors that look for timers themselves, and the keeper */
#define SLICE_NS       10000000
#define CROWD          16 /* so many hogs without a processor lengthen the slice by another */
#define OLDEST_NS      400000
#define RING_NS        5000000
#define RING_LOADED    20 /* times that in wall time at most */
#define RECHECK_MIN_NS ((int64_t)50000000)
#define RECHECK_MAX_NS ((int64_t)10000000000)
#define TRACE_NS       1000000000
#define POLL_NS        10000000
#define IDLE_LOOKS     20 /* without anything running, before it sleeps */
#define THREAD_STACK   ((size_t)128 << 10)
#define MONITOR_NAME   "leat-monitor"

static _Atomic uint32_t asleep; /* 1: waits to be rung */
static _Atomic uint32_t called; /* 1: somebody wants it to look, whatever it does */

/* m's processor was just taken: see to those who wait for it.  Locked; unlocks. */
static void pass_on(struct leat__p *p, struct leat__m *m, bool hog)
{
	/* Whoever computes here next does so for a slice, too: the global queue has waited.  But first comes
	   next, which nothing else would help against goroutines that are stopped and queued, over and over. */
	p->until_poll = load_relaxed(&p->next) ? 2 : 1;
	p->global_owed = true;
	if (hog && leat__stop_wanted()) {
		leat__stop(m);
		leat__start_machine(p, false);
		leat__stop_signal(m);
		return;
	}
	leat__detach(m, hog);
	if (leat__work_waits(p)) {
		leat__start_machine(p, false);
		return;
	}
	leat__idle_put(p);
	leat__unlock(&leat__sched.lock);
}

/* announced: only while the call that it announced lasts. */
static void retake(struct leat__p *p, struct leat__m *m, uint32_t tick, bool hog, bool announced)
{
	uint32_t rest = load_relaxed(&m->retake), requested;

	if (rest & (LEAT__RETAKE_REQUESTED | LEAT__RETAKE_TAKEN))
		return;
	requested = rest | LEAT__RETAKE_REQUESTED;
	if (!cas_acq_rel(&m->retake, &rest, requested))
		return;
	leat__fence_heavy();
	leat__lock(&leat__sched.lock);
	if (!load_acquire(&m->in_runtime) && load_relaxed(&p->m) == m && m->p == p &&
	    load_relaxed(&p->tick) == tick && (!announced || load_relaxed(&m->announced) == tick + 1) &&
	    cas_acq_rel(&m->retake, &requested, rest | LEAT__RETAKE_TAKEN)) {
		pass_on(p, m, hog);
		return;
	}
	/* A fork may have changed the other bits since. */
	atomic_fetch_and_explicit(&m->retake, ~(uint32_t)LEAT__RETAKE_REQUESTED, memory_order_acq_rel);
	leat__unlock(&leat__sched.lock);
}

enum verdict {
	STAY,
	ASLEEP, /* its thread sleeps in the kernel */
	HOG,    /* it has had its share of the CPU */
};

/* Has m's thread, at work on one goroutine since p->seen_since, had its share? */
static enum verdict judge(struct leat__p *p, struct leat__m *m, int64_t now, bool *suspect)
{
	int64_t cpu, slice = SLICE_NS;
	enum leat__os_state state;

	/* Near the limit of threads it is stopped, and takes no thread. */
	if (!leat__stop_wanted())
		slice *= 1 + load_relaxed(&leat__sched.hogs) / CROWD;

	cpu = leat__os_thread_cpu(m->tid);
	if (cpu < 0)
		return now - p->seen_since >= slice ? HOG : STAY; /* no clock for it: wall time */
	if (p->seen_cpu < 0) {
		p->seen_cpu = p->seen_cpu_start = cpu;
		p->seen_cpu_at = now;
		p->seen_ready = false;
		*suspect = true;
		return STAY;
	}
	if (cpu - p->seen_cpu_start >= slice)
		return HOG;
	if (cpu != p->seen_cpu) {
		p->seen_cpu = cpu;
		p->seen_cpu_at = now;
		p->seen_ready = false;
		return STAY;
	}
	/* Ready, and has not run since: it waits for a CPU still, for to fall asleep it must run.  But a
	   kernel's clock may be coarse, so it is asked again some time. */
	if (p->seen_ready && now - p->seen_cpu_at < SLICE_NS)
		return STAY;
	*suspect = true;
	if (now - p->seen_cpu_at < SUSPECT_NS)
		return STAY;
	state = leat__os_thread_state(m->tid);
	p->seen_ready = state == LEAT__OS_RUNNING;
	p->seen_cpu_at = now;
	return state == LEAT__OS_ASLEEP ? ASLEEP : STAY;
}

/* What the monitor found, over all processors. */
struct findings {
	bool running; /* a processor is held */
	bool stuck;   /* one whose goroutine has run since the look before */
	bool busy;    /* somebody schedules, or waits for it */
	bool needed;  /* it did something for somebody, or may have to at the next look */
	bool suspect; /* a thread may be asleep */
	bool call;    /* a goroutine keeps others waiting in a call that it announced */
	bool quiet;   /* nobody was woken for what was made available, since the look before */
	bool backlog; /* somebody has waited since the look before behind others that take turns */
};

/* The oldest new goroutine of p has been there since an earlier look. */
static void attend_oldest(struct leat__p *p, int64_t now, struct findings *f)
{
	int64_t top = load_relaxed(&p->top);

	if (leat__deque_empty(p) || top != p->seen_top) {
		p->seen_top = leat__deque_empty(p) ? -1 : top;
		p->seen_top_since = now;
		if (p->seen_top >= 0)
			f->needed = true;
	} else if (now - p->seen_top_since >= OLDEST_NS) {
		f->needed = f->backlog = true;
		atomic_fetch_or_explicit(&p->attention, LEAT__ATTEND_OLDEST, memory_order_relaxed);
	}
}

/* What the ring had at the look before is in it still. */
static void see_ring(struct leat__p *p, struct findings *f)
{
	if (leat__ring_has_before(p, p->seen_tail))
		f->backlog = true;
	p->seen_tail = load_relaxed(&p->tail);
}

/* The ring's head has been there for a time slice while others ran, through next.  A slice is CPU time, as
   that of one which computes: on a loaded machine a pair that talks much would have but a fraction of it
   in so much wall time, and a pair of which each computes for long a whole one. */
static void attend_ring(struct leat__p *p, const struct leat__m *m, int64_t now, struct findings *f)
{
	uint32_t head = load_relaxed(&p->head);
	int64_t waited = now - p->seen_head_since;

	if (leat__ring_empty(p)) {
		p->seen_head_m = NULL;
	} else if (head != p->seen_head || m != p->seen_head_m) {
		if (head != p->seen_head || !p->seen_head_m)
			p->seen_head_since = now;
		p->seen_head = head;
		p->seen_head_m = m;
		p->seen_head_cpu = leat__os_thread_cpu(m->tid);
	} else if (waited >= RING_NS && (waited >= RING_LOADED * RING_NS || p->seen_head_cpu < 0 ||
	                                 leat__os_thread_cpu(m->tid) - p->seen_head_cpu >= RING_NS)) {
		f->needed = true;
		atomic_fetch_or_explicit(&p->attention, LEAT__ATTEND_RING, memory_order_relaxed);
	}
}

static int64_t needed_at; /* when somebody last needed it, or things began to run */

/* How long until the next look. */
static int64_t pace(const struct findings *f)
{
	int64_t now = leat__os_now(), calm, longest;

	if (f->needed)
		needed_at = now;
	if (f->call)
		return CALL_NS;
	if (f->suspect)
		return SUSPECT_NS;
	if (!f->running)
		return LOOK_NS;
	if (!f->busy)
		return f->quiet ? GAP_NS : QUIET_NS;
	calm = (now - needed_at) / CALM_SHARE;
	longest = f->quiet ? GAP_NS : CALM_NS;
	return calm < LOOK_NS ? LOOK_NS : calm < longest ? calm : longest;
}

static void look_at(struct leat__p *p, int64_t now, struct findings *f)
{
	struct leat__m *m = load_acquire(&p->m);
	uint32_t tick = load_relaxed(&p->tick);
	bool announced, waited;
	enum verdict verdict;

	if (!m)
		return;
	f->running = true;
	if (m->tid == 0) {
		f->stuck = true;
		return; /* its thread has yet to begin */
	}
	attend_oldest(p, now, f);
	attend_ring(p, m, now, f);
	see_ring(p, f);
	announced = load_relaxed(&m->announced) == tick + 1;
	if (announced && leat__work_waits(p))
		f->call = true;
	if (tick != p->seen_tick) {
		p->seen_tick = tick;
		p->seen_since = now;
		p->seen_cpu = -1;
		f->busy = true;
		return;
	}
	f->stuck = true;
	if (!leat__work_waits(p)) {
		if (now - p->seen_since < SLICE_NS)
			f->busy = true;
		else if (leat__os_thread_state(m->tid) == LEAT__OS_ASLEEP)
			retake(p, m, tick, false, false);
		return;
	}
	f->busy = true;
	waited = now - p->seen_since >= (announced ? CALL_NS : SUSPECT_NS);
	if (load_relaxed(&leat__sched.idle)) {
		f->needed = true;
		if (leat__p_has_shared_work(p) || load_relaxed(&leat__sched.queued)) {
			store_relaxed(&leat__sched.wake_gap, 0); /* its goroutine computes */
			leat__wake_now();
		}
		/* What waits in next cannot be stolen: hand it over with the processor; the goroutine
		   that runs finds an idle one. */
		if (load_relaxed(&p->next) && waited)
			retake(p, m, tick, false, announced);
		return;
	}
	if (announced && waited) {
		retake(p, m, tick, false, true);
		return;
	}
	verdict = judge(p, m, now, &f->suspect);
	f->needed |= verdict == ASLEEP;
	if (verdict != STAY)
		retake(p, m, tick, verdict == HOG, false);
}

/* When to look for timers.  flows: every processor that is held takes turns, and so looks for its own, as far
   as is known.  The keeper is left the time to wake up. */
static int64_t timers_at(bool flows)
{
	int64_t at = leat__timers_look_at(leat__timers_first_late(flows ? GRACE_NS : 0)),
	        keeper = load_relaxed(&leat__sched.keeper_until);

	return keeper < INT64_MAX - GRACE_NS && keeper <= at && at - keeper < GRACE_NS
	           ? keeper + GRACE_NS
	           : at;
}

static struct findings look(struct leat__m *self, bool flows)
{
	struct findings f = {0};
	int64_t now = leat__os_now();
	int made = load_acquire(&leat__sched.made);

	leat__coarse_set(now);
	if (leat__policy)
		return f; /* it decides all that is decided here */
	f.quiet = leat__wake_nobody();
	if (timers_at(flows) <= now)
		leat__timers_run(self);
	for (int i = 0; i < made; i++)
		look_at(load_relaxed(&leat__sched.p[i]), now, &f);
	f.busy |= leat__netpoll_oversee(self);
	if (f.running)
		leat__procs_follow(now);
	if ((f.backlog || load_relaxed(&leat__sched.queued)) && load_relaxed(&leat__sched.idle)) {
		f.needed = true;
		leat__wake_now();
	}
	return f;
}

/* The scheduler's state in one line, a second after the last. */
static void trace(int64_t now)
{
	static int64_t begun, last;
	char text[512];
	size_t n;

	if (!begun)
		begun = last = now;
	if (now - last < TRACE_NS)
		return;
	last = now;
	n = (size_t)snprintf(text, sizeof text,
	                     "leat: %" PRId64 " ms: procs %d, idle %d, threads %d, searching %d, "
	                     "without a processor %d, queued %zu, by processor",
	                     (now - begun) / 1000000, leat__sched.procs,
	                     load_relaxed(&leat__sched.idle), load_relaxed(&leat__sched.threads),
	                     load_relaxed(&leat__sched.searching), load_relaxed(&leat__sched.detached),
	                     load_relaxed(&leat__sched.queued));
	for (int i = 0; i < leat__sched.procs && n < sizeof text - 32; i++) {
		const struct leat__p *p = load_relaxed(&leat__sched.p[i]);

		n += (size_t)snprintf(text + n, sizeof text - n, " %lld",
		                      (long long)(load_relaxed(&p->tail) - load_relaxed(&p->head)) +
		                          load_relaxed(&p->bottom) - load_relaxed(&p->top) +
		                          (load_relaxed(&p->next) != NULL));
	}
	text[n++] = '\n';
	leat__os_write(2, text, n);
}

/* When to look for a deadlock again, INT64_MAX: no reason to.  Scheduler's lock, but for the looks. */
static _Atomic int64_t recheck_at = INT64_MAX;
static int64_t recheck_ns; /* the wait before that */
static uint64_t
    suspected_amidst; /* acquisitions at the first look: what ran since clears the suspicion */

bool leat__suspect_again(void)
{
	uint64_t acquisitions = load_relaxed(&leat__sched.acquisitions);

	if (load_relaxed(&recheck_at) != INT64_MAX && suspected_amidst == acquisitions)
		return leat__os_now() >= load_relaxed(&recheck_at);
	suspected_amidst = acquisitions;
	recheck_ns = RECHECK_MIN_NS;
	store_relaxed(&recheck_at, leat__os_now() + recheck_ns);
	leat__monitor_ring();
	return false;
}

static void recheck(void)
{
	leat__lock(&leat__sched.lock);
	leat__check_deadlock();
	if (recheck_ns < RECHECK_MAX_NS)
		recheck_ns *= 2;
	store_relaxed(&recheck_at, leat__os_now() + recheck_ns);
	leat__unlock(&leat__sched.lock);
}

/* Nothing runs: sleep until a processor is taken up, or a timer is due that nobody else keeps. */
static void rest(struct leat__m *self)
{
	int64_t trim_at = leat__trim_next();

	/* Who takes up a processor rings, as does who calls; look once more after saying so. */
	store_relaxed(&asleep, 1);
	fence_seq_cst();
	if (look(self, false).running || load_relaxed(&called))
		store_relaxed(&asleep, 0);
	while (load_acquire(&asleep) && leat__timers_look_at(leat__timers_first()) > leat__os_now()) {
		int64_t until = load_relaxed(&recheck_at),
		        timer = leat__timers_look_at(leat__timers_first());

		/* Where only plain threads sleep there is no M to keep the timers. */
		if (load_relaxed(&leat__sched.keeper_until) == INT64_MAX && until > timer)
			until = timer;
		if (until > trim_at)
			until = trim_at;
		/* Where no M could be started to sleep in the poller. */
		if (leat__netpoll_oversee(self) && until > leat__os_now() + POLL_NS)
			until = leat__os_now() + POLL_NS;
		leat__os_wait(&asleep, 1, until);
		if (trim_at <= leat__os_now()) {
			leat__trim(leat__os_now());
			trim_at = leat__trim_next();
		}
		if (load_relaxed(&recheck_at) <= leat__os_now())
			recheck();
	}
	store_relaxed(&asleep, 0);
	needed_at = leat__os_now();
}

static void *monitor_main(void *arg)
{
	static struct leat__m self; /* no processor, no goroutine: what it readies is queued globally */
	bool flows = false;
	int idle = 0;

	(void)arg;
	leat__hb_acquire(&asleep);
	self.tid = leat__os_tid();
	self.g = &self.g0;
	leat__os_block_signals();
	leat__os_precise_timers();
	for (;;) {
		struct findings f;
		int64_t again;

		store_relaxed(&called, 0);
		fence_seq_cst(); /* who calls from here on has us look anew */
		if (unlikely(load_relaxed(&leat__quit_asked)))
			leat__quit();
		leat__signals_attend(&self);
		again = leat__threads_make();
		leat__trim(leat__os_now());
		f = look(&self, flows);
		flows = !f.stuck;
		if (unlikely(leat__settings.trace_sched))
			trace(leat__os_now());
		idle = f.running || again != INT64_MAX ? 0 : idle + 1;
		if (f.running)
			store_relaxed(&recheck_at, INT64_MAX);
		if (idle < IDLE_LOOKS) {
			int64_t until = leat__os_now() + pace(&f);
			int64_t timer = timers_at(flows);

			/* The keeper sees to the timers, if there is one, and it is not late. */
			if (timer < until &&
			    (timer < load_relaxed(&leat__sched.keeper_until) || timer <= leat__os_now()))
				until = timer;
			if (again < until)
				until = again;
			leat__os_wait(&called, 0, until);
			continue;
		}
		rest(&self);
		idle = 0;
	}
	return NULL;
}

void leat__monitor_ring(void)
{
	fence_seq_cst();
	if (!load_acquire(&asleep))
		return;
	/* What runs now must not be stamped with the time of the last look; acquire, above: nor on the
	   thread that comes second. */
	leat__coarse_set(leat__os_now());
	if (exchange_acq_rel(&asleep, 0))
		leat__os_wake(&asleep, 1);
}

void leat__monitor_call(void)
{
	store_release(&called, 1);
	leat__os_wake(&called, 1);
	leat__monitor_ring();
}

static bool begun; /* under the lock of the first calls */

void leat__monitor_forget(void)
{
	begun = false;
	store_relaxed(&asleep, 0);
	store_relaxed(&called, 0);
	store_relaxed(&recheck_at, INT64_MAX);
}

bool leat__monitor_of_others(void)
{
	for (unsigned tries = 0;; tries++) {
		uint32_t named = leat__threads_named();

		if (leat__os_threads_named(MONITOR_NAME) <= begun)
			return false;
		/* Unless one of ours was there that still had the name of the monitor, by which it was made. */
		if (leat__threads_made() == named)
			return true;
		leat__os_backoff(tries);
	}
}

void leat__monitor_start(void)
{
	if (begun)
		return;
	begun = true;
	/* What was found out at the start, which it reads by libc's functions. */
	leat__hb_release(&asleep);
	leat__coarse_set(leat__os_now());
	if (leat__os_thread_start_named(monitor_main, NULL, THREAD_STACK, MONITOR_NAME) != 0)
		leat__fatal("cannot start the monitor thread");
}
