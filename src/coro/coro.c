/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: a stack of the pool's, and a context on it.
 *
 * To resume one is a switch of stacks within the same goroutine, or plain thread, in the program's own code: the
 * scheduler knows nothing of it.  Meanwhile what of the goroutine's descriptor goes with a stack (stack, records,
 * catches, panics) is the coroutine's, and what it was is in the resumer, which the stack leads to.  A coroutine that
 * is resumed by another makes a chain of these, down to the goroutine's own stack.  All that goes by g->stack (parks,
 * dumps, guards, panics) is right without knowing of this; what has to know is leat_goexit, a panic that is not
 * caught (sched/panic.c), traces, names, fork and the search for leaks, which go down the chain.
 *
 * Invariants (all of them of who has the coroutine: who runs it, or who may resume it)
 *  - c->sp is not NULL exactly while it is suspended, or has yet to begin; c->stack is &nowhere exactly when it has ended.
 *  - g->stack == c->stack exactly while c is the innermost coroutine that g runs.
 *  - While it is suspended no panic is under way in it, so its panics need not be kept: a yield sees to that.
 *
 * A resume and a yield do all before the switch and nothing after it, and so end in a jump to leat__swap, which returns
 * to their callers: a call more on the way out would be a return that is predicted wrongly each time.  What has to
 * be done on the other side all the same, seldom (the end, a stop), is done by a function that the other context is made to
 * call there (leat__context_divert).
 *
 * What cannot be like that goes the slow way, whose code after the switch is as good as any: under a sanitizer; the
 * first of a plain thread; where the resumer panics, which then has panics to be kept; and where a stack is unguarded: then the canary is to be
 * looked at, and a bit in g->special to be changed, where others change theirs (stop.c) unless the caller is in the
 * runtime.  Who switched slowly has said so in c->flags, and is not diverted but sees for itself what happened.  Flags
 * that are 0 are the fast way.
 *
 * The resumer frees the stack of one that has ended, which runs on it until the last switch.
 *
 * Rejected: leat__switch, which keeps errno and the control words for each side; half of its instructions are
 * for these, and what a call leaves them at is right for a yield, too.  A goroutine that the resumer hands its turn to: two
 * switches through the runtime, and thread-local data, locks and the id would be another's.
 */
#include "base/copy.h"
#include "os/os.h"
#include "sched/fault.h"
#include "sched/panic.h"
#include "sched/scheduler.h"
#include "sched/stack_pool.h"

#include <leat/coro.h>

#include <errno.h>
#include <stdlib.h>

#define STACK_MAX ((size_t)1 << 30)
#define ARGS_MAX  ((size_t)64 << 10)
#define ARGS_FREE ((size_t)4096) /* what a usual stack may carry above its first frame */

enum {
	SLOW = 1,           /* each resume is: a sanitizer, or an unguarded stack */
	RESUMED_SLOWLY = 2, /* it runs, and its resumer is in leat__coro_resume_slow */
	YIELDED_SLOWLY = 4, /* it is suspended in leat__coro_yield_slow */
	STOPPING = 8,       /* it is resumed to leave its blocks */
};

_Static_assert(sizeof(struct leat__resumer) % 16 == 0, "the arguments come below");

struct leat_coro {
	void *sp;
	struct leat__stack *stack;
	leat__record *records; /* while it is suspended */
	struct leat__catch *catches;
	const void *sent;
	size_t elem_bytes;
	void (*fn)(leat_coro *c, void *args); /* NULL once it has begun */
	void *args;
	struct leat__panic *panic;        /* by which it ended, or NULL; on its stack */
	struct leat__san_context *waiter; /* under a sanitizer: who resumed it */
	uint8_t flags;
};

/* Of those that have ended. */
static struct leat__stack nowhere;

/* Who resumed c, while it runs. */
static inline struct leat__resumer *resumer(const leat_coro *c)
{
	return (struct leat__resumer *)(void *)leat__stack_high(c->stack) - 1;
}

static bool leat__coro_has_ended(const leat_coro *c)
{
	return c->stack == &nowhere;
}

static bool suspended(const leat_coro *c)
{
	return c->sp;
}

__attribute__((constructor(101))) static void connect(void)
{
	leat__coro_suspended = suspended;
}

/* --- in and out */

/*
 * Word by word: gcc would load two at once where one of them was just stored alone, as these are all the time, and
 * such a load waits until the store is in the cache.
 */
#define MOVE(to, from)                                                                             \
	__atomic_store_n(&(to), __atomic_load_n(&(from), __ATOMIC_RELAXED), __ATOMIC_RELAXED)

