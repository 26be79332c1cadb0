/* SPDX-License-Identifier: MIT */
/*
 * WaitGroup.
 *
 * state holds the counter (high half) and the number of waiters (low half), so one atomic addition
 * both counts and tells whether anyone waits.  A waiter raises their number, then shows itself: the first by
 * a store, for nobody else writes there; the others, who are rare, by a compare-and-swap.  Who brings the
 * counter to 0 knows how many there are, and waits for those that have not shown themselves yet.  For one
 * goroutine that ends and one that waits that makes three locked instructions, the addition before
 * included; with a lock it was five.
 *
 * Who brings the counter to 0 with nobody waiting touches the group no more: its owner may see the 0
 * and free it.
 *
 * Ordering: the additions acquire and release, so all that came before any of them is seen by who
 * sees the 0, and by the waiters it readies.
 */
#include "sync/waitgroup.h"

#include "sched/panic.h"

struct sleeper {
	struct sleeper *next;
	struct leat__g *g;
};

static void pause(unsigned *attempt)
{
	leat__cpu_relax();
	if (++*attempt > 50)
		leat__os_backoff(*attempt - 50);
}

/* All n waiters, as a list; NULL where another, who brought the counter to 0 as well, came before: an add at
   the wrong time is no reason to wait for ever. */
static struct sleeper *collect(leat_waitgroup *wg, uint32_t n)
{
	struct sleeper *all, *s, *next;
	unsigned attempt = 0;

	while (!(all = __atomic_load_n(&wg->leat__first, __ATOMIC_ACQUIRE))) {
		if (!__atomic_load_n(&wg->leat__state, __ATOMIC_RELAXED))
			return NULL;
		pause(&attempt);
	}
	wg->leat__first = NULL;
	all->next = NULL;
	n--;
	while (n > 0) {
		while (!(s = __atomic_exchange_n(&wg->leat__others, NULL, __ATOMIC_ACQUIRE)))
			pause(&attempt);
		for (; s; s = next, n--) {
			next = s->next;
			s->next = all;
			all = s;
		}
	}
	return all;
}

/* The counter is 0 and there are n waiters: let them go. */
static NOINLINE void release(struct leat__m *m, leat_waitgroup *wg, uint32_t n)
{
	struct sleeper *s = collect(wg, n), *next;

	if (unlikely(!s))
		return;
	__atomic_store_n(&wg->leat__state, 0, __ATOMIC_RELEASE);
	for (; s; s = next) {
		next = s->next; /* the sleeper's stack, gone once it runs */
		leat__ready(m, s->g, true);
	}
}

/* Add and judge; *release_n is how many waiters are to be released. */
static inline const char *add(leat_waitgroup *wg, int delta, uint32_t *release_n)
{
	uint64_t state =
	    __atomic_add_fetch(&wg->leat__state, (uint64_t)(int64_t)delta << 32, __ATOMIC_ACQ_REL);
	int32_t counter = (int32_t)(state >> 32);
	uint32_t waiters = (uint32_t)state;

	*release_n = counter == 0 && delta ? waiters : 0; /* adding 0 brings it nowhere */
	if (unlikely(counter < 0))
		return "sync: negative WaitGroup counter";
	if (unlikely(waiters && delta > 0 && counter == delta))
		return "sync: WaitGroup misuse: Add called concurrently with Wait";
	return NULL;
}

const char *leat__waitgroup_add(struct leat__m *m, leat_waitgroup *wg, int delta)
{
	const char *wrong;
	uint32_t n;

	leat__hb_release(wg);
	wrong = add(wg, delta, &n);
	if (n)
		release(m, wg, n);
	return wrong;
}

void leat_waitgroup_add(leat_waitgroup *wg, int delta)
{
	const char *wrong;
	uint32_t n;

	leat__hb_release(wg);
	wrong = add(wg, delta, &n);
	if (unlikely(n)) {
		struct leat__m *m = leat__enter();

		release(m, wg, n);
		leat__leave(m);
	}
	if (unlikely(wrong != NULL))
		leat__panic_runtime(wrong);
}

void leat_waitgroup_done(leat_waitgroup *wg)
{
	leat_waitgroup_add(wg, -1);
}

/* Inline as the switch is, see scheduler.c: a join resumes here. */
static ALWAYS_INLINE struct leat__m *leat__wait(struct leat__m *m, leat_waitgroup *wg,
                                                enum leat__wait why)
{
	struct sleeper s = {.g = m->g};
	void *others;
	uint64_t state = __atomic_load_n(&wg->leat__state, __ATOMIC_ACQUIRE);

	do {
		if (state >> 32 == 0) {
			leat__hb_acquire(wg);
			return m;
		}
	} while (!__atomic_compare_exchange_n(&wg->leat__state, &state, state + 1, true,
	                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	leat__park_as(m->g, why);
	if (likely((uint32_t)state == 0)) {
		__atomic_store_n(&wg->leat__first, &s, __ATOMIC_RELEASE);
	} else {
		others = __atomic_load_n(&wg->leat__others, __ATOMIC_RELAXED);
		do
			s.next = others;
		while (!__atomic_compare_exchange_n(&wg->leat__others, &others, &s, true, __ATOMIC_RELEASE,
		                                    __ATOMIC_RELAXED));
	}
	m = leat__park(m);
	leat__hb_acquire(wg);
	return m;
}

struct leat__m *leat__waitgroup_wait(struct leat__m *m, leat_waitgroup *wg, enum leat__wait why)
{
	return leat__wait(m, wg, why);
}

void leat_waitgroup_wait(leat_waitgroup *wg)
{
	if (__atomic_load_n(&wg->leat__state, __ATOMIC_ACQUIRE) >> 32 == 0) {
		leat__hb_acquire(wg);
		return;
	}
	leat__leave(leat__wait(leat__enter(), wg, LEAT__WAIT_WAITGROUP));
}
