/* SPDX-License-Identifier: MIT */
/* The lock that a processor may own (sched/biased.h). */
#include "protocol.h"

#include <string.h>

/* --- biased: a lock that a processor owns, and one who takes that property away */

enum { WORD, OWNER, HELD, DATA = 7 };
enum { B_LOCK, B_UNLOCK, B_LIGHT, B_HEAVY, B_RELEASE, B_AWAIT, B_SECOND_LOOK, B_WAIT };

static bool three_turns(const struct state *s)
{
	return s->memory[DATA] == 3;
}

static void build_biased(struct model *m, enum form form, int without)
{
	const struct step owner[STEPS] = {
	    /* Becomes it, */
	    [0] = {LOCK, WORD, .order = O(B_LOCK, ACQUIRE)},
	    [1] = {STORE, OWNER, 1},
	    [2] = {LOAD, DATA},
	    [3] = {STORE_NEXT, DATA, 1},
	    [4] = {STORE, WORD, 0, .order = O(B_UNLOCK, RELEASE)},
	    /* and locks as such, or as one that was. */
	    [5] = {LOAD, OWNER},
	    [6] = {IF, .value = 0, .to = 16},
	    [7] = {STORE, HELD, 1},
	    [8] = LIGHT(B_LIGHT, 9),
	    [9] = without == B_SECOND_LOOK ? STEP(TO, .to = 11) : STEP(LOAD, OWNER),
	    [10] = {IF, .value = 0, .to = 15},
	    [11] = {LOAD, DATA},
	    [12] = {STORE_NEXT, DATA, 1},
	    [13] = {STORE, HELD, 0, .order = O(B_RELEASE, RELEASE)},
	    [14] = {END},
	    [15] = {STORE, HELD, 0},
	    [16] = {LOCK, WORD, .order = O(B_LOCK, ACQUIRE)},
	    [17] = {LOAD, DATA},
	    [18] = {STORE_NEXT, DATA, 1},
	    [19] = {STORE, WORD, 0, .order = O(B_UNLOCK, RELEASE)},
	    [20] = {END},
	};
	const struct step other[STEPS] = {
	    [0] = {LOCK, WORD, .order = O(B_LOCK, ACQUIRE)},
	    [1] = {LOAD, OWNER},
	    [2] = {IF, .value = 0, .to = 6},
	    [3] = {STORE, OWNER, 0},
	    [4] = HEAVY(B_HEAVY, 5),
	    [5] = without == B_WAIT ? STEP(TO, .to = 6)
	                            : STEP(AWAIT, HELD, 0, .order = O(B_AWAIT, ACQUIRE)),
	    [6] = {LOAD, DATA},
	    [7] = {STORE_NEXT, DATA, 1},
	    [8] = {STORE, WORD, 0, .order = O(B_UNLOCK, RELEASE)},
	    [9] = {END},
	};

	memcpy(m->program[0], owner, sizeof owner);
	memcpy(m->program[1], other, sizeof other);
	m->threads = 2;
	m->right = three_turns;
}

const struct protocol biased = {
    .name = "biased",
    .build = build_biased,
    .parts =
        {
            [B_LOCK] = {"taking the word acquires", IN_BOTH},
            [B_UNLOCK] = {"leaving the word releases", IN_BOTH},
            [B_LIGHT] = {"light fence", IN_FENCES},
            [B_HEAVY] = {"heavy fence", IN_BOTH},
            [B_RELEASE] = {"the owner's unlock releases", IN_BOTH},
            [B_AWAIT] = {"waiting for the owner acquires", IN_BOTH},
            [B_SECOND_LOOK] = {"the owner looks twice", IN_BOTH},
            [B_WAIT] = {"the owner is waited for", IN_BOTH},
        },
};

/* --- the same with two that own it in turn: who retreats writes held as late as it likes */

