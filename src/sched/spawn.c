/* SPDX-License-Identifier: MIT */
/*
 * How goroutines begin, and how many there are.
 *
 * Invariants
 *  - A goroutine that has yet to run has no stack, unless its options, a name or large arguments want
 *    one at once; its arguments lie in the descriptor.
 *  - Each is counted as started by the processor that started it, or among those of plain threads, and
 *    as ended by the one that it ends on: sums tell how many live.
 *
 * A processor's own goroutine is pushed on its deque without a lock.
 */
#include "base/copy.h"
#include "sched/panic.h"
#include "sched/scheduler.h"

#include <leat/go.h>

#include <string.h>

#define STACK_MAX ((size_t)1 << 30)
#define ARGS_MAX  ((size_t)64 << 10)
#define NAME_MAX_ ((size_t)127)
#define EARLY_MAX ((size_t)4096) /* what a usual stack may carry above its first frame */

void *(*leat__on_start)(struct leat_scope *scope);

static size_t rounded(size_t bytes)
{
	return (bytes + 15) & ~(size_t)15;
}

/* A stack of its own at once, for options or arguments that the descriptor cannot hold. */
static NOINLINE bool bind_early(struct leat__m *m, struct leat__g *g, const leat_go_opts *opts,
                                const void *args, size_t args_bytes)
{
	const char *name = opts ? opts->name : NULL;
	size_t wanted = opts && opts->stack_bytes ? opts->stack_bytes : LEAT__STACK_USABLE;
	size_t name_bytes = name ? strnlen(name, NAME_MAX_) + 1 : 0;
	/* The thread sanitizer is made to forget stacks, but not descriptors. */
	bool inlined = args_bytes <= LEAT__ARGS_INLINE && !(leat__sanitizers & LEAT__TSAN);
	size_t above = rounded(name_bytes) + (inlined ? 0 : rounded(args_bytes));
	struct leat__stack *s;
	char *top;

	if (wanted > STACK_MAX)
		wanted = STACK_MAX;
	/* What lies above the first frame comes on top of what was asked for, but for a little. */
	if (above > EARLY_MAX || leat__stack_class(wanted) != LEAT__STACK_USUAL)
		wanted += above;
	s = leat__stack_find(m->p ? m->p->stacks : NULL, wanted);
	if (!s)
		return false;
	top = leat__stack_high(s) - rounded(name_bytes);
	s->name = NULL;
	if (name) {
		leat__copy(top, name, name_bytes - 1);
		top[name_bytes - 1] = '\0';
		s->name = top;
	}
	if (!inlined) {
		top -= rounded(args_bytes);
		g->arg = top;
	}
	leat__copy(g->arg, args, args_bytes);
	g->stack = s;
	g->special = s->special;
	g->sp = leat__context_make(top, leat__goroutine_start);
	return true;
}

static ALWAYS_INLINE void fill(struct leat__m *m, struct leat__g *g, void (*fn)(void *),
                               void *created_at)
{
	g->sp = NULL;
	g->stack = NULL;
	store_relaxed(&g->claim, LEAT__UNARMED);
	store_relaxed(&g->wait, LEAT__RUNNABLE);
	g->special = 0;
	g->faults = 0;
	g->fn = fn;
	g->arg = g->args;
	g->parent = m->g->id;
	g->created_at = created_at;
	g->records = NULL;
	g->catches = NULL;
	g->joined = NULL;
	g->panics = NULL;
}

/* A descriptor that lacks id and kind, or NULL when memory is out. */
static ALWAYS_INLINE struct leat__g *prepare(struct leat__m *m, const leat_go_opts *opts,
                                             void (*fn)(void *), const void *args,
                                             size_t args_bytes, void *created_at)
{
	struct leat__p *p = m->p;
	struct leat__g *g = leat__g_get(likely(p != NULL) ? &p->gs : NULL);

	if (unlikely(!g))
		return NULL;
	fill(m, g, fn, created_at);
	/* The thread sanitizer is made to forget stacks, but not descriptors. */
	if (likely(args_bytes <= LEAT__ARGS_INLINE) && likely(!(leat__sanitizers & LEAT__TSAN)) &&
	    (!opts || (!opts->name && !opts->stack_bytes))) {
		if (likely(args_bytes >= 8))
			leat__copy_short(g->args, args, args_bytes);
		else
			leat__copy(g->args, args, args_bytes);
	} else if (!bind_early(m, g, opts, args, args_bytes)) {
		leat__g_put(p ? &p->gs : NULL, g);
		return NULL;
	}
	return g;
}

/* Let it count as a goroutine that there is. */
static ALWAYS_INLINE void enroll(struct leat__p *p, struct leat__g *g)
{
	if (likely(p != NULL)) {
		g->id = leat__g_new_id(&p->id_next, &p->id_left);
		store_release(&g->kind, LEAT__GOROUTINE);
		store_relaxed(&p->started, load_relaxed(&p->started) + 1);
	} else {
		uint64_t next;
		unsigned left = 0;

		g->id = leat__g_new_id(&next, &left);
		store_release(&g->kind, LEAT__GOROUTINE);
		fetch_add_relaxed(&leat__sched.foreign_started, 1);
	}
}

