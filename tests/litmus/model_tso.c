/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: leat's protocols that order a store before a load of another thread's word are right on a
 * machine with store buffers (x86), and for the reasons that are given for them.
 *
 * Method: every interleaving of small models is tried (tso.h).  Each protocol is then tried without one
 * of its parts, and the model must find the mistake: so the parts are needed, and the model can fail.
 *
 * The models say what the code says; sched/machine.h, sched/blocking.c, sched/work.c, sched/timer.c,
 * sched/polldesc.c and sync/mutex.c argue the same in words.  The run queues are in model_queues.c, biased locks in
 * model_biased.c.
 */
#include "tso.h"

/* --- retake: a goroutine enters and leaves the runtime while the monitor takes its processor */

enum { REQUESTED = 1, TAKEN = 2 };

static bool retake(enum form f, bool monitor_cas, bool goroutine_cas)
{
	enum { RETAKE, IN_RUNTIME, DATA };
	struct model m = {
	    .name = name("retake", !monitor_cas     ? "the monitor stores its verdict"
	                           : !goroutine_cas ? "the goroutine stores its refusal"
	                                            : form_names[f]),
	    .threads = 2,
	    .program =
	        {{
	             /* Enters three times; what it does inside with the processor is one store. */
	             [0] = {STORE, IN_RUNTIME, 1},
	             [1] = LIGHT(f, 2),
	             [2] = {LOAD, RETAKE},
	             [3] = {IF, .value = 0, .to = 8},
	             [4] = {IF, .value = TAKEN, .to = 20}, /* queues for another processor */
	             [5] = goroutine_cas ? STEP(CAS, RETAKE, 0, REQUESTED, .to = 2)
	                                 : STEP(STORE, .byte = RETAKE, .value = 0),
	             [6] = NOTHING(8),
	             [8] = {OWN},
	             [9] = {STORE, DATA, 1},
	             [10] = {DISOWN},
	             [11] = {STORE, IN_RUNTIME, 0},
	             [12] = {LOOP, .value = 2, .to = 0},
	             [13] = {END},
	             [20] = {END},
	         },
	         {
	             [0] = {CAS, RETAKE, REQUESTED, 0, .to = 20},
	             [1] = HEAVY(f, 2),
	             [2] = {LOAD, IN_RUNTIME},
	             [3] = {IF, .value = 1, .to = 10},
	             [4] = monitor_cas ? STEP(CAS, RETAKE, TAKEN, REQUESTED, .to = 20)
	                               : STEP(STORE, .byte = RETAKE, .value = TAKEN),
	             [5] = {OWN}, /* for good */
	             [6] = {END},
	             [10] = {CAS, RETAKE, 0, REQUESTED, .to = 20},
	             [20] = {END},
	         }},
	};

	return holds(&m);
}

TEST(retake_gives_a_processor_to_one_side)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(retake(f, true, true), sound(f));
	CHECK(!retake(MEMBARRIERS, false, true));
	CHECK(!retake(MEMBARRIERS, true, false));
}

/* --- announced: a goroutine comes back from a call while the monitor takes its processor for it */

