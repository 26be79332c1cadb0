/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: line 97: an addition from 0 while somebody waits is noticed.
 * Method: the instant at which it can be, between the counter's coming to 0 and the release of who waits, is
 * made by hand.
 */
#include "test.h"

static void add_one(void *wg)
{
	leat_waitgroup_add(wg, 1);
}

TEST(line_97_add_concurrently_with_wait)
{
	leat_waitgroup wg = {.leat__state = 1}; /* one waiter, counter 0 */

	CHECK(test_panics(add_one, &wg, "sync: WaitGroup misuse: Add called concurrently with Wait"));
}

TEST(line_97_add_concurrently_with_a_wait_that_has_a_context)
{
	leat_waitgroup wg = {.leat__state = UINT32_C(0x80000000)};

	CHECK(test_panics(add_one, &wg, "sync: WaitGroup misuse: Add called concurrently with Wait"));
}

TEST_MAIN
