/* SPDX-License-Identifier: MIT */
/*
 * RWMutex: a word that counts readers, the mutex of writers, and queues of those who wait.
 *
 *	state    readers (high half) | streak | entry | WRITER
 *
 * A reader adds one; unless a writer has the lock, or waits for it, it is in.  A writer first takes the mutex, then
 * sets WRITER: the readers counted at that moment are those it waits for (active), later ones wait for it.
 * When it unlocks, those who have come are in, whether they sleep in the queue already or have yet
 * to get there (granted), and only then other writers have the mutex: so these readers come first.  After Go's
 * sync.RWMutex; but a reader leaves by a compare-and-swap that sees no writer, or else under the inner lock, so
 * that of those who are counted each is in or is about to ask: a writer that gives up must tell who is who.
 *
 * Striped.  Each reader's addition takes the word's cache line away from the others.  So after a long streak of
 * read locks without a writer the lock gets an entry of the table of stripes.h, where readers are counted
 * without touching a line that others write; the number of the entry stands in the state.  Who is in then
 * moves, too, all at once: the count is taken out of the word as the entry is put there.  The next writer sets
 * WRITER, waits until the entry's sum is 0, and ends that.  It pays with a membarrier (2 us, in a virtual machine
 * 50), so if there were few read locks meanwhile the next time takes a longer streak.
 *
 * Invariants (the inner lock, but for what says otherwise)
 *  - Without an entry, who is in is counted in the state; so are those on their way to the inner lock and those
 *    in the queue.  active is how many of them the writer waits for, 0 without one.
 *  - With an entry, who is in is counted there and nowhere else; those whom the state counts saw the entry too
 *    late, and will put that right under the inner lock.
 *  - So a read lock leaves by the way it has come, or has been moved to, and the sum of an entry is
 *    0 when nobody is in.  While somebody is in, the entry neither changes nor goes away.
 *  - The entry may be taken away, by others and without a word, while nobody is in; then it has another owner,
 *    and who finds that out takes it out of the state (leat__rwmutex_own_entry).
 *  - The queue of readers is empty unless WRITER is set.
 *  - The bit WRITER and the entry change only under the inner lock, but that a writer sets and clears WRITER
 *    without it where nobody is counted, and there is no entry: then nobody waits either.
 *  - granted is how many are counted, are in, and have yet to learn that at the inner lock.  Any reader may use
 *    up the grant of any other who is counted as long: they are as many.
 *
 * A context may end a wait at any time.  A reader that leaves the queue takes back its count; if it was found in
 * the queue, with its claim fired, by who lets readers in, that one did.  A writer lets in those who came on its
 * account, as if it unlocked.
 *
 * Ordering.  Additions to the state acquire (come) and release (go), and so do the inner lock and the stripes.
 * Where nobody has WRITER, one word says who is in, and no fence is needed; the store-load pairs of
 * striped readers and writers are those of stripes.h: state, owner and awaited on the one side, came and went on
 * the other.
 *
 * Lock order: the writers' mutex (asleep), the inner lock, an entry's.  Readying happens under none.
 */
#include "sync/rwmutex.h"

/* --- the entry.  Under the inner lock */

struct leat__striped *leat__rwmutex_own_entry(leat_rwmutex *mu, uint64_t s)
{
	struct leat__striped *e = &leat__striped[leat__rw_entry(s)];

	leat__lock(&e->lock);
	if (load_relaxed(&e->owner) == mu)
		return e;
	leat__unlock(&e->lock);
	s = leat__rw_clear(mu, LEAT__RW_ENTRY | LEAT__RW_STREAKS);
	if (!(s & LEAT__RW_WRITER))
		mu->leat__granted += leat__rw_count(s);
	leat__rw_be_patient(mu);
	return NULL;
}

static void leat__rwmutex_begin_stripes(const struct leat__m *m, leat_rwmutex *mu)
{
	uint64_t s = leat__rw_state(mu);
	struct leat__striped *e;
	uint32_t moved = 0;

	if (s & (LEAT__RW_WRITER | LEAT__RW_ENTRY))
		return;
	e = leat__striped_take(mu);
	if (!e) {
		leat__rw_be_patient(mu);
		return;
	}
	do {
		leat__striped_add(m, e, leat__rw_count(s) - moved);
		moved = leat__rw_count(s);
	} while (!leat__rw_change(mu, &s, (uint64_t)(e - leat__striped + 1) << LEAT__RW_ENTRY_SHIFT) &&
	         !(s & LEAT__RW_WRITER));
	if (s & LEAT__RW_WRITER) {
		leat__striped_add(m, e, -moved);
		leat__striped_give(e);
	}
	leat__unlock(&e->lock);
}

