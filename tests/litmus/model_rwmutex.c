/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: readers that are counted by processor, a writer, and who takes the entry away find each other on a
 * machine with store buffers (x86), and for the reasons that sync/stripes.h gives.
 *
 * Method: every interleaving of small models is tried (tso.h).  Each is then tried without one of its parts, and
 * the model must find the mistake.  A stripe is one byte here, what came less what went.
 */
#include "tso.h"

enum { NONE = (uint8_t)-1 };

/* --- a reader comes on one processor and leaves on another, while a writer locks */

enum part {
	ALL,
	READER_LOOKS_ONCE,   /* whether there is a writer, before it comes */
	IN_VAIN_SILENTLY,    /* a reader undoes its coming and tells nobody */
	LEAVES_SILENTLY,     /* a reader leaves and looks for nobody */
	AWAITED_AFTER_FENCE, /* the writer says that it waits once it has fenced */
	SUMS_ONCE_ONLY,      /* who leaves finds it awaited and takes himself for the last */
	PARTS,
};

static const char *const part_names[PARTS] = {
    NULL,
    "the reader looks once",
    "who came in vain tells nobody",
    "who leaves looks for nobody",
    "the writer says that it waits after its fence",
    "who leaves takes himself for the last",
};

enum { STATE, AWAITED, LOCK, FIRST, SECOND, WOKEN, PASSED, LEFT };

/* Comes on its stripe, the first, and is in; passes its lock on to the other. */
static void comes(struct step *p, enum form f, enum part without)
{
	const struct step program[STEPS] = {
	    [0] = without == READER_LOOKS_ONCE ? STEP(LOAD, STATE) : STEP(TO, .to = 2),
	    [1] = {IF, .value = 1, .to = 10},
	    [2] = {STORE, FIRST, 1},
	    [3] = LIGHT(f, 4),
	    [4] = without == READER_LOOKS_ONCE ? STEP(TO, .to = 6) : STEP(LOAD, STATE),
	    [5] = {IF, .value = 1, .to = 12},
	    [6] = {OWN},
	    [7] = {STORE, PASSED, 1},
	    [8] = {END},
	    [10] = {STORE, PASSED, 2},
	    [11] = {END},
	    [12] = {STORE, FIRST, 0},
	    [13] = {STORE, PASSED, 2},
	    [14] = LIGHT(f, 15),
	    [15] = without == IN_VAIN_SILENTLY ? STEP(END) : STEP(TO, .to = 20),
	    [20] = {LOAD, AWAITED},
	    [21] = {IF, .value = 0, .to = 59},
	    [22] = {CAS, LOCK, 1, 0, .to = 22},
	    [23] = {LOAD, AWAITED},
	    [24] = {IF, .value = 0, .to = 31},
	    [25] = {LOAD, FIRST},
	    [26] = {IF, .value = 1, .to = 31}, /* it is this thread's */
	    [27] = {STORE, AWAITED, 0},
	    [28] = {STORE, LOCK, 0},
	    [29] = {STORE, WOKEN, 1},
	    [30] = {END},
	    [31] = {STORE, LOCK, 0},
	    [59] = {END},
	};

	memcpy(p, program, sizeof program);
}

/* Leaves on the second, if the reader was in. */
static void leaves(struct step *p, enum form f, enum part without)
{
	const struct step program[STEPS] = {
	    [0] = {LOAD, PASSED},
	    [1] = {IF, .value = 0, .to = 0},
	    [2] = {IF, .value = 2, .to = 59},
	    [3] = {DISOWN},
	    [4] = {STORE, SECOND, NONE},
	    [5] = LIGHT(f, 6),
	    [6] = without == LEAVES_SILENTLY ? STEP(END) : STEP(TO, .to = 7),
	    [7] = {LOAD, AWAITED},
	    [8] = {IF, .value = 0, .to = 59},
	    [9] = {CAS, LOCK, 1, 0, .to = 9},
	    [10] = {LOAD, AWAITED},
	    [11] = {IF, .value = 0, .to = 20},
	    [12] = {LOAD, FIRST},
	    [13] = {IF, .value = 0, .to = 20}, /* cannot be: it has come */
	    [14] = {STORE, AWAITED, 0},
	    [15] = {STORE, LOCK, 0},
	    [16] = {STORE, WOKEN, 1},
	    [17] = {END},
	    [20] = {STORE, LOCK, 0},
	    [59] = {END},
	};

	memcpy(p, program, sizeof program);
}

