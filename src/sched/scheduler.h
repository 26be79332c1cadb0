/* SPDX-License-Identifier: MIT */
/*
 * The scheduler as the rest of the library sees it: park, ready, and the state that processors share.
 *
 * How to block, for a primitive:
 *
 *	m = leat__enter();
 *	lock what protects the condition
 *	if it must wait:
 *		leat__park_as(m->g, LEAT__WAIT_...);    before others can see it
 *		put m->g where the waker will find it
 *		unlock
 *		m = leat__park(m);                      returns when someone called leat__ready
 *	leat__leave(m);
 *
 * Between the unlock and the switch another thread may already ready and even take the goroutine: it
 * then waits until the context's sp is stored.
 */
#ifndef LEAT_SCHED_SCHEDULER_H
#define LEAT_SCHED_SCHEDULER_H

#include "os/lock.h"
#include "sched/machine.h"
#include "sched/policy.h"

#include <leat/go.h>

enum {
	LEAT__MAX_PROCS = 1024,
	LEAT__MAX_THREADS = 10000,
	LEAT__GLOBAL_TAKE = 128, /* at most so many leave the global queue at once */
};

#define LEAT__WAKE_NOBODY UINT64_MAX

struct leat__g_list {
	struct leat__g *first, *last;
};

/* Lock order: a channel's, mutex's, scope's or the timers' lock, then this one, never the reverse. */
struct leat__sched {
	uint8_t lock ON_LINE;              /* protects what is not atomic below */
	struct leat__g_list queue, urgent; /* the global queue, each part FIFO: global.c */
	_Atomic size_t queued;             /* its length; read without the lock as a hint */
	struct leat__p *idle_p;
	struct leat__m *idle_m;
	_Atomic int idle_ms;       /* its length; changes under the lock */
	int max_threads;           /* leat_max_threads */
	struct leat__p *starting;  /* wait for a thread of their own: threads.c */
	int starting_n;            /* how many these are */
	int settling;              /* Ms that take one of these, if there are, before they sleep */
	int procs;                 /* processors in use: ids 0 .. procs - 1 */
	_Atomic bool procs_chosen; /* the program said how many; changes under the lock */
	int held;                  /* processors that an M holds */
	_Atomic int detached;      /* goroutines that run without a processor */
	_Atomic int hogs;    /* of these, that lost it because they computed; changes under the lock */
	_Atomic int stopped; /* that are LEAT__STOPPED; changes under the lock */
	_Atomic int made;    /* entries of p[] that are set; only grows */
	struct leat__p *_Atomic p[LEAT__MAX_PROCS];

	_Atomic int idle ON_LINE;   /* length of idle_p; changes under the lock */
	_Atomic int searching;      /* Ms that look for work to steal */
	_Atomic size_t urgents;     /* length of urgent; changes under the lock */
	_Atomic int firing;         /* threads that fire timers, and answer for what these make ready */
	_Atomic uint64_t woke_at;   /* ticks of the last wake-up, and the least gap to the next */
	_Atomic uint64_t wake_gap;  /* LEAT__WAKE_NOBODY: until the monitor says so */
	_Atomic uint64_t wake_cost; /* ticks that one takes from who calls for it, about */

	struct leat__m *_Atomic all_m ON_LINE; /* every M ever made */
	_Atomic int threads;                   /* Ms that leat started */
	_Atomic int foreign_parked;            /* plain threads asleep in leat */
	_Atomic uint64_t foreign_woken;        /* how often one was woken */
	_Atomic uint64_t foreign_started;      /* goroutines started by plain threads */
	_Atomic uint64_t ended_elsewhere;      /* goroutines counted by nobody's processor */
	char ends;                             /* for the thread sanitizer: what all that ended did */
	_Atomic bool main_exited;              /* goroutine 1 called leat_goexit */
	_Atomic uint64_t acquisitions;         /* how often a processor was taken up */
	struct leat__m *keeper;                /* sleeps until keeper_until; scheduler's lock */
	_Atomic int64_t keeper_until;          /* INT64_MAX: nobody does */
	_Atomic bool keeper_polls;             /* it sleeps in the poller; changes under the lock */
	uint64_t ticks_per_us;                 /* of leat__ticks, measured at start */
	unsigned forks;                        /* that led to this process: fork.c */
};

extern struct leat__sched leat__sched HIDDEN;