/* From here on g, whose panics are none, is in c, but for its stack pointer; and the reverse. */
static ALWAYS_INLINE struct leat__resumer *enter_coro(leat_coro *c, struct leat__g *g)
{
	struct leat__resumer *r = resumer(c);

	c->sp = NULL;
	MOVE(r->stack, g->stack);
	MOVE(r->records, g->records);
	MOVE(r->catches, g->catches);
	__atomic_store_n(&g->stack, c->stack, __ATOMIC_RELAXED);
	MOVE(g->records, c->records);
	MOVE(g->catches, c->catches);
	return r;
}

static ALWAYS_INLINE struct leat__resumer *leave_coro(leat_coro *c, struct leat__g *g)
{
	struct leat__resumer *r = resumer(c);

	MOVE(c->records, g->records);
	MOVE(c->catches, g->catches);
	MOVE(g->stack, r->stack);
	MOVE(g->records, r->records);
	MOVE(g->catches, r->catches);
	return r;
}

/* What of g's special goes with its stack is this now.  The byte is others', too, but in the runtime. */
static void set_special(unsigned special)
{
	struct leat__m *m = leat__enter();

	m->g->special = (uint8_t)((m->g->special & ~LEAT__UNGUARDED) | special);
	leat__leave(m);
}

/* The calling thread, a plain one, resumes its first coroutine: an overflow of that is to be noticed. */
static COLD void leat__coro_prepare_thread(struct leat__g *g)
{
	int error = errno;

	leat__fault_init_thread(leat__self());
	g->special &= (uint8_t)~LEAT__BARE;
	errno = error;
}

/* The caller, on the stack of c, is about to leave it. */
static void leat__coro_look(const leat_coro *c)
{
	if (unlikely(!leat__stack_intact(c->stack)))
		leat__stack_exceeded(leat__current(), NULL);
}

/* The caller, on the stack of c, has just come there. */
static void arrive(leat_coro *c)
{
	if (likely(!leat__sanitizers))
		return;
	leat__san_after(&c->stack->san);
	leat__hb_acquire(c);
}

/* --- the end */

/* Nobody is on the stack of c any more. */
static void give_back(leat_coro *c)
{
	struct leat__stack *s = c->stack;
	struct leat__m *m;

	c->stack = &nowhere;
	c->sp = NULL;
	s->resumer = NULL;
	s->name = NULL;
	leat__san_drop_root(s->san.low, s->san.bytes);
	leat__san_destroy(&s->san);
	m = leat__enter();
	if (s->class == LEAT__STACK_OWN) {
		leat__stack_unmap(s);
	} else {
		leat__stack_forget(s);
		if (m->p) {
			leat__stack_put(&m->p->stacks[s->class], s);
		} else {
			s->next = NULL;
			s->count = 1;
			leat__stack_pool_put(s, false);
		}
	}
	leat__leave(m);
}

static COLD LEAT__NORETURN void leat__coro_raise(leat_coro *c)
{
	leat_panic_info info = c->panic->info;

	if (resumer(c)->exits && !(c->flags & STOPPING))
		leat__goexit_passes(leat__current());
	give_back(c);
	leat__panic_again(&info);
}

/* On the resumer's side: c has just ended.  What the resume returns. */
static void *leat__coro_over(void *arg)
{
	leat_coro *c = arg;
	const struct leat__resumer *r = resumer(c);
	bool exits = r->passed || (r->exits && !(c->flags & STOPPING));

	if (unlikely(c->panic != NULL))
		leat__coro_raise(c);
	give_back(c);
	if (unlikely(exits))
		leat_goexit();
	return NULL;
}

/* By which it ends comes along.  Not on a fake stack of ASan's, which is gone first. */
__attribute__((no_sanitize("address"))) LEAT__NORETURN static void
leat__coro_end(struct leat__resumer *r, struct leat__panic *panic)
{
	leat_coro *c = r->coro;
	struct leat__g *g = leat__current();
	void *to = r->sp, *value = NULL, *unused;
	struct leat__panic last;

	leat__coro_look(c);
	leat__san_unpoison(c->stack->san.low, c->stack->san.bytes);
	if (panic) {
		last = *panic;
		c->panic = &last;
		leat__panic_drop(g);
	}
	leave_coro(c, g);
	if (!(c->flags & RESUMED_SLOWLY)) {
		to = leat__context_divert(to, leat__coro_over);
		value = c;
	} else if (leat__sanitizers) {
		leat__hb_release(c);
		leat__san_before(&c->stack->san, c->waiter, true);
	}
	leat__swap(&unused, to, value);
	__builtin_unreachable();
}

