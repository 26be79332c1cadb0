/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: where memory runs out for a heartbeat, at whichever allocation, that is a clean panic, and nothing leaks.
 * Method: each operation with its 1st, 2nd, ... allocation failing.
 */
#include "test.h"

#include "oom.h"

/* The waits are over at once: they end on this thread. */
static int make_and_wait(void *arg)
{
	leat_heartbeat *h = leat_heartbeat_make(LEAT_SECOND);

	(void)arg;
	defer(leat_heartbeat_free, h);
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MINUTE);

	defer(leat_ctx_free, ctx);
	leat_heartbeat_beat(h);
	CHECK_EQ(leat_heartbeat_wait(h, 0, ctx), 0);
	CHECK_EQ(leat_heartbeat_sleep(h, 0, ctx), 0);
	return 0;
}

static int beat_beside(void *arg)
{
	leat_heartbeat *h = leat_heartbeat_make(LEAT_SECOND);

	(void)arg;
	defer(leat_heartbeat_free, h);
	with_heartbeat(h);
	chan_recv(leat_heartbeat_started(h));
	return 0;
}

TEST(heartbeats)
{
	oom_skip();
	CHECK(oom_each(make_and_wait, NULL) >= 5);
	CHECK(oom_each(beat_beside, NULL) >= 5);
}

TEST_MAIN
