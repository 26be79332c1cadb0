/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: the door: whose processor is asked for, but who is back in leat before it could be taken,
 * lets others run there.
 *
 * Method: the request is the test's own, so that the answer does not depend on how fast the monitor is.
 */
#include "sched/scheduler.h"

#include "test.h"

static _Atomic int ran;

static void other(void)
{
	atomic_fetch_add(&ran, 1);
}

TEST(who_is_asked_for_its_processor_yields_at_its_next_call)
{
	leat_procs(1);
	for (int i = 1; i <= 1000; i++) {
		go0(other);
		/* Every so often a yield looks at the global queue first, and comes back at once. */
		for (int asked = 0; asked < 2 && atomic_load(&ran) < i; asked++) {
			atomic_fetch_or_explicit(&leat__self()->retake, LEAT__RETAKE_REQUESTED,
			                         memory_order_acq_rel);
			leat_num_goroutine(); /* enters, and parks nobody */
			CHECK(!(load_relaxed(&leat__self()->retake) & LEAT__RETAKE_REQUESTED));
		}
		CHECK_EQ(atomic_load(&ran), i);
	}
}

TEST_MAIN