struct leat__g *leat__g_new(struct leat__m *m, void (*fn)(void *), const void *args,
                            size_t args_bytes)
{
	struct leat__g *g = prepare(m, NULL, fn, args, args_bytes, NULL);

	if (g) {
		leat__hb_renew(g);
		enroll(m->p, g);
	}
	return g;
}

struct leat__g *leat__g_reserve(struct leat__m *m, void (*fn)(void *), void *arg, void *created_at)
{
	struct leat__g *g = leat__g_get(m->p ? &m->p->gs : NULL);

	if (!g)
		return NULL;
	fill(m, g, fn, created_at);
	g->arg = arg;
	leat__hb_release_new(g);
	return g;
}

void leat__g_enroll(struct leat__m *m, struct leat__g *g)
{
	enroll(m->p, g);
}

void leat__g_unreserve(struct leat__m *m, struct leat__g *g)
{
	leat__g_put(m->p ? &m->p->gs : NULL, g);
}

static ALWAYS_INLINE void leat__spawn(const leat_go_opts *opts, void *joined, void (*fn)(void *),
                                      const void *args, size_t args_bytes, void *created_at)
{
	struct leat__m *m = leat__enter();
	struct leat__p *p = m->p;
	struct leat__g *g = prepare(m, opts, fn, args, args_bytes, created_at);

	if (unlikely(!g)) {
		if (joined)
			leat__on_end(m, joined);
		leat__leave(m);
		leat__panic_runtime("out of memory");
	}
	g->joined = joined;
	leat__hb_release_new(g);
	enroll(p, g);
	if (likely(p != NULL)) {
		leat__deque_push(p, g);
		leat__offer(p);
	} else {
		leat__global_put(g, g, 1);
	}
	leat__leave(m);
}

static inline void leat__check(void (*fn)(void *), size_t args_bytes)
{
	if (unlikely(!fn))
		leat__fatal("go of nil func value");
	if (unlikely(args_bytes > ARGS_MAX))
		leat__panic_runtime("go: more than 65536 bytes of arguments");
}

void leat__go_check(void (*fn)(void *), size_t args_bytes)
{
	leat__check(fn, args_bytes);
}

void leat_go(void (*fn)(void *), const void *args, size_t args_bytes)
{
	leat__check(fn, args_bytes);
	leat__spawn(NULL, NULL, fn, args, args_bytes, __builtin_return_address(0));
}

void leat__go_checked(const leat_go_opts *opts, void (*fn)(void *), const void *args,
                      size_t args_bytes, void *created_at)
{
	leat__check(fn, args_bytes);
	leat__spawn(opts, opts && opts->scope ? leat__on_start(opts->scope) : NULL, fn, args,
	            args_bytes, created_at);
}

void leat__go_joined(void *joined, void (*fn)(void *), const void *args, size_t args_bytes,
                     void *created_at)
{
	leat__spawn(NULL, joined, fn, args, args_bytes, created_at);
}

void leat_go_with(const leat_go_opts *opts, void (*fn)(void *), const void *args, size_t args_bytes)
{
	leat__go_checked(opts, fn, args, args_bytes, __builtin_return_address(0));
}

uint64_t leat_goid(void)
{
	return leat__current()->id;
}

const char *leat_name(void)
{
	const struct leat__stack *s = leat__own_stack(leat__current()->stack);

	return s && s->name ? s->name : "";
}

struct census {
	size_t goroutines, parked;
};

static void count_parked(struct leat__g *g, void *arg)
{
	struct census *c = arg;
	unsigned kind = load_relaxed(&g->kind);

	if (load_relaxed(&g->wait) == LEAT__RUNNABLE)
		return;
	if ((kind == LEAT__GOROUTINE || kind == LEAT__THREAD) && leat__off_cpu(g))
		c->parked++;
}

size_t leat_num_parked(void)
{
	struct census c = {0};

	leat__leave(leat__enter());
	leat__g_each(count_parked, &c);
	return c.parked;
}

size_t leat_num_goroutine(void)
{
	size_t n;

	leat__leave(leat__enter()); /* the first call of all, or of a forked child */
	n = leat__num_goroutine();
	leat__hb_acquire(&leat__sched.ends);
	return n;
}

size_t leat__num_goroutine(void)
{
	int made = load_acquire(&leat__sched.made);
	uint64_t ended, started;

	ended = load_acquire(&leat__sched.ended_elsewhere);
	/* Ends first: a goroutine counted as ended is then counted as started. */
	for (int i = 0; i < made; i++)
		ended += load_acquire(&load_relaxed(&leat__sched.p[i])->ended);
	started = load_relaxed(&leat__sched.foreign_started);
	for (int i = 0; i < made; i++)
		started += load_relaxed(&load_relaxed(&leat__sched.p[i])->started);
	return (size_t)(started - ended);
}