/* How often this process, and those it comes from, called fork. */
extern _Atomic unsigned leat__fork_calls HIDDEN;

/*
 * A clock of whole seconds, modulo 2^31, for "blocked for 3 minutes": who stops a goroutine copies it,
 * which costs a load and a store where reading a clock would cost 20 ns.  The monitor moves it on;
 * while that sleeps nothing stops, and who wakes it sets the clock first.  Alone on its line.
 */
enum { LEAT__SECONDS_MASK = 0x7fffffff };

extern struct leat__coarse {
	_Atomic uint32_t seconds;
} ON_LINE leat__coarse HIDDEN;

static inline uint32_t leat__seconds_at(int64_t now_ns)
{
	return (uint32_t)(now_ns / 1000000000) & LEAT__SECONDS_MASK;
}

static inline void leat__coarse_set(int64_t now_ns)
{
	/* Everybody reads it: written when it changes, no more often. */
	if (load_relaxed(&leat__coarse.seconds) != leat__seconds_at(now_ns))
		store_relaxed(&leat__coarse.seconds, leat__seconds_at(now_ns));
}

/* g is about to leave its stack.  Also unsays LEAT__SEEN, on which the snapshots of dumps rely. */
static inline void leat__stamp(struct leat__g *g)
{
	store_relaxed(&g->stopped, load_relaxed(&leat__coarse.seconds));
}

/* --- for primitives */

/* Say what g, the caller's, is about to wait for. */
static inline void leat__park_as(struct leat__g *g, enum leat__wait wait)
{
	store_relaxed(&g->wait, (uint8_t)wait);
}

/* No thread is on the stack of g. */
static inline bool leat__off_cpu(struct leat__g *g)
{
	/* Acquire: its registers lie on the stack that was left before sp was stored. */
	return __atomic_load_n(&g->sp, __ATOMIC_ACQUIRE) != NULL;
}

/* leat__park where the next goroutine is not in next, or something is special about one of the two.  Not the M: so
   that it can end in a jump to the switch, which then returns right to where the park was called. */
void leat__park_slow(struct leat__m *m);

/* Stop the calling goroutine (or plain thread) until it is readied; the M it resumes on.  Inline, for
   what a switch resumes returns through its callers: the fewer they are the more often it is predicted
   where to.  Plain: by who entered with leat__try_enter. */
static ALWAYS_INLINE struct leat__m *leat__park_plain(struct leat__m *m)
{
	struct leat__p *p = m->p;
	struct leat__g *me = m->g, *g;

	g = load_relaxed(&p->next);
	/* Each 16th time, and before a poll, by way of next.c, which looks for timers. */
	if (unlikely(!g) || unlikely((p->until_poll & 15) == 1) ||
	    unlikely(load_relaxed(&p->attention)) || unlikely(me->special | g->special) ||
	    unlikely(!g->stack) || unlikely(!leat__off_cpu(g))) {
		leat__park_slow(m);
		return leat__self();
	}
	store_relaxed(&p->tick, load_relaxed(&p->tick) + 1);
	p->until_poll--;
	store_relaxed(&p->next, NULL);
	leat__stamp(me);
	m->g = g;
	leat__switch(&me->sp, &g->sp);
	return leat__self();
}

static ALWAYS_INLINE struct leat__m *leat__park(struct leat__m *m)
{
	if (unlikely(load_relaxed(&m->retake) & LEAT__RETAKE_SLOW)) {
		leat__park_slow(m);
		return leat__self();
	}
	return leat__park_plain(m);
}

/* Let g, which is parked or about to, run.  soon: before others of this processor. */
void leat__ready(struct leat__m *m, struct leat__g *g, bool soon);

/* The same for g whose timer is over, from its function: it goes before those who merely take turns, and who fires wakes
   others for it. */
void leat__ready_due(struct leat__m *m, struct leat__g *g);

/* The same, soon, for a goroutine, by who has p, in the common case: then true.  Does not wait for the line of
   its descriptor, which another processor may have. */
static ALWAYS_INLINE bool leat__try_ready_next(struct leat__p *p, struct leat__g *g)
{
	if (unlikely(load_relaxed(&p->next) != NULL))
		return false;
	store_relaxed(&g->wait, LEAT__RUNNABLE);
	store_relaxed(&p->next, g);
	return true;
}