enum { FORMER = 3, INSIDE = 4 };
enum { T_LOCK, T_UNLOCK, T_RELEASE, T_AWAIT, T_HEAVY, T_LEAVE, T_LOOK, T_MINDS };

/* Locks once, the other twice; in the runtime since before, and out of it in between. */
static void owner_in_turn(struct step *p, enum form form, int without, uint8_t me)
{
	uint8_t other = 3 - me, mine = (uint8_t)(INSIDE + me - 1),
	        others = (uint8_t)(INSIDE + other - 1);
	const struct step program[STEPS] = {
	    [0] = {LOAD, OWNER},
	    [1] = {IF, .value = me, .to = 3},
	    [2] = {TO, .to = 9},
	    [3] = {STORE, HELD, me},
	    [4] = {form == FENCES ? FENCE : TO, .to = 5},
	    [5] = {LOAD, OWNER},
	    [6] = {IF, .value = me, .to = 24},
	    [7] = {STORE, HELD, 0},
	    [8] = {TO, .to = 9},
	    [9] = {LOCK, WORD, .order = O(T_LOCK, ACQUIRE)},
	    [10] = {LOAD, OWNER},
	    [11] = {IF, .value = other, .to = 13},
	    [12] = {TO, .to = 17},
	    [13] = {STORE, FORMER, other},
	    [14] = {STORE, OWNER, 0},
	    [15] = HEAVY(T_HEAVY, 16),
	    [16] = {AWAIT, HELD, 0, .order = O(T_AWAIT, ACQUIRE)},
	    [17] = {LOAD, FORMER},
	    [18] = {IF, .value = other, .to = 20},
	    [19] = {TO, .to = 22},
	    [20] = without == T_MINDS ? STEP(TO, .to = 22)
	                              : STEP(LOAD, others, .order = O(T_LOOK, ACQUIRE)),
	    [21] = {IF, .value = 1, .to = 24},
	    [22] = {STORE, FORMER, 0},
	    [23] = {STORE, OWNER, me},
	    [24] = {LOAD, DATA},
	    [25] = {STORE_NEXT, DATA, 1},
	    [26] = {LOAD, HELD},
	    [27] = {IF, .value = me, .to = 30},
	    [28] = {STORE, WORD, 0, .order = O(T_UNLOCK, RELEASE)},
	    [29] = {TO, .to = 31},
	    [30] = {STORE, HELD, 0, .order = O(T_RELEASE, RELEASE)},
	    [31] = {STORE, mine, 0, .order = O(T_LEAVE, RELEASE)},
	    [32] = {STORE, mine, 1},
	    [33] = {form == FENCES ? FENCE : TO, .to = 34},
	    [34] = me == 2 ? STEP(LOOP, .value = 1, .to = 0) : STEP(TO, .to = 35),
	    [35] = {STORE, mine, 0, .order = O(T_LEAVE, RELEASE)},
	    [36] = {END},
	};

	memcpy(p, program, sizeof program);
}

static void build_biased_in_turn(struct model *m, enum form form, int without)
{
	owner_in_turn(m->program[0], form, without, 1);
	owner_in_turn(m->program[1], form, without, 2);
	m->memory[INSIDE] = m->memory[INSIDE + 1] = 1;
	m->threads = 2;
	m->memory[OWNER] = 1;
	m->right = three_turns;
}

const struct protocol biased_in_turn = {
    .name = "biased in turn",
    .build = build_biased_in_turn,
    .parts =
        {
            [T_LOCK] = {"taking the word acquires", IN_BOTH},
            [T_UNLOCK] = {"leaving the word releases", IN_BOTH},
            [T_RELEASE] = {"the owner's unlock releases", IN_BOTH},
            [T_AWAIT] = {"waiting for the owner acquires", IN_BOTH},
            [T_HEAVY] = {"heavy fence", IN_BOTH},
            [T_LEAVE] = {"leaving the runtime releases", SPARE},   /* the word orders that, */
            [T_LOOK] = {"the look at the former acquires", SPARE}, /* as who retreats takes it */
            [T_MINDS] = {"the former is minded", IN_BOTH},
        },
};