/* Past the end of the call the processor is the goroutine's, unless it was taken before. */
static bool announced(enum form f, bool monitor_looks_again, bool goroutine_looks)
{
	enum { RETAKE, ANNOUNCED };
	struct model m = {
	    .name = name("announced", !monitor_looks_again ? "the monitor trusts its first look"
	                              : !goroutine_looks   ? "the goroutine sees no request"
	                                                   : form_names[f]),
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, ANNOUNCED, 0},
	                    [1] = LIGHT(f, 2),
	                    [2] = {LOAD, RETAKE},
	                    [3] = {IF, .value = 0, .to = 8},
	                    [4] = {IF, .value = TAKEN, .to = 20}, /* queues for another processor */
	                    [5] = goroutine_looks ? STEP(CAS, RETAKE, 0, REQUESTED, .to = 2)
	                                          : STEP(TO, .to = 8),
	                    [8] = {OWN},
	                    [9] = {DISOWN},
	                    [20] = {END},
	                },
	                {
	                    [0] = {LOAD, ANNOUNCED},
	                    [1] = {IF, .value = 0, .to = 20},
	                    [2] = {CAS, RETAKE, REQUESTED, 0, .to = 20},
	                    [3] = HEAVY(f, 4),
	                    [4] = monitor_looks_again ? STEP(LOAD, ANNOUNCED) : STEP(TO, .to = 6),
	                    [5] = {IF, .value = 0, .to = 10},
	                    [6] = {CAS, RETAKE, TAKEN, REQUESTED, .to = 20},
	                    [7] = {OWN}, /* for good */
	                    [8] = {END},
	                    [10] = {CAS, RETAKE, 0, REQUESTED, .to = 20},
	                    [20] = {END},
	                }},
	    .memory = {[ANNOUNCED] = 1},
	};

	return holds(&m);
}

TEST(announced_ends_with_the_call)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(announced(f, true, true), sound(f));
	CHECK(!announced(MEMBARRIERS, true, false));
	CHECK(!announced(MEMBARRIERS, false, true));
}

/* --- idle: a processor goes to sleep while another one makes work available */

/* The one that pushes goes on with something long: the work is the other one's. */
static bool idle(enum form f, bool looks_again)
{
	enum { WORK, SEARCHING, IDLE, WOKEN };
	struct model m = {
	    .name = name("idle", looks_again ? form_names[f] : "no last look"),
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, WORK, 1},
	                    [1] = LIGHT(f, 2),
	                    [2] = {LOAD, IDLE},
	                    [3] = {IF, .value = 0, .to = 20},
	                    [4] = {LOAD, SEARCHING},
	                    [5] = {IF, .value = 1, .to = 20},  /* that one will find it */
	                    [6] = {CAS, IDLE, 0, 1, .to = 20}, /* takes it off the idle list */
	                    [7] = {STORE, WOKEN, 1},
	                    [20] = {END},
	                },
	                {
	                    [0] = {LOAD, WORK}, /* the search, fruitless or not */
	                    [1] = {IF, .value = 1, .to = 20},
	                    [2] = {ADD, SEARCHING, (uint8_t)-1},
	                    [3] = {SWAP, IDLE, 1}, /* under the scheduler's lock */
	                    [4] = HEAVY(f, 5),
	                    [5] = looks_again ? STEP(LOAD, .byte = WORK) : STEP(TO, .to = 10),
	                    [6] = {IF, .value = 0, .to = 10},
	                    [7] = {CAS, IDLE, 0, 1, .to = 10}, /* takes up its processor again */
	                    [8] = {END},
	                    [10] = {SLEEP, WOKEN, 1},
	                    [20] = {END},
	                }},
	    .memory = {[SEARCHING] = 1},
	};

	return holds(&m);
}

TEST(idle_loses_no_wake_up)
{
	/* The idler's own steps are locked ones, so the heavy fence matters for the other's buffer. */
	CHECK(idle(MEMBARRIERS, true));
	CHECK(idle(FENCES, true));
	CHECK(!idle(NO_HEAVY, true));
	CHECK(!idle(NO_LIGHT, true));
	CHECK(!idle(MEMBARRIERS, false));
}

/* --- mutex: the unlock's plain store against those who go to sleep */

enum { LOCKED, WAITERS, INNER, QUEUED, WOKEN };

/* Locks, owns, unlocks, once.  n: of the thread, whose words to sleep on are QUEUED + 2n and the next
   (two threads: the one never waits for more than the other). */