/* p fires those of its own timers that are due, unless it looked a few microseconds ago. */
void leat__timers_look(struct leat__p *p);

static inline void leat__timers_glance(struct leat__p *p)
{
	if (unlikely(load_relaxed(&p->timers.next) != INT64_MAX))
		leat__timers_look(p);
}

/* Something else may run: the caller goes to the end of its processor's queue. */
struct leat__m *leat__yield(struct leat__m *m);

/* A buffered operation was done: a goroutine that waits in next for more than some microseconds goes
   where others can take it. */
void leat__demote_next(struct leat__p *p);

static inline bool leat__demotion_due(struct leat__p *p)
{
	return unlikely(load_relaxed(&p->next) != NULL) && (++p->operations & 31) == 0;
}

static inline void leat__operated(struct leat__p *p)
{
	if (likely(p != NULL) && unlikely(leat__demotion_due(p)))
		leat__demote_next(p);
}

/* leat_go with options, from the given place. */
void leat__go_checked(const leat_go_opts *opts, void (*fn)(void *), const void *args,
                      size_t args_bytes, void *created_at);

/* Panic, or worse, where these are no arguments for leat_go. */
void leat__go_check(void (*fn)(void *), size_t args_bytes);

/* leat_go, checked, from the given place, of a goroutine whose end is for joined, which expects it; when memory is out it
   has ended at once. */
void leat__go_joined(void *joined, void (*fn)(void *), const void *args, size_t args_bytes,
                     void *created_at);

/* In the runtime: a goroutine that starts when it is readied.  The caller may set where it comes from,
   and its argument if it is to be none of these bytes.  NULL when memory is out. */
struct leat__g *leat__g_new(struct leat__m *m, void (*fn)(void *), const void *args,
                            size_t args_bytes);

/* In the runtime: a descriptor for a goroutine that may be started later, when nothing must fail; NULL when
   memory is out.  It counts as a goroutine once it is enrolled, then it is to be readied; or it is given back. */
struct leat__g *leat__g_reserve(struct leat__m *m, void (*fn)(void *), void *arg, void *created_at);
void leat__g_enroll(struct leat__m *m, struct leat__g *g);
void leat__g_unreserve(struct leat__m *m, struct leat__g *g);

/* End the calling goroutine.  In the runtime; never returns. */
LEAT__NORETURN void leat__end_goroutine(struct leat__m *m);

/* Called out of the runtime before a goroutine is started in a scope, where it may park: what the goroutine is
   joined by.  And in the runtime when that one ends.  Set by the scopes and the wait groups, which stand above. */
extern void *(*leat__on_start)(struct leat_scope *scope);
extern void (*leat__on_end)(struct leat__m *m, void *joined);

/* Called in the child of a fork for each goroutine that is gone; set by the channels. */
extern void (*leat__on_gone)(struct leat__g *g);

/* Nobody is in c, which has not ended.  Set by the coroutines. */
extern bool (*leat__coro_suspended)(const struct leat_coro *c);

/* leat_num_goroutine, in or out of the runtime. */
size_t leat__num_goroutine(void);

/* --- among the files of the scheduler */

/* Append a chain of n goroutines to the global queue, and wake a processor if one is idle. */
void leat__global_put(struct leat__g *first, struct leat__g *last, size_t n);

/* The same for goroutines that were just readied, by who has no processor; the first of these. */
void leat__urgent_put(struct leat__g *first, struct leat__g *last, size_t n);
struct leat__g *leat__urgent_take(void);

/* The first of the global queue, and p's share of the rest into its ring, at most max in all; NULL when it
   is empty.  get: locked. */
struct leat__g *leat__global_get(struct leat__p *p, size_t max);
struct leat__g *leat__global_take(struct leat__p *p, size_t max);

/* Work was made available to thieves: wake an idle processor, unless one searches already or one was
   woken very recently. */
void leat__wake_slow(void);

/* The monitor's, at each look.  True: nobody was to be woken since the look before.  If it is time, somebody is,
   should there be work, and may be from now on. */
bool leat__wake_nobody(void);

static inline void leat__wake(void)
{
	leat__fence_light(); /* the work is stored, idle and searching still to be read: work.c */
	if (unlikely(load_relaxed(&leat__sched.idle)) && !load_relaxed(&leat__sched.searching) &&
	    load_relaxed(&leat__sched.wake_gap) != LEAT__WAKE_NOBODY &&
	    leat__ticks() - load_relaxed(&leat__sched.woke_at) > load_relaxed(&leat__sched.wake_gap))
		leat__wake_slow();
}