/* --- the same where the owner is asked to part, and parts once he has seen that he is not the owner */

enum { ASKED = 6, PARTED = 9 };
enum { P_LOCK, P_UNLOCK, P_RELEASE, P_ASK, P_ASKED, P_PART, P_ANSWER, P_AWAIT, P_HEAVY };
enum { P_ENDS = P_HEAVY + 1, P_MINDS, P_CLEAN };

/* Whether both lock twice, instead of the first owner alone: it takes longer, and some mistakes need it. */
static bool both_twice(int without)
{
	return without == NOTHING_LESS || without >= P_ENDS;
}

static bool four_turns(const struct state *s)
{
	return s->memory[DATA] == 4;
}

/* Steps 19 to 39 of the next: who has the word asks the owner.  He waits for so long as he likes: here he looks once, at
   any time.  And 53 to 58: the owner has parted. */
static void ask_to_part(struct step *p, enum form form, int without, uint8_t me)
{
	enum { ASKS = 19, HAS_PARTED = 53 };
	uint8_t other = 3 - me, others = (uint8_t)(INSIDE + other - 1);
	const struct step asks[] = {
	    /* asks the owner, and is the next one, */
	    [19 - ASKS] = {STORE, FORMER, other},
	    [20 - ASKS] = {STORE, ASKED, 1, .order = O(P_ASK, RELEASE)},
	    [21 - ASKS] = {STORE, OWNER, 0, .order = RELEASE},
	    [22 - ASKS] = {LOAD, HELD, .order = O(P_ANSWER, ACQUIRE)},
	    [23 - ASKS] = {IF, .value = PARTED, .to = 30},
	    /* or nobody is: he has not answered, */
	    [24 - ASKS] = without == P_ENDS ? STEP(TO, .to = 25) : STEP(STORE, ASKED, 0),
	    [25 - ASKS] = HEAVY(P_HEAVY, 26),
	    [26 - ASKS] = {LOAD, HELD, .order = O(P_AWAIT, ACQUIRE)},
	    [27 - ASKS] = {IF, .value = other, .to = 26},
	    [28 - ASKS] = without == P_ENDS ? STEP(STORE, ASKED, 0) : STEP(TO, .to = 29),
	    [29 - ASKS] = {TO, .to = 32},
	    [30 - ASKS] = {LOAD, DATA},
	    [31 - ASKS] = {TO, .to = 53},
	    /* until he is seen outside. */
	    [32 - ASKS] = {LOAD, FORMER},
	    [33 - ASKS] = {IF, .value = other, .to = 35},
	    [34 - ASKS] = {TO, .to = 37},
	    [35 - ASKS] =
	        without == P_MINDS ? STEP(TO, .to = 37) : STEP(LOAD, others, .order = ACQUIRE),
	    [36 - ASKS] = {IF, .value = 1, .to = 40},
	    [37 - ASKS] = {STORE, FORMER, 0},
	    [38 - ASKS] = without == P_CLEAN ? STEP(TO, .to = 39) : STEP(STORE, HELD, 0),
	    [39 - ASKS] = {STORE, OWNER, me},
	};
	const struct step has_parted[] = {
	    /* Has its turn before it owns the lock, or the window would not reach as far as that. */
	    [53 - HAS_PARTED] = {STORE_NEXT, DATA, 1},
	    [54 - HAS_PARTED] = {STORE, ASKED, 0},
	    [55 - HAS_PARTED] = {STORE, FORMER, 0},
	    [56 - HAS_PARTED] = without == P_CLEAN ? STEP(TO, .to = 57) : STEP(STORE, HELD, 0),
	    [57 - HAS_PARTED] = {STORE, OWNER, me},
	    [58 - HAS_PARTED] = {TO, .to = 44},
	};

	memcpy(p + ASKS, asks, sizeof asks);
	memcpy(p + HAS_PARTED, has_parted, sizeof has_parted);
}

