/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: what a map's loads look at without its mutex is not freed meanwhile (sync/map.h).  Method: as in
 * model_tso.c.  On Arm: model_arm/map.c.
 */
#include "tso.h"

enum map_part { MAP_ALL, MAP_NO_WAIT, MAP_WAIT_FIRST };

/* Reads twice; between, reading is even for a moment, and the remover may miss that but not need to. */
static bool reading(enum form f, enum map_part without)
{
	static const char *const names[] = {NULL, "nobody waits for the reader",
	                                    "waits for the reader, then unlinks"};
	enum { LINK, READING };
	struct model m = {
	    .name = name("map, reading", without ? names[without] : form_names[f]),
	    .threads = 2,
	    .program = {{
	                    [0] = {STORE, READING, 1},
	                    [1] = LIGHT(f, 2),
	                    [2] = {LOAD, LINK},
	                    [3] = {IF, .value = 0, .to = 6},
	                    [4] = {OWN},
	                    [5] = {DISOWN},
	                    [6] = {STORE, READING, 2},
	                    [7] = {STORE, READING, 3},
	                    [8] = LIGHT(f, 9),
	                    [9] = {LOAD, LINK},
	                    [10] = {IF, .value = 0, .to = 13},
	                    [11] = {OWN},
	                    [12] = {DISOWN},
	                    [13] = {STORE, READING, 4},
	                },
	                {
	                    [0] = without == MAP_WAIT_FIRST ? STEP(TO, .to = 1) : STEP(STORE, LINK, 0),
	                    [1] = HEAVY(f, 2),
	                    [2] = without == MAP_NO_WAIT ? STEP(TO, .to = 12) : STEP(LOAD, READING),
	                    [3] = {IF, .value = 1, .to = 6},
	                    [4] = {IF, .value = 3, .to = 9},
	                    [5] = {TO, .to = 12},
	                    [6] = {LOAD, READING},
	                    [7] = {IF, .value = 1, .to = 6},
	                    [8] = {TO, .to = 12},
	                    [9] = {LOAD, READING},
	                    [10] = {IF, .value = 3, .to = 9},
	                    [12] = {STORE, LINK, 0},
	                    [13] = {OWN}, /* it is freed, for good */
	                }},
	    .memory = {[LINK] = 1},
	};

	return holds(&m);
}

TEST(map_frees_nothing_that_is_read)
{
	for (enum form f = 0; f < FORMS; f++)
		CHECK_EQ(reading(f, MAP_ALL), sound(f));
	CHECK(!reading(MEMBARRIERS, MAP_NO_WAIT));
	CHECK(!reading(MEMBARRIERS, MAP_WAIT_FIRST));
}

TEST_MAIN
