/* SPDX-License-Identifier: MIT */
/* RWMutex, its writers.  See rwmutex.c. */
#include "sync/rwmutex.h"

#define WORTH 16384 /* read locks for which a membarrier was a good price */

/* --- writing no more */

/* Those in the queue, off it, as a list of which each is to be readied.  How many; those whose context came
   first, or whom a fork left behind, are not, and no longer counted.  Under the inner lock. */
static uint32_t dequeue(leat_rwmutex *mu, struct leat__waiter **list)
{
	struct leat__waiter *w, *last = NULL;
	uint32_t all = 0, taken = 0;

	for (w = leat__rw_readers(mu)->first; w; w = w->next)
		all++;
	*list = NULL;
	while ((w = leat__waiters_take(leat__rw_readers(mu))) != NULL) {
		if (unlikely(load_relaxed(&w->g->kind) == LEAT__GONE))
			continue;
		w->next = NULL;
		*(last ? &last->next : list) = w;
		last = w;
		taken++;
	}
	if (unlikely(all != taken))
		leat__rw_add(mu, -(LEAT__RW_READER * (all - taken)));
	return taken;
}

/* WRITER goes, and who came on its account is in: those on the list, who are to be readied, and those on
   their way.  Under the inner lock. */
static void let_in(const struct leat__m *m, leat_rwmutex *mu, struct leat__waiter **list)
{
	uint32_t taken = dequeue(mu, list);
	struct leat__striped *e = NULL;
	uint64_t s = leat__rw_state(mu);

	if (s & LEAT__RW_ENTRY)
		e = leat__rwmutex_own_entry(mu, s);
	if (e) {
		/* A writer gives up before those are gone who are counted there: so will be these.  Who is on its
		   way finds the entry. */
		leat__striped_add(m, e, taken);
		leat__rw_add(mu, -(LEAT__RW_READER * taken));
		leat__rw_clear(mu, LEAT__RW_WRITER);
		leat__unlock(&e->lock);
	} else {
		s = leat__rw_clear(mu, LEAT__RW_WRITER | LEAT__RW_STREAKS);
		mu->leat__granted += leat__rw_count(s) - mu->leat__active - taken;
		mu->leat__active = 0;
	}
}

static void ready_all(struct leat__m *m, struct leat__waiter *w)
{
	struct leat__waiter *next;

	for (; w; w = next) {
		next = w->next; /* on its stack, gone once it runs */
		leat__ready(m, w->g, false);
	}
}

static NOINLINE void leat__rwmutex_unlock_slow(leat_rwmutex *mu)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter *list = NULL;
	bool wrong;

	leat__lock(&mu->leat__lock);
	wrong = !(leat__rw_state(mu) & LEAT__RW_WRITER) || (leat__rw_state(mu) & LEAT__RW_ENTRY) ||
	        mu->leat__active;
	if (!wrong)
		let_in(m, mu, &list);
	leat__unlock(&mu->leat__lock);
	ready_all(m, list);
	leat__leave(m);
	if (wrong) /* the writer still waits */
		leat__fatal("sync: Unlock of unlocked RWMutex");
}

void leat_rwmutex_unlock(leat_rwmutex *m)
{
	uint64_t s = leat__rw_state(m);

	if (unlikely(!(s & LEAT__RW_WRITER)))
		leat__fatal("sync: Unlock of unlocked RWMutex");
	leat__hb_release(&m->leat__state);
	if (leat__rw_count(s) || (s & LEAT__RW_ENTRY) || !leat__rw_change(m, &s, 0))
		leat__rwmutex_unlock_slow(m);
	leat_mutex_unlock(&m->leat__writers);
}

/* --- writing.  By who has the writers' mutex */

/* By a writer who has the lock, or is about to: e, locked, counts nobody. */
static void end_stripes(leat_rwmutex *mu, struct leat__striped *e)
{
	leat__rw_be_patient(mu);
	if (leat__striped_uses(e) >= WORTH) {
		mu->leat__patience /= 4;
		mu->leat__skip = mu->leat__patience;
	}
	leat__striped_give(e);
	leat__rw_clear(mu, LEAT__RW_ENTRY | LEAT__RW_STREAKS);
}

/* Where the writer has to wait: with e, locked, if that counts anybody, or with the state; NULL: nowhere. */
static struct leat__waiters *leat__rwmutex_readers_left(leat_rwmutex *mu, struct leat__striped *e)
{
	if (!e)
		return mu->leat__active ? leat__rw_writer(mu) : NULL;
	store_relaxed(&e->awaited, true);
	leat__fence_heavy(); /* with those of readers who come, to whom WRITER matters, and who go */
	if (leat__striped_sum(e))
		return &e->writer;
	store_relaxed(&e->awaited, false);
	end_stripes(mu, e);
	return NULL;
}