/* A reader, who is in, found the streak long. */
static NOINLINE void leat__rwmutex_streak(leat_rwmutex *mu)
{
	struct leat__m *m;

	if (!(leat__rw_clear(mu, LEAT__RW_STREAKS) & LEAT__RW_LONG))
		return;
	m = leat__enter();
	leat__lock(&mu->leat__lock);
	if (mu->leat__skip)
		mu->leat__skip--;
	else
		leat__rwmutex_begin_stripes(m, mu);
	leat__unlock(&mu->leat__lock);
	leat__leave(m);
}

/* --- reading */

/* True: in.  False: there is a writer, and the reader, who was not counted yet, is. */
static bool admit(const struct leat__m *m, leat_rwmutex *mu)
{
	struct leat__striped *e;
	uint64_t s = leat__rw_state(mu);

	if ((s & LEAT__RW_ENTRY) && !(s & LEAT__RW_WRITER) && (e = leat__rwmutex_own_entry(mu, s))) {
		leat__striped_add(m, e, 1);
		leat__unlock(&e->lock);
		return true;
	}
	return !(leat__rw_add(mu, LEAT__RW_READER) & LEAT__RW_WRITER);
}

/* The same for one who is counted, in the state, since before it came here. */
static bool admit_counted(const struct leat__m *m, leat_rwmutex *mu)
{
	struct leat__striped *e;
	uint64_t s = leat__rw_state(mu);

	if (mu->leat__granted) {
		mu->leat__granted--;
		return true;
	}
	if (s & LEAT__RW_WRITER)
		return false;
	LEAT_ASSERT(s & LEAT__RW_ENTRY);
	e = leat__rwmutex_own_entry(mu, s);
	if (e) {
		leat__striped_add(m, e, 1);
		leat__unlock(&e->lock);
		leat__rw_add(mu, -LEAT__RW_READER);
	} else {
		mu->leat__granted--; /* the caller's own */
	}
	return true;
}

NOINLINE int leat__rwmutex_read_slow(leat_rwmutex *mu, leat_ctx *ctx, bool counted, bool waits)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter w;
	int err = 0;

	leat__lock(&mu->leat__lock);
	if (counted ? admit_counted(m, mu) : admit(m, mu)) {
		leat__unlock(&mu->leat__lock);
	} else if (!waits) {
		leat__rw_add(mu, -LEAT__RW_READER);
		leat__unlock(&mu->leat__lock);
		err = -EBUSY;
	} else {
		leat__queue(m, leat__rw_readers(mu), &w, ctx, LEAT__WAIT_RLOCK);
		leat__unlock(&mu->leat__lock);
		m = leat__await_ctx(m, ctx, &err);
		if (err) {
			leat__lock(&mu->leat__lock);
			if (w.queued) {
				leat__waiters_remove(leat__rw_readers(mu), &w);
				leat__rw_add(mu, -LEAT__RW_READER);
			}
			leat__unlock(&mu->leat__lock);
		}
	}
	leat__leave(m);
	return err;
}

/* s: the state.  False: nothing happened. */
static ALWAYS_INLINE bool leat__rwmutex_read_striped(leat_rwmutex *mu, uint64_t s)
{
	struct leat__m *m = leat__enter();
	bool in = leat__stripe_enter(m, leat__rw_entry(s), mu, &mu->leat__state,
	                             LEAT__RW_WRITER | LEAT__RW_ENTRY,
	                             s & (LEAT__RW_WRITER | LEAT__RW_ENTRY));

	leat__leave(m);
	return in;
}

static ALWAYS_INLINE int leat__rwmutex_read(leat_rwmutex *mu, leat_ctx *ctx)
{
	uint64_t s = leat__rw_state(mu);

	if (s & (LEAT__RW_WRITER | LEAT__RW_ENTRY)) {
		if (unlikely(s & LEAT__RW_WRITER) || unlikely(!leat__rwmutex_read_striped(mu, s)))
			return leat__rwmutex_read_slow(mu, ctx, false, true);
		return 0;
	}
	s = leat__rw_add(mu, LEAT__RW_READER + LEAT__RW_STREAK);
	if (unlikely(s & (LEAT__RW_WRITER | LEAT__RW_ENTRY)))
		return leat__rwmutex_read_slow(mu, ctx, true, true);
	if (unlikely(s & LEAT__RW_LONG))
		leat__rwmutex_streak(mu);
	return 0;
}

