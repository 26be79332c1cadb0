/* SPDX-License-Identifier: MIT */
/* Waits: when the values were offered that are still in a channel.  See waits.h. */
#include "pipe/waits.h"

#include <stdlib.h>

#define WIDTH_MIN   2
#define WIDTH_MAX   6    /* of an outlet: half a KiB */
#define MEMORY_SIZE 4096 /* entries of all workers of a stage, as a rule */

/* --- a worker's memory */

void leat__waits_size(struct leat__meter *mt, size_t workers, size_t most)
{
	/* Beside what is in the channel, one that waits to be, and one that was refused or taken back. */
	size_t values = most < SIZE_MAX / 4 ? most + 2 : SIZE_MAX / 4;

	mt->recent_width = WIDTH_MIN;
	while (mt->recent_width < WIDTH_MAX && (size_t)1 << mt->recent_width < values &&
	       workers << mt->recent_width < MEMORY_SIZE)
		mt->recent_width++;
	if ((size_t)1 << mt->recent_width >= values)
		return;
	/* The youngest group is not full yet, and where the oldest begins is not remembered. */
	while ((((size_t)1 << mt->recent_width) - 2) << mt->recent_shift < values)
		mt->recent_shift++;
}

/* The group of that number, which must be remembered, as far as it was offered. */
static struct leat__offered group_of(const struct leat__meter *mt,
                                     const struct leat__outlet *outlet, uint64_t group)
{
	uint64_t mask = (UINT64_C(1) << mt->recent_width) - 1, first = group << mt->recent_shift;
	uint64_t last = (outlet->offers - 1) >> mt->recent_shift;
	struct leat__offered offered = {.n = UINT64_C(1) << mt->recent_shift};

	if (offered.n > outlet->offers - first)
		offered.n = outlet->offers - first;
	offered.to = __atomic_load_n(&outlet->recent[group & mask], __ATOMIC_RELAXED);
	offered.from = group > 0 && last - group < mask
	                   ? __atomic_load_n(&outlet->recent[(group - 1) & mask], __ATOMIC_RELAXED)
	                   : offered.to;
	return offered;
}

/* The oldest group that is remembered. */
static uint64_t oldest_group(const struct leat__meter *mt, const struct leat__outlet *outlet)
{
	uint64_t last = (outlet->offers - 1) >> mt->recent_shift;

	return last >> mt->recent_width ? last + 1 - (UINT64_C(1) << mt->recent_width) : 0;
}

uint64_t leat__waits_offered_at(const struct leat__meter *mt, const struct leat__outlet *outlet,
                                uint64_t number)
{
	uint64_t group = number >> mt->recent_shift, oldest = oldest_group(mt, outlet), after;
	struct leat__offered offered;

	if (group < oldest)
		return group_of(mt, outlet, oldest).to;
	offered = group_of(mt, outlet, group);
	after = offered.n - 1 - (number - (group << mt->recent_shift));
	return offered.to - (offered.to - offered.from) / offered.n * after;
}

/* --- a channel's */

bool leat__waits_add(struct leat__waits *waits, struct leat__offered offered)
{
	if (waits->n == waits->room) {
		size_t room = waits->room ? 2 * waits->room : 16;
		struct leat__offered *all = realloc(waits->all, room * sizeof *all);

		if (!all)
			return false;
		waits->all = all;
		waits->room = room;
	}
	waits->all[waits->n++] = offered;
	return true;
}

bool leat__waits_add_outlet(struct leat__waits *waits, const struct leat__meter *mt,
                            const struct leat__outlet *outlet)
{
	uint64_t last;

	if (outlet->offers == 0)
		return true;
	last = (outlet->offers - 1) >> mt->recent_shift;
	waits->workers++;
	for (uint64_t group = oldest_group(mt, outlet); group <= last; group++)
		if (!leat__waits_add(waits, group_of(mt, outlet, group)))
			return false;
	return true;
}

/* The youngest last. */
static int by_instant(const void *a, const void *b)
{
	const struct leat__offered *x = a, *y = b;

	return (x->to > y->to) - (x->to < y->to);
}

uint64_t leat__waits_youngest(struct leat__waits *waits, uint64_t n)
{
	uint64_t sum = 0, oldest = 0;

	if (waits->workers > 1)
		qsort(waits->all, waits->n, sizeof *waits->all, by_instant);
	for (size_t i = waits->n; i-- > 0 && n > 0;) {
		const struct leat__offered *o = &waits->all[i];
		uint64_t some = n < o->n ? n : o->n;
		double gap = (double)(o->to - o->from) / (double)o->n;

		sum += some * o->to - (uint64_t)(gap * (double)some * (double)(some - 1) / 2);
		n -= some;
		oldest = o->from;
	}
	return sum + n * oldest;
}

void leat__waits_free(struct leat__waits *waits)
{
	free(waits->all);
}
