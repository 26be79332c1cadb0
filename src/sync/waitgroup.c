/* SPDX-License-Identifier: MIT */
/*
 * WaitGroup.
 *
 * state holds the counter (high half) and the number of waiters (low half), so one atomic addition
 * both counts and tells whether anyone waits.  A waiter raises its number and queues under the lock;
 * who brings the counter to 0 then takes the lock, so it finds every waiter it counted.
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

/* The counter is 0 and there are waiters: let them go. */
static NOINLINE void release(struct leat__m *m, leat_waitgroup *wg)
{
	struct sleeper *s, *next;

	leat__lock(&wg->leat__lock);
	__atomic_store_n(&wg->leat__state, 0, __ATOMIC_RELEASE);
	s = wg->leat__waiters;
	wg->leat__waiters = NULL;
	leat__unlock(&wg->leat__lock);
	for (; s; s = next) {
		next = s->next; /* the sleeper's stack, gone once it runs */
		leat__ready(m, s->g, true);
	}
}

/* Add and judge; *zero when there are waiters to be released. */
static inline const char *add(leat_waitgroup *wg, int delta, bool *zero)
{
	uint64_t state =
	    __atomic_add_fetch(&wg->leat__state, (uint64_t)(int64_t)delta << 32, __ATOMIC_ACQ_REL);
	int32_t counter = (int32_t)(state >> 32);
	uint32_t waiters = (uint32_t)state;

	*zero = counter == 0 && waiters;
	if (unlikely(counter < 0))
		return "sync: negative WaitGroup counter";
	if (unlikely(waiters && delta > 0 && counter == delta))
		return "sync: WaitGroup misuse: Add called concurrently with Wait";
	return NULL;
}

const char *leat__waitgroup_add(struct leat__m *m, leat_waitgroup *wg, int delta)
{
	const char *wrong;
	bool zero;

	leat__hb_release(wg);
	wrong = add(wg, delta, &zero);
	if (zero)
		release(m, wg);
	return wrong;
}

void leat_waitgroup_add(leat_waitgroup *wg, int delta)
{
	const char *wrong;
	bool zero;

	leat__hb_release(wg);
	wrong = add(wg, delta, &zero);
	if (unlikely(zero)) {
		struct leat__m *m = leat__enter();

		release(m, wg);
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
	uint64_t state;

	leat__lock(&wg->leat__lock);
	state = __atomic_load_n(&wg->leat__state, __ATOMIC_ACQUIRE);
	do {
		if (state >> 32 == 0) {
			leat__unlock(&wg->leat__lock);
			leat__hb_acquire(wg);
			return m;
		}
	} while (!__atomic_compare_exchange_n(&wg->leat__state, &state, state + 1, true,
	                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	leat__park_as(m->g, why);
	s.next = wg->leat__waiters;
	wg->leat__waiters = &s;
	leat__unlock(&wg->leat__lock);
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
