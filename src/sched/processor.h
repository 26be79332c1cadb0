/* SPDX-License-Identifier: MIT */
/*
 * P: a processor, the right to run goroutines, with its run queues.
 *
 *	next    one goroutine that runs before all others and inherits the time slice; private to the
 *	        owner, nobody takes it but with the whole processor.  Filling it wakes nobody: ping-pong stays on one P.
 *	ring    256 started goroutines, FIFO; the owner pushes at the tail, everyone takes at the head.
 *	deque   1,024 goroutines not yet started, the owner pushes and pops at the bottom (LIFO: a tree of
 *	        forks is walked depth first, in cache and in little memory), thieves take the oldest.
 *
 * The owner is the M that holds the processor (p->m); only its thread, inside the runtime, touches
 * what is marked so.  Ownership passes under the scheduler's lock, or by the retake protocol
 * (machine.h), both of which order everything the old owner did before everything the new one does.
 *
 * Memory ordering of the ring: the owner's store-release of tail publishes the slot to a taker's
 * load-acquire of tail; the CAS of head (acquire-release) hands the slot back to the owner's
 * load-acquire of head before it is overwritten.
 *
 * The deque is Chase and Lev's (2005) with Le, Pop, Cohen and Nardelli's orderings (2013), but the
 * owner's pop has a full fence only below a mark, `offered`: the store of bottom and the load of top
 * there must not be reordered against a thief's loads of top and bottom.  Above the mark a light fence
 * does on this side, for which the thief pays with a heavy one; in a virtual machine that is 50 us, as
 * long as the work that it is after.  So the owner offers what it has while somebody looks for work.
 *
 * A thief whose load of offered, after its fence, finds the mark above the entry that it is after may go
 * without the heavy fence, though what it read be old.  Say the owner popped that entry below the mark,
 * moved the mark down with it, pushed others in its place, and pops one there with a light fence and,
 * since it saw a smaller top, no compare-and-swap.  That look at top came after the full fence of the
 * first pop and before the store of the top that the thief found: so the thief sees the mark moved down,
 * or where it was put since.
 *
 * LIFO instead of FIFO took skynet from 127 to 36 ms and fib(32) from 284 to 72; offering fork-join of
 * two tasks of 100 us from 213 to 121 us.
 */
#ifndef LEAT_SCHED_PROCESSOR_H
#define LEAT_SCHED_PROCESSOR_H

#include "base/random.h"
#include "os/fence.h"
#include "sched/goroutine.h"
#include "sched/timer.h"

#define LEAT__RING    256
#define LEAT__DEQUE   1024
#define LEAT__OFFERED 8 /* at once */

/* What others want of a processor; it looks at its next scheduling point. */
enum {
	LEAT__ATTEND_OLDEST = 1,   /* start the oldest of the deque: it has waited long */
	LEAT__ATTEND_RETIRE = 2,   /* leat_procs made this processor surplus */
	LEAT__ATTEND_RING = 4,     /* run the ring's head: those in next have had their time slice */
	LEAT__ATTEND_MIGRATE = 8,  /* for good, LEAT_MIGRATE: choose on the scheduler context */
	LEAT__ATTEND_STARTED = 16, /* the last thread has it: new goroutines come after all others */
};

struct leat__p {
	/* Taken by everyone. */
	_Atomic uint32_t head ON_LINE;

	/* Written by the owner, read by thieves and the monitor. */
	_Atomic uint32_t tail ON_LINE;
	_Atomic uint32_t tick; /* scheduling decisions: stands still while one goroutine runs */
	_Atomic int64_t bottom;
	_Atomic int64_t offered;      /* below this the owner pops with a full fence */
	struct leat__g *_Atomic next; /* the monitor only looks whether it is filled */

	/* The owner's. */
	uint32_t until_poll; /* scheduling decisions until the global queue and timers are polled */
	bool poll_owed;      /* that was due, but attention came first */
	bool global_owed;    /* the global queue's turn was put off, for next */
	uint8_t turn;        /* counts decisions in which the queues take turns: next.c */
	uint16_t mark;       /* LEAT__OWNED and the id: biased.h */
	_Atomic uint32_t spawned; /* pushes on the deque; thieves look */
	uint32_t operations;      /* buffered channel operations, for demotion of next */
	uint32_t waited_tick;     /* the tick at which next was first seen waiting */
	uint64_t waited_since;
	uint64_t glanced_at; /* at its own timers: next.c */
	int64_t looked_at;   /* at what waits here, when timers fired: timer.c */
	uint32_t looked_tail, looked_spawned;
	uint32_t served; /* how many selects made ready at that tick: chan/select.c */
	uint32_t served_tick;
	_Atomic uint32_t reading; /* odd: it looks into a map without a lock: sync/map.h */
	unsigned brief_calls; /* announced calls in a row that were not worth a hand-over: blocking.c */
	uint64_t random;
	uint64_t id_next;
	unsigned id_left;
	struct leat__g_cache gs;
	struct leat__stack_cache stacks[LEAT__STACK_CLASSES];
	_Atomic uint64_t started,
	    ended; /* goroutines created and ended here: sums tell how many live */
	int id;

	/* Written by others, seldom. */
	_Atomic uint32_t attention ON_LINE;
	struct leat__m *_Atomic m; /* the holder, or NULL; changes under the scheduler's lock */
	bool idle;                 /* on the idle list; scheduler's lock */
	bool starting;             /* waits for a thread to be made; scheduler's lock */
	bool start_searching;      /* that thread will search, and is counted already; likewise */
	struct leat__p *idle_next;

