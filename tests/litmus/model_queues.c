/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: a processor's run queues give each goroutine to one, and lose none, on a machine with store
 * buffers.
 *
 * Method: as in model_tso.c.  sched/processor.h argues the same in words.
 */
#include "tso.h"

/* --- ring: the owner of a full one moves its older half away while a thief takes from it */

enum ring_part { RING_ALL, RING_LOOKS_ONCE, RING_NO_CAS };

/* Two slots hold goroutines 0 and 1: head is 0, tail 2.  The owner puts number 2, for which it moves the
   older half, one, to the global queue, and then takes what there is.  The thief takes half twice, by a
   tail that it read before.  Who takes number n swaps a word that only one may find 0, and a third thread
   waits for all. */
enum { HEAD, TAIL, SLOT_0, SLOT_1, TAKEN_0, TAKEN_1, TAKEN_2 };

static void ring_owner(struct step *p, bool looks)
{
	const struct step program[STEPS] = {
	    [0] = {LOAD, HEAD},
	    [1] = {IF, .value = 0, .to = 5},
	    [2] = {STORE, SLOT_0, 2}, /* there is room */
	    [3] = {STORE, TAIL, 3},
	    [4] = {TO, .to = 24},
	    /* full by that look: the older half by this one */
	    [5] = {LOAD, HEAD},
	    [6] = {IF, .value = 1, .to = looks ? 0 : 11},
	    [7] = {IF, .value = 2, .to = looks ? 0 : 14},
	    [8] = {LOAD, SLOT_0},
	    [9] = {CAS, HEAD, 1, 0, .to = 0},
	    [10] = {TO, .to = 16},
	    [11] = {LOAD, SLOT_1},
	    [12] = {CAS, HEAD, 2, 1, .to = 0},
	    [13] = {TO, .to = 16},
	    [14] = {LOAD, SLOT_0},
	    [15] = {CAS, HEAD, 3, 2, .to = 0},
	    [16] = {IF, .value = 1, .to = 20},
	    [17] = {SWAP, TAKEN_0, 1},
	    [18] = {IF, .value = 1, .to = 39},
	    [19] = {TO, .to = 22},
	    [20] = {SWAP, TAKEN_1, 1},
	    [21] = {IF, .value = 1, .to = 39},
	    [22] = {SWAP, TAKEN_2, 1},
	    [23] = {IF, .value = 1, .to = 39},
	    /* what is left */
	    [24] = {LOAD, HEAD},
	    [25] = {IF, .value = 3, .to = 38},
	    [26] = {IF, .value = 2, .to = 31},
	    [27] = {CAS, HEAD, 2, 1, .to = 24},
	    [28] = {SWAP, TAKEN_1, 1},
	    [29] = {IF, .value = 1, .to = 39},
	    [30] = {TO, .to = 24},
	    [31] = {LOAD, TAIL},
	    [32] = {IF, .value = 2, .to = 38},
	    [33] = {CAS, HEAD, 3, 2, .to = 24},
	    [34] = {SWAP, TAKEN_2, 1},
	    [35] = {IF, .value = 1, .to = 39},
	    [38] = {END},
	    [39] = {WRONG},
	};

	memcpy(p, program, sizeof program);
}

static void ring_thief(struct step *p, bool by_cas)
{
	const struct step program[STEPS] = {
	    [0] = {LOAD, HEAD},
	    [1] = {IF, .value = 0, .to = 5},
	    [2] = {IF, .value = 1, .to = 8},
	    [3] = {END}, /* nothing before its limit */
	    [5] = {LOAD, SLOT_0},
	    [6] = by_cas ? STEP(CAS, HEAD, 1, 0, .to = 0) : STEP(STORE, .byte = HEAD, .value = 1),
	    [7] = {TO, .to = 10},
	    [8] = {LOAD, SLOT_1},
	    [9] = by_cas ? STEP(CAS, HEAD, 2, 1, .to = 0) : STEP(STORE, .byte = HEAD, .value = 2),
	    [10] = {IF, .value = 1, .to = 15},
	    [11] = {IF, .value = 2, .to = 39}, /* it came after the limit */
	    [12] = {SWAP, TAKEN_0, 1},
	    [13] = {IF, .value = 1, .to = 39},
	    [14] = {TO, .to = 17},
	    [15] = {SWAP, TAKEN_1, 1},
	    [16] = {IF, .value = 1, .to = 39},
	    [17] = {LOOP, .value = 1, .to = 0},
	    [18] = {END},
	    [39] = {WRONG},
	};

	memcpy(p, program, sizeof program);
}

