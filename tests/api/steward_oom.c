/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: where memory runs out for a steward, at whichever allocation, that is a clean panic or a ward that fails with
 * -ENOMEM and is restarted, and nothing leaks.
 * Method: each operation with its 1st, 2nd, ... allocation failing.
 */
#include "test.h"

#include "oom.h"

static int ward(leat_ward *w)
{
	leat_heartbeat_beat(w->heartbeat);
	return *(int *)w->arg;
}

static int run_once(void *arg)
{
	leat_steward s = {.ward = ward, .arg = arg, .max_restarts = -1, .timeout_ns = LEAT_MINUTE};

	return leat_steward_run(&s, NULL);
}

static void ran_out(const leat_steward_event *e, void *seen)
{
	CHECK_EQ(e->err, -ENOMEM);
	++*(int *)seen;
}

/* It copes, but for what it needs for itself. */
static int run_until_it_works(void *arg)
{
	int seen = 0;
	leat_steward s = {
	    .ward = ward, .arg = arg, .backoff_ns = -1, .hook = ran_out, .hook_arg = &seen};

	CHECK_EQ(leat_steward_run(&s, NULL), 0);
	CHECK(seen <= 1);
	return OOM_COPED;
}

TEST(stewards)
{
	int well = 0;

	oom_skip();
	CHECK(oom_each(run_once, &well) >= 6);
	CHECK(oom_each(run_until_it_works, &well) >= 5);
}

TEST_MAIN
