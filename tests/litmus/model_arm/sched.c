/* SPDX-License-Identifier: MIT */
/* The protocols of sched/. */
#include "protocol.h"

#include <string.h>

/* --- door: a goroutine enters and leaves the runtime while the monitor takes its processor (machine.h) */

enum { RETAKE, IN_RUNTIME, DATA };
enum { REQUESTED = 1, TAKEN };
enum { D_HEAVY, D_LIGHT, D_LEAVE, D_LOOK, D_VERDICT, D_REFUSAL };

static bool no_turn_lost(const struct state *s)
{
	return s->memory[DATA] == s->t[0].count + s->t[1].count;
}

/* What either does with the processor is a turn with its data. */
static void build_door(struct model *m, enum form form, int without)
{
	const struct step goroutine[STEPS] = {
	    [0] = {STORE, IN_RUNTIME, 1},
	    [1] = LIGHT(D_LIGHT, 2),
	    [2] = {LOAD, RETAKE},
	    [3] = {IF, .value = 0, .to = 8},
	    [4] = {IF, .value = TAKEN, .to = 20}, /* queues for another processor */
	    [5] = without == D_REFUSAL ? STEP(STORE, RETAKE, 0)
	                               : STEP(CAS, RETAKE, 0, REQUESTED, 2, ACQ_REL),
	    [6] = {TO, .to = 8},
	    [8] = {LOAD, DATA},
	    [9] = {STORE_NEXT, DATA, 1},
	    [10] = {COUNT},
	    [11] = {STORE, IN_RUNTIME, 0, .order = O(D_LEAVE, RELEASE)},
	    [12] = {LOOP, .value = 1, .to = 0},
	    [20] = {END},
	};
	const struct step monitor[STEPS] = {
	    [0] = {CAS, RETAKE, REQUESTED, 0, 20, ACQ_REL},
	    [1] = HEAVY(D_HEAVY, 2),
	    [2] = {LOAD, IN_RUNTIME, .order = O(D_LOOK, ACQUIRE)},
	    [3] = {IF, .value = 1, .to = 10},
	    [4] = without == D_VERDICT ? STEP(STORE, RETAKE, TAKEN)
	                               : STEP(CAS, RETAKE, TAKEN, REQUESTED, 20, ACQ_REL),
	    [5] = {LOAD, DATA},
	    [6] = {STORE_NEXT, DATA, 1},
	    [7] = {COUNT},
	    [8] = {END},
	    [10] = {CAS, RETAKE, 0, REQUESTED, 20, ACQ_REL},
	    [20] = {END},
	};

	memcpy(m->program[0], goroutine, sizeof goroutine);
	memcpy(m->program[1], monitor, sizeof monitor);
	m->threads = 2;
	m->right = no_turn_lost;
}

const struct protocol door = {
    .name = "door",
    .build = build_door,
    .parts =
        {
            [D_HEAVY] = {"heavy fence", IN_BOTH},
            [D_LIGHT] = {"light fence", IN_FENCES},
            [D_LEAVE] = {"leaving releases", IN_BOTH},
            [D_LOOK] = {"the monitor's look acquires", IN_BOTH},
            [D_VERDICT] = {"the verdict is a compare-and-swap", IN_BOTH},
            [D_REFUSAL] = {"the refusal is a compare-and-swap", IN_BOTH},
        },
};

/* --- publication: the monitor looks into an M that was just made (leat__acquire, look_at) */

enum { MADE, P_M };
enum { P_STORE, P_LOOK };

static void build_publication(struct model *m, enum form form, int without)
{
	const struct step maker[STEPS] = {
	    [0] = {STORE, MADE, 1},
	    [1] = {STORE, P_M, 1, .order = O(P_STORE, RELEASE)},
	};
	const struct step monitor[STEPS] = {
	    [0] = {LOAD, P_M, .order = O(P_LOOK, ACQUIRE)},
	    [1] = {IF, .value = 0, .to = 5},
	    [2] = {LOAD, MADE},
	    [3] = {IF, .value = 1, .to = 5},
	    [4] = {WRONG},
	    [5] = {END},
	};

	(void)form;
	memcpy(m->program[0], maker, sizeof maker);
	memcpy(m->program[1], monitor, sizeof monitor);
	m->threads = 2;
}

const struct protocol publication = {
    .name = "publication",
    .build = build_publication,
    .parts =
        {[P_STORE] = {"taking up releases", IN_BOTH},
         /* On Arm what is read by way of a pointer comes after the pointer; in C it does not. */
         [P_LOOK] = {"the monitor's look acquires", IN_BOTH}},
};

/* --- rest: the monitor goes to sleep while a processor is taken up (monitor.c) */

enum { R_RUNNING, R_ASLEEP };
enum { R_RING_FENCE, R_REST_FENCE, R_LOOKS_AGAIN };

static void build_rest(struct model *m, enum form form, int without)
{
	const struct step taker[STEPS] = {
	    [0] = {STORE, R_RUNNING, 1, .order = RELEASE},
	    [1] = F(R_RING_FENCE, FENCE, 2),
	    [2] = {LOAD, R_ASLEEP},
	    [3] = {IF, .value = 0, .to = 5},
	    [4] = {SWAP, R_ASLEEP, 0, .order = ACQ_REL},
	    [5] = {END},
	};
	const struct step monitor[STEPS] = {
	    [0] = {STORE, R_ASLEEP, 1},
	    [1] = F(R_REST_FENCE, FENCE, 2),
	    [2] = {without == R_LOOKS_AGAIN ? TO : LOAD, R_RUNNING, .order = ACQUIRE, .to = 5},
	    [3] = {IF, .value = 1, .to = 6},
	    [4] = {TO, .to = 5},
	    [5] = {AWAIT, R_ASLEEP, 0, .order = ACQUIRE},
	    [6] = {END},
	};

	(void)form;
	memcpy(m->program[0], taker, sizeof taker);
	memcpy(m->program[1], monitor, sizeof monitor);
	m->threads = 2;
}