static void mutex_user(struct step *p, enum form f, int n, bool marks_first)
{
	uint8_t mine = (uint8_t)(QUEUED + (n ? 2 : 0)), other = (uint8_t)(QUEUED + (n ? 0 : 2));
	const struct step program[STEPS] = {
	    [0] = {SWAP, LOCKED, 1},
	    [1] = {IF, .value = 0, .to = 14},
	    /* sleep, or get it instead */
	    [2] = {CAS, INNER, 1, 0, .to = 2},
	    [3] = marks_first ? STEP(STORE, .byte = WAITERS, .value = 1) : STEP(TO, .to = 4),
	    [4] = HEAVY(f, 5),
	    [5] = {SWAP, LOCKED, 1},
	    [6] = {IF, .value = 0, .to = 12},
	    [7] = {STORE, WAITERS, 1},
	    [8] = {STORE, mine, 1},
	    [9] = {STORE, INNER, 0},
	    [10] = {SLEEP, (uint8_t)(mine + 1), 1},
	    [11] = {TO, .to = 0},
	    [12] = {STORE, WAITERS, 0}, /* the only other one holds the lock no more */
	    [13] = {STORE, INNER, 0},
	    [14] = {OWN},
	    [15] = {DISOWN},
	    /* unlock */
	    [16] = {STORE, LOCKED, 0},
	    [17] = LIGHT(f, 18),
	    [18] = {LOAD, WAITERS},
	    [19] = {IF, .value = 0, .to = 30},
	    [20] = {CAS, INNER, 1, 0, .to = 20},
	    [21] = {LOAD, other},
	    [22] = {STORE, WAITERS, 0},
	    [23] = {STORE, other, 0},
	    [24] = {STORE, INNER, 0},
	    [25] = {IF, .value = 0, .to = 30},
	    [26] = {STORE, (uint8_t)(other + 1), 1},
	    [30] = {END},
	};

	memcpy(p, program, sizeof program);
}

static bool mutex(enum form f, bool marks_first)
{
	struct model m = {
	    .name = name("mutex", marks_first ? form_names[f] : "looks, then says that it waits"),
	    .threads = 2,
	};

	mutex_user(m.program[0], f, 0, marks_first);
	mutex_user(m.program[1], f, 1, marks_first);
	return holds(&m);
}

TEST(mutex_loses_no_sleeper)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(mutex(f, true), sound(f));
	CHECK(!mutex(MEMBARRIERS, false));
}

/* The same with two who sleep: one is woken at a time, and answers for the other. */

enum mutex_part { MUTEX_ALL, MUTEX_WINS_SILENTLY, MUTEX_RESTS_SILENTLY };