void leat_rwmutex_rlock(leat_rwmutex *m)
{
	leat__rwmutex_read(m, NULL);
	leat__hb_acquire(&m->leat__state);
}

int leat_rwmutex_rlock_ctx(leat_rwmutex *m, leat_any_ctx any)
{
	leat_ctx *ctx = any.leat__ctx;
	int err = leat__ctx_begin_wait(ctx);

	if (err)
		return err;
	err = leat__rwmutex_read(m, ctx);
	leat__ctx_end_wait(ctx);
	if (!err)
		leat__hb_acquire(&m->leat__state);
	return err;
}

bool leat_rwmutex_tryrlock(leat_rwmutex *m)
{
	uint64_t s = leat__rw_state(m);

	do {
		if (s & LEAT__RW_WRITER)
			return false;
		if (s & LEAT__RW_ENTRY) {
			if (!leat__rwmutex_read_striped(m, s) && leat__rwmutex_read_slow(m, NULL, false, false))
				return false;
			s = 0;
			break;
		}
	} while (!leat__rw_change(m, &s, s + LEAT__RW_READER + LEAT__RW_STREAK));
	if (unlikely(s & LEAT__RW_LONG))
		leat__rwmutex_streak(m);
	leat__hb_acquire(&m->leat__state);
	return true;
}

/* --- reading no more */

static LEAT__NORETURN COLD void leat__rwmutex_not_read(void)
{
	leat__fatal("sync: RUnlock of unlocked RWMutex");
}

/* The caller's stripe looks as if it had nobody to leave: look closer, while it is still in. */
static NOINLINE void leat__rwmutex_look(struct leat__m *m, leat_rwmutex *mu, uint64_t s)
{
	struct leat__striped *e = &leat__striped[leat__rw_entry(s)];

	leat__lock(&mu->leat__lock);
	leat__lock(&e->lock);
	if (load_relaxed(&e->owner) != mu || leat__striped_look(e) == 0)
		leat__rwmutex_not_read();
	leat__striped_sink(m, e);
	leat__unlock(&e->lock);
	leat__unlock(&mu->leat__lock);
}

static ALWAYS_INLINE void leat__rwmutex_leave_striped(leat_rwmutex *mu, uint64_t s)
{
	struct leat__m *m = leat__enter();

	if (unlikely(!leat__stripe_may_leave(m, leat__rw_entry(s), mu)))
		leat__rwmutex_look(m, mu, s);
	leat__stripe_leave(m, leat__rw_entry(s));
	leat__leave(m);
}

/* There is a writer, or nobody to leave: under the inner lock that stays so, and what there is to count is
   counted there.  False: the lock was striped meanwhile, nothing happened. */
static NOINLINE bool leat__rwmutex_leave_slow(leat_rwmutex *mu)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter *w = NULL;
	bool striped, wrong = false;
	uint64_t s;

	leat__lock(&mu->leat__lock);
	s = leat__rw_state(mu);
	striped = s & LEAT__RW_ENTRY;
	if (!striped)
		wrong = leat__rw_count(s) == 0 || ((s & LEAT__RW_WRITER) && !mu->leat__active);
	if (!striped && !wrong) {
		leat__rw_add(mu, -LEAT__RW_READER);
		if ((s & LEAT__RW_WRITER) && --mu->leat__active == 0)
			w = leat__waiters_take(leat__rw_writer(mu));
	}
	leat__unlock(&mu->leat__lock);
	if (w)
		leat__ready(m, w->g, false);
	leat__leave(m);
	if (wrong)
		leat__rwmutex_not_read();
	return !striped;
}

void leat_rwmutex_runlock(leat_rwmutex *m)
{
	uint64_t s = leat__rw_state(m);

	leat__hb_release(leat__rw_reads(m));
	do {
		if (!(s & LEAT__RW_ENTRY) &&
		    (unlikely(s & LEAT__RW_WRITER) || unlikely(leat__rw_count(s) == 0))) {
			if (leat__rwmutex_leave_slow(m))
				return;
			s = leat__rw_state(m);
		}
		if (s & LEAT__RW_ENTRY) {
			leat__rwmutex_leave_striped(m, s);
			return;
		}
	} while (!leat__rw_change(m, &s, s - LEAT__RW_READER));
}
