/* SPDX-License-Identifier: MIT */
/* The protocols of sync/ and chan/. */
#include "protocol.h"

#include <string.h>

/* --- mutex: the unlock's plain store against those who go to sleep (sync/mutex.c) */

enum { LOCKED, WAITERS, INNER, QUEUED, WOKEN, DATA = 7, HELD };

enum {
	M_LOCK,
	M_UNLOCK,
	M_HEAVY,
	M_LIGHT,
	M_INNER_LOCK,
	M_INNER_UNLOCK,
	M_MARK_FIRST,
	M_READY,
	M_LOOK
};

/* Locks once, has its turn with the data, unlocks.  n: of the thread, whose words are QUEUED + 2n and
   WOKEN + 2n.  The store that unlocks clears LOCKED and HELD; here it is two, of which nothing may depend. */
static void mutex_user(struct step *p, enum form form, int without, int n)
{
	uint8_t mine = (uint8_t)(QUEUED + 2 * n), other = (uint8_t)(QUEUED + 2 * !n);
	const struct step mark = {STORE, WAITERS, 1};
	const struct step program[STEPS] = {
	    [0] = {STORE, HELD, 1},
	    [1] = {SWAP, LOCKED, 1, .order = O(M_LOCK, ACQUIRE)},
	    [2] = {IF, .value = 0, .to = 17},
	    /* sleep, or get it instead */
	    [3] = {LOCK, INNER, .order = O(M_INNER_LOCK, ACQUIRE)},
	    [4] = without == M_MARK_FIRST ? STEP(TO, .to = 5) : mark,
	    [5] = HEAVY(M_HEAVY, 6),
	    [6] = {STORE, HELD, 1},
	    [7] = {SWAP, LOCKED, 1, .order = O(M_LOCK, ACQUIRE)},
	    [8] = {IF, .value = 0, .to = 15},
	    [9] = without == M_MARK_FIRST ? mark : STEP(TO, .to = 10),
	    [10] = {STORE, mine, 1},
	    [11] = {STORE, INNER, 0, .order = O(M_INNER_UNLOCK, RELEASE)},
	    [12] = {AWAIT, (uint8_t)(mine + 1), 1, .order = ACQUIRE},
	    [13] = {TO, .to = 0},
	    [15] = {STORE, WAITERS, 0}, /* the only other one holds the lock no more */
	    [16] = {STORE, INNER, 0, .order = O(M_INNER_UNLOCK, RELEASE)},
	    [17] = {LOAD, DATA},
	    [18] = {STORE_NEXT, DATA, 1},
	    /* unlock */
	    [19] = {LOAD, HELD},
	    [20] = {IF, .value = 1, .to = 24},
	    [21] = without == M_LOOK ? STEP(WRONG) : STEP(LOAD, LOCKED),
	    [22] = {IF, .value = 1, .to = 24},
	    [23] = {WRONG},
	    [24] = {STORE, HELD, 0},
	    [25] = {STORE, LOCKED, 0, .order = O(M_UNLOCK, RELEASE)},
	    [26] = LIGHT(M_LIGHT, 27),
	    [27] = {LOAD, WAITERS},
	    [28] = {IF, .value = 0, .to = 40},
	    [29] = {LOCK, INNER, .order = O(M_INNER_LOCK, ACQUIRE)},
	    [30] = {LOAD, other},
	    [31] = {STORE, WAITERS, 0},
	    [32] = {STORE, other, 0},
	    [33] = {STORE, INNER, 0, .order = O(M_INNER_UNLOCK, RELEASE)},
	    [34] = {IF, .value = 0, .to = 40},
	    [35] = {STORE, (uint8_t)(other + 1), 1, .order = O(M_READY, RELEASE)},
	    [40] = {END},
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
            [M_LOOK] = {"an unlock that sees no mark looks at the lock", IN_BOTH},
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
