/* SPDX-License-Identifier: MIT */
/* The run queues, how a context is handed on, and the keeper of the timers. */
#include "protocol.h"

#include <string.h>

/* --- parking: a goroutine is readied and taken before it has left its stack (scheduler.c, switch.S) */

enum { SP, FRAME, LOCKED, QUEUED };
enum { K_SP, K_OFF_CPU, K_UNLOCK, K_LOCK };

/* The goroutine was parked before, with an old frame; a thread resumes it, and it parks anew. */
static void build_parking(struct model *m, enum form form, int without)
{
	const struct step parker[STEPS] = {
	    [0] = {STORE, SP, 0}, /* runs now */
	    [1] = {LOCK, LOCKED, .order = O(K_LOCK, ACQUIRE)},
	    [2] = {STORE, QUEUED, 1},
	    [3] = {STORE, LOCKED, 0, .order = O(K_UNLOCK, RELEASE)},
	    [4] = {STORE, FRAME, 1},
	    [5] = {STORE, SP, 1, .order = O(K_SP, RELEASE)},
	};
	const struct step taker[STEPS] = {
	    [0] = {LOCK, LOCKED, .order = O(K_LOCK, ACQUIRE)},
	    [1] = {LOAD, QUEUED},
	    [2] = {STORE, LOCKED, 0, .order = O(K_UNLOCK, RELEASE)},
	    [3] = {IF, .value = 0, .to = 10},
	    [4] = {AWAIT, SP, 1, .order = O(K_OFF_CPU, ACQUIRE)},
	    [5] = {LOAD, FRAME},
	    [6] = {IF, .value = 1, .to = 10},
	    [7] = {WRONG}, /* an old one */
	    [10] = {END},
	};

	(void)form;
	memcpy(m->program[0], parker, sizeof parker);
	memcpy(m->program[1], taker, sizeof taker);
	m->memory[SP] = 1;
	m->memory[FRAME] = 2;
	m->threads = 2;
}

const struct protocol parking = {
    .name = "parking",
    .build = build_parking,
    .parts = {[K_SP] = {"the switch's store of sp releases", IN_BOTH},
              [K_OFF_CPU] = {"who resumes acquires", IN_BOTH},
              [K_UNLOCK] = {"the queue's unlock releases", IN_BOTH},
              [K_LOCK] = {"the queue's lock acquires", IN_BOTH}},
};

/* --- ring: the owner puts, and puts where a thief has taken; one slot stands for 256 (processor.h) */

enum { TOP, BOTTOM, SLOT, FIRST, SECOND };
enum { S_PUT, S_SEEN, S_TAKE_RELEASES, S_TAKE_ACQUIRES, S_ROOM, S_HEAVY };

/* What the owner puts is a goroutine whose descriptor it has written. */
static void putter(struct step *p, int without)
{
	const struct step program[STEPS] = {
	    [0] = {STORE, FIRST, 1},
	    [1] = {STORE, SLOT, 1},
	    [2] = {STORE, BOTTOM, 1, .order = O(S_PUT, RELEASE)},
	    [3] = {LOAD, TOP, .order = O(S_ROOM, ACQUIRE)},
	    [4] = {IF, .value = 0, .to = 10}, /* full */
	    [5] = {STORE, SECOND, 1},
	    [6] = {STORE, SLOT, 2},
	    [7] = {STORE, BOTTOM, 2, .order = O(S_PUT, RELEASE)},
	    [10] = {END},
	};

	memcpy(p, program, sizeof program);
}

static void thief(struct step *p, int without, struct step fence)
{
	uint8_t take = (uint8_t)(O(S_TAKE_RELEASES, RELEASE) | O(S_TAKE_ACQUIRES, ACQUIRE));
	const struct step program[STEPS] = {
	    [0] = {LOAD, TOP, .order = ACQUIRE},
	    [1] = {IF, .value = 1, .to = 20},
	    [2] = fence,
	    [3] = {LOAD, BOTTOM, .order = O(S_SEEN, ACQUIRE)},
	    [4] = {IF, .value = 0, .to = 20},
	    [5] = {LOAD, SLOT},
	    [6] = {CAS, TOP, 1, 0, 20, take},
	    [7] = {IF, .value = 1, .to = 9},
	    [8] = {WRONG}, /* what was put later, or never */
	    [9] = {LOAD, FIRST},
	    [10] = {IF, .value = 1, .to = 20},
	    [11] = {WRONG}, /* not yet written */
	    [20] = {END},
	};

	memcpy(p, program, sizeof program);
}