static bool ring(enum ring_part without)
{
	static const char *const names[] = {"with all its parts", "full by an older look at the head",
	                                    "the thief stores the head"};
	struct model m = {
	    .name = name("ring", names[without]),
	    .threads = 3,
	    .program = {[2] = {{SLEEP, TAKEN_0, 1}, {SLEEP, TAKEN_1, 1}, {SLEEP, TAKEN_2, 1}}},
	    .memory = {[TAIL] = 2, [SLOT_1] = 1},
	};

	ring_owner(m.program[0], without != RING_LOOKS_ONCE);
	ring_thief(m.program[1], without != RING_NO_CAS);
	return holds(&m);
}

TEST(ring_gives_each_goroutine_to_one)
{
	CHECK(ring(RING_ALL));
	CHECK(!ring(RING_LOOKS_ONCE));
	CHECK(!ring(RING_NO_CAS));
}

/* --- deque: the owner's pop without a full fence against two thieves */

/* Two goroutines, 0 and 1; bottom is 2.  The owner pops once; each thief steals once.  Who takes number
   n swaps a word that only one may find 0. */
static bool deque(enum form f, bool last_by_cas)
{
	enum { TOP, BOTTOM, FIRST, SECOND };
	const struct step thief[STEPS] = {
	    [0] = {LOAD, TOP},
	    [1] = {IF, .value = 1, .to = 10},
	    [2] = {IF, .value = 2, .to = 30},
	    /* top is 0 */
	    [3] = HEAVY(f, 4),
	    [4] = {LOAD, BOTTOM},
	    [5] = {IF, .value = 0, .to = 30},
	    [6] = {CAS, TOP, 1, 0, .to = 30},
	    [7] = {SWAP, FIRST, 1},
	    [8] = {IF, .value = 1, .to = 31},
	    [9] = {END},
	    /* top is 1 */
	    [10] = HEAVY(f, 11),
	    [11] = {LOAD, BOTTOM},
	    [12] = {IF, .value = 1, .to = 30},
	    [13] = {CAS, TOP, 2, 1, .to = 30},
	    [14] = {SWAP, SECOND, 1},
	    [15] = {IF, .value = 1, .to = 31},
	    [30] = {END},
	    [31] = {WRONG},
	};
	struct model m = {
	    .name = name("deque", last_by_cas ? form_names[f] : "the last one without a CAS"),
	    .threads = 3,
	    .program = {{
	        [0] = {STORE, BOTTOM, 1},
	        [1] = LIGHT(f, 2),
	        [2] = {LOAD, TOP},
	        [3] = {IF, .value = 0, .to = 10}, /* others are left: no thief comes here */
	        [4] = {IF, .value = 2, .to = 8},
	        [5] = last_by_cas ? STEP(CAS, TOP, 2, 1, .to = 8) : STEP(TO, .to = 6),
	        [6] = {STORE, BOTTOM, 2},
	        [7] = {TO, .to = 10},
	        [8] = {STORE, BOTTOM, 2},
	        [9] = {END},
	        [10] = {SWAP, SECOND, 1},
	        [11] = {IF, .value = 1, .to = 31},
	        [12] = {END},
	        [31] = {WRONG},
	    }},
	    .memory = {[BOTTOM] = 2},
	};

	memcpy(m.program[1], thief, sizeof thief);
	memcpy(m.program[2], thief, sizeof thief);
	return holds(&m);
}

TEST(deque_gives_each_goroutine_to_one)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(deque(f, true), sound(f));
	CHECK(!deque(MEMBARRIERS, false));
}

/* --- deque: what is offered is popped with a full fence, and stolen without a heavy one */

enum offer_part { OFFER_ALL, OFFER_NO_FENCE, OFFER_STOLEN_ANYWAY };

enum { O_TOP, O_BOTTOM, O_OFFERED, O_SLOT_1, O_TAKEN_0, O_TAKEN_1, O_TAKEN_2 };