/* --- resume and yield */

static COLD const void *leat__coro_unready(const leat_coro *c)
{
	if (!leat__coro_has_ended(c))
		leat__panic_runtime("coro: resume of a running coroutine");
	return NULL;
}

static NOINLINE const void *leat__coro_resume_slow(leat_coro *c, const void *sent)
{
	struct leat__san_context own = {0}; /* a plain thread's */
	struct leat__g *g = leat__current();
	unsigned mine = g->special & LEAT__UNGUARDED, its = c->stack->special & LEAT__UNGUARDED;
	struct leat__resumer *r = resumer(c);
	void *sp = c->sp, *value;

	if (unlikely(g->special & LEAT__BARE))
		leat__coro_prepare_thread(g);
	if (mine != its)
		set_special(its);
	c->flags |= RESUMED_SLOWLY;
	c->sent = sent;
	r->panics = g->panics;
	g->panics = NULL;
	enter_coro(c, g);
	if (leat__sanitizers) {
		c->waiter = &own;
		if (r->stack) {
			c->waiter = &r->stack->san;
		} else {
			void *low, *high;

			leat__os_stack_bounds(&low, &high);
			leat__san_adopt(&own, low, (size_t)((char *)high - (char *)low));
		}
		leat__hb_release(c);
		leat__san_before(c->waiter, &c->stack->san, false);
	}
	value = leat__swap(&r->sp, sp, c);
	if (leat__sanitizers) {
		leat__san_after(c->waiter);
		leat__hb_acquire(c);
	}
	c->flags &= (uint8_t)~RESUMED_SLOWLY;
	g->panics = r->panics;
	r->panics = NULL;
	if (mine != its)
		set_special(mine);
	return value ? value : leat__coro_over(c);
}

/* A thread's first call of leat, from which on a fault is reported: c may be NULL. */
static COLD const void *leat__coro_resume_first(leat_coro *c, const void *sent)
{
	leat__current();
	return leat__coro_resume(c, sent);
}

/* This and leat_coro_yield make no call but their last. */
const void *leat__coro_resume(leat_coro *c, const void *sent)
{
	struct leat__m *m = leat__self();
	void *sp;

	if (unlikely(!m))
		return leat__coro_resume_first(c, sent);
	sp = c->sp;
	if (unlikely(!sp))
		return leat__coro_unready(c);
	if (unlikely((c->flags | (m->g->special & (LEAT__UNGUARDED | LEAT__BARE))) != 0) ||
	    unlikely(m->g->panics != NULL))
		return leat__coro_resume_slow(c, sent);
	c->sent = sent;
	return leat__swap(&enter_coro(c, m->g)->sp, sp, c);
}

static COLD LEAT__NORETURN void leat__coro_refuse(const leat_coro *c)
{
	leat__panic_runtime(leat__current()->stack == c->stack
	                        ? "coro: yield in a deferred function"
	                        : "coro: yield outside of the coroutine");
}

static NOINLINE void leat__coro_yield_slow(leat_coro *c, struct leat__g *g, const void *value)
{
	if (c->flags & STOPPING)
		leat__coro_refuse(c);
	leat__coro_look(c);
	c->flags |= YIELDED_SLOWLY;
	leave_coro(c, g);
	if (leat__sanitizers) {
		leat__hb_release(c);
		leat__san_before(&c->stack->san, c->waiter, false);
	}
	leat__swap(&c->sp, resumer(c)->sp, (void *)(uintptr_t)value);
	arrive(c);
	c->flags &= (uint8_t)~YIELDED_SLOWLY;
	if (c->flags & STOPPING)
		leat_goexit();
}

void leat_coro_yield(leat_coro *c, const void *elem)
{
	struct leat__m *m = leat__self();
	struct leat__g *g;

	if (unlikely(!m))
		leat__coro_refuse(c);
	g = m->g;
	if (unlikely(g->stack != c->stack) || unlikely(g->panics != NULL))
		leat__coro_refuse(c);
	if (!elem)
		elem = c; /* of no bytes; NULL is the end */
	if (unlikely(c->flags != 0)) {
		leat__coro_yield_slow(c, g, elem);
		return;
	}
	leat__swap(&c->sp, leave_coro(c, g)->sp, (void *)(uintptr_t)elem);
}

const void *leat_coro_sent(leat_coro *c)
{
	if (leat__current()->stack != c->stack)
		leat__coro_refuse(c);
	return c->sent;
}