	/* The monitor's. */
	uint32_t seen_tick;
	int64_t seen_since, seen_cpu, seen_cpu_start, seen_cpu_at;
	bool seen_ready; /* at that time on the CPU clock its thread was awake, or waited for a CPU */
	int64_t seen_top, seen_top_since;
	uint32_t seen_head, seen_tail;
	int64_t seen_head_since, seen_head_cpu;
	const struct leat__m *seen_head_m; /* on whose CPU clock that is; NULL: the ring was empty */
	uint32_t trim_tick;                /* at the last look for idle stacks: trim.c */

	/* The owner's room to work in: goroutines' stacks may be too small for it. */
	struct leat__g *scratch[LEAT__RING / 2 + 1];

	struct leat__timers timers; /* armed by who ran here; anybody may fire and stop them */

	_Atomic int64_t top ON_LINE;
	struct leat__g *_Atomic ring[LEAT__RING] ON_LINE;
	struct leat__g *_Atomic deque[LEAT__DEQUE];
};

/* Move half of the ring and g, or the older half of the deque, to the global queue. */
void leat__ring_overflow(struct leat__p *p, struct leat__g *g);
void leat__deque_overflow(struct leat__p *p);

/* --- ring */

static inline bool leat__ring_try_put(struct leat__p *p, struct leat__g *g)
{
	uint32_t tail = load_relaxed(&p->tail);

	if (unlikely(tail - load_acquire(&p->head) >= LEAT__RING))
		return false;
	store_relaxed(&p->ring[tail % LEAT__RING], g);
	store_release(&p->tail, tail + 1);
	return true;
}

static inline void leat__ring_put(struct leat__p *p, struct leat__g *g)
{
	if (unlikely(!leat__ring_try_put(p, g)))
		leat__ring_overflow(p, g);
}

/* The head for its owner, or NULL. */
static inline struct leat__g *leat__ring_get(struct leat__p *p)
{
	uint32_t head = load_acquire(&p->head);

	for (;;) {
		struct leat__g *g;

		if (load_relaxed(&p->tail) == head)
			return NULL;
		g = load_relaxed(&p->ring[head % LEAT__RING]);
		if (likely(cas_acq_rel(&p->head, &head, head + 1)))
			return g;
	}
}

/* Take half of what lies between the head and limit, a tail read earlier, into p's own ring but the
   first, which is returned.  p's ring is empty. */
struct leat__g *leat__ring_steal(struct leat__p *p, struct leat__p *victim, uint32_t limit);

/* --- deque */

static inline void leat__deque_push(struct leat__p *p, struct leat__g *g)
{
	int64_t bottom = load_relaxed(&p->bottom);
	uint32_t sequence;

	if (unlikely(bottom - load_acquire(&p->top) >= LEAT__DEQUE))
		leat__deque_overflow(p);
	sequence = load_relaxed(&p->spawned);
	store_relaxed(&g->sequence, sequence);
	store_relaxed(&p->spawned, sequence + 1);
	store_relaxed(&p->deque[bottom % LEAT__DEQUE], g);
	store_release(&p->bottom, bottom + 1);
}

/* Whoever takes one of the oldest that are there now needs no heavy fence.  The mark moves up, if at all:
   top only grows, and the mark is not above bottom. */
static inline void leat__deque_offer(struct leat__p *p)
{
	int64_t mark = load_relaxed(&p->bottom), most = load_relaxed(&p->top) + LEAT__OFFERED;

	if (mark > most)
		mark = most;
	if (mark > load_relaxed(&p->offered))
		store_release(&p->offered, mark);
}

/* The newest for its owner, or NULL. */
static inline struct leat__g *leat__deque_pop(struct leat__p *p)
{
	int64_t bottom = load_relaxed(&p->bottom) - 1, top;
	struct leat__g *g;

	if (bottom < load_relaxed(&p->top))
		return NULL;
	store_relaxed(&p->bottom, bottom);
	if (unlikely(bottom < load_relaxed(&p->offered))) {
		store_relaxed(&p->offered, bottom);
		fence_seq_cst();
	} else {
		leat__fence_light();
	}
	top = load_relaxed(&p->top);
	g = load_relaxed(&p->deque[bottom % LEAT__DEQUE]);
	if (likely(top < bottom))
		return g;
	/* The last one: a thief may be at it. */
	if (top > bottom || !cas_acq_rel(&p->top, &top, top + 1))
		g = NULL;
	store_relaxed(&p->bottom, bottom + 1);
	return g;
}

/* The oldest, or NULL when there is none or someone else got it.  owner: the caller owns victim, so
   no fence is needed. */
struct leat__g *leat__deque_steal(struct leat__p *victim, bool owner);

static inline bool leat__deque_empty(const struct leat__p *p)
{
	return load_relaxed(&p->bottom) <= load_relaxed(&p->top);
}

static inline bool leat__ring_empty(const struct leat__p *p)
{
	return load_relaxed(&p->tail) == load_relaxed(&p->head);
}

/* Something that was there when tail was that, or so many had been spawned, is there still. */
static inline bool leat__ring_has_before(const struct leat__p *p, uint32_t tail)
{
	return (int32_t)(tail - load_relaxed(&p->head)) > 0;
}

static inline bool leat__deque_has_before(const struct leat__p *p, uint32_t spawned)
{
	int64_t top = load_acquire(&p->top);

	/* The oldest may be gone and recycled by now. */
	return load_acquire(&p->bottom) > top &&
	       (int32_t)(load_relaxed(&load_relaxed(&p->deque[top % LEAT__DEQUE])->sequence) -
	                 spawned) < 0;
}

/* Something that others could take. */
static inline bool leat__p_has_shared_work(const struct leat__p *p)
{
	return !leat__ring_empty(p) || !leat__deque_empty(p);
}

#endif
