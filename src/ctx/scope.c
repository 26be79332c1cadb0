/* SPDX-License-Identifier: MIT */
/*
 * Scopes.
 *
 * Invariants (the lock of the tree's root)
 *  - A scope that is done has only done scopes below it.
 *  - A scope is on its parent's list from its entry to its end, so a parent outlives it: it is a
 *    record on the stack of a goroutine that the parent joins, or of one that waits for that.
 *  - done is closed exactly when err is set.
 * The count of goroutines is a wait group and needs no lock; blocks and channels are under the root's
 * lock; the deadline is under a lock of its own, which comes before the timers'.
 *
 * Lock order: deadlines, the timers', a root's, a channel's.  A timer that fires cancels its scope under
 * the timers' lock; so the end of a scope stops the timer before it frees anything.
 *
 * The walk over a tree uses its links and no recursion: trees may be deep.
 */
#include "chan/chan.h"
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/timer.h"
#include "sync/waitgroup.h"

#include <leat/scope.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>

#define BLOCK_BYTES ((size_t)4096)
#define ALIGN(n)    (((n) + 15) & ~(size_t)15)

struct block {
	struct block *next;
	_Alignas(16) char bytes[];
};

struct deadline {
	struct leat__timer timer;
	leat_scope *scope;
};

static uint8_t deadlines; /* lock: leat__timer of every scope */

/* --- cancellation */

/* s becomes done.  Locked. */
static void finish_one(struct leat__m *m, leat_scope *s, int err)
{
	__atomic_store_n(&s->leat__err, err, __ATOMIC_RELEASE);
	leat__hb_release(&s->leat__err);
	if (s->leat__done)
		leat__chan_close(m, s->leat__done);
}

/* The scope after s in a walk of top's tree that visits a scope before those below it; below: go
   there first. */
static leat_scope *walk(leat_scope *s, const leat_scope *top, bool below)
{
	if (below && s->leat__child)
		return s->leat__child;
	for (; s != top; s = s->leat__parent)
		if (s->leat__next)
			return s->leat__next;
	return NULL;
}

static void cancel(struct leat__m *m, leat_scope *top, int err)
{
	leat_scope *s = top;

	leat__lock(&top->leat__root->leat__lock);
	while (s) {
		bool was_done = s->leat__err != 0;

		if (!was_done)
			finish_one(m, s, err);
		s = walk(s, top, !was_done);
	}
	leat__unlock(&top->leat__root->leat__lock);
}

void leat_scope_cancel(leat_scope *s)
{
	struct leat__m *m;

	if (leat_scope_err(s))
		return;
	m = leat__enter();
	cancel(m, s, -ECANCELED);
	leat__leave(m);
}

int leat_scope_err(const leat_scope *s)
{
	int err = __atomic_load_n(&s->leat__err, __ATOMIC_ACQUIRE);

	if (err)
		leat__hb_acquire(&s->leat__err);
	return err;
}

void leat_scope_fail(leat_scope *s, int err)
{
	int none = 0;

	if (!err)
		return;
	__atomic_compare_exchange_n(&s->leat__first, &none, err, false, __ATOMIC_ACQ_REL,
	                            __ATOMIC_ACQUIRE);
	leat_scope_cancel(s);
}

LEAT_RECV_CHAN(leat_empty) leat_scope_done(leat_scope *s)
{
	leat_chan *c = __atomic_load_n(&s->leat__done, __ATOMIC_ACQUIRE), *made;
	struct leat__m *m;

	if (c)
		return (LEAT_RECV_CHAN(leat_empty))(void *)c;
	made = leat__chan_new(0, 0);
	made->scoped = true;
	m = leat__enter();
	leat__lock(&s->leat__root->leat__lock);
	c = s->leat__done;
	if (!c) {
		c = made;
		made = NULL;
		if (s->leat__err) {
			leat__hb_acquire(&s->leat__err);
			leat__chan_close(m, c);
		}
		__atomic_store_n(&s->leat__done, c, __ATOMIC_RELEASE);
	}
	leat__unlock(&s->leat__root->leat__lock);
	leat__leave(m);
	if (made)
		leat__chan_delete(made);
	return (LEAT_RECV_CHAN(leat_empty))(void *)c;
}

/* --- deadlines */

static void deadline_passed(struct leat__m *m, struct leat__timer *t)
{
	cancel(m, container_of(t, struct deadline, timer)->scope, -ETIMEDOUT);
}

/* Locked.  0 or -ENOMEM. */
static int set_deadline(leat_scope *s, struct deadline **spare, int64_t at_ns)
{
	struct deadline *d = s->leat__timer;

	if (!d) {
		d = *spare;
		*spare = NULL;
		*d = (struct deadline){.timer.fire = deadline_passed, .scope = s};
		d->timer.when = INT64_MAX;
		s->leat__timer = d;
	}
	if (at_ns >= d->timer.when)
		return 0;
	leat__timer_stop(&d->timer);
	d->timer.when = at_ns;
	return leat__timer_add(&d->timer);
}

