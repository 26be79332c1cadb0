/* SPDX-License-Identifier: MIT */
/*
 * Goal: line 107: an unlock that hands a mutex over lets the waiter run before the releaser goes on, in more than
 * two thirds of all cases.
 * Method: a waiter that has waited for a millisecond and was then woken in vain; the mutex itself says that it
 * is to be handed over.
 */
#include "test.h"

enum { HAND_OVER = 2 }; /* sync/mutex.c */

struct heir {
	leat_mutex *m;
	bool *ran;
};

static void heir(struct heir *a)
{
	leat_mutex_lock(a->m);
	__atomic_store_n(a->ran, true, __ATOMIC_RELEASE);
	leat_mutex_unlock(a->m);
}

/* The heir has waited for more than a millisecond, and was woken in vain. */
static void starve_heir(leat_mutex *m, bool *ran)
{
	leat_mutex_lock(m);
	go(heir, m, ran);
	test_parked(1);
	leat_sleep(1200 * LEAT_MICROSECOND);
	do {
		leat_mutex_unlock(m);
		leat_mutex_lock(m);
		for (int i = 0; i < 20; i++)
			leat_yield();
	} while (__atomic_load_n(&m->leat__wanted, __ATOMIC_RELAXED) != HAND_OVER &&
	         !__atomic_load_n(ran, __ATOMIC_ACQUIRE));
	while (leat_num_parked() != 1 && !__atomic_load_n(ran, __ATOMIC_ACQUIRE))
		leat_yield();
}

TEST(line_107_who_is_handed_the_lock_runs_before_the_releaser_goes_on)
{
	leat_mutex m = {0};
	int starved = 0, first = 0;

	for (int i = 0; i < 100; i++) {
		bool ran;

		__atomic_store_n(&ran, false, __ATOMIC_RELAXED); /* the one before lay here, too */
		starve_heir(&m, &ran);
		if (__atomic_load_n(&ran, __ATOMIC_ACQUIRE)) { /* it got the lock in the competition */
			leat_mutex_unlock(&m);
		} else {
			starved++;
			leat_mutex_unlock(&m);
			first += __atomic_load_n(&ran, __ATOMIC_ACQUIRE);
		}
		test_goroutines(1);
	}
	CHECK(starved >= 10);
	CHECK(3 * first > 2 * starved);
}

TEST_MAIN
