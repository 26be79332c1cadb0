/* SPDX-License-Identifier: MIT */
/*
 * Mutex: a byte that is 1 while locked, and a queue of those who wait.
 *
 * Lock is one exchange; unlock is a plain store, then a look at waiters.  That look must not be
 * reordered before the store:
 *
 *	unlock                      lock, about to sleep
 *	locked = 0 (release)        waiters = 1
 *	light fence                 heavy fence
 *	if waiters: wake one        if locked was 0: got it, else sleep
 *
 * One of the two sees the other's store (fence.h), so no sleeper is missed.  waiters and the queue are
 * under the inner lock, but for the look.  The plain store is worth 2.5 against 4.4 ns.
 *
 * A woken goroutine competes with newcomers for the lock.
 */
#include "os/fence.h"
#include "sched/panic.h"
#include "sched/scheduler.h"

#include <leat/mutex.h>

#define SPIN_US 4

struct sleeper {
	struct sleeper *next;
	struct leat__g *g;
};

static inline bool try_lock(leat_mutex *m)
{
	return __atomic_exchange_n(&m->leat__locked, 1, __ATOMIC_ACQUIRE) == 0;
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
	} while (leat__ticks() < end);
	return false;
}

/* Sleep until woken, or get the lock instead. */
static bool leat__mutex_sleep(leat_mutex *mu)
{
	struct leat__m *m = leat__enter();
	struct sleeper s = {.g = m->g}, *last;
	bool locked;

	leat__lock(&mu->leat__lock);
	__atomic_store_n(&mu->leat__waiters, 1, __ATOMIC_RELAXED);
	leat__fence_heavy();
	locked = try_lock(mu);
	if (locked) {
		__atomic_store_n(&mu->leat__waiters, mu->leat__head != NULL, __ATOMIC_RELAXED);
		leat__unlock(&mu->leat__lock);
	} else {
		leat__park_as(m->g, LEAT__WAIT_MUTEX);
		last = mu->leat__tail;
		if (mu->leat__head)
			last->next = &s;
		else
			mu->leat__head = &s;
		mu->leat__tail = &s;
		leat__unlock(&mu->leat__lock);
		m = leat__park(m);
	}
	leat__leave(m);
	return locked;
}

static NOINLINE void leat__mutex_lock_slow(leat_mutex *m)
{
	while (!spin(m) && !leat__mutex_sleep(m))
		;
}

void leat_mutex_lock(leat_mutex *m)
{
	if (unlikely(!try_lock(m)))
		leat__mutex_lock_slow(m);
	leat__hb_acquire(m);
}

static NOINLINE void wake(leat_mutex *mu)
{
	struct leat__m *m = leat__enter();
	struct sleeper *s;

	leat__lock(&mu->leat__lock);
	/* Not one that was left behind by a fork: nobody would come for the lock then. */
	do {
		s = mu->leat__head;
		if (s)
			mu->leat__head = s->next;
	} while (unlikely(s && load_relaxed(&s->g->kind) == LEAT__GONE));
	__atomic_store_n(&mu->leat__waiters, mu->leat__head != NULL, __ATOMIC_RELAXED);
	leat__unlock(&mu->leat__lock);
	if (s)
		leat__ready(m, s->g, false);
	leat__leave(m);
}

void leat_mutex_unlock(leat_mutex *m)
{
	if (unlikely(!__atomic_load_n(&m->leat__locked, __ATOMIC_RELAXED)))
		leat__fatal("sync: unlock of unlocked mutex");
	leat__hb_release(m);
	__atomic_store_n(&m->leat__locked, 0, __ATOMIC_RELEASE);
	leat__fence_light();
	if (unlikely(__atomic_load_n(&m->leat__waiters, __ATOMIC_RELAXED)))
		wake(m);
}
