/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: a biased lock (sched/biased.h) excludes on a machine with store buffers (x86), whoever owns it and however it comes to
 * another: taken with a membarrier, or parted from by who is asked.
 *
 * Method: that of model_tso.c, each protocol also without one of its parts.
 */
#include "tso.h"

/* --- biased: a lock that a processor owns, and others who take that property away */

enum biased_part { BIASED_ALL, BIASED_NO_SECOND_LOOK, BIASED_NO_WAIT, BIASED_LOOKS_FIRST };

static bool biased(enum form f, enum biased_part without)
{
	static const char *const names[] = {NULL, "the owner looks once", "nobody waits for the owner",
	                                    "others look for an owner, then take the word"};
	enum { WORD, OWNER, HELD };
	struct model m = {
	    .name = name("biased", without ? names[without] : form_names[f]),
	    .threads = 3,
	    .program = {{
	        /* Becomes the owner, */
	        [0] = {SWAP, WORD, 1},
	        [1] = {IF, .value = 1, .to = 0},
	        [2] = {STORE, OWNER, 1},
	        [3] = {OWN},
	        [4] = {DISOWN},
	        [5] = {STORE, WORD, 0},
	        /* and locks twice as such, or as one that was. */
	        [6] = {LOAD, OWNER},
	        [7] = {IF, .value = 0, .to = 17},
	        [8] = {STORE, HELD, 1},
	        [9] = LIGHT(f, 10),
	        [10] = without == BIASED_NO_SECOND_LOOK ? STEP(TO, .to = 12) : STEP(LOAD, OWNER),
	        [11] = {IF, .value = 0, .to = 16},
	        [12] = {OWN},
	        [13] = {DISOWN},
	        [14] = {STORE, HELD, 0},
	        [15] = {TO, .to = 22},
	        [16] = {STORE, HELD, 0},
	        [17] = {SWAP, WORD, 1},
	        [18] = {IF, .value = 1, .to = 17},
	        [19] = {OWN},
	        [20] = {DISOWN},
	        [21] = {STORE, WORD, 0},
	        [22] = {LOOP, .value = 1, .to = 6},
	    }},
	};
	const struct step other[STEPS] = {
	    [0] = without == BIASED_LOOKS_FIRST ? STEP(LOAD, OWNER) : STEP(TO, .to = 2),
	    [1] = {IF, .value = 0, .to = 12},
	    [2] = {SWAP, WORD, 1},
	    [3] = {IF, .value = 1, .to = 2},
	    [4] = {LOAD, OWNER},
	    [5] = {IF, .value = 0, .to = 14},
	    [6] = {STORE, OWNER, 0},
	    [7] = HEAVY(f, 8),
	    [8] = without == BIASED_NO_WAIT ? STEP(TO, .to = 14) : STEP(LOAD, HELD),
	    [9] = {IF, .value = 1, .to = 8},
	    [10] = {TO, .to = 14},
	    [12] = {SWAP, WORD, 1},
	    [13] = {IF, .value = 1, .to = 12},
	    [14] = {OWN},
	    [15] = {DISOWN},
	    [16] = {STORE, WORD, 0},
	};

	memcpy(m.program[1], other, sizeof other);
	memcpy(m.program[2], other, sizeof other);
	return holds(&m);
}

TEST(biased_excludes)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(biased(f, BIASED_ALL), sound(f));
	CHECK(!biased(MEMBARRIERS, BIASED_NO_SECOND_LOOK));
	CHECK(!biased(MEMBARRIERS, BIASED_NO_WAIT));
	CHECK(!biased(MEMBARRIERS, BIASED_LOOKS_FIRST));
}

/* The same with two that own it in turn: who retreats writes held once more, as late as it likes. */
static void biased_in_turn(struct step *p, enum form f, bool minds_the_former, uint8_t me)
{
	enum { WORD, OWNER, HELD, FORMER, INSIDE };
	uint8_t other = 3 - me, mine = (uint8_t)(INSIDE + me - 1),
	        others = (uint8_t)(INSIDE + other - 1);
	const struct step program[STEPS] = {
	    [0] = {STORE, mine, 1},
	    [1] = LIGHT(f, 2),
	    [2] = {LOAD, OWNER},
	    [3] = {IF, .value = me, .to = 5},
	    [4] = {TO, .to = 12},
	    [5] = {STORE, HELD, me},
	    [6] = LIGHT(f, 7),
	    [7] = {LOAD, OWNER},
	    [8] = {IF, .value = me, .to = 30},
	    [9] = {STORE, HELD, 0},
	    [10] = {TO, .to = 12},
	    [12] = {SWAP, WORD, 1},
	    [13] = {IF, .value = 1, .to = 12},
	    [14] = {LOAD, OWNER},
	    [15] = {IF, .value = other, .to = 17},
	    [16] = {TO, .to = 22},
	    /* takes it from the owner, */
	    [17] = {STORE, FORMER, other},
	    [18] = {STORE, OWNER, 0},
	    [19] = HEAVY(f, 20),
	    [20] = {LOAD, HELD},
	    [21] = {IF, .value = other, .to = 20},
	    [22] = {IF, .value = 0, .to = 23},
	    /* or becomes the owner. */
	    [23] = {LOAD, FORMER},
	    [24] = {IF, .value = other, .to = 26},
	    [25] = {TO, .to = 28},
	    [26] = minds_the_former ? STEP(LOAD, others) : STEP(TO, .to = 28),
	    [27] = {IF, .value = 1, .to = 30},
	    [28] = {STORE, FORMER, 0},
	    [29] = {STORE, OWNER, me},
	    [30] = {OWN},
	    [31] = {DISOWN},
	    [32] = {LOAD, HELD},
	    [33] = {IF, .value = me, .to = 36},
	    [34] = {STORE, WORD, 0},
	    [35] = {TO, .to = 37},
	    [36] = {STORE, HELD, 0},
	    [37] = {STORE, mine, 0},
	    [38] = {LOOP, .value = 2, .to = 0},
	};

	memcpy(p, program, sizeof program);
}