/* Two thieves and the owner; a goroutine that two take is seen by their two swaps on one word. */
static void build_ring(struct model *m, enum form form, int without)
{
	(void)form;
	putter(m->program[0], without);
	thief(m->program[1], without, STEP(TO, .to = 3));
	thief(m->program[2], without, STEP(TO, .to = 3));
	m->threads = 3;
}

const struct protocol ring = {
    .name = "ring",
    .build = build_ring,
    .parts = {[S_PUT] = {"putting releases", IN_BOTH},
              [S_SEEN] = {"seeing the tail acquires", IN_BOTH},
              [S_TAKE_RELEASES] = {"taking releases", IN_BOTH},
              [S_TAKE_ACQUIRES] = {"taking acquires", SPARE}, /* seeing the tail did */
              [S_ROOM] = {"seeing room acquires", SPARE}},    /* a branch keeps stores behind */
};

/* The same of the deque, whose thieves fence between top and bottom. */
static void build_deque_slot(struct model *m, enum form form, int without)
{
	struct step heavy = HEAVY(S_HEAVY, 3);

	putter(m->program[0], without);
	thief(m->program[1], without, heavy);
	m->threads = 2;
}

const struct protocol deque_slot = {
    .name = "deque, slots",
    .build = build_deque_slot,
    .parts = {[S_PUT] = {"pushing releases", IN_BOTH},
              [S_SEEN] = {"seeing bottom acquires", IN_BOTH},
              [S_TAKE_RELEASES] = {"stealing releases", IN_BOTH},
              [S_TAKE_ACQUIRES] = {"stealing acquires", SPARE},
              [S_ROOM] = {"seeing room acquires", SPARE}},
};

/* --- deque: the owner's pop without a full fence against two thieves (processor.h) */

enum { TAKEN_0 = 2, TAKEN_1 };
enum { Q_HEAVY, Q_LIGHT, Q_TOP, Q_BOTTOM, Q_LAST };

/* Two goroutines, 0 and 1; bottom is 2.  The owner pops once; each thief steals once.  Who takes number n
   swaps a word that only one may find 0. */
static void deque_thief(struct step *p, enum form form, int without)
{
	const struct step program[STEPS] = {
	    [0] = {LOAD, TOP, .order = O(Q_TOP, ACQUIRE)},
	    [1] = {IF, .value = 1, .to = 10},
	    [2] = {IF, .value = 2, .to = 20},
	    /* top is 0 */
	    [3] = HEAVY(Q_HEAVY, 4),
	    [4] = {LOAD, BOTTOM, .order = O(Q_BOTTOM, ACQUIRE)},
	    [5] = {IF, .value = 0, .to = 20},
	    [6] = {CAS, TOP, 1, 0, 20, ACQ_REL},
	    [7] = {SWAP, TAKEN_0, 1},
	    [8] = {IF, .value = 1, .to = 21},
	    [9] = {END},
	    /* top is 1 */
	    [10] = HEAVY(Q_HEAVY, 11),
	    [11] = {LOAD, BOTTOM, .order = O(Q_BOTTOM, ACQUIRE)},
	    [12] = {IF, .value = 1, .to = 20},
	    [13] = {CAS, TOP, 2, 1, 20, ACQ_REL},
	    [14] = {SWAP, TAKEN_1, 1},
	    [15] = {IF, .value = 1, .to = 21},
	    [20] = {END},
	    [21] = {WRONG},
	};

	memcpy(p, program, sizeof program);
}

static void build_deque(struct model *m, enum form form, int without)
{
	const struct step owner[STEPS] = {
	    [0] = {STORE, BOTTOM, 1},
	    [1] = LIGHT(Q_LIGHT, 2),
	    [2] = {LOAD, TOP},
	    [3] = {IF, .value = 0, .to = 10}, /* others are left: no thief comes here */
	    [4] = {IF, .value = 2, .to = 8},
	    [5] = without == Q_LAST ? STEP(TO, .to = 6) : STEP(CAS, TOP, 2, 1, 8, ACQ_REL),
	    [6] = {STORE, BOTTOM, 2},
	    [7] = {TO, .to = 10},
	    [8] = {STORE, BOTTOM, 2},
	    [9] = {END},
	    [10] = {SWAP, TAKEN_1, 1},
	    [11] = {IF, .value = 1, .to = 21},
	    [12] = {END},
	    [21] = {WRONG},
	};

	memcpy(m->program[0], owner, sizeof owner);
	deque_thief(m->program[1], form, without);
	deque_thief(m->program[2], form, without);
	m->memory[BOTTOM] = 2;
	m->threads = 3;
}