bool leat_coro_send(leat_coro *c, const void *sent, void *elem)
{
	const void *from = leat__coro_resume(c, sent);

	if (from && elem)
		leat__copy(elem, from, c->elem_bytes);
	return from != NULL;
}

bool leat_coro_next(leat_coro *c, void *elem)
{
	return leat_coro_send(c, NULL, elem);
}

/* --- made and freed */

static void leat__coro_start(void)
{
	leat_coro *c = leat__current()->stack->resumer->coro;
	void (*fn)(leat_coro *, void *) = c->fn;

	arrive(c);
	c->fn = NULL;
	fn(c, c->args);
	leat__coro_end(resumer(c), NULL);
}

/* A stack that has room for the arguments besides; or NULL. */
static struct leat__stack *find_stack(const leat_coro_opts *opts, size_t args_bytes)
{
	size_t wanted = opts ? opts->stack_bytes : 0;
	struct leat__m *m = leat__enter();
	struct leat__stack *s;

	if (wanted > STACK_MAX)
		wanted = STACK_MAX;
	if (wanted < LEAT__STACK_USABLE)
		wanted = LEAT__STACK_USABLE;
	if (args_bytes > ARGS_FREE || wanted > LEAT__STACK_USABLE)
		wanted += args_bytes;
	s = leat__stack_find(m->p ? m->p->stacks : NULL, wanted);
	leat__leave(m);
	return s;
}

leat_coro *leat_coro_make(const leat_coro_opts *opts, size_t elem_bytes,
                          void (*fn)(leat_coro *c, void *args), const void *args, size_t args_bytes)
{
	struct leat__stack *s = NULL;
	leat_coro *c;
	char *top;

	if (unlikely(!fn))
		leat__panic_runtime("coro of nil func value");
	if (unlikely(args_bytes > ARGS_MAX))
		leat__panic_runtime("coro: more than 65536 bytes of arguments");
	c = malloc(sizeof *c);
	if (c)
		s = find_stack(opts, args_bytes);
	if (unlikely(!s)) {
		free(c);
		leat__panic_runtime("out of memory");
	}
	top = leat__stack_high(s) - sizeof(struct leat__resumer) - ((args_bytes + 15) & ~(size_t)15);
	leat__copy(top, args, args_bytes);
	*c = (leat_coro){
	    .sp = leat__context_make(top, leat__coro_start),
	    .stack = s,
	    .elem_bytes = elem_bytes,
	    .fn = fn,
	    .args = top,
	    .flags = leat__sanitizers || s->special & LEAT__UNGUARDED ? SLOW : 0,
	};
	s->name = NULL;
	s->resumer = resumer(c);
	*s->resumer = (struct leat__resumer){.coro = c, .end = leat__coro_end};
	leat__san_add_root(s->san.low, s->san.bytes);
	return c;
}

/* What it is resumed to after a yield, when it is to be stopped. */
static void *leat__coro_stopped(void *c)
{
	(void)c;
	leat_goexit();
}

/* c runs: the caller, or somebody else, is in it.  True where it is to be left alone: it panics, the process is
   about to end, and the caller was deferred by who resumed it. */
static bool leat__coro_busy(const leat_coro *c, const char *message)
{
	if (leat__coro_has_ended(c) || c->sp)
		return false;
	if (!resumer(c)->passed)
		leat__panic_runtime(message);
	return true;
}

void leat_coro_stop(leat_coro *c)
{
	leat__current();
	if (leat__coro_busy(c, "coro: stop of a running coroutine") || leat__coro_has_ended(c))
		return;
	if (c->fn) {
		give_back(c);
		return;
	}
	if (!(c->flags & YIELDED_SLOWLY))
		c->sp = leat__context_divert(c->sp, leat__coro_stopped);
	c->flags |= STOPPING;
	leat__coro_resume(c, NULL);
}

/* Where a panic that nobody catches passes, c still is what leads down from its stack. */
static void leat__coro_discard(void *c)
{
	if (leat__coro_has_ended(c))
		free(c);
}

void leat_coro_free(leat_coro *c)
{
	leat__record last = {.fn = leat__coro_discard, .arg = c};

	if (!c || leat__coro_busy(c, "coro: free of a running coroutine"))
		return;
	leat__record_push(&last);
	leat_coro_stop(c);
	leat__record_leave(&last);
}

bool leat_coro_ended(const leat_coro *c)
{
	leat__current();
	return leat__coro_has_ended(c);
}
