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
 * against 4.4 ns.
 *
 * Whether it is locked at all an unlock reads from held, an ordinary byte: to read the one that was just
 * exchanged waits for the exchange (15.4 against 12.1 ns).  It is set before the exchange, since a store to the
 * line of an exchange just after it takes 2 ns, and just before it nothing (11.9 against 9.5), and is cleared by the
 * store that unlocks.  So whoever locks meanwhile may lose his to it: 0 says nothing, and is looked into.  1
 * is wrong while somebody is between the two steps of a lock; and until the next unlock, where his store passed an
 * exchange that failed (Arm), or in the child of a fork.  One wrong unlock goes unnoticed then.
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
#include "sync/mutex.h"

#include "ctx/wait.h"
#include "os/fence.h"
#include "sched/panic.h"

#define SPIN_US     4
#define STARVING_NS 1000000

/* What an unlock is to do for those who wait. */
enum { NOBODY, WAKE, HAND_OVER };

struct sleeper {
	struct leat__waiter waiter;
	int64_t since; /* when it first slept, 0: not yet */
	bool woken;    /* it was taken off the queue, and has yet to say what came of that */
	bool holds;    /* the lock was handed to it */
};

static inline bool try_lock(leat_mutex *m)
{
	__atomic_store_n(&m->leat__held, 1, __ATOMIC_RELAXED);
	return __atomic_exchange_n(&m->leat__locked, 1, __ATOMIC_ACQUIRE) == 0;
}

/* Both bytes. */
typedef uint16_t leat__locked_and_held __attribute__((may_alias));
_Static_assert(offsetof(leat_mutex, leat__locked) % sizeof(leat__locked_and_held) == 0 &&
                   offsetof(leat_mutex, leat__held) == offsetof(leat_mutex, leat__locked) + 1,
               "they are one word");

static inline void release(leat_mutex *m)
{
	__atomic_store_n((leat__locked_and_held *)(void *)&m->leat__locked, 0, __ATOMIC_RELEASE);
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

	if (leat__sched.procs < 2 || __atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED) == HAND_OVER)
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

/* The first who is still there: not one whose context has ended the wait, nor one whom a fork left behind, for
   nobody would come then. */
static struct sleeper *dequeue(leat_mutex *mu)
{
	struct leat__waiter *w;

	do
		w = leat__waiters_take(&mu->leat__queue);
	while (unlikely(w && load_relaxed(&w->g->kind) == LEAT__GONE));
	return w ? container_of(w, struct sleeper, waiter) : NULL;
}

static bool starves(const struct sleeper *s)
{
	return leat__clock() - s->since >= STARVING_NS;
}

/* It is known who gets the lock after this one, and that no cache may have him: fetch his descriptor, and what
   lies about his waiter, which are his frames; and the waiter behind him, where this looks the next time. */
static ALWAYS_INLINE void fetch_next(const leat_mutex *mu)
{
	const struct leat__waiter *w = mu->leat__queue.first;
	uintptr_t g, at = (uintptr_t)w, behind;

	if (!w)
		return;
	g = (uintptr_t)w->g;
	behind = (uintptr_t)w->next;
	__builtin_prefetch((const void *)g, 1);
	__builtin_prefetch((const void *)(g + CACHE_LINE), 1);
	__builtin_prefetch((const void *)(at - 2 * CACHE_LINE), 1);
	__builtin_prefetch((const void *)(at - CACHE_LINE), 1);
	__builtin_prefetch((const void *)(at + 2 * CACHE_LINE), 1);
	__builtin_prefetch((const void *)behind, 1);
	__builtin_prefetch((const void *)(behind + CACHE_LINE), 1);
}

/* The caller holds the lock, and passes it on; NULL: nobody waits. */
static struct leat__g *pass_on(leat_mutex *mu)
{
	struct sleeper *s = dequeue(mu);

