/* SPDX-License-Identifier: MIT */
/*
 * A protocol of leat's as a model: what the code says, and the same with one of its parts left out.
 */
#ifndef MODEL_ARM_PROTOCOL_H
#define MODEL_ARM_PROTOCOL_H

#include "machine.h"

/* Of an asymmetric pair of fences (os/fence.h). */
enum form { MEMBARRIERS, FENCES, FORMS };

enum { IN_MEMBARRIERS = 1 << MEMBARRIERS, IN_FENCES = 1 << FENCES, IN_BOTH = 3, SPARE = 0 };

/* An order, a fence or a step without which the model is wrong, in the form or forms that say so. */
struct part {
	const char *what;
	unsigned needed;
};

struct protocol {
	const char *name;
	/* The model without that part; NOTHING_LESS: as the code is. */
	void (*build)(struct model *m, enum form form, int without);
	struct part parts[12];
};

enum { NOTHING_LESS = -1 };

/* In a build function: the order or the step, unless it is left out.  A step that does nothing needs to
   know where it goes on. */
#define O(part, order) ((uint8_t)(without == (part) ? RELAXED : (order)))
#define F(part, fence, next)                                                                       \
	{                                                                                              \
		(uint8_t)(without == (part) ? TO : (fence)), .to = (next)                                  \
	}
/* An asymmetric pair. */
#define LIGHT(part, next)                                                                          \
	{                                                                                              \
		(uint8_t)(without == (part) || form == MEMBARRIERS ? TO : FENCE), .to = (next)             \
	}
#define HEAVY(part, next)                                                                          \
	{                                                                                              \
		(uint8_t)(without == (part) ? TO : form == MEMBARRIERS ? MEMBARRIER : FENCE), .to = (next) \
	}

extern const struct protocol door, publication, rest, idle, handed_on, none_idle, keeper, parking,
    ring, deque, deque_slot, offer;                                  /* sched.c, queues.c */
extern const struct protocol biased, biased_in_turn, biased_parting; /* biased.c */
extern const struct protocol mutex, claim, waitgroup;                /* sync.c */
extern const struct protocol map_reading, map_moving;                /* map.c */

#endif