/* The first holds the lock, the others lock it, each once. */
static void mutex_one_of_three(struct step *p, enum form f, enum mutex_part without, uint8_t me)
{
	enum { woken = 3, queued, called_by = 6 };
	uint8_t mine = (uint8_t)(queued + (me == 2)), called = (uint8_t)(called_by + (me == 2));
	uint8_t first = (uint8_t)(queued + (me == 1)), other = me ? first : queued + 1;
	const struct step program[STEPS] = {
	    [0] = me ? STEP(SWAP, LOCKED, 1) : STEP(TO, .to = 30),
	    [1] = {IF, .value = 0, .to = 28},
	    /* sleep, or get it instead */
	    [2] = {CAS, INNER, 1, 0, .to = 2},
	    [3] = {LOAD, woken},
	    [4] = {IF, .value = 1, .to = 11}, /* who will see to it */
	    [5] = {LOAD, WAITERS},
	    [6] = {IF, .value = 1, .to = 11}, /* who said that has seen the lock held since */
	    [7] = {STORE, WAITERS, 1},
	    [8] = HEAVY(f, 9),
	    [9] = {SWAP, LOCKED, 1},
	    [10] = {IF, .value = 0, .to = 22},
	    [11] = {STORE, mine, 1},
	    [12] = {STORE, INNER, 0},
	    [13] = {SLEEP, called, 1},
	    [14] = {STORE, called, 0},
	    [15] = {SWAP, LOCKED, 1},
	    [16] = {IF, .value = 0, .to = 20},
	    [17] = {CAS, INNER, 1, 0, .to = 17},
	    [18] = {STORE, woken, 0},
	    [19] = {TO, .to = without == MUTEX_RESTS_SILENTLY ? 11 : 5},
	    [20] = {CAS, INNER, 1, 0, .to = 20},
	    [21] = {STORE, woken, 0},
	    [22] = {STORE, WAITERS, 0},
	    [23] = {LOAD, other},
	    [24] = {IF, .value = 0, .to = 26},
	    [25] = without == MUTEX_WINS_SILENTLY ? STEP(TO, .to = 26) : STEP(STORE, WAITERS, 1),
	    [26] = {STORE, INNER, 0},
	    [27] = {TO, .to = 28},
	    [28] = {OWN},
	    [29] = {DISOWN},
	    /* unlock */
	    [30] = {STORE, LOCKED, 0},
	    [31] = LIGHT(f, 32),
	    [32] = {LOAD, WAITERS},
	    [33] = {IF, .value = 0, .to = 59},
	    [34] = {CAS, INNER, 1, 0, .to = 34},
	    [35] = {LOAD, WAITERS},
	    [36] = {IF, .value = 0, .to = 53},
	    [37] = {STORE, WAITERS, 0},
	    [38] = {LOAD, first},
	    [39] = {IF, .value = 1, .to = 43},
	    [40] = me ? STEP(TO, .to = 53) : STEP(LOAD, other),
	    [41] = {IF, .value = 1, .to = 48},
	    [42] = {TO, .to = 53},
	    [43] = {STORE, first, 0},
	    [44] = {STORE, woken, 1},
	    [45] = {STORE, INNER, 0},
	    [46] = {STORE, (uint8_t)(first + 2), 1},
	    [47] = {TO, .to = 59},
	    [48] = {STORE, other, 0},
	    [49] = {STORE, woken, 1},
	    [50] = {STORE, INNER, 0},
	    [51] = {STORE, (uint8_t)(other + 2), 1},
	    [52] = {TO, .to = 59},
	    [53] = {STORE, INNER, 0},
	    [59] = {END},
	};

	memcpy(p, program, sizeof program);
}

static bool mutex_of_three(enum form f, enum mutex_part without)
{
	static const char *const names[] = {NULL, "who was woken wins, and says nothing of the other",
	                                    "who was woken sleeps again, and says nothing"};
	struct model m = {
	    .name = name("mutex of three", without ? names[without] : form_names[f]),
	    .threads = 3,
	    .memory = {[LOCKED] = 1},
	};

	for (uint8_t me = 0; me < 3; me++)
		mutex_one_of_three(m.program[me], f, without, me);
	return holds(&m);
}

TEST(mutex_loses_no_sleeper_beside_one_who_is_woken)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(mutex_of_three(f, MUTEX_ALL), sound(f));
	CHECK(!mutex_of_three(MEMBARRIERS, MUTEX_WINS_SILENTLY));
	CHECK(!mutex_of_three(MEMBARRIERS, MUTEX_RESTS_SILENTLY));
}

/* --- poller: the word of a direction, on which a waiter meets an edge, and a close or a deadline */

enum poll_part { POLL_ALL, POLL_NO_READY, POLL_PUSH_ASIDE, POLL_NO_FENCE, POLL_NO_LAST_LOOK };

