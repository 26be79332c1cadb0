/* SPDX-License-Identifier: MIT */
/* Loads from a map without its mutex (sync/map.h). */
#include "protocol.h"

#include <string.h>

/* --- reading: an entry is freed when nobody looks at it any more */

enum { LINK, READING, FREED };
enum { R_LIGHT, R_HEAVY, R_END, R_AWAIT, R_WAIT };

static void build_reading(struct model *m, enum form form, int without)
{
	const struct step reader[STEPS] = {
	    [0] = {STORE, READING, 1},
	    [1] = LIGHT(R_LIGHT, 2),
	    [2] = {LOAD, LINK},
	    [3] = {IF, .value = 0, .to = 9},
	    /* What it read there it looks at later. */
	    [4] = {LOAD, FREED},
	    [5] = {STORE, READING, 0, .order = O(R_END, RELEASE)},
	    [6] = {IF, .value = 1, .to = 12},
	    [7] = {LOOP, .value = 1, .to = 0},
	    [8] = {END},
	    [9] = {STORE, READING, 0},
	    [10] = {END},
	    [12] = {WRONG},
	};
	const struct step remover[STEPS] = {
	    [0] = {STORE, LINK, 0},
	    [1] = HEAVY(R_HEAVY, 2),
	    [2] = without == R_WAIT ? STEP(TO, .to = 3)
	                            : STEP(AWAIT, READING, 0, .order = O(R_AWAIT, ACQUIRE)),
	    [3] = {STORE, FREED, 1},
	    [4] = {END},
	};

	memcpy(m->program[0], reader, sizeof reader);
	memcpy(m->program[1], remover, sizeof remover);
	m->memory[LINK] = 1;
	m->threads = 2;
}

const struct protocol map_reading = {
    .name = "map, reading",
    .build = build_reading,
    .parts =
        {
            [R_LIGHT] = {"light fence", IN_FENCES},
            [R_HEAVY] = {"heavy fence", IN_BOTH},
            [R_END] = {"the end of reading releases", IN_BOTH},
            [R_AWAIT] = {"waiting for it acquires", SPARE}, /* a store does not pass a branch */
            [R_WAIT] = {"waits at all", IN_BOTH},
        },
};

/* --- moving: a key that is there all the time is not missed while the table grows */

enum { VERSION, BUCKETS, OLD, NEW };
enum { V_ODD, V_LINK, V_BUCKETS, V_EVEN, V_FIRST, V_LOOK, V_WALK, V_AGAIN };

static void build_moving(struct model *m, enum form form, int without)
{
	/* What is before the key in its old chain goes first, and does not lead to it any more. */
	const struct step mover[STEPS] = {
	    [0] = {without == V_ODD ? TO : STORE, VERSION, 1, .to = 1},
	    [1] = {STORE, OLD, 0, .order = O(V_LINK, RELEASE)},
	    [2] = {STORE, NEW, 1, .order = O(V_LINK, RELEASE)},
	    [3] = {STORE, BUCKETS, 1, .order = O(V_BUCKETS, RELEASE)},
	    [4] = {STORE, VERSION, 2, .order = O(V_EVEN, RELEASE)},
	    [5] = {END},
	};
	const struct step reader[STEPS] = {
	    [0] = {LOAD, VERSION, .order = O(V_FIRST, ACQUIRE)},
	    [1] = {IF, .value = 1, .to = 30},
	    [2] = {IF, .value = 2, .to = 12},
	    [3] = {LOAD, BUCKETS, .order = O(V_LOOK, ACQUIRE)},
	    [4] = {IF, .value = 1, .to = 7},
	    [5] = {LOAD, OLD, .order = O(V_WALK, ACQUIRE)},
	    [6] = {TO, .to = 8},
	    [7] = {LOAD, NEW, .order = O(V_WALK, ACQUIRE)},
	    [8] = {IF, .value = 1, .to = 30},
	    [9] = without == V_AGAIN ? STEP(TO, .to = 31) : STEP(LOAD, VERSION),
	    [10] = {IF, .value = 0, .to = 31},
	    [11] = {TO, .to = 30},
	    /* It has begun after all was moved. */
	    [12] = {LOAD, BUCKETS, .order = O(V_LOOK, ACQUIRE)},
	    [13] = {IF, .value = 0, .to = 31},
	    [14] = {LOAD, NEW, .order = O(V_WALK, ACQUIRE)},
	    [15] = {IF, .value = 0, .to = 31},
	    [30] = {END},
	    [31] = {WRONG},
	};

	(void)form;
	memcpy(m->program[0], mover, sizeof mover);
	memcpy(m->program[1], reader, sizeof reader);
	m->memory[OLD] = 1;
	m->threads = 2;
}

const struct protocol map_moving = {
    .name = "map, moving",
    .build = build_moving,
    .parts =
        {
            [V_ODD] = {"version is odd meanwhile", IN_BOTH},
            [V_LINK] = {"links are stored with release", IN_BOTH},
            [V_BUCKETS] = {"the new table is published with release", IN_BOTH},
            [V_EVEN] = {"version is even with release", IN_BOTH},
            [V_FIRST] = {"the first look at version acquires", IN_BOTH},
            [V_LOOK] = {"the look at the table acquires", IN_BOTH},
            [V_WALK] = {"following a link acquires", IN_BOTH},
            [V_AGAIN] = {"looks at version again", IN_BOTH},
        },
};