	if (!mu->leat__queue.first)
		want(mu, NOBODY);
	else if (s && !starves(s))
		want(mu, WAKE);
	if (!s)
		return NULL;
	fetch_next(mu);
	s->holds = true;
	return s->waiter.g;
}

/* --- lock, slowly */

enum { GOT, WOKEN };

/* The inner lock is held, and let go.  Woken: the competition goes on. */
static ALWAYS_INLINE struct leat__m *leat__mutex_park(struct leat__m *m, leat_mutex *mu,
                                                      struct sleeper *s, leat_ctx *ctx, int *result)
{
	bool again = s->woken;

	s->woken = false;
	leat__queue_as(m, &s->waiter, ctx, LEAT__WAIT_MUTEX);
	if (again)
		leat__waiters_add_first(&mu->leat__queue, &s->waiter);
	else
		leat__waiters_add(&mu->leat__queue, &s->waiter);
	leat__unlock(&mu->leat__lock);
	*result = 0;
	m = ctx ? leat__await_ctx(m, ctx, result) : leat__park(m);
	if (unlikely(*result)) {
		/* wanted may go on saying that somebody waits: whoever unlocks finds nobody, and puts it right. */
		leat__lock(&mu->leat__lock);
		leat__unqueue(&mu->leat__queue, &s->waiter);
		leat__unlock(&mu->leat__lock);
	} else {
		*result = s->holds ? GOT : WOKEN;
	}
	return m;
}

/* Sleep until the lock is handed over: GOT; until woken; or get it instead.  Negative: ctx is done. */
static int leat__mutex_sleep(leat_mutex *mu, struct sleeper *s, leat_ctx *ctx)
{
	struct leat__m *m = leat__enter();
	int result = GOT;
	bool locked = false;

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
		want(mu, mu->leat__queue.first ? WAKE : NOBODY);
		leat__unlock(&mu->leat__lock);
	} else {
		m = leat__mutex_park(m, mu, s, ctx, &result);
	}
	leat__leave(m);
	return result;
}

/* s was woken, and got the lock in the competition. */
static void leat__mutex_won(leat_mutex *mu)
{
	struct leat__m *m = leat__enter();

	leat__lock(&mu->leat__lock);
	mu->leat__woken = 0;
	want(mu, mu->leat__queue.first ? WAKE : NOBODY);
	leat__unlock(&mu->leat__lock);
	leat__leave(m);
}

static NOINLINE int leat__mutex_lock_slow(leat_mutex *mu, leat_ctx *ctx)
{
	struct sleeper s = {0};
	int result;

	do {
		if (spin(mu) || (s.woken && try_lock(mu))) {
			if (s.woken)
				leat__mutex_won(mu);
			return 0;
		}
		result = leat__mutex_sleep(mu, &s, ctx);
	} while (result == WOKEN);
	return result;
}

int leat_mutex_lock_ctx(leat_mutex *m, leat_any_ctx any)
{
	leat_ctx *ctx = any.leat__ctx;
	int err = ctx ? leat_ctx_err(any) : 0;

	if (unlikely(err))
		return err;
	if (unlikely(!try_lock(m))) {
		err = leat__ctx_begin_wait(ctx);
		if (err)
			return err;
		err = leat__mutex_lock_slow(m, ctx);
		leat__ctx_end_wait(ctx);
		if (err)
			return err;
	}
	leat__hb_acquire(m);
	return 0;
}

void leat__mutex_lock(leat_mutex *m)
{
	if (unlikely(!try_lock(m)))
		leat__mutex_lock_slow(m, NULL);
}

static COLD void leat__mutex_lock_contended(leat_mutex *m)
{
	leat__mutex_lock_slow(m, NULL);
	leat__hb_acquire(m);
}

void leat_mutex_lock(leat_mutex *m)
{
	if (likely(try_lock(m)))
		leat__hb_acquire(m);
	else
		leat__mutex_lock_contended(m);
}

/* --- unlock, slowly.  inside: the caller is in the runtime, about to park; else NULL */