/* leat__yield where somebody waits for his turn on this processor, but no more than so many; else NULL, at once. */
static ALWAYS_INLINE struct leat__m *leat__yield_to(struct leat__m *m, uint32_t most)
{
	struct leat__p *p = m->p;
	uint32_t n;

	if (unlikely(!p) || unlikely(m->g->special & (LEAT__LOCKED | LEAT__WATCHED)) ||
	    unlikely(leat__policy != NULL))
		return NULL;
	n = load_relaxed(&p->tail) - load_relaxed(&p->head) + (load_relaxed(&p->next) != NULL);
	if (n == 0 || n > most)
		return NULL;
	leat__ring_put(p, m->g);
	leat__wake(); /* they may compute */
	return leat__park(m);
}

/* That work is p's newest in its deque: where somebody looks for work, or could, he gets it cheaply. */
static inline void leat__offer(struct leat__p *p)
{
	leat__fence_light(); /* as above */
	if (unlikely(load_relaxed(&leat__sched.idle) | load_relaxed(&leat__sched.searching))) {
		leat__deque_offer(p);
		leat__wake();
	}
}

/* The same for one that is about to leave its context.  Locked. */
void leat__global_append(struct leat__g *g);

/* Without regard to the gap: the monitor's. */
void leat__wake_now(void);

/* From the queues of p, which nobody holds, or the global one: a goroutine that has a thread of its own,
   which waits for a processor; NULL without one.  Locked. */
struct leat__g *leat__own_thread_take(struct leat__p *p);

/* What p runs next from its own and the global queue, or NULL. */
struct leat__g *leat__next(struct leat__p *p);

/* The same where the caller is not to be moved on: for who looks for work. */
struct leat__g *leat__next_here(struct leat__p *p);

/* Look everywhere, then sleep: what m, which holds a processor or NULL, runs next.  On the scheduler
   context. */
struct leat__g *leat__find_work(struct leat__m *m);

/* LEAT_MIGRATE: m is about to run g.  True when m gave its processor away, and g with it, for another M,
   since g was on m's thread before. */
bool leat__migrate(struct leat__m *m, struct leat__g *g);

/* Give p, which nobody holds, to an idle M, or to a new one that the monitor makes.  Locked; unlocks.
   Makes no system call but to wake a thread. */
void leat__start_machine(struct leat__p *p, bool searching);

/* The monitor's: make threads for the processors that wait for one.  Returns when to try again where
   that failed, else INT64_MAX. */
int64_t leat__threads_make(void);

/* How many have been made, or were tried to, and how many of these have a name of their own by now. */
uint32_t leat__threads_made(void);
uint32_t leat__threads_named(void);

/* In the child of a fork there are none, nor any that wait for one. */
void leat__threads_forget(void);

/* m, which has no processor, sleeps until it is given one, or until a timer is due and one is idle; or
   it is surplus, and to end (m->ending).  Locked; unlocks. */
void leat__sleep_machine(struct leat__m *m);

/* A timer became the first: if a thread sleeps until a later one, it sleeps anew. */
void leat__keeper_ring(int64_t when);

/* Somebody waits for p: a hint. */
static inline bool leat__work_waits(const struct leat__p *p)
{
	return load_relaxed(&p->next) || leat__p_has_shared_work(p) ||
	       load_relaxed(&leat__sched.queued);
}

/* Any processor has something that others could take, or the global queue has. */
bool leat__anything_shared(void);

/* m's processor goes to whoever has work for it, or idles.  Locked; unlocks. */
void leat__give_away(struct leat__m *m);

/* Goroutines locked to their threads: pin.c.  m, whose goroutine is locked to it and has stopped, sleeps
   until that one's turn.  g's own thread gets m's processor, and g its turn: false, if it may run on
   m after all.  g, which ends, takes its thread with it. */
struct leat__g *leat__locked_wait(struct leat__m *m);
/* p, which nobody holds, goes to g's own thread, which has none.  Locked; unlocks. */
void leat__hand_to(struct leat__g *g, struct leat__p *p);
bool leat__hand_off(struct leat__m *m, struct leat__g *g);
void leat__locked_end(struct leat__m *m);

