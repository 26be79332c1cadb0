/* SPDX-License-Identifier: MIT */
/*
 * Mutex: a byte that is 1 while locked, and a queue of those who wait.
 *
 * Lock is one exchange; unlock is a plain store, then a look at wanted.  That look must not be reordered
 * before the store:
 *
 *	unlock                      lock, about to sleep
 *	locked = 0 (release)        wanted = WAKE
 *	light fence                 heavy fence
 *	if wanted: wake one         if locked was 0: got it, else sleep
 *
 * One of the two sees the other's store (fence.h), so no sleeper is missed.  The plain store is worth 2.5
 * against 4.4 ns.  Whether it is locked at all an unlock reads from held, an ordinary byte: to read the
 * one that was just exchanged waits for the exchange (15.4 against 12.1 ns).
 *
 * Invariants (the inner lock)
 *  - wanted is NOBODY if the queue is empty, or one is woken, who answers for the others: he sets it anew,
 *    as the holder or as one who sleeps again.  So of those who come meanwhile nobody needs the fence,
 *    and no unlock wakes a second one.
 *  - Else wanted is not NOBODY, and whoever holds the lock sees that when he unlocks: it was set by a holder,
 *    or with a heavy fence before a look at locked.
 *  - woken is who was taken off the queue, is not the holder yet and not back; only that there is one, and of
 *    which process: in the child of a fork he is gone.
 *
 * Starving.  A woken one competes with newcomers, who have the advantage of running; so if he has waited
 * for a millisecond, the lock does not become free: an unlock that sees HAND_OVER passes it on, in the
 * order of the queue, until one gets it who is the last or has waited less.  After Go's sync.Mutex.
 */
#include "os/fence.h"
#include "sched/panic.h"
#include "sched/scheduler.h"

#include <leat/mutex.h>

#define SPIN_US     4
#define STARVING_NS 1000000

/* What an unlock is to do for those who wait. */
enum { NOBODY, WAKE, HAND_OVER };

struct sleeper {
	struct sleeper *next;
	struct leat__g *g;
	int64_t since; /* when it first slept, 0: not yet */
	bool woken;    /* it was taken off the queue, and has yet to say what came of that */
	bool holds;    /* the lock was handed to it */
};

static inline bool try_lock(leat_mutex *m)
{
	if (__atomic_exchange_n(&m->leat__locked, 1, __ATOMIC_ACQUIRE) != 0)
		return false;
	__atomic_store_n(&m->leat__held, 1, __ATOMIC_RELAXED);
	return true;
}

static inline void release(leat_mutex *m)
{
	__atomic_store_n(&m->leat__held, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&m->leat__locked, 0, __ATOMIC_RELEASE);
}

bool leat_mutex_trylock(leat_mutex *m)
{
	if (__atomic_load_n(&m->leat__locked, __ATOMIC_RELAXED) || !try_lock(m))
		return false;
	leat__hb_acquire(m);
	return true;
}

/* A holder on another processor is likely to be done soon.  By time, not by count: a pause takes 10
   cycles on one CPU and 140 on another. */
static bool spin(leat_mutex *m)
{
	uint64_t end = leat__ticks() + SPIN_US * leat__sched.ticks_per_us;
	unsigned pauses = 16;

	if (leat__sched.procs < 2)
		return false;
	do {
		for (unsigned i = 0; i < pauses; i++)
			leat__cpu_relax();
		if (!__atomic_load_n(&m->leat__locked, __ATOMIC_RELAXED) && try_lock(m))
			return true;
		pauses *= 2;
	} while (leat__ticks() < end &&
	         __atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED) != HAND_OVER);
	return false;
}

/* --- the queue.  Under the inner lock */

static void want(leat_mutex *mu, uint8_t what)
{
	__atomic_store_n(&mu->leat__wanted, what, __ATOMIC_RELAXED);
}

/* In this process. */
static uint8_t woken_mark(void)
{
	return (uint8_t)(1 + leat__sched.forks % 255);
}

/* One who has slept before goes to the front. */
static void enqueue(leat_mutex *mu, struct sleeper *s)
{
	struct sleeper *last = mu->leat__tail;

	s->next = s->woken ? mu->leat__head : NULL;
	if (!mu->leat__head)
		mu->leat__tail = s;
	if (s->woken || !mu->leat__head) {
		mu->leat__head = s;
	} else {
		last->next = s;
		mu->leat__tail = s;
	}
}

/* The first who is still there: not one whom a fork left behind, for nobody would come then. */
static struct sleeper *dequeue(leat_mutex *mu)
{
	struct sleeper *s;

	do {
		s = mu->leat__head;
		if (s)
			mu->leat__head = s->next;
	} while (unlikely(s && load_relaxed(&s->g->kind) == LEAT__GONE));
	return s;
}