/* g has the lock.  It goes first, in the caller's turn: until it lets go all the others wait, as the caller may,
   too, soon. */
static void leat__mutex_give_turn(struct leat__m *m, struct leat__g *g, bool inside)
{
	struct leat__m *later;

	leat__ready(m, g, true);
	if (inside)
		return;
	later = leat__yield_to(m, UINT32_MAX);
	leat__leave(later ? later : m);
}

/* The lock is free, or was just now, and somebody waits. */
static NOINLINE void leat__mutex_wake(leat_mutex *mu, struct leat__m *inside)
{
	struct leat__m *m = inside ? inside : leat__enter();
	struct leat__g *g = NULL;
	struct sleeper *s;
	bool handed = false;

	leat__lock(&mu->leat__lock);
	switch (__atomic_load_n(&mu->leat__wanted, __ATOMIC_RELAXED)) {
	case WAKE:
		s = dequeue(mu);
		want(mu, NOBODY);
		if (s) {
			mu->leat__woken = woken_mark();
			s->woken = true;
			g = s->waiter.g;
		}
		break;
	case HAND_OVER:
		/* Whoever has it by now sees the same when he unlocks. */
		if (try_lock(mu)) {
			g = pass_on(mu);
			handed = g != NULL;
			if (!g)
				release(mu);
		}
		break;
	}
	leat__unlock(&mu->leat__lock);
	if (handed) {
		leat__mutex_give_turn(m, g, inside);
		return;
	}
	if (g)
		leat__ready(m, g, false);
	if (!inside)
		leat__leave(m);
}

/* The caller holds the lock.  False: nobody waits after all. */
static NOINLINE bool leat__mutex_hand_over(leat_mutex *mu, struct leat__m *inside)
{
	struct leat__m *m = inside ? inside : leat__enter();
	struct leat__g *g;

	leat__lock(&mu->leat__lock);
	g = pass_on(mu);
	leat__unlock(&mu->leat__lock);
	if (g)
		leat__mutex_give_turn(m, g, inside);
	else if (!inside)
		leat__leave(m);
	return g != NULL;
}

/* By who holds it, and has nobody to hand it over to. */
static ALWAYS_INLINE void leat__mutex_let_go(leat_mutex *m, struct leat__m *inside)
{
	release(m);
	leat__fence_light();
	if (unlikely(__atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED)))
		leat__mutex_wake(m, inside);
}

/* By who holds it. */
static ALWAYS_INLINE void leat__mutex_drop(leat_mutex *m, struct leat__m *inside)
{
	if (unlikely(__atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED) == HAND_OVER) &&
	    leat__mutex_hand_over(m, inside))
		return;
	leat__mutex_let_go(m, inside);
}

static ALWAYS_INLINE void leat__mutex_drop_checked(leat_mutex *m, struct leat__m *inside)
{
	if (unlikely(!__atomic_load_n(&m->leat__held, __ATOMIC_RELAXED)) &&
	    !__atomic_load_n(&m->leat__locked, __ATOMIC_RELAXED))
		leat__fatal("sync: unlock of unlocked mutex");
	leat__hb_release(m);
	leat__mutex_drop(m, inside);
}

void leat__mutex_unlock(leat_mutex *m)
{
	leat__mutex_drop(m, NULL);
}

void leat__mutex_unlock_inside(struct leat__m *m, leat_mutex *mu)
{
	leat__mutex_drop_checked(mu, m);
}

static NOINLINE void leat__mutex_unlock_slow(leat_mutex *m)
{
	leat__mutex_drop_checked(m, NULL);
}

void leat_mutex_unlock(leat_mutex *m)
{
	if (unlikely(!__atomic_load_n(&m->leat__held, __ATOMIC_RELAXED)) ||
	    unlikely(leat__sanitizers & LEAT__TSAN) ||
	    unlikely(__atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED) == HAND_OVER))
		leat__mutex_unlock_slow(m);
	else
		leat__mutex_let_go(m, NULL);
}
