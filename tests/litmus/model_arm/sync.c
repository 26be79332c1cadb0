/* SPDX-License-Identifier: MIT */
/* The protocols of sync/ and chan/. */
#include "protocol.h"

#include <string.h>

/* --- mutex: the unlock's plain store against those who go to sleep (sync/mutex.c) */

enum { LOCKED, WAITERS, INNER, QUEUED, WOKEN, DATA = 7 };

enum { M_LOCK, M_UNLOCK, M_HEAVY, M_LIGHT, M_INNER_LOCK, M_INNER_UNLOCK, M_MARK_FIRST, M_READY };

/* Locks once, has its turn with the data, unlocks.  n: of the thread, whose words are QUEUED + 2n and
   WOKEN + 2n. */
static void mutex_user(struct step *p, enum form form, int without, int n)
{
	uint8_t mine = (uint8_t)(QUEUED + 2 * n), other = (uint8_t)(QUEUED + 2 * !n);
	const struct step mark = {STORE, WAITERS, 1};
	const struct step program[STEPS] = {
	    [0] = {SWAP, LOCKED, 1, .order = O(M_LOCK, ACQUIRE)},
	    [1] = {IF, .value = 0, .to = 15},
	    /* sleep, or get it instead */
	    [2] = {LOCK, INNER, .order = O(M_INNER_LOCK, ACQUIRE)},
	    [3] = without == M_MARK_FIRST ? STEP(TO, .to = 4) : mark,
	    [4] = HEAVY(M_HEAVY, 5),
	    [5] = {SWAP, LOCKED, 1, .order = O(M_LOCK, ACQUIRE)},
	    [6] = {IF, .value = 0, .to = 13},
	    [7] = without == M_MARK_FIRST ? mark : STEP(TO, .to = 8),
	    [8] = {STORE, mine, 1},
	    [9] = {STORE, INNER, 0, .order = O(M_INNER_UNLOCK, RELEASE)},
	    [10] = {AWAIT, (uint8_t)(mine + 1), 1, .order = ACQUIRE},
	    [11] = {TO, .to = 0},
	    [13] = {STORE, WAITERS, 0}, /* the only other one holds the lock no more */
	    [14] = {STORE, INNER, 0, .order = O(M_INNER_UNLOCK, RELEASE)},
	    [15] = {LOAD, DATA},
	    [16] = {STORE_NEXT, DATA, 1},
	    /* unlock */
	    [17] = {STORE, LOCKED, 0, .order = O(M_UNLOCK, RELEASE)},
	    [18] = LIGHT(M_LIGHT, 19),
	    [19] = {LOAD, WAITERS},
	    [20] = {IF, .value = 0, .to = 30},
	    [21] = {LOCK, INNER, .order = O(M_INNER_LOCK, ACQUIRE)},
	    [22] = {LOAD, other},
	    [23] = {STORE, WAITERS, 0},
	    [24] = {STORE, other, 0},
	    [25] = {STORE, INNER, 0, .order = O(M_INNER_UNLOCK, RELEASE)},
	    [26] = {IF, .value = 0, .to = 30},
	    [27] = {STORE, (uint8_t)(other + 1), 1, .order = O(M_READY, RELEASE)},
	    [30] = {END},
	};

	memcpy(p, program, sizeof program);
}

static bool two_turns(const struct state *s)
{
	return s->memory[DATA] == 2;
}

static void build_mutex(struct model *m, enum form form, int without)
{
	mutex_user(m->program[0], form, without, 0);
	mutex_user(m->program[1], form, without, 1);
	m->threads = 2;
	m->right = two_turns;
}

const struct protocol mutex = {
    .name = "mutex",
    .build = build_mutex,
    .parts =
        {
            [M_LOCK] = {"lock acquires", IN_BOTH},
            [M_UNLOCK] = {"unlock releases", IN_BOTH},
            [M_HEAVY] = {"heavy fence", IN_BOTH},
            [M_LIGHT] = {"light fence", IN_FENCES},
            [M_INNER_LOCK] = {"inner lock acquires", IN_BOTH},
            [M_INNER_UNLOCK] = {"inner unlock releases", IN_BOTH},
            [M_MARK_FIRST] = {"says that it waits, then looks", IN_BOTH},
            [M_READY] = {"waking releases", SPARE}, /* the lock itself orders what matters here */
        },
};

/* --- biased: a lock that a processor owns, and one who takes that property away (sched/biased.h) */

enum { WORD, OWNER, HELD };
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

/* --- select's claim: two who could complete it (chan/select.c) */

enum { CLAIM, LOCK_1, QUEUE_1, LOCK_2, QUEUE_2, VALUE, READY };
enum { ARMED = 1, FIRED };
enum { C_UNLOCK, C_LOCK, C_CAS, C_READY, C_AWAIT };

static void claimer(struct step *p, int without, uint8_t lock)
{
	const struct step program[STEPS] = {
	    [0] = {AWAIT, (uint8_t)(lock + 1), 1}, /* comes when there is somebody to serve */
	    [1] = {LOCK, lock, .order = O(C_LOCK, ACQUIRE)},
	    [2] = without == C_CAS ? STEP(LOAD, CLAIM) : STEP(CAS, CLAIM, FIRED, ARMED, 9, ACQ_REL),
	    [3] = without == C_CAS ? STEP(IF, .value = ARMED, .to = 5) : STEP(TO, .to = 6),
	    [4] = {TO, .to = 9},
	    [5] = {STORE, CLAIM, FIRED},
	    [6] = {COUNT},
	    [7] = {STORE, VALUE, 1},
	    [8] = {TO, .to = 11},
	    [9] = {STORE, lock, 0, .order = O(C_UNLOCK, RELEASE)},
	    [10] = {END},
	    [11] = {STORE, lock, 0, .order = O(C_UNLOCK, RELEASE)},
	    [12] = {STORE, READY, 1, .order = O(C_READY, RELEASE)},
	};

	memcpy(p, program, sizeof program);
}