/* After a wait with e, or one that a context ended. */
static void leat__rwmutex_waited(struct leat__m *m, leat_rwmutex *mu, struct leat__striped *e,
                                 struct leat__waiters *q, struct leat__waiter *w, int err)
{
	struct leat__waiter *list = NULL;

	leat__lock(&mu->leat__lock);
	if (e) {
		leat__lock(&e->lock);
		if (w->queued) {
			leat__waiters_remove(q, w);
			store_relaxed(&e->awaited, false);
		}
		leat__unlock(&e->lock);
		/* Since the last one left it may have been taken away. */
		if (!err && (e = leat__rwmutex_own_entry(mu, leat__rw_state(mu)))) {
			end_stripes(mu, e);
			leat__unlock(&e->lock);
		}
	} else {
		leat__unqueue(q, w);
	}
	if (err)
		let_in(m, mu, &list);
	leat__unlock(&mu->leat__lock);
	ready_all(m, list);
}

static NOINLINE int leat__rwmutex_write_slow(leat_rwmutex *mu, leat_ctx *ctx, bool waits)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter w = {0}, *list = NULL;
	struct leat__striped *e = NULL;
	struct leat__waiters *q;
	uint64_t s;
	int err = 0;

	leat__lock(&mu->leat__lock);
	s = __atomic_fetch_or(&mu->leat__state, LEAT__RW_WRITER, __ATOMIC_ACQ_REL);
	if (s & LEAT__RW_ENTRY)
		e = leat__rwmutex_own_entry(mu, s);
	else
		mu->leat__active = leat__rw_count(s);
	q = leat__rwmutex_readers_left(mu, e);
	if (q && waits)
		leat__queue(m, q, &w, ctx, LEAT__WAIT_RWLOCK);
	else if (q && e)
		store_relaxed(&e->awaited, false);
	if (e)
		leat__unlock(&e->lock);
	if (q && !waits) {
		let_in(m, mu, &list);
		err = -EBUSY;
	}
	leat__unlock(&mu->leat__lock);
	ready_all(m, list);
	if (q && waits) {
		m = leat__await_ctx(m, ctx, &err);
		if (e || err)
			leat__rwmutex_waited(m, mu, e, q, &w, err);
	}
	leat__leave(m);
	return err;
}

static inline int leat__rwmutex_write(leat_rwmutex *mu, leat_ctx *ctx, bool waits)
{
	uint64_t s = leat__rw_state(mu);

	if (leat__rw_count(s) || (s & (LEAT__RW_WRITER | LEAT__RW_ENTRY)) ||
	    !leat__rw_change(mu, &s, LEAT__RW_WRITER))
		return leat__rwmutex_write_slow(mu, ctx, waits);
	return 0;
}

static void has_written_lock(const leat_rwmutex *mu)
{
	leat__hb_acquire(&mu->leat__state);
	leat__hb_acquire(leat__rw_reads(mu));
}

void leat_rwmutex_lock(leat_rwmutex *m)
{
	leat_mutex_lock(&m->leat__writers);
	leat__rwmutex_write(m, NULL, true);
	has_written_lock(m);
}

int leat_rwmutex_lock_ctx(leat_rwmutex *m, leat_any_ctx any)
{
	leat_ctx *ctx = any.leat__ctx;
	int err = leat__ctx_begin_wait(ctx);

	if (err)
		return err;
	err = leat_mutex_lock_ctx(&m->leat__writers, any);
	if (!err) {
		err = leat__rwmutex_write(m, ctx, true);
		if (err)
			leat_mutex_unlock(&m->leat__writers);
	}
	leat__ctx_end_wait(ctx);
	if (!err)
		has_written_lock(m);
	return err;
}

/* Somebody has the lock, or just had: to be seen without a fence, and nothing is touched. */
static bool is_taken(const leat_rwmutex *mu)
{
	uint64_t s = leat__rw_state(mu);

	if (s & LEAT__RW_ENTRY) {
		const struct leat__striped *e = &leat__striped[leat__rw_entry(s)];

		if (leat__striped_glance(e) && load_relaxed(&e->owner) == mu)
			return true;
	} else if (leat__rw_count(s)) {
		return true;
	}
	return s & LEAT__RW_WRITER;
}

bool leat_rwmutex_trylock(leat_rwmutex *m)
{
	if (is_taken(m) || !leat_mutex_trylock(&m->leat__writers))
		return false;
	if (leat__rwmutex_write(m, NULL, false)) {
		leat_mutex_unlock(&m->leat__writers);
		return false;
	}
	has_written_lock(m);
	return true;
}