static void owner_parting(struct step *p, enum form form, int without, uint8_t me)
{
	uint8_t other = 3 - me, mine = (uint8_t)(INSIDE + me - 1);
	const struct step program[STEPS] = {
	    [0] = {LOAD, OWNER},
	    [1] = {IF, .value = me, .to = 3},
	    [2] = {TO, .to = 9},
	    [3] = {STORE, HELD, me},
	    [4] = {form == FENCES ? FENCE : TO, .to = 5},
	    [5] = {LOAD, OWNER},
	    [6] = {IF, .value = me, .to = 40},
	    [7] = {STORE, HELD, 0},
	    [8] = {TO, .to = 9},
	    /* parts, if it is he who is asked, */
	    [9] = {LOAD, ASKED, .order = O(P_ASKED, ACQUIRE)},
	    [10] = {IF, .value = 0, .to = 15},
	    [11] = {LOAD, FORMER},
	    [12] = {IF, .value = me, .to = 14},
	    [13] = {TO, .to = 15},
	    [14] = {STORE, HELD, PARTED, .order = O(P_PART, RELEASE)},
	    [15] = {LOCK, WORD, .order = O(P_LOCK, ACQUIRE)},
	    [16] = {LOAD, OWNER},
	    [17] = {IF, .value = other, .to = 19},
	    [18] = {TO, .to = 32},
	    [40] = {LOAD, DATA},
	    [41] = {STORE_NEXT, DATA, 1},
	    [42] = {LOAD, HELD},
	    [43] = {IF, .value = me, .to = 46},
	    [44] = {STORE, WORD, 0, .order = O(P_UNLOCK, RELEASE)},
	    [45] = {TO, .to = 47},
	    [46] = {STORE, HELD, 0, .order = O(P_RELEASE, RELEASE)},
	    [47] = {STORE, mine, 0, .order = RELEASE},
	    [48] = {STORE, mine, 1},
	    [49] = {form == FENCES ? FENCE : TO, .to = 50},
	    [50] =
	        me == 1 || both_twice(without) ? STEP(LOOP, .value = 1, .to = 0) : STEP(TO, .to = 51),
	    [51] = {STORE, mine, 0, .order = RELEASE},
	    [52] = {END},
	};

	memcpy(p, program, sizeof program);
	ask_to_part(p, form, without, me);
}

static void build_biased_parting(struct model *m, enum form form, int without)
{
	owner_parting(m->program[0], form, without, 1);
	owner_parting(m->program[1], form, without, 2);
	m->memory[INSIDE] = m->memory[INSIDE + 1] = 1;
	m->threads = 2;
	m->memory[OWNER] = 1;
	m->right = both_twice(without) ? four_turns : three_turns;
}

const struct protocol biased_parting = {
    .name = "biased, parting",
    .build = build_biased_parting,
    .parts =
        {
            [P_LOCK] = {"taking the word acquires", IN_BOTH},
            [P_UNLOCK] = {"leaving the word releases", IN_BOTH},
            [P_RELEASE] = {"the owner's unlock releases", IN_BOTH},
            [P_ASK] = {"asking releases", SPARE},                   /* it needs a third, who */
            [P_ASKED] = {"a look at who is asked acquires", SPARE}, /* was asked before */
            [P_PART] = {"parting releases",
                        SPARE}, /* behind the owner's unlock, or that of the word */
            [P_ANSWER] = {"the answer acquires", IN_BOTH},
            [P_AWAIT] = {"waiting for who is silent acquires", IN_BOTH},
            [P_HEAVY] = {"heavy fence", IN_BOTH},
            [P_ENDS] = {"asking ends before the fence", IN_BOTH},
            [P_MINDS] = {"the former is minded", IN_BOTH},
            [P_CLEAN] = {"an old answer is wiped out", IN_BOTH},
        },
};