static bool one_fired(const struct state *s)
{
	return s->t[1].count + s->t[2].count == 1;
}

static void build_claim(struct model *m, enum form form, int without)
{
	const struct step waiter[STEPS] = {
	    [0] = {STORE, CLAIM, ARMED},
	    [1] = {LOCK, LOCK_1, .order = O(C_LOCK, ACQUIRE)},
	    [2] = {STORE, QUEUE_1, 1},
	    [3] = {STORE, LOCK_1, 0, .order = O(C_UNLOCK, RELEASE)},
	    [4] = {LOCK, LOCK_2, .order = O(C_LOCK, ACQUIRE)},
	    [5] = {STORE, QUEUE_2, 1},
	    [6] = {STORE, LOCK_2, 0, .order = O(C_UNLOCK, RELEASE)},
	    [7] = {AWAIT, READY, 1, .order = O(C_AWAIT, ACQUIRE)},
	    [8] = {LOAD, VALUE},
	    [9] = {IF, .value = 1, .to = 11},
	    [10] = {WRONG},
	    [11] = {END},
	};

	(void)form;
	memcpy(m->program[0], waiter, sizeof waiter);
	claimer(m->program[1], without, LOCK_1);
	claimer(m->program[2], without, LOCK_2);
	m->threads = 3;
	m->right = one_fired;
}

const struct protocol claim = {
    .name = "claim",
    .build = build_claim,
    .parts =
        {
            [C_UNLOCK] = {"a channel's unlock releases", IN_BOTH},
            [C_LOCK] = {"a channel's lock acquires", IN_BOTH},
            [C_CAS] = {"compare-and-swap", IN_BOTH},
            [C_READY] = {"readying releases", IN_BOTH},
            [C_AWAIT] = {"resuming acquires", IN_BOTH},
        },
};

/* --- wait group: one goroutine ends, one waits (sync/waitgroup.c) */

enum { STATE, G_FIRST, G_SLEEPER, G_READY, G_DATA };
enum { ONE = 16 }; /* of the counter; the low half counts waiters */
enum { G_ADD_RELEASES, G_ADD_ACQUIRES, G_LOAD, G_SHOW, G_COLLECT, G_WAKE, G_AWAIT };

static void build_waitgroup(struct model *m, enum form form, int without)
{
	uint8_t add = (uint8_t)(O(G_ADD_RELEASES, RELEASE) | O(G_ADD_ACQUIRES, ACQUIRE));
	const struct step done[STEPS] = {
	    [0] = {STORE, G_DATA, 1},
	    [1] = {ADD, STATE, (uint8_t)-ONE, .order = add},
	    [2] = {IF, .value = ONE, .to = 20}, /* nobody waits */
	    [3] = {AWAIT, G_FIRST, 1, .order = O(G_COLLECT, ACQUIRE)},
	    [4] = {STORE, G_FIRST, 0},
	    [5] = {LOAD, G_SLEEPER},
	    [6] = {IF, .value = 1, .to = 8},
	    [7] = {WRONG}, /* it shows itself, and is not written yet */
	    [8] = {STORE, STATE, 0, .order = RELEASE},
	    [9] = {STORE, G_READY, 1, .order = O(G_WAKE, RELEASE)},
	    [20] = {END},
	};
	const struct step wait[STEPS] = {
	    [0] = {LOAD, STATE, .order = O(G_LOAD, ACQUIRE)},
	    [1] = {IF, .value = 0, .to = 10},
	    [2] = {STORE, G_SLEEPER, 1},
	    [3] = {CAS, STATE, ONE + 1, ONE, 0, ACQ_REL},
	    [4] = {STORE, G_FIRST, 1, .order = O(G_SHOW, RELEASE)},
	    [5] = {AWAIT, G_READY, 1, .order = O(G_AWAIT, ACQUIRE)},
	    [6] = {TO, .to = 10},
	    [10] = {LOAD, G_DATA},
	    [11] = {IF, .value = 1, .to = 20},
	    [12] = {WRONG}, /* what came before done is not seen */
	    [20] = {END},
	};

	(void)form;
	memcpy(m->program[0], done, sizeof done);
	memcpy(m->program[1], wait, sizeof wait);
	m->memory[STATE] = ONE;
	m->threads = 2;
}

const struct protocol waitgroup = {
    .name = "wait group",
    .build = build_waitgroup,
    .parts =
        {
            [G_ADD_RELEASES] = {"the addition releases", IN_BOTH},
            [G_ADD_ACQUIRES] = {"the addition acquires", SPARE}, /* either this or collecting */
            [G_LOAD] = {"who sees 0 acquires", IN_BOTH},
            [G_SHOW] = {"showing itself releases", SPARE}, /* the compare-and-swap did */
            [G_COLLECT] = {"collecting acquires", SPARE},
            [G_WAKE] = {"readying releases", SPARE}, /* the addition did */
            [G_AWAIT] = {"resuming acquires", IN_BOTH},
        },
};
