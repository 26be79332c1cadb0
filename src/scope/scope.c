/* SPDX-License-Identifier: MIT */
/*
 * Scopes: a context (ctx/context.c), a wait group, memory and channels, on the stack of who declared it.
 *
 * The count of goroutines is a wait group and needs no lock; blocks and channels are under the lock of the
 * context's tree.  A scope below another is on the stack of a goroutine that the other joins, or of one that
 * waits for that: so a parent outlives it.
 */
#include "scope/scope.h"

#include "chan/chan.h"
#include "ctx/wait.h"
#include "sched/panic.h"
#include "sched/timer.h"
#include "sync/waitgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES ((size_t)4096)
#define ALIGN(n)    (((n) + 15) & ~(size_t)15)

_Static_assert(offsetof(leat_scope, leat__ctx) == 0, "a scope is a context");

struct block {
	struct block *next;
	_Alignas(16) char bytes[];
};

static void lock(leat_scope *s)
{
	leat__lock(&s->leat__ctx.leat__root->leat__lock);
}

static void unlock(leat_scope *s)
{
	leat__unlock(&s->leat__ctx.leat__root->leat__lock);
}

/* --- as a context */

void leat_scope_cancel(leat_scope *s)
{
	leat_ctx_cancel((leat_any_ctx)s);
}

int leat_scope_err(const leat_scope *s)
{
	return leat__ctx_told(&s->leat__ctx);
}

void leat_scope_fail(leat_scope *s, int err)
{
	int first = 0;

	if (!err)
		return;
	if (!__atomic_compare_exchange_n(&s->leat__first, &first, err, false, __ATOMIC_ACQ_REL,
	                                 __ATOMIC_ACQUIRE))
		err = first; /* of several at once it is the cause, too */
	leat_ctx_cancel_cause((leat_any_ctx)s, leat_error_errno(err));
}

LEAT_RECV_CHAN(leat_empty) leat_scope_done(leat_scope *s)
{
	return leat_ctx_done((leat_any_ctx)s);
}

void leat_scope_deadline(leat_scope *s, int64_t at_ns)
{
	leat__ctx_set_deadline(&s->leat__ctx, at_ns, NULL);
}

void leat_scope_timeout(leat_scope *s, int64_t duration_ns)
{
	leat_scope_deadline(s, leat__deadline(duration_ns));
}

/* --- goroutines */

/* What a goroutine of a scope with a limit is joined by: its wait group, marked. */
static void *mark(leat_waitgroup *wg)
{
	return (char *)wg + 1;
}

static bool marked(const void *joined)
{
	return (uintptr_t)joined & 1;
}

/* A place among the active ones, waiting for it if need be: 0; or why ctx is done; or -EAGAIN where it is not
   to wait. */
static int leat__scope_place(leat_scope *s, leat_ctx *ctx, bool wait)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter w;
	int err = 0;

	lock(s);
	if (s->leat__places > 1 && !s->leat__starters.first) {
		s->leat__places--;
		unlock(s);
	} else if (!wait) {
		unlock(s);
		err = -EAGAIN;
	} else {
		leat__queue(m, &s->leat__starters, &w, ctx, LEAT__WAIT_SEMAPHORE);
		unlock(s);
		m = leat__await_ctx(m, ctx, &err);
		if (err) {
			lock(s);
			leat__unqueue(&s->leat__starters, &w);
			unlock(s);
		}
	}
	leat__leave(m);
	return err;
}

static void leave_place(struct leat__m *m, leat_scope *s)
{
	struct leat__waiter *w;

	lock(s);
	w = leat__waiters_take(&s->leat__starters);
	if (!w)
		s->leat__places++;
	unlock(s);
	if (w)
		leat__ready(m, w->g, false);
}

/* One more goroutine of s, which has a place if there is a limit. */
static void *join_one(leat_scope *s)
{
	leat_waitgroup *wg = &s->leat__goroutines;

	leat__waitgroup_add(NULL, wg, 1);
	return s->leat__limit ? mark(wg) : wg;
}

static void *leat__goroutine_starts(leat_scope *s)
{
	if (s->leat__limit)
		leat__scope_place(s, NULL, true);
	return join_one(s);
}

static void goroutine_ends(struct leat__m *m, void *joined)
{
	leat_waitgroup *wg = joined;

	if (marked(joined)) {
		wg = (leat_waitgroup *)(void *)((char *)joined - 1);
		leave_place(m, container_of(wg, leat_scope, leat__goroutines));
	}
	leat__waitgroup_add(m, wg, -1);
}

/* As early: other constructors may have scopes.  After that of the wait groups. */
__attribute__((constructor(102))) static void connect(void)
{
	leat__on_start = leat__goroutine_starts;
	leat__on_end = goroutine_ends;
}

void leat_scope_go(leat_scope *s, void (*fn)(void *), const void *args, size_t args_bytes)
{
	leat__go_check(fn, args_bytes);
	leat__go_joined(leat__goroutine_starts(s), fn, args, args_bytes, __builtin_return_address(0));
}

bool leat_scope_try_go(leat_scope *s, void (*fn)(void *), const void *args, size_t args_bytes)
{
	leat__go_check(fn, args_bytes);
	if (s->leat__limit && leat__scope_place(s, NULL, false) != 0)
		return false;
	leat__go_joined(join_one(s), fn, args, args_bytes, __builtin_return_address(0));
	return true;
}

