/* SPDX-License-Identifier: MIT */
/*
 * G: a goroutine's descriptor.
 *
 * It lies apart from the stack, which is bound only when the goroutine first runs, so a goroutine that
 * waits to be started costs 192 bytes.  Descriptors live in slabs that are never unmapped: a stale
 * pointer reads a recycled descriptor, never an unmapped page.
 *
 * Schedulers' own contexts and plain threads inside leat have a descriptor too (kind).
 */
#ifndef LEAT_SCHED_GOROUTINE_H
#define LEAT_SCHED_GOROUTINE_H

#include "arch/arch.h"
#include "sched/stack.h"
#include "sched/wait.h"

#include <leat/defer.h>

struct leat__m;
struct leat__catch;
struct leat__panic;
struct leat__waiter;

#define LEAT__ARGS_INLINE 64 /* larger arguments need the stack at once */

enum leat__kind {
	LEAT__FREE, /* on a free list */
	LEAT__GOROUTINE,
	LEAT__SCHEDULER, /* an M's own context, which chooses what runs next */
	LEAT__THREAD,    /* a plain thread inside leat */
	LEAT__GONE,      /* was one of these before a fork: nothing runs it any more */
};

enum leat__special {
	LEAT__LOCKED = 2,  /* runs on its own thread only, and nobody else does: pin.c */
	LEAT__STOPPED = 4, /* waits for a processor in the middle of its own code: stop.c */
	LEAT__BARE =
	    64, /* THREAD: has no alternate signal stack as yet, and so may run no coroutine: fault.h */
};

struct leat__g {
	/* Who runs or is about to run it owns these; next belongs to the queue that holds it. */
	void *sp;                  /* the context; 0 while it runs, stored last when it stops */
	struct leat__stack *stack; /* NULL until it first runs */
	struct leat__g *next;
	_Atomic uint32_t claim; /* enum leat__claim: who may complete its select */
	_Atomic uint8_t wait;   /* enum leat__wait: what it waits for, in Go's words */
	_Atomic uint8_t kind;   /* enum leat__kind */
	uint8_t special;        /* enum leat__special and leat__stack_special: one byte to look at where
	                           it parks or ends */
	uint8_t faults;         /* its own: what leat_fault_panics said */
	_Atomic uint32_t
	    sequence; /* of its spawn on that processor: thieves look; LEAT_MIGRATE: once it
	                              has started, the thread it is on */
	union {
		_Atomic uint32_t woken;   /* THREAD: the word it sleeps on */
		_Atomic uint32_t stopped; /* when it last left its stack: leat__stamp */
	};
	struct leat__waiter
	    *fired; /* by which its select completed, or on which it waits without one */
	void (*fn)(void *);
	void *arg;

	/* Its own, while it runs. */
	uint64_t id, parent;
	void *created_at;            /* return address of its go */
	leat__record *records;       /* what runs on the way out, innermost first */
	struct leat__catch *catches; /* leat_catch calls under way, innermost first */
	void *joined;                /* the wait group that its end is for, or NULL: leat__on_end */
	struct leat__panic *panics;  /* under way, newest first */
	struct leat__m
	    *thread; /* THREAD, SCHEDULER, LOCKED, STOPPED: its M; NULL in others, free ones too */

	union {
		_Alignas(16) char args[LEAT__ARGS_INLINE];
		void *token; /* under the thread sanitizer, which has no arguments here: chan/places.c */
	};
} ON_LINE;

_Static_assert(sizeof(struct leat__g) == 192, "a parked goroutine's budget: SPEED, row parked");

/*
 * What a goroutine, or plain thread, was when it resumed a coroutine (coro/coro.c), on whose stack it is now, and
 * this right below the header: these fields of its descriptor are the coroutine's meanwhile.  So all that goes by
 * g->stack is right for whoever runs; only what ends the goroutine, or asks what belongs to it, has to go down to
 * its own stack.
 */
struct leat__resumer {
	void *sp;                  /* its context, left by leat__swap */
	struct leat__stack *stack; /* NULL: a plain thread's own */
	leat__record *records;     /* NULL once they were run: see passed */
	struct leat__catch *catches;
	struct leat__panic *panics;
	struct leat_coro *coro;
	bool passed; /* a panic that nobody catches ran its records: it ends when the coroutine does */
	bool exits;  /* the coroutine ends by a goexit */
	/* The coroutine, on whose stack the caller is, ends: by a panic that it does not catch, or NULL. */
	void (*end)(struct leat__resumer *r, struct leat__panic *panic) __attribute__((noreturn));
};

/* Who waits for the coroutine on whose stack this is; NULL on a goroutine's, or thread's, own. */
static inline struct leat__resumer *leat__resumer_of(const struct leat__stack *s)
{
	return s ? s->resumer : NULL;
}

/* The goroutine's own stack, if it is on s; NULL: a plain thread's. */
static inline const struct leat__stack *leat__own_stack(const struct leat__stack *s)
{
	while (s && s->resumer)
		s = s->resumer->stack;
	return s;
}

/* A processor's own free descriptors, by two batches as with stacks. */
struct leat__g_cache {
	struct leat__g *list, *spare;
	unsigned count;
};

/* A descriptor with kind, id and links still to be set, or NULL when memory is out.  cache may be NULL
   (plain threads): then one comes from the pool. */
struct leat__g *leat__g_get(struct leat__g_cache *cache);
void leat__g_put(struct leat__g_cache *cache, struct leat__g *g);

/* Keep the pool as it is while the process is forked. */
void leat__g_pool_lock(void);
void leat__g_pool_unlock(void);

/* A fresh id; ids are handed out in blocks, *left and *next are the block of the caller. */
uint64_t leat__g_new_id(uint64_t *next, unsigned *left);

/* Where all descriptors are, for debuggers: a list of slabs, each with an array of so many. */
struct leat__g_slabs {
	const void *first; /* of the pointer to the first slab */
	uint64_t next, g, count;
};
extern const struct leat__g_slabs leat__g_slabs;

/* Call visit for every descriptor that is in use, in no order, without stopping anyone. */
void leat__g_each(void (*visit)(struct leat__g *g, void *arg), void *arg);

#endif