static bool starves(const struct sleeper *s)
{
	return leat__clock() - s->since >= STARVING_NS;
}

/* The caller holds the lock, and passes it on; NULL: nobody waits. */
static struct leat__g *pass_on(leat_mutex *mu)
{
	struct sleeper *s = dequeue(mu);

	if (!mu->leat__head)
		want(mu, NOBODY);
	else if (s && !starves(s))
		want(mu, WAKE);
	if (!s)
		return NULL;
	s->holds = true;
	return s->g;
}

/* --- lock, slowly */

/* Sleep until the lock is handed over, true; or until woken; or get it instead, true. */
static bool leat__mutex_sleep(leat_mutex *mu, struct sleeper *s)
{
	struct leat__m *m = leat__enter();
	bool locked = false;

	s->g = m->g;
	if (!s->since)
		s->since = leat__clock();
	leat__lock(&mu->leat__lock);
	if (s->woken)
		mu->leat__woken = 0;
	if (mu->leat__woken != woken_mark()) {
		uint8_t before = __atomic_load_n(&mu->leat__wanted, __ATOMIC_RELAXED);
		uint8_t now = before == HAND_OVER || (s->woken && starves(s)) ? HAND_OVER : WAKE;

		want(mu, now);
		if (before == NOBODY) {
			leat__fence_heavy();
			locked = try_lock(mu);
		}
	}
	if (locked) {
		want(mu, mu->leat__head ? WAKE : NOBODY);
		leat__unlock(&mu->leat__lock);
	} else {
		leat__park_as(m->g, LEAT__WAIT_MUTEX);
		enqueue(mu, s);
		s->woken = false;
		leat__unlock(&mu->leat__lock);
		m = leat__park(m);
	}
	leat__leave(m);
	return locked || s->holds;
}

/* s was woken, and got the lock in the competition. */
static void leat__mutex_won(leat_mutex *mu)
{
	struct leat__m *m = leat__enter();

	leat__lock(&mu->leat__lock);
	mu->leat__woken = 0;
	want(mu, mu->leat__head ? WAKE : NOBODY);
	leat__unlock(&mu->leat__lock);
	leat__leave(m);
}

static NOINLINE void leat__mutex_lock_slow(leat_mutex *mu)
{
	struct sleeper s = {0};

	for (;;) {
		if (spin(mu) || (s.woken && try_lock(mu))) {
			if (s.woken)
				leat__mutex_won(mu);
			return;
		}
		if (leat__mutex_sleep(mu, &s))
			return;
	}
}

void leat_mutex_lock(leat_mutex *m)
{
	if (unlikely(!try_lock(m)))
		leat__mutex_lock_slow(m);
	leat__hb_acquire(m);
}

/* --- unlock, slowly */

/* The lock is free, or was just now, and somebody waits. */
static NOINLINE void leat__mutex_wake(leat_mutex *mu)
{
	struct leat__m *m = leat__enter();
	struct leat__g *g = NULL;
	struct sleeper *s;

	leat__lock(&mu->leat__lock);
	switch (__atomic_load_n(&mu->leat__wanted, __ATOMIC_RELAXED)) {
	case WAKE:
		s = dequeue(mu);
		want(mu, NOBODY);
		if (s) {
			mu->leat__woken = woken_mark();
			s->woken = true;
			g = s->g;
		}
		break;
	case HAND_OVER:
		/* Whoever has it by now sees the same when he unlocks. */
		if (try_lock(mu)) {
			g = pass_on(mu);
			if (!g)
				release(mu);
		}
		break;
	}
	leat__unlock(&mu->leat__lock);
	if (g)
		leat__ready(m, g, false);
	leat__leave(m);
}

/* The caller holds the lock.  False: nobody waits after all. */
static NOINLINE bool leat__mutex_hand_over(leat_mutex *mu)
{
	struct leat__m *m = leat__enter();
	struct leat__g *g;

	leat__lock(&mu->leat__lock);
	g = pass_on(mu);
	leat__unlock(&mu->leat__lock);
	if (g)
		leat__ready(m, g, false);
	leat__leave(m);
	return g != NULL;
}

void leat_mutex_unlock(leat_mutex *m)
{
	if (unlikely(!__atomic_load_n(&m->leat__held, __ATOMIC_RELAXED)))
		leat__fatal("sync: unlock of unlocked mutex");
	leat__hb_release(m);
	if (unlikely(__atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED) == HAND_OVER) &&
	    leat__mutex_hand_over(m))
		return;
	release(m);
	leat__fence_light();
	if (unlikely(__atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED)))
		leat__mutex_wake(m);
}
