/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced nosan */
/*
 * Goal: leat's lock-free protocols are right on Arm, whose memory order no emulator shows, and each
 * acquire, release and fence in them is there for a reason.
 *
 * Method: every execution of small models of them on a small machine (model_arm/machine.h) is tried; the
 * machine first shows that it does what Arm's does and no more.  Then each protocol is tried without
 * one of its parts after the other, and the model must find the mistake, so the model can fail; or else
 * the part is marked as spare: it stands in the code because C asks for it, or for the sake of what
 * the model leaves out.
 *
 * The models say what the code says; the files that are named beside each argue the same in words.
 * model_tso.c does the like for x86, where less can go wrong and more be left to chance.
 */
#include "model_arm/protocol.h"

#include "test.h"

static bool check(const struct model *m)
{
	unsigned states;
	bool right = machine_holds(m, &states);

	fprintf(stderr, "  %-60s %8u states: %s\n", m->name, states, right ? "right" : "wrong");
	return right;
}

/* --- the machine itself: what Arm allows and forbids */

enum { X, Y };

static bool message_passing(int store, int load, bool branch)
{
	struct model m = {
	    .name = "message passing",
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, X, 1},
	                    [1] = {STORE, Y, 1, .order = store},
	                },
	                {
	                    [0] = {LOAD, Y, .order = load},
	                    [1] = {IF, .value = 0, .to = 10},
	                    [2] = {branch ? TO : LOAD_FENCE, .to = 3},
	                    [3] = {LOAD, X},
	                    [4] = {IF, .value = 1, .to = 10},
	                    [5] = {WRONG},
	                    [10] = {END},
	                }},
	};

	return check(&m);
}

TEST(machine_message_passing)
{
	CHECK(message_passing(RELEASE, ACQUIRE, true));
	CHECK(message_passing(RELEASE, RELAXED, false));
	CHECK(!message_passing(RELAXED, ACQUIRE, true));
	CHECK(!message_passing(RELEASE, RELAXED, true)); /* a branch does not keep loads in order */
}

static bool not_both_zero(const struct state *s)
{
	return s->t[0].reg || s->t[1].reg;
}

static bool not_both_one(const struct state *s)
{
	return !s->t[0].reg || !s->t[1].reg;
}

static bool store_buffering(int first, int second)
{
	struct model m = {
	    .name = "store buffering",
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, X, 1, .order = RELEASE},
	                    [1] = {(uint8_t)first, .to = 2},
	                    [2] = {LOAD, Y, .order = ACQUIRE},
	                },
	                {
	                    [0] = {STORE, Y, 1, .order = RELEASE},
	                    [1] = {(uint8_t)second, .to = 2},
	                    [2] = {LOAD, X, .order = ACQUIRE},
	                }},
	    .right = not_both_zero,
	};

	return check(&m);
}

static bool swap_buffering(int order)
{
	struct model m = {
	    .name = "store buffering by exchanges",
	    .threads = 2,
	    .program = {{
	                    [0] = {SWAP, X, 1, .order = order},
	                    [1] = {LOAD, Y},
	                },
	                {
	                    [0] = {SWAP, Y, 1, .order = order},
	                    [1] = {LOAD, X},
	                }},
	    .right = not_both_zero,
	};

	return check(&m);
}

TEST(machine_store_buffering)
{
	CHECK(!store_buffering(TO, TO));
	CHECK(!store_buffering(FENCE, TO));
	CHECK(store_buffering(FENCE, FENCE));
	CHECK(store_buffering(MEMBARRIER, TO));
	CHECK(store_buffering(MEMBARRIER, MEMBARRIER));
	CHECK(!swap_buffering(ACQ_REL)); /* what an x86 never does */
}

static bool load_buffering(int order)
{
	struct model m = {
	    .name = "load buffering",
	    .threads = 2,
	    .program = {{
	                    [0] = {LOAD, Y},
	                    [1] = {STORE, X, 1, .order = order},
	                },
	                {
	                    [0] = {LOAD, X},
	                    [1] = {STORE, Y, 1, .order = order},
	                }},
	    .right = not_both_one,
	};

	return check(&m);
}

static bool in_order_of_one_byte(void)
{
	struct model m = {
	    .name = "coherence",
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, X, 1},
	                    [1] = {STORE, X, 2},
	                },
	                {
	                    [0] = {LOAD, X},
	                    [1] = {IF, .value = 2, .to = 4},
	                    [2] = {TO, .to = 10},
	                    [4] = {LOAD, X},
	                    [5] = {IF, .value = 2, .to = 10},
	                    [6] = {WRONG},
	                    [10] = {END},
	                }},
	};

	return check(&m);
}

static bool exclusive(void)
{
	struct model m = {
	    .name = "two additions",
	    .threads = 2,
	    .program = {{[0] = {ADD, X, 1}, [1] = {ADD, X, 1}}, {[0] = {ADD, X, 1}}},
	};

	m.right = NULL;
	return check(&m);
}

TEST(machine_other_shapes)
{
	CHECK(!load_buffering(RELAXED));
	CHECK(load_buffering(RELEASE));
	CHECK(in_order_of_one_byte());
	CHECK(exclusive());
}

/* --- the protocols */

static bool holds(const struct protocol *p, enum form form, int without)
{
	struct model m = {0};
	char name[100];

	snprintf(name, sizeof name, "%s, %s%s%s", p->name, form == FENCES ? "fenced" : "membarrier",
	         without < 0 ? "" : ", without: ", without < 0 ? "" : p->parts[without].what);
	m.name = name;
	p->build(&m, form, without);
	return check(&m);
}

static void check_protocol(const struct protocol *p)
{
	for (enum form form = 0; form < FORMS; form++) {
		CHECK(holds(p, form, NOTHING_LESS));
		for (int k = 0; k < (int)(sizeof p->parts / sizeof p->parts[0]) && p->parts[k].what; k++)
			CHECK_EQ(holds(p, form, k), !(p->parts[k].needed >> form & 1));
	}
}

TEST(door_gives_a_processor_to_one_side)
{
	check_protocol(&door);
}

TEST(machines_are_seen_whole)
{
	check_protocol(&publication);
}

TEST(monitor_is_rung)
{
	check_protocol(&rest);
}

TEST(idle_loses_no_wake_up)
{
	check_protocol(&idle);
	check_protocol(&handed_on);
	check_protocol(&none_idle);
}

TEST(keeper_misses_no_timer)
{
	check_protocol(&keeper);
}

TEST(parked_context_is_resumed_whole)
{
	check_protocol(&parking);
}

TEST(ring_gives_each_goroutine_whole_to_one)
{
	check_protocol(&ring);
}

TEST(deque_gives_each_goroutine_whole_to_one)
{
	check_protocol(&deque_slot);
	check_protocol(&deque);
	check_protocol(&offer);
}

TEST(biased_excludes)
{
	check_protocol(&biased);
	check_protocol(&biased_in_turn);
	check_protocol(&biased_parting);
}

TEST(mutex_excludes_and_loses_no_sleeper)
{
	check_protocol(&mutex);
}

TEST(claim_is_fired_once)
{
	check_protocol(&claim);
}

TEST(waitgroup_misses_nobody)
{
	check_protocol(&waitgroup);
}

TEST(map_frees_nothing_that_is_read)
{
	check_protocol(&map_reading);
}

TEST(map_misses_no_key_that_is_moved)
{
	check_protocol(&map_moving);
}

TEST_MAIN