static void writes(struct step *p, enum form f, enum part without)
{
	const struct step program[STEPS] = {
	    [0] = {SWAP, STATE, 1},
	    [1] = {CAS, LOCK, 1, 0, .to = 1},
	    [2] = without == AWAITED_AFTER_FENCE ? STEP(TO, .to = 3) : STEP(STORE, AWAITED, 1),
	    [3] = HEAVY(f, 4),
	    [4] = {LOAD, FIRST},
	    [5] = {IF, .value = 1, .to = 9},
	    [6] = {LOAD, SECOND},
	    [7] = {IF, .value = 0, .to = 15},
	    [8] = {WRONG}, /* more have gone than come */
	    [9] = {LOAD, SECOND},
	    [10] = {IF, .value = NONE, .to = 15},
	    [11] = without == AWAITED_AFTER_FENCE ? STEP(STORE, AWAITED, 1) : STEP(TO, .to = 12),
	    [12] = {STORE, LOCK, 0},
	    [13] = {SLEEP, WOKEN, 1},
	    [14] = {TO, .to = 17},
	    [15] = {STORE, AWAITED, 0},
	    [16] = {STORE, LOCK, 0},
	    [17] = {OWN},
	    [18] = {END},
	};

	memcpy(p, program, sizeof program);
}

static bool striped(enum form f, enum part without)
{
	struct model m = {
	    .name = name("striped", without ? part_names[without] : form_names[f]),
	    .threads = 3,
	};

	comes(m.program[0], f, without);
	leaves(m.program[1], f, without);
	writes(m.program[2], f, without);
	return holds(&m);
}

TEST(a_writer_excludes_striped_readers_and_misses_nobody)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(striped(f, ALL), sound(f));
	for (enum part without = ALL + 1; without < SUMS_ONCE_ONLY; without++)
		CHECK(!striped(MEMBARRIERS, without));
}

/* --- two readers leave at the same time: the last of them sums to 0 */

static void leaver(struct step *p, enum form f, enum part without, uint8_t mine)
{
	const struct step program[STEPS] = {
	    [0] = {STORE, mine, 0},
	    [1] = LIGHT(f, 2),
	    [2] = without == LEAVES_SILENTLY ? STEP(END) : STEP(LOAD, AWAITED),
	    [3] = {IF, .value = 0, .to = 59},
	    [4] = {CAS, LOCK, 1, 0, .to = 4},
	    [5] = {LOAD, AWAITED},
	    [6] = {IF, .value = 0, .to = 20},
	    [7] = without == SUMS_ONCE_ONLY ? STEP(TO, .to = 11) : STEP(LOAD, FIRST),
	    [8] = {IF, .value = 1, .to = 20},
	    [9] = {LOAD, SECOND},
	    [10] = {IF, .value = 1, .to = 20},
	    [11] = {STORE, AWAITED, 0},
	    [12] = {STORE, LOCK, 0},
	    [13] = {STORE, WOKEN, 1},
	    [14] = {END},
	    [20] = {STORE, LOCK, 0},
	    [59] = {END},
	};

	memcpy(p, program, sizeof program);
}