/* No M is idle and no thread may be made: who takes the last one up should not be a goroutine that
   keeps it for long. */
static inline bool leat__threads_tight(void)
{
	return load_relaxed(&leat__sched.idle_ms) == 0 &&
	       load_relaxed(&leat__sched.threads) >= leat__sched.max_threads;
}

/* Any processor's thread may be that last one: they mind what they run, while that is so. */
void leat__mind_last_thread(void);

/* Hogs near the limit of threads: stop.c.  Whether m's goroutine, which computes, is to be stopped
   rather than go on beside others (a hint, unless locked). */
bool leat__stop_wanted(void);
/* m's goroutine, in the program, waits for a processor where it is.  m's is the caller's to give away,
   and the signal to be sent afterwards.  Locked. */
void leat__stop(struct leat__m *m);
void leat__stop_signal(struct leat__m *m);
/* g is stopped no more.  Locked. */
void leat__stop_over(struct leat__g *g);
/* On m's thread: sleep while its goroutine is stopped. */
void leat__stop_await(struct leat__m *m, const void *context);

/* Locks of threads: locks.c.  Before there are stacks: see whether libleat_locks.so is here.  The calling
   goroutine g, with LEAT__WATCHED, is about to leave its thread, or ends: fatal if that holds a lock,
   unless g is locked to it. */
void leat__locks_init(void);
void leat__locks_check(struct leat__g *g, bool ends);

/* m's thread gives up its processor and is about to end; if it is the initial one it never returns. */
void leat__retire_machine(struct leat__m *m);

/* The body of every scheduler context.  Returns where the thread is to end. */
void leat__schedule(void);

/* Put p, which nobody holds, on the idle list, unless it is surplus; take one off, or NULL.  Locked. */
void leat__idle_put(struct leat__p *p);
struct leat__p *leat__idle_take(void);
/* One that waits for a thread, else an idle one, or NULL: for callers that have a thread.  Locked. */
struct leat__p *leat__free_take(void);
/* m holds p from now on.  Locked. */
void leat__acquire(struct leat__m *m, struct leat__p *p);
/* Nobody holds m's processor any more; it becomes idle unless it is surplus.  Locked. */
void leat__release(struct leat__m *m);

/* Leave the context of me for g, which may be NULL: then for the scheduler's. */
void leat__switch_to(struct leat__m *m, struct leat__g *me, struct leat__g *g);

/* Where a goroutine's stack begins. */
void leat__goroutine_start(void);

/* Where a scheduler context with a stack of its own begins. */
void leat__schedule_start(void);

/* Call fn(arg) on the scheduler context of m, on which goroutine m->g is running, the caller's.  In the
   runtime, or when it is not to return.  fn must neither park nor enter the runtime. */
void leat__on_scheduler(struct leat__m *m, void (*fn)(void *arg), void *arg);

/* What runs on m is a goroutine with less than the usual stack. */
static inline bool leat__cramped(const struct leat__m *m)
{
	return m && m->g != &m->g0 && m->g->stack && m->g->stack->san.bytes < LEAT__STACK_USABLE;
}

/* The same if the caller is such, else right here. */
void leat__with_room(void (*fn)(void *arg), void *arg);

/* How many processors when nobody says.  Reads files. */
int leat__procs_default(void);

/* Have n processors; returns the number before.  chosen: the program says so, for good; else it is the
   default that changed, and counts only if the program said nothing. */
int leat__procs_set(int n, bool chosen);

/* The monitor's, while something runs: see whether the default is another one by now. */
void leat__procs_follow(int64_t now);

/* The monitor thread: starts it once; rings it when it sleeps because nothing ran; calls it, whatever
   it does, because a processor waits for a thread. */
void leat__monitor_start(void);
void leat__monitor_ring(void);
void leat__monitor_call(void);

/* There is another copy of leat in the process, linked statically into something else. */
bool leat__monitor_of_others(void);

/* In the child of a fork: its thread is not there. */
void leat__monitor_forget(void);

/* Everything seems asleep but for threads that leat knows nothing of: have the monitor check for
   deadlock again later.  True when this is not the first look. */
bool leat__suspect_again(void);

/* Every processor is idle: is that the end?  Locked; unlocks while it looks. */
void leat__check_deadlock(void);

#endif
