/* SPDX-License-Identifier: MIT */
/*
 * A small machine with Arm's memory order, and a search over everything that it may do.
 *
 * A thread fetches the steps of its program in order, through branches whose outcome it guesses, into
 * a window, and performs them there in any order that the architecture allows:
 *	- a load takes its value from memory, or from the thread's own store before it, before or after
 *	  other loads and stores, and past branches that are not decided;
 *	- a store reaches memory, for all threads at once, before or after other loads and stores, but
 *	  not while a branch before it is undecided;
 *	- accesses of one byte stay in order;
 *	- nothing after an acquire comes before it, nothing before a release comes after it, nothing passes
 *	  a full fence, and no load before a load fence is passed by anything after it;
 *	- an atomic read-modify-write is a load and a store between which nobody else stores there; but
 *	  others of the thread's accesses may come between them.
 * membarrier(2) stops every other thread between two of its steps at some instant between its own
 * beginning and end, not all of them at the same one: what is before is done, what is after has not
 * begun.
 *
 * An acquire does not wait for a release of the same thread before it (it is ldapr, not ldar): weaker
 * than what compilers emit today, as C allows.
 */
#ifndef MODEL_ARM_MACHINE_H
#define MODEL_ARM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

enum { THREADS = 3, BYTES = 9, WINDOW = 8, STEPS = 60 };

enum op {
	END,        /* and so is what is left of the program */
	STORE,      /* byte = value */
	STORE_NEXT, /* byte = reg + value: it waits for the load of reg */
	LOAD,       /* reg = byte */
	AWAIT,      /* reg = byte, once it is value: a loop, or a futex */
	SWAP,       /* reg = byte, byte = value */
	CAS,        /* if byte == expected then byte = value, else to */
	ADD,        /* reg = byte, byte += value */
	LOCK,       /* byte from 0 to 1, once it is 0 */
	FENCE,
	LOAD_FENCE,
	MEMBARRIER,
	IF, /* to, if reg == value */
	TO,
	LOOP,  /* to, so many times as value says */
	COUNT, /* the thread's count goes up */
	WRONG, /* must not be reached */
};

enum order { RELAXED, ACQUIRE, RELEASE, ACQ_REL };

/* A step says only what it needs. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct step {
	uint8_t op, byte, value, expected, to, order;
};
/* One chosen by a condition; the others are initializers. */
#define STEP(...) ((struct step){__VA_ARGS__})

struct thread {
	uint8_t pc, reg, turns, count, fetched;
	struct slot {
		uint8_t pc, progress, value, guess;
	} window[WINDOW];
};

struct state {
	uint8_t memory[BYTES];
	struct thread t[THREADS];
};

struct model {
	const char *name;
	int threads;
	struct step program[THREADS][STEPS];
	uint8_t memory[BYTES]; /* at the start */
	/* Whether a state in which all programs have ended is right; NULL: yes. */
	bool (*right)(const struct state *s);
};

/*
 * Whether the model is right whatever the machine does: no WRONG is reached, nobody waits for ever, and
 * the end is right.  The number of states looked at goes to *states.
 */
bool machine_holds(const struct model *m, unsigned *states);

#endif