int leat_scope_go_ctx(leat_scope *s, void (*fn)(void *), const void *args, size_t args_bytes,
                      leat_any_ctx ctx)
{
	int err;

	leat__go_check(fn, args_bytes);
	err = leat__ctx_begin_wait(ctx.leat__ctx);
	if (err)
		return err;
	if (s->leat__limit)
		err = leat__scope_place(s, ctx.leat__ctx, true);
	leat__ctx_end_wait(ctx.leat__ctx);
	if (err)
		return err;
	leat__go_joined(join_one(s), fn, args, args_bytes, __builtin_return_address(0));
	return 0;
}

void leat_scope_limit(leat_scope *s, ptrdiff_t n)
{
	uint32_t active =
	    (uint32_t)(__atomic_load_n(&s->leat__goroutines.leat__state, __ATOMIC_ACQUIRE) >> 32);
	char message[120];

	if (active) {
		snprintf(message, sizeof message,
		         "errgroup: modify limit while %" PRIu32
		         " goroutines in the group are still active",
		         active);
		leat__panic_runtime(message);
	}
	s->leat__limit = n < 0 ? 0 : n < PTRDIFF_MAX ? n + 1 : n;
	s->leat__places = s->leat__limit;
}

static void leat__scope_join(leat_scope *s)
{
	leat__leave(leat__waitgroup_wait(leat__enter(), &s->leat__goroutines, LEAT__WAIT_SCOPE));
}

int leat_scope_wait(leat_scope *s)
{
	leat__scope_join(s);
	return __atomic_load_n(&s->leat__first, __ATOMIC_ACQUIRE);
}

int leat_scope_wait_ctx(leat_scope *s, leat_any_ctx any)
{
	leat_ctx *ctx = any.leat__ctx;
	int err;

	if (!ctx || !ctx->leat__source)
		return leat_scope_wait(s);
	err = leat__ctx_begin_wait(ctx);
	if (err)
		return err;
	leat__leave(leat__waitgroup_wait_ctx(leat__enter(), &s->leat__goroutines, ctx, &err));
	leat__ctx_end_wait(ctx);
	return err ? err : __atomic_load_n(&s->leat__first, __ATOMIC_ACQUIRE);
}

/* --- what a scope owns */

leat_chan *leat_scope_chan(leat_scope *s, size_t elem_bytes, ptrdiff_t cap)
{
	leat_chan *c = leat__chan_new(elem_bytes, cap);
	struct leat__m *m = leat__enter();

	c->scoped = true;
	lock(s);
	c->scope_next = s->leat__channels;
	s->leat__channels = c;
	unlock(s);
	leat__leave(m);
	return c;
}

/* So many bytes of the newest block, or NULL.  Locked. */
static void *take_room(leat_scope *s, size_t bytes)
{
	struct block *b = s->leat__blocks;

	if (s->leat__room < bytes)
		return NULL;
	s->leat__room -= bytes;
	/* Downwards: what is left is known by one number. */
	return b->bytes + s->leat__room;
}

void *leat_scope_alloc(leat_scope *s, size_t bytes)
{
	size_t rounded = ALIGN(bytes), block_bytes;
	struct leat__m *m;
	struct block *b;
	void *p;

	if (rounded < bytes || rounded > (size_t)PTRDIFF_MAX - sizeof *b)
		leat__panic_runtime("out of memory");
	if (rounded == 0)
		rounded = 16;
	m = leat__enter();
	lock(s);
	p = take_room(s, rounded);
	unlock(s);
	leat__leave(m);
	if (p)
		return p;

	block_bytes = rounded > BLOCK_BYTES / 4 ? rounded : BLOCK_BYTES;
	b = leat__san_fresh_memory(sizeof *b + block_bytes); /* others take from it, too */
	if (!b)
		leat__panic_runtime("out of memory");
	m = leat__enter();
	lock(s);
	if (block_bytes == rounded && s->leat__blocks) {
		/* All of it is taken: the newest block keeps its room. */
		struct block *newest = s->leat__blocks;

		b->next = newest->next;
		newest->next = b;
		p = b->bytes;
	} else {
		b->next = s->leat__blocks;
		s->leat__blocks = b;
		s->leat__room = block_bytes;
		p = take_room(s, rounded);
	}
	unlock(s);
	leat__leave(m);
	return p;
}

void *leat_scope_calloc(leat_scope *s, size_t count, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all))
		leat__panic_runtime("out of memory");
	return leat_scope_alloc(s, all);
}

/* --- beginning and end */

void (*leat__on_pipe_end)(leat_scope *s);

/* Run by the record, on every way out. */
static void leat__scope_finish(void *arg)
{
	leat_scope *s = arg;
	struct block *b;
	leat_chan *c;

	leat_scope_cancel(s);
	leat__scope_join(s);
	if (s->leat__pipe)
		leat__on_pipe_end(s);
	leat__ctx_free_owned(&s->leat__ctx);
	if (s->leat__ctx.leat__child)
		leat__fatal("a scope ended while a scope below it lived on");
	leat__ctx_end(&s->leat__ctx);
	while ((c = s->leat__channels)) {
		s->leat__channels = c->scope_next;
		leat__chan_delete(c);
	}
	while ((b = s->leat__blocks)) {
		s->leat__blocks = b->next;
		free(b);
	}
}

leat_scope *leat__scope_enter(leat_scope *s, leat_any_ctx parent)
{
	*s = (leat_scope){.leat__on_leave = {.fn = leat__scope_finish, .arg = s}};
	leat__hb_renew(&s->leat__goroutines);
	leat__ctx_init(&s->leat__ctx, parent.leat__ctx, LEAT__CTX_SCOPE);
	s->leat__ctx.leat__owner = &s->leat__ctx;
	leat__record_push(&s->leat__on_leave);
	return s;
}

void leat__scope_leave(leat_scope *s)
{
	leat__record_leave(&s->leat__on_leave);
}