static bool poll_word(enum poll_part without, bool edge, bool closes)
{
	static const char *const names[] = {"with all its parts", "an edge with no waiter is forgotten",
	                                    "the waiter pushes READY aside", "no fence after the flag",
	                                    "no look at the flag after the push"};
	enum { WORD, DATA, FLAG, CALLED };
	enum { NIL, READY, WAITER };
	struct model m = {
	    .name =
	        name(edge ? closes ? "poller, both" : "poller, edge" : "poller, close", names[without]),
	    .threads = 3,
	    .program = {{
	        [0] = {LOAD, DATA},
	        [1] = {IF, .value = 1, .to = 20}, /* there is something to read */
	        [2] = without == POLL_PUSH_ASIDE ? STEP(SWAP, .byte = WORD, .value = WAITER)
	                                         : STEP(CAS, WORD, WAITER, NIL, .to = 10),
	        [3] = {LOAD, FLAG},
	        [4] = {IF, .value = 0, .to = 7},
	        [5] = without == POLL_NO_LAST_LOOK ? STEP(TO, .to = 7)
	                                           : STEP(CAS, WORD, NIL, WAITER, .to = 7),
	        [6] = {END}, /* it has taken itself back */
	        [7] = {SLEEP, CALLED, 1},
	        [10] = {CAS, WORD, NIL, READY, .to = 2},
	        [11] = {TO, .to = 0}, /* an edge: tries again */
	    }},
	};
	const struct step poller[STEPS] = {
	    [0] = {STORE, DATA, 1},
	    [1] = {FENCE}, /* by way of the kernel */
	    [2] = without == POLL_NO_READY ? STEP(CAS, WORD, NIL, WAITER, .to = 20)
	                                   : STEP(SWAP, .byte = WORD, .value = READY),
	    [3] = without == POLL_NO_READY ? STEP(TO, .to = 5) : STEP(IF, .value = WAITER, .to = 5),
	    [5] = {STORE, CALLED, 1},
	};
	const struct step closer[STEPS] = {
	    [0] = {STORE, FLAG, 1},
	    [1] = {without == POLL_NO_FENCE ? TO : FENCE, .to = 2},
	    [2] = {LOAD, WORD},
	    [3] = {IF, .value = WAITER, .to = 5},
	    [5] = {CAS, WORD, NIL, WAITER, .to = 20},
	    [6] = {STORE, CALLED, 1},
	};

	if (edge)
		memcpy(m.program[1], poller, sizeof poller);
	if (closes)
		memcpy(m.program[2], closer, sizeof closer);
	return holds(&m);
}

/* Two wait for one descriptor, for different edges, and register it at once; what the kernel is told
   last counts. */
static bool poll_interest(bool looks_again)
{
	enum { WAITS, INTEREST = 2, DONE };
	struct model m = {
	    .name = name("poller, registering", looks_again ? "with all its parts" : "no second look"),
	    .threads = 2,
	};

	for (uint8_t me = 0; me < 2; me++) {
		const struct step waiter[STEPS] = {
		    [0] = {STORE, (uint8_t)(WAITS + me), 1},
		    [1] = {LOAD, (uint8_t)(WAITS + 1 - me)},
		    [2] = {IF, .value = 1, .to = 10},
		    [3] = {SWAP, INTEREST, (uint8_t)(1 + me)}, /* and a fence */
		    [4] = looks_again ? STEP(LOAD, .byte = (uint8_t)(WAITS + 1 - me)) : STEP(TO, .to = 11),
		    [5] = {IF, .value = 0, .to = 11},
		    [6] = {TO, .to = 10},
		    [10] = {SWAP, INTEREST, 3},
		    [11] = {ADD, DONE, 1},
		    [12] = {LOAD, DONE},
		    [13] = {IF, .value = 2, .to = 15},
		    [15] = {LOAD, INTEREST},
		    [16] = {IF, .value = 3, .to = 14},
		    [17] = {WRONG},
		};

		memcpy(m.program[me], waiter, sizeof waiter);
	}
	return holds(&m);
}

TEST(poller_is_told_of_all_that_is_waited_for)
{
	CHECK(poll_interest(true));
	CHECK(!poll_interest(false));
}

TEST(poller_wakes_who_has_a_reason)
{
	CHECK(poll_word(POLL_ALL, true, false));
	CHECK(poll_word(POLL_ALL, false, true));
	CHECK(poll_word(POLL_ALL, true, true));
	CHECK(!poll_word(POLL_NO_READY, true, false));
	CHECK(!poll_word(POLL_PUSH_ASIDE, true, false));
	CHECK(!poll_word(POLL_NO_FENCE, false, true));
	CHECK(!poll_word(POLL_NO_LAST_LOOK, false, true));
}