const struct protocol rest = {
    .name = "rest",
    .build = build_rest,
    .parts = {[R_RING_FENCE] = {"fence before the ring's look", IN_BOTH},
              [R_REST_FENCE] = {"fence before the last look", IN_BOTH},
              [R_LOOKS_AGAIN] = {"last look", IN_BOTH}},
};

/* --- idle: a processor goes to sleep while another one makes work available (work.c) */

enum { WORK, SEARCHING, IDLE, SCHED, WOKEN };
enum { I_HEAVY, I_LIGHT, I_LAST_LOOK, I_END };

/* Makes work available, and goes on with something long: the work is another's. */
static void pusher(struct step *p, enum form form, int without)
{
	const struct step program[STEPS] = {
	    [0] = {STORE, WORK, 1, .order = RELEASE},
	    [1] = LIGHT(I_LIGHT, 2),
	    [2] = {LOAD, IDLE},
	    [3] = {IF, .value = 0, .to = 10},
	    [4] = {LOAD, SEARCHING},
	    [5] = {IF, .value = 1, .to = 10}, /* that one will find it */
	    [6] = {STORE, WOKEN, 1, .order = RELEASE},
	    [10] = {END},
	};

	memcpy(p, program, sizeof program);
}

/* Goes idle, by way of a fruitless search or without one. */
static void idler(struct step *p, enum form form, int without, bool searches)
{
	const struct step program[STEPS] = {
	    [0] = {LOCK, SCHED, .order = ACQUIRE},
	    [1] = searches ? STEP(ADD, SEARCHING, (uint8_t)-1) : STEP(TO, .to = 2),
	    [2] = {STORE, IDLE, 1},
	    [3] = {STORE, SCHED, 0, .order = RELEASE},
	    [4] = HEAVY(I_HEAVY, 5),
	    [5] = {without == I_LAST_LOOK ? TO : LOAD, WORK, .to = 8},
	    [6] = {IF, .value = 1, .to = 10}, /* takes up its processor again */
	    [7] = {TO, .to = 8},
	    [8] = {AWAIT, WOKEN, 1, .order = ACQUIRE},
	    [10] = {END},
	};

	memcpy(p, program, sizeof program);
}

static void build_idle(struct model *m, enum form form, int without)
{
	pusher(m->program[0], form, without);
	idler(m->program[1], form, without, true);
	m->memory[SEARCHING] = 1;
	m->threads = 2;
}

const struct protocol idle = {
    .name = "idle",
    .build = build_idle,
    .parts = {[I_HEAVY] = {"heavy fence", IN_BOTH},
              [I_LIGHT] = {"light fence", IN_FENCES},
              [I_LAST_LOOK] = {"last look", IN_BOTH}},
};

/* Somebody else searches, on whom the pusher relies, and finds something else. */
static void build_handed_on(struct model *m, enum form form, int without)
{
	const struct step searcher[STEPS] = {
	    [0] = {ADD, SEARCHING, (uint8_t)-1},
	    [1] = F(I_END, FENCE, 2),
	    [2] = {LOAD, IDLE},
	    [3] = {IF, .value = 0, .to = 10},
	    [4] = {STORE, WOKEN, 1, .order = RELEASE},
	    [10] = {END},
	};

	pusher(m->program[0], form, without);
	idler(m->program[1], form, without, false);
	memcpy(m->program[2], searcher, sizeof searcher);
	m->memory[SEARCHING] = 1;
	m->threads = 3;
}

const struct protocol handed_on = {
    .name = "search handed on",
    .build = build_handed_on,
    .parts = {[I_HEAVY] = {"heavy fence", IN_BOTH},
              [I_LIGHT] = {"light fence", IN_FENCES},
              [I_LAST_LOOK] = {"last look", IN_BOTH},
              [I_END] = {"fence after the search", IN_BOTH}},
};

/* Somebody else was about to wake a processor, on whom the pusher relies, and finds none that is idle. */
static void build_none_idle(struct model *m, enum form form, int without)
{
	bool early = without != I_END;
	const struct step waker[STEPS] = {
	    [0] = {CAS, SEARCHING, 1, 0, 20, ACQ_REL},
	    [1] = {LOCK, SCHED, .order = ACQUIRE},
	    [2] = {LOAD, IDLE},
	    [3] = {IF, .value = 1, .to = 10},
	    [4] = early ? STEP(ADD, SEARCHING, (uint8_t)-1) : STEP(TO, .to = 5),
	    [5] = {STORE, SCHED, 0, .order = RELEASE},
	    [6] = early ? STEP(TO, .to = 7) : STEP(ADD, SEARCHING, (uint8_t)-1),
	    [7] = {END},
	    [10] = {STORE, IDLE, 0},
	    [11] = {STORE, SCHED, 0, .order = RELEASE},
	    [12] = {STORE, WOKEN, 1, .order = RELEASE}, /* and that one searches */
	    [20] = {END},
	};

	pusher(m->program[0], form, without);
	idler(m->program[1], form, without, false);
	memcpy(m->program[2], waker, sizeof waker);
	m->threads = 3;
}

const struct protocol none_idle = {
    .name = "search of none",
    .build = build_none_idle,
    .parts = {[I_HEAVY] = {"heavy fence", IN_BOTH},
              [I_LIGHT] = {"light fence", IN_FENCES},
              [I_LAST_LOOK] = {"last look", IN_BOTH},
              [I_END] = {"says that it found none under the lock", IN_BOTH}},
};