void leat_scope_deadline(leat_scope *s, int64_t at_ns)
{
	struct deadline *spare = malloc(sizeof *spare);
	struct leat__m *m;
	int err = -ENOMEM;

	m = leat__enter();
	if (leat_scope_err(s)) {
		err = 0;
	} else if (at_ns <= leat__clock()) {
		cancel(m, s, -ETIMEDOUT);
		err = 0;
	} else if (spare) {
		leat__lock(&deadlines);
		err = set_deadline(s, &spare, at_ns);
		leat__unlock(&deadlines);
	}
	leat__leave(m);
	free(spare);
	if (err)
		leat__panic_runtime("out of memory");
}

void leat_scope_timeout(leat_scope *s, int64_t duration_ns)
{
	leat_scope_deadline(s, leat__deadline(duration_ns));
}

/* --- goroutines */

static void goroutine_starts(leat_scope *s)
{
	leat__waitgroup_add(NULL, &s->leat__goroutines, 1);
}

static void goroutine_ends(struct leat__m *m, struct leat__g *g)
{
	leat__waitgroup_add(m, &g->scope->leat__goroutines, -1);
}

/* As early: other constructors may have scopes. */
__attribute__((constructor(101))) static void connect(void)
{
	leat__on_start = goroutine_starts;
	leat__on_end = goroutine_ends;
}

void leat_scope_go(leat_scope *s, void (*fn)(void *), const void *args, size_t args_bytes)
{
	leat__go_checked(&(leat_go_opts){.scope = s}, fn, args, args_bytes,
	                 __builtin_return_address(0));
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

/* --- what a scope owns */

leat_chan *leat_scope_chan(leat_scope *s, size_t elem_bytes, ptrdiff_t cap)
{
	leat_chan *c = leat__chan_new(elem_bytes, cap);
	struct leat__m *m = leat__enter();

	c->scoped = true;
	leat__lock(&s->leat__root->leat__lock);
	c->scope_next = s->leat__channels;
	s->leat__channels = c;
	leat__unlock(&s->leat__root->leat__lock);
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
	leat__hb_acquire(b);
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
	leat__lock(&s->leat__root->leat__lock);
	p = take_room(s, rounded);
	leat__unlock(&s->leat__root->leat__lock);
	leat__leave(m);
	if (p)
		return p;

	block_bytes = rounded > BLOCK_BYTES / 4 ? rounded : BLOCK_BYTES;
	b = calloc(1, sizeof *b + block_bytes);
	if (!b)
		leat__panic_runtime("out of memory");
	leat__hb_release(b); /* for the others who take from it */
	m = leat__enter();
	leat__lock(&s->leat__root->leat__lock);
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
	leat__unlock(&s->leat__root->leat__lock);
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

static void unlink_scope(leat_scope *s)
{
	struct leat__m *m;

	if (!s->leat__parent)
		return;
	m = leat__enter();
	leat__lock(&s->leat__root->leat__lock);
	if (s->leat__prev)
		s->leat__prev->leat__next = s->leat__next;
	else
		s->leat__parent->leat__child = s->leat__next;
	if (s->leat__next)
		s->leat__next->leat__prev = s->leat__prev;
	leat__unlock(&s->leat__root->leat__lock);
	leat__leave(m);
}

/* Run by the record, on every way out. */
static void leat__scope_finish(void *arg)
{
	leat_scope *s = arg;
	struct deadline *d;
	struct block *b;
	leat_chan *c;

	leat_scope_cancel(s);
	leat__scope_join(s);
	if (s->leat__child)
		leat__fatal("a scope ended while a scope below it lived on");
	d = s->leat__timer;
	if (d) {
		struct leat__m *m = leat__enter();

		leat__timer_stop(&d->timer);
		leat__leave(m);
		free(d);
	}
	unlink_scope(s);
	while ((c = s->leat__channels)) {
		s->leat__channels = c->scope_next;
		leat__chan_delete(c);
	}
	if (s->leat__done)
		leat__chan_delete(s->leat__done);
	while ((b = s->leat__blocks)) {
		s->leat__blocks = b->next;
		free(b);
	}
}

leat_scope *leat__scope_enter(leat_scope *s, leat_scope *parent)
{
	*s = (leat_scope){.leat__parent = parent, .leat__root = s};
	s->leat__on_leave = (leat__record){.fn = leat__scope_finish, .arg = s};
	if (parent) {
		struct leat__m *m = leat__enter();

		s->leat__root = parent->leat__root;
		leat__lock(&s->leat__root->leat__lock);
		s->leat__err = parent->leat__err;
		s->leat__next = parent->leat__child;
		if (s->leat__next)
			s->leat__next->leat__prev = s;
		parent->leat__child = s;
		leat__unlock(&s->leat__root->leat__lock);
		leat__leave(m);
	}
	leat__record_push(&s->leat__on_leave);
	return s;
}

void leat__scope_leave(leat_scope *s)
{
	leat__record_leave(&s->leat__on_leave);
}
