/* SPDX-License-Identifier: MIT */
/*
 * Waits: when the values were offered that are still in a channel.
 *
 * Each worker that offers keeps the instants of its last offers in its slot, of one in 1 << recent_shift; those between
 * are taken to be as far from one another.  A reader gathers those of all workers of a channel, and takes as
 * many of the youngest as are there.
 */
#ifndef LEAT_PIPE_WAITS_H
#define LEAT_PIPE_WAITS_H

#include "pipe/meter.h"

/* Offers of one worker, evenly spaced: the last one at to, what was before them at from. */
struct leat__offered {
	uint64_t n, from, to;
};

/* What is remembered of the offers to a channel.  Zeroed: nothing. */
struct leat__waits {
	struct leat__offered *all;
	size_t n, room;
	unsigned workers; /* that offered something */
};

/* So much of its offers a worker, one of so many, remembers, where each outlet has room for most values. */
void leat__waits_size(struct leat__meter *mt, size_t workers, size_t most);

/* The worker's offer of that number, 0 its first.  One that is not remembered: the oldest that is. */
uint64_t leat__waits_offered_at(const struct leat__meter *mt, const struct leat__outlet *outlet,
                                uint64_t number);

/* More of them; false: memory is out. */
bool leat__waits_add(struct leat__waits *waits, struct leat__offered offered);
bool leat__waits_add_outlet(struct leat__waits *waits, const struct leat__meter *mt,
                            const struct leat__outlet *outlet);

/* The sum of the instants of the youngest n; what is not remembered is as old as the oldest. */
uint64_t leat__waits_youngest(struct leat__waits *waits, uint64_t n);

void leat__waits_free(struct leat__waits *waits);

#endif