const struct protocol deque = {
    .name = "deque",
    .build = build_deque,
    .parts =
        {/* Fenced, seeing top is enough where a store is seen by all at once, as on Arm; C and other
                 machines want the fence. */
         [Q_HEAVY] = {"heavy fence", IN_MEMBARRIERS},
         [Q_LIGHT] = {"light fence", IN_FENCES},
         [Q_TOP] = {"seeing top acquires", SPARE},       /* the fence stands behind */
         [Q_BOTTOM] = {"seeing bottom acquires", SPARE}, /* for the slot: above */
         [Q_LAST] = {"the last one by compare-and-swap", IN_BOTH}},
};

/* --- deque: what is offered is popped with a full fence, and stolen without a heavy one */

enum { OFFERED = 2, SLOT_1, DONE_0, DONE_1, DONE_2 };
enum { V_POP, V_STEAL, V_OFFER, V_SEEN, V_HEEDS, V_LIGHT };

static void offer_thief(struct step *p, enum form form, int without)
{
	uint8_t heavy = without == V_HEEDS ? TO : form == MEMBARRIERS ? MEMBARRIER : FENCE;
	const struct step program[STEPS] = {
	    [0] = {LOAD, TOP, .order = ACQUIRE},
	    [1] = F(V_STEAL, FENCE, 2),
	    [2] = {IF, .value = 1, .to = 15},
	    [3] = {IF, .value = 2, .to = 34},
	    /* top is 0 */
	    [4] = {LOAD, OFFERED, .order = O(V_SEEN, ACQUIRE)},
	    [5] = {IF, .value = 1, .to = 8},
	    [6] = {IF, .value = 2, .to = 8},
	    [7] = {heavy, .to = 8},
	    [8] = {LOAD, BOTTOM, .order = ACQUIRE},
	    [9] = {IF, .value = 0, .to = 34},
	    [10] = {CAS, TOP, 1, 0, 34, ACQ_REL},
	    [11] = {SWAP, DONE_0, 1},
	    [12] = {IF, .value = 1, .to = 35},
	    [13] = {END},
	    /* top is 1 */
	    [15] = {LOAD, OFFERED, .order = O(V_SEEN, ACQUIRE)},
	    [16] = {IF, .value = 2, .to = 18},
	    [17] = {heavy, .to = 18},
	    [18] = {LOAD, BOTTOM, .order = ACQUIRE},
	    [19] = {IF, .value = 1, .to = 34},
	    [20] = {LOAD, SLOT_1},
	    [21] = {CAS, TOP, 2, 1, 34, ACQ_REL},
	    [22] = {IF, .value = 2, .to = 26},
	    [23] = {SWAP, DONE_1, 1},
	    [24] = {IF, .value = 1, .to = 35},
	    [25] = {END},
	    [26] = {SWAP, DONE_2, 1},
	    [27] = {IF, .value = 1, .to = 35},
	    [34] = {END},
	    [35] = {WRONG},
	};

	memcpy(p, program, sizeof program);
}

/* Two goroutines, 0 and 1, of which 0 is offered.  The owner pops number 1, pushes number 2 in its place,
   offers all, and pops that; each thief steals once. */
static void build_offer(struct model *m, enum form form, int without)
{
	const struct step owner[STEPS] = {
	    [0] = {STORE, BOTTOM, 1},
	    [1] = LIGHT(V_LIGHT, 2),
	    [2] = {LOAD, TOP},
	    [3] = {IF, .value = 0, .to = 12},
	    [4] = {IF, .value = 2, .to = 8},
	    [5] = {CAS, TOP, 2, 1, 8, ACQ_REL},
	    [6] = {SWAP, DONE_1, 1},
	    [7] = {IF, .value = 1, .to = 35},
	    [8] = {END},
	    /* It has number 1. */
	    [12] = {STORE, SLOT_1, 2},
	    [13] = {STORE, BOTTOM, 2, .order = RELEASE},
	    [14] = {STORE, OFFERED, 2, .order = O(V_OFFER, RELEASE)},
	    [15] = {STORE, BOTTOM, 1},
	    [16] = {STORE, OFFERED, 1},
	    [17] = F(V_POP, FENCE, 18),
	    [18] = {LOAD, TOP},
	    [19] = {IF, .value = 0, .to = 22},
	    [20] = {IF, .value = 2, .to = 24},
	    [21] = {CAS, TOP, 2, 1, 24, ACQ_REL},
	    [22] = {SWAP, DONE_2, 1},
	    [23] = {IF, .value = 1, .to = 35},
	    [24] = {SWAP, DONE_1, 1},
	    [25] = {IF, .value = 1, .to = 35},
	    [26] = {END},
	    [35] = {WRONG},
	};

	memcpy(m->program[0], owner, sizeof owner);
	offer_thief(m->program[1], form, without);
	offer_thief(m->program[2], form, without);
	m->memory[BOTTOM] = 2;
	m->memory[OFFERED] = 1;
	m->memory[SLOT_1] = 1;
	m->threads = 3;
}