/* heeds: what is not offered takes a heavy fence. */
static void offer_thief(struct step *p, bool heeds)
{
	const struct step program[STEPS] = {
	    [0] = {LOAD, O_TOP},
	    [1] = {IF, .value = 1, .to = 14},
	    [2] = {IF, .value = 2, .to = 34},
	    /* top is 0 */
	    [3] = {LOAD, O_OFFERED},
	    [4] = {IF, .value = 1, .to = 7},
	    [5] = {IF, .value = 2, .to = 7},
	    [6] = heeds ? STEP(MEMBARRIER) : STEP(TO, .to = 7),
	    [7] = {LOAD, O_BOTTOM},
	    [8] = {IF, .value = 0, .to = 34},
	    [9] = {CAS, O_TOP, 1, 0, .to = 34},
	    [10] = {SWAP, O_TAKEN_0, 1},
	    [11] = {IF, .value = 1, .to = 35},
	    [12] = {END},
	    /* top is 1 */
	    [14] = {LOAD, O_OFFERED},
	    [15] = {IF, .value = 2, .to = 17},
	    [16] = heeds ? STEP(MEMBARRIER) : STEP(TO, .to = 17),
	    [17] = {LOAD, O_BOTTOM},
	    [18] = {IF, .value = 1, .to = 34},
	    [19] = {LOAD, O_SLOT_1},
	    [20] = {CAS, O_TOP, 2, 1, .to = 34},
	    [21] = {IF, .value = 2, .to = 25},
	    [22] = {SWAP, O_TAKEN_1, 1},
	    [23] = {IF, .value = 1, .to = 35},
	    [24] = {END},
	    [25] = {SWAP, O_TAKEN_2, 1},
	    [26] = {IF, .value = 1, .to = 35},
	    [34] = {END},
	    [35] = {WRONG},
	};

	memcpy(p, program, sizeof program);
}

/*
 * Two goroutines, 0 and 1, of which the first so many are offered.  The owner pops number 1, pushes number
 * 2 in its place, offers all, and pops that; each of two thieves steals once.
 */
static bool offer(enum offer_part without, uint8_t offered)
{
	static const char *const names[] = {"with all its parts", "popped without a fence",
	                                    "stolen without a heavy fence, offered or not"};
	bool fences = without != OFFER_NO_FENCE;
	struct model m = {
	    .name = name("deque, offered", names[without]),
	    .threads = 3,
	    .program = {{
	        [0] = {STORE, O_BOTTOM, 1},
	        [1] = offered == 2 ? STEP(STORE, O_OFFERED, 1) : STEP(TO, .to = 2),
	        [2] = offered == 2 && fences ? STEP(FENCE) : STEP(TO, .to = 3),
	        [3] = {LOAD, O_TOP},
	        [4] = {IF, .value = 0, .to = 12},
	        [5] = {IF, .value = 2, .to = 9},
	        [6] = {CAS, O_TOP, 2, 1, .to = 9},
	        [7] = {SWAP, O_TAKEN_1, 1},
	        [8] = {IF, .value = 1, .to = 35},
	        [9] = {STORE, O_BOTTOM, 2},
	        [10] = {END},
	        /* It has number 1, and says so at the end, for that is a fence. */
	        [12] = {STORE, O_SLOT_1, 2},
	        [13] = {STORE, O_BOTTOM, 2},
	        [14] = {STORE, O_OFFERED, 2},
	        [15] = {STORE, O_BOTTOM, 1},
	        [16] = {STORE, O_OFFERED, 1},
	        [17] = fences ? STEP(FENCE) : STEP(TO, .to = 18),
	        [18] = {LOAD, O_TOP},
	        [19] = {IF, .value = 0, .to = 22},
	        [20] = {IF, .value = 2, .to = 24},
	        [21] = {CAS, O_TOP, 2, 1, .to = 24},
	        [22] = {SWAP, O_TAKEN_2, 1},
	        [23] = {IF, .value = 1, .to = 35},
	        [24] = {SWAP, O_TAKEN_1, 1},
	        [25] = {IF, .value = 1, .to = 35},
	        [26] = {END},
	        [35] = {WRONG},
	    }},
	    .memory = {[O_BOTTOM] = 2, [O_OFFERED] = offered, [O_SLOT_1] = 1},
	};

	offer_thief(m.program[1], without != OFFER_STOLEN_ANYWAY);
	offer_thief(m.program[2], without != OFFER_STOLEN_ANYWAY);
	return holds(&m);
}

TEST(deque_gives_what_it_offers_to_one)
{
	for (uint8_t offered = 0; offered <= 2; offered++)
		CHECK(offer(OFFER_ALL, offered));
	CHECK(!offer(OFFER_NO_FENCE, 2));
	CHECK(!offer(OFFER_NO_FENCE, 0)); /* offered meanwhile */
	CHECK(!offer(OFFER_STOLEN_ANYWAY, 1));
}

TEST_MAIN
