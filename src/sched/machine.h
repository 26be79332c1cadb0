/* SPDX-License-Identifier: MIT */
/*
 * M: a thread inside leat, and the door between a program and the runtime.
 *
 * Every public function that touches a processor is bracketed by leat__enter and leat__leave.  Inside,
 * the thread is "in the runtime": its processor stays with it.  Outside, in the program's code, the
 * monitor may take the processor away (a goroutine that spins or blocks must not freeze the others)
 * without a signal and without stopping the thread:
 *
 *	monitor                                 goroutine's thread, entering
 *	retake |= REQUESTED                     in_runtime = 1
 *	heavy fence                             light fence
 *	if in_runtime: take the request back    if retake: look closer (leat__enter_slow)
 *	else CAS REQUESTED -> TAKEN                REQUESTED: CAS it away, yield with the processor
 *	     m->p = NULL, all under the            TAKEN: queue for a processor
 *	     scheduler's lock
 *
 * Of the two stores at least one is seen by the other side (fence.h), so either the monitor sees
 * in_runtime and gives up, or the goroutine sees the request; in the second case the two CASes on the
 * one word decide.  Checked exhaustively on a TSO model: sound with the fence and the CAS, unsound
 * without either.  The release store of in_runtime on leaving, and the acquire load by the monitor,
 * hand over everything the runtime did with the processor.
 *
 * The goroutine that lost its processor goes on, alone on its thread, under the kernel's scheduler.
 * At its next entry it queues for a processor like anyone else.
 *
 * Nothing of the processor may be touched after leat__leave.  Callbacks into the program (deferred
 * functions) run outside.
 */
#ifndef LEAT_SCHED_MACHINE_H
#define LEAT_SCHED_MACHINE_H

#include "os/poller.h"
#include "sched/fault.h"
#include "sched/goroutine.h"
#include "sched/processor.h"

enum {
	LEAT__RETAKE_REQUESTED = 1,
	LEAT__RETAKE_TAKEN = 2,
	/* Set for good where there is no membarrier, a policy, or a sanitizer, and for plain threads: sends
	   every entry through the slow path, which has the full fence and asks the policy, so that fast paths
	   need no test for any of these. */
	LEAT__RETAKE_SLOW = 4,
	LEAT__RETAKE_STOP = 8,    /* the process is being forked: wait outside */
	LEAT__RETAKE_FORKED = 16, /* this is the child: the runtime begins anew */
};

struct leat__m {
	_Atomic uint32_t in_runtime;
	_Atomic uint32_t retake;
	struct leat__p *p; /* NULL: taken away, idle, or a plain thread */
	struct leat__g *g; /* what runs here */
	const void *left;  /* its own: where who parked here last was called from: LEAT__RESUMED */
	struct leat__g *pending;  /* the scheduler context runs this next */
	struct leat__stack *dead; /* of a goroutine that ended: the scheduler context frees it */
	struct leat__g *dead_g;   /* its descriptor */
	_Atomic uint32_t
	    announced;     /* 1 + the tick of its processor: blocking.c; 0: no call announced */
	bool searching;    /* counted in leat__sched.searching */
	uint8_t light;     /* of what it stole last, so much in a row did not keep it at work */
	uint64_t found_at; /* ticks when it stole what it runs since; 0: weighed already, or none */
	bool timers_gave;  /* what it ran last, when it had run out of work, came from timers */
	bool hog;          /* counted in leat__sched.hogs; scheduler's lock */
	bool ending;       /* its goroutine ended locked to it, or it is surplus */
	bool initial;      /* the process's first thread, which never ends */
	unsigned locks;    /* by its goroutine: pin.c */
	struct leat__g *locked;    /* the only goroutine that may run here, or NULL; its own */
	bool foreign;              /* a thread that leat did not start: it runs no goroutines */
	bool forking;              /* its own: it is in fork(2), and holds the locks of fork.c */
	_Atomic bool pinned;       /* in leat__locked_wait; set under the scheduler's lock */
	uint8_t halt, halt_before; /* how it stands still while the process is forked: fork.c */
	int tid;
	_Atomic uint32_t wake;       /* futex: 1 when there is something to run */
	struct leat__m *idle_next;   /* scheduler's lock */
	struct leat__m *all_next;    /* never changes once linked */
	struct leat__g g0;           /* the scheduler context */
	struct leat__stack g0_stack; /* its bounds, for the sanitizers */
	struct leat__g *caller;      /* leat__on_scheduler: for whom the scheduler context runs call, */
	void *caller_sp;             /* and where it goes on */
	void (*call)(void *arg);
	void *call_arg;
	void *signal_stack;
	const void
	    *stopped_at; /* its own: what the signal interrupted that parks it, or NULL: stop.c */
	struct leat__fault fault;    /* its own: which it reports; sig is 0 before: fault.c */
	struct leat__os_batch edges; /* its own: what it finds in the poller */
};