const struct protocol offer = {
    .name = "deque, offered",
    .build = build_offer,
    .parts = {[V_POP] = {"the owner's fence", IN_BOTH},
              [V_STEAL] = {"the thief's fence", SPARE},
              [V_OFFER] = {"offering releases", IN_MEMBARRIERS},
              [V_SEEN] = {"seeing the offer acquires", IN_MEMBARRIERS},
              [V_HEEDS] = {"a heavy fence for the rest", IN_MEMBARRIERS},
              [V_LIGHT] = {"a light fence where it pops that", IN_FENCES}},
};

/* --- keeper: who sleeps until the first timer, while another changes which that is (work.c) */

enum { FIRST_TIMER, UNTIL, WAKE };
enum { SOON = 1, LATER = 2, NEVER = 9 };
enum { T_KEEPER, T_ADDER, T_AGAIN };

static void build_keeper(struct model *m, enum form form, int without)
{
	/* Without the loop: it sleeps until what it reads after the fence, whatever it has published. */
	bool loops = without != T_AGAIN;
	const struct step keep[STEPS] = {
	    [0] = {LOAD, FIRST_TIMER},
	    [1] = {IF, .value = SOON, .to = 10},
	    [2] = {IF, .value = LATER, .to = 15},
	    [3] = {TO, .to = 20},
	    [10] = {STORE, UNTIL, SOON},
	    [11] = F(T_KEEPER, FENCE, 12),
	    [12] = {LOAD, FIRST_TIMER},
	    [13] = {IF, .value = SOON, .to = 30},
	    [14] = {TO, .to = loops ? 0 : 26},
	    [15] = {STORE, UNTIL, LATER},
	    [16] = F(T_KEEPER, FENCE, 17),
	    [17] = {LOAD, FIRST_TIMER},
	    [18] = {IF, .value = LATER, .to = 30},
	    [19] = {TO, .to = loops ? 0 : 26},
	    [20] = {STORE, UNTIL, NEVER},
	    [21] = F(T_KEEPER, FENCE, 22),
	    [22] = {LOAD, FIRST_TIMER},
	    [23] = {IF, .value = NEVER, .to = 25},
	    [24] = {TO, .to = loops ? 0 : 26},
	    [25] = {AWAIT, WAKE, 1, .order = ACQUIRE},
	    [26] = {IF, .value = NEVER, .to = 25},
	    [30] = {END}, /* sleeps until a time that comes */
	};
	/* The first timer is stopped, then a later one armed. */
	const struct step adder[STEPS] = {
	    [0] = {STORE, FIRST_TIMER, NEVER},
	    [1] = {STORE, FIRST_TIMER, LATER},
	    [2] = F(T_ADDER, FENCE, 3),
	    [3] = {LOAD, UNTIL},
	    [4] = {IF, .value = SOON, .to = 10},
	    [5] = {IF, .value = LATER, .to = 10},
	    [6] = {STORE, WAKE, 1, .order = RELEASE},
	    [10] = {END},
	};

	(void)form;
	memcpy(m->program[0], keep, sizeof keep);
	memcpy(m->program[1], adder, sizeof adder);
	m->memory[FIRST_TIMER] = SOON;
	m->memory[UNTIL] = NEVER;
	m->threads = 2;
}

const struct protocol keeper = {
    .name = "keeper",
    .build = build_keeper,
    .parts = {[T_KEEPER] = {"the keeper's fence", IN_BOTH},
              [T_ADDER] = {"the adder's fence", IN_BOTH},
              [T_AGAIN] = {"publishes anew what has changed", IN_BOTH}},
};