static bool biased_two(enum form f, bool minds_the_former)
{
	struct model m = {
	    .name =
	        name("biased in turn", minds_the_former ? form_names[f] : "nobody minds the former"),
	    .threads = 2,
	};

	biased_in_turn(m.program[0], f, minds_the_former, 1);
	biased_in_turn(m.program[1], f, minds_the_former, 2);
	return holds(&m);
}

TEST(biased_excludes_whoever_owns_it)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(biased_two(f, true), sound(f));
	CHECK(!biased_two(MEMBARRIERS, false));
}

/*
 * The same where the owner is asked to part first, and parts once he has seen that he is not the owner.  Who asks waits for
 * so long as he likes: here he looks once, at any time.
 */
enum parting_part { PARTING_ALL, PARTING_UNSEEN, PARTING_ASKS_ON, PARTING_STALE, PARTING_FORMER };

static void biased_parting(struct step *p, enum form f, enum parting_part without, uint8_t me)
{
	enum { WORD, OWNER, HELD, FORMER, ASKED, INSIDE, PARTED = 9 };
	uint8_t other = 3 - me, mine = (uint8_t)(INSIDE + me - 1),
	        others = (uint8_t)(INSIDE + other - 1);
	const struct step program[STEPS] = {
	    [0] = {STORE, mine, 1},
	    [1] = LIGHT(f, 2),
	    [2] = {LOAD, OWNER},
	    [3] = {IF, .value = me, .to = 5},
	    [4] = {TO, .to = 11},
	    [5] = {STORE, HELD, me},
	    [6] = LIGHT(f, 7),
	    [7] = {LOAD, OWNER},
	    [8] = {IF, .value = me, .to = 45},
	    [9] = {STORE, HELD, 0},
	    [10] = {TO, .to = 11},
	    /* parts, if it is he who is asked, */
	    [11] = {LOAD, ASKED},
	    [12] = {IF, .value = 0, .to = 17},
	    [13] = {LOAD, FORMER},
	    [14] = {IF, .value = me, .to = 16},
	    [15] = {TO, .to = 17},
	    [16] = {STORE, HELD, PARTED},
	    [17] = {SWAP, WORD, 1},
	    [18] = {IF, .value = 1, .to = 17},
	    [19] = {LOAD, OWNER},
	    [20] = {IF, .value = other, .to = 22},
	    [21] = {TO, .to = 36},
	    /* or asks the owner, and is the next one, */
	    [22] = {STORE, FORMER, other},
	    [23] = {STORE, ASKED, 1},
	    [24] = {STORE, OWNER, 0},
	    [25] = {LOAD, HELD},
	    [26] = {IF, .value = without == PARTING_UNSEEN ? 0 : PARTED, .to = 33},
	    /* or nobody is: he has not answered, */
	    [27] = without == PARTING_ASKS_ON ? STEP(TO, .to = 28)
	                                      : STEP(STORE, .byte = ASKED, .value = 0),
	    [28] = HEAVY(f, 29),
	    [29] = {LOAD, HELD},
	    [30] = {IF, .value = other, .to = 29},
	    [31] = without == PARTING_ASKS_ON ? STEP(STORE, .byte = ASKED, .value = 0)
	                                      : STEP(TO, .to = 36),
	    [32] = {TO, .to = 36},
	    [33] = {STORE, ASKED, 0},
	    [34] = {TO, .to = 41},
	    /* until he is seen outside. */
	    [36] = {LOAD, FORMER},
	    [37] = {IF, .value = other, .to = 39},
	    [38] = {TO, .to = 41},
	    [39] = without == PARTING_FORMER ? STEP(TO, .to = 41) : STEP(LOAD, .byte = others),
	    [40] = {IF, .value = 1, .to = 45},
	    [41] = {STORE, FORMER, 0},
	    [42] =
	        without == PARTING_STALE ? STEP(TO, .to = 43) : STEP(STORE, .byte = HELD, .value = 0),
	    [43] = {STORE, OWNER, me},
	    [44] = {TO, .to = 45},
	    [45] = {OWN},
	    [46] = {DISOWN},
	    [47] = {LOAD, HELD},
	    [48] = {IF, .value = me, .to = 51},
	    [49] = {STORE, WORD, 0},
	    [50] = {TO, .to = 52},
	    [51] = {STORE, HELD, 0},
	    [52] = {STORE, mine, 0},
	    [53] = {LOOP, .value = 2, .to = 0},
	};

	memcpy(p, program, sizeof program);
}

static bool parting(enum form f, enum parting_part without)
{
	static const char *const names[] = {
	    NULL, "who asks does not wait for the answer", "who asks goes on asking behind the fence",
	    "an old answer is left", "nobody minds who has not answered"};
	struct model m = {
	    .name = name("biased, parting", without ? names[without] : form_names[f]),
	    .threads = 2,
	};

	biased_parting(m.program[0], f, without, 1);
	biased_parting(m.program[1], f, without, 2);
	return holds(&m);
}

TEST(biased_excludes_whoever_parts_from_it)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(parting(f, PARTING_ALL), sound(f));
	for (enum parting_part without = PARTING_UNSEEN; without <= PARTING_FORMER; without++)
		CHECK(!parting(MEMBARRIERS, without));
}

TEST_MAIN