_Static_assert(offsetof(struct leat__m, left) == LEAT__M_LEFT, "switch.S knows it");

/* The first call of a thread: makes its M, and on the process's first call the whole runtime. */
struct leat__m *leat__attach(void);

/* A new M, on leat__sched.all_m for ever; NULL when memory is out. */
struct leat__m *leat__m_new(void);

/* The calling thread becomes m; it, a thread of leat's, is m no more. */
void leat__m_adopt_thread(struct leat__m *m);
void leat__m_leave_thread(struct leat__m *m);

/* What m->retake is while nobody wants m's processor. */
uint32_t leat__retake_at_rest(const struct leat__m *m);

/* What leat__enter does when it is not that simple.  Returns the M it comes back on. */
struct leat__m *leat__enter_slow(struct leat__m *m);

/* m's goroutine, in the program or about to be, goes on without its processor, which is the caller's to
   give away.  hog: because it computes.  Locked. */
struct leat__p *leat__detach(struct leat__m *m, bool hog);

LEAT__NORETURN void leat__entered_twice(void);

/* --- fork.c */

/* Once, at the start: be told of forks. */
void leat__fork_init(void);

/* m, entering, found STOP or FORKED: wait outside, or begin anew. */
void leat__fork_entry(struct leat__m *m);

/* The first call of a thread, under the lock of first calls. */
void leat__fork_attach(void);

/* The lock of first calls; in the child, the list of spare Ms, too, is not what it was. */
void leat__attach_lock(void);
void leat__attach_unlock(void);
void leat__attach_forget(void);

static inline struct leat__m *leat__enter(void)
{
	struct leat__m *m = leat__self();

	if (unlikely(!m))
		m = leat__attach();
	if (unlikely(load_relaxed(&m->in_runtime)))
		leat__entered_twice();
	store_relaxed(&m->in_runtime, 1);
	compiler_barrier(); /* the light fence; the fenced form is in leat__enter_slow */
	if (unlikely(load_relaxed(&m->retake)))
		m = leat__enter_slow(m);
	return m;
}

/* Enter, where nothing needs a closer look and so no call: with a processor, and there is no policy or
   sanitizer.  NULL: nothing happened. */
static ALWAYS_INLINE struct leat__m *leat__try_enter(void)
{
	struct leat__m *m = leat__self();

	if (unlikely(!m) || unlikely(load_relaxed(&m->in_runtime)))
		return NULL;
	store_relaxed(&m->in_runtime, 1);
	compiler_barrier(); /* as in leat__enter */
	if (likely(!load_relaxed(&m->retake)))
		return m;
	store_release(&m->in_runtime, 0);
	return NULL;
}

/* The request for m's processor is over, one way or the other.  A fork may want something, too. */
static inline void leat__retake_over(struct leat__m *m)
{
	atomic_fetch_and_explicit(&m->retake, ~(uint32_t)(LEAT__RETAKE_TAKEN | LEAT__RETAKE_REQUESTED),
	                          memory_order_relaxed);
}

static inline void leat__leave(struct leat__m *m)
{
	store_release(&m->in_runtime, 0);
}

/* The goroutine that is on m, whether or not it has asked the scheduler context to do something for it. */
static inline struct leat__g *leat__asker(const struct leat__m *m)
{
	return m->caller ? m->caller : m->g;
}

/* The descriptor of the caller, in or out of the runtime. */
static inline struct leat__g *leat__current(void)
{
	struct leat__m *m = leat__self();

	return (likely(m != NULL) ? m : leat__attach())->g;
}

#endif