/* --- deadlock: a plain thread wakes another and ends, while somebody looks whether all sleep */

enum verdict { VERDICT_ALL, WAKER_COUNTS_FIRST, LOOKER_COUNTS_LAST, NO_SECOND_LOOK };

/* Who was woken makes a goroutine runnable, so it is always wrong to give up. */
static bool verdict(enum verdict v)
{
	enum { PARKED, WAKINGS, THERE, RUNNABLE, WORD };
	enum { SAW_NONE = 20, SAW_ONE = 30 };
	static const char *const names[] = {"", "the wake-up is counted first",
	                                    "looked for in that order", "no second look"};
	bool late = v == LOOKER_COUNTS_LAST;
	struct model m = {
	    .name = name("deadlock", names[v]),
	    .threads = 3,
	    .memory = {[PARKED] = 1, [THERE] = 2},
	    .program = {
	        {
	            [0] = {LOAD, RUNNABLE},
	            [1] = {IF, .value = 1, .to = 50},
	            /* Asleep is one, or it is not: else whoever is there is awake. */
	            [2] = late ? STEP(LOAD, .byte = PARKED) : STEP(LOAD, .byte = WAKINGS),
	            [3] = {IF, .value = late ? 0 : 1, .to = late ? 50 : SAW_ONE},
	            [4] = late ? STEP(LOAD, .byte = WAKINGS) : STEP(LOAD, .byte = PARKED),
	            [5] = {IF, .value = late ? 1 : 0, .to = late ? SAW_ONE + 2 : 50},
	            [6] = {TO, .to = SAW_NONE},
	            [SAW_NONE] = {LOAD, THERE},
	            [SAW_NONE + 1] = {IF, .value = 2, .to = 50},
	            [SAW_NONE + 2] = {LOAD, RUNNABLE},
	            [SAW_NONE + 3] = {IF, .value = 1, .to = 50},
	            [SAW_NONE + 4] = v == NO_SECOND_LOOK ? STEP(WRONG) : STEP(LOAD, .byte = WAKINGS),
	            [SAW_NONE + 5] = {IF, .value = 1, .to = 50},
	            [SAW_NONE + 6] = {WRONG},
	            [SAW_ONE] = {LOAD, PARKED},
	            [SAW_ONE + 1] = {IF, .value = 0, .to = 50},
	            [SAW_ONE + 2] = {LOAD, THERE},
	            [SAW_ONE + 3] = {IF, .value = 2, .to = 50},
	            [SAW_ONE + 4] = {LOAD, RUNNABLE},
	            [SAW_ONE + 5] = {IF, .value = 1, .to = 50},
	            [SAW_ONE + 6] = {WRONG},
	            [50] = {END},
	        },
	        {
	            [0] =
	                v == WAKER_COUNTS_FIRST ? STEP(ADD, WAKINGS, 1) : STEP(ADD, PARKED, UINT8_MAX),
	            [1] =
	                v == WAKER_COUNTS_FIRST ? STEP(ADD, PARKED, UINT8_MAX) : STEP(ADD, WAKINGS, 1),
	            [2] = {STORE, WORD, 1},
	            [3] = {ADD, THERE, UINT8_MAX},
	            [4] = {END},
	        },
	        {
	            [0] = {SLEEP, WORD, 1},
	            [1] = {ADD, RUNNABLE, 1},
	            [2] = {ADD, THERE, UINT8_MAX},
	            [3] = {END},
	        },
	    }};

	return holds(&m);
}

TEST(nobody_is_woken_while_all_are_said_to_sleep)
{
	CHECK(verdict(VERDICT_ALL));
	CHECK(!verdict(WAKER_COUNTS_FIRST));
	CHECK(!verdict(LOOKER_COUNTS_LAST));
	CHECK(!verdict(NO_SECOND_LOOK));
}

TEST_MAIN
