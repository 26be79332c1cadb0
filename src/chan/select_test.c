/* SPDX-License-Identifier: MIT */
/*
 * Goal: a select that comes to a freed channel after it has looked at all of them, and has locked others or queued
 * on them, panics and leaves nothing behind.
 * Method: a channel whose lock is dead looks alive from outside: as one that is freed just then.
 */
#include "chan/chan.h"

#include "test.h"

struct attempt {
	const leat_case *cases;
	size_t n;
	int64_t timeout_ns;
};

static void select_them(void *p)
{
	const struct attempt *a = p;

	leat_select(a->cases, a->n, a->timeout_ns, NULL);
}

/* The dead one is at each place in turn; others are there twice. */
static void with_timeout(int64_t timeout_ns)
{
	enum { CHANS = 12 }; /* more than fit on the stack */
	leat_chan *c[CHANS];
	leat_case cases[2 * CHANS];
	int v = 0;

	for (int i = 0; i < CHANS; i++)
		c[i] = leat_chan_make(sizeof v, 0);
	for (int i = 0; i < 2 * CHANS; i++)
		cases[i] = (leat_case){c[i / 2], LEAT_RECV, &v};
	for (int dead = 0; dead < CHANS; dead++) {
		struct leat__biased alive = c[dead]->lock;

		for (size_t n = 2 * (size_t)dead + 1; n <= 2 * CHANS; n++) {
			struct attempt a = {cases, n, timeout_ns};

			leat__biased_kill(&c[dead]->lock);
			CHECK(test_panics(select_them, &a, "use of freed channel"));
			c[dead]->lock = alive;
			for (int i = 0; i < CHANS; i++)
				CHECK(!leat_chan_try_send(c[i], &v)); /* nobody waits, and it is not locked */
		}
	}
	for (int i = 0; i < CHANS; i++)
		leat_chan_free(c[i]); /* which panics if anybody waits */
}

TEST(what_was_locked_for_a_default_is_unlocked)
{
	with_timeout(0);
}

TEST(what_was_queued_is_gone)
{
	with_timeout(LEAT_FOREVER);
}

TEST(what_was_queued_until_an_instant_is_gone)
{
	with_timeout(LEAT_MINUTE);
}

TEST_MAIN