static bool both_leave(enum form f, enum part without)
{
	struct model m = {
	    .name = name("both leave", without ? part_names[without] : form_names[f]),
	    .threads = 3,
	    .memory = {[FIRST] = 1, [SECOND] = 1},
	};
	const struct step writes[STEPS] = {
	    [0] = {CAS, LOCK, 1, 0, .to = 0},
	    [1] = {STORE, AWAITED, 1},
	    [2] = HEAVY(f, 3),
	    [3] = {LOAD, FIRST},
	    [4] = {IF, .value = 1, .to = 9},
	    [5] = {LOAD, SECOND},
	    [6] = {IF, .value = 1, .to = 9},
	    [7] = {STORE, LOCK, 0},
	    [8] = {TO, .to = 11},
	    [9] = {STORE, LOCK, 0},
	    [10] = {SLEEP, WOKEN, 1},
	    [11] = {LOAD, FIRST}, /* it is in: both must have gone */
	    [12] = {IF, .value = 1, .to = 20},
	    [13] = {LOAD, SECOND},
	    [14] = {IF, .value = 1, .to = 20},
	    [15] = {END},
	    [20] = {WRONG},
	};

	leaver(m.program[0], f, without, FIRST);
	leaver(m.program[1], f, without, SECOND);
	memcpy(m.program[2], writes, sizeof writes);
	return holds(&m);
}

TEST(the_last_who_leaves_wakes_the_writer)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(both_leave(f, ALL), sound(f));
	CHECK(!both_leave(MEMBARRIERS, LEAVES_SILENTLY));
	CHECK(!both_leave(MEMBARRIERS, SUMS_ONCE_ONLY));
}

/* --- the entry is taken away while its owner's reader comes, and that one's writer finds it gone */

enum eviction { EVICTS, EVICTS_WITHOUT_SUM, READER_TRUSTS_THE_STATE };

static bool evicted(enum form f, enum eviction without)
{
	static const char *const names[] = {NULL, "it is taken without a sum",
	                                    "the reader does not look whose it is"};
	enum { WRITES, OWNER, INNER, STRIPE };
	struct model m = {
	    .name = name("evicted", without ? names[without] : form_names[f]),
	    .threads = 3,
	    .program = {{
	                    [0] = {STORE, STRIPE, 1},
	                    [1] = LIGHT(f, 2),
	                    [2] = {LOAD, WRITES},
	                    [3] = {IF, .value = 1, .to = 10},
	                    [4] = without == READER_TRUSTS_THE_STATE ? STEP(TO, .to = 6)
	                                                             : STEP(LOAD, OWNER),
	                    [5] = {IF, .value = 0, .to = 10},
	                    [6] = {OWN}, /* for good */
	                    [7] = {END},
	                    [10] = {STORE, STRIPE, 0},
	                },
	                {
	                    /* Takes it away. */
	                    [0] = {CAS, INNER, 1, 0, .to = 0},
	                    [1] = {STORE, OWNER, 0},
	                    [2] = HEAVY(f, 3),
	                    [3] =
	                        without == EVICTS_WITHOUT_SUM ? STEP(TO, .to = 6) : STEP(LOAD, STRIPE),
	                    [4] = {IF, .value = 0, .to = 6},
	                    [5] = {STORE, OWNER, 1},
	                    [6] = {STORE, INNER, 0},
	                },
	                {
	                    /* Writes: at once, if the entry is not the lock's any more. */
	                    [0] = {SWAP, WRITES, 1},
	                    [1] = {CAS, INNER, 1, 0, .to = 1},
	                    [2] = {LOAD, OWNER},
	                    [3] = {IF, .value = 0, .to = 8},
	                    [4] = HEAVY(f, 5),
	                    [5] = {LOAD, STRIPE},
	                    [6] = {IF, .value = 0, .to = 8},
	                    [7] = {TO, .to = 10}, /* would wait */
	                    [8] = {OWN},
	                    [9] = {END},
	                    [10] = {STORE, INNER, 0},
	                }},
	    .memory = {[OWNER] = 1},
	};

	return holds(&m);
}

TEST(an_entry_is_taken_from_nobody_who_is_in)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(evicted(f, EVICTS), sound(f));
	CHECK(!evicted(MEMBARRIERS, EVICTS_WITHOUT_SUM));
	CHECK(!evicted(MEMBARRIERS, READER_TRUSTS_THE_STATE));
}

TEST_MAIN
