/* SPDX-License-Identifier: MIT */
/* The order in which a select queues on its channels: see select.c for why there must be one. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* qsort_r */
#endif
#include "chan/select.h"

#include "sched/policy.h"

#include <stdlib.h>

/* Fill in order: by address, and among cases of one channel at random. */
void leat__select_sort(struct leat__m *m, struct selection *s)
{
	const leat_chan *last = NULL; /* the highest so far */
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const leat_chan *c = s->cases[i].chan;
		uint32_t equal = 0;
		size_t at;

		if (!c)
			continue;
		if (likely(c > last)) { /* channels made one after the other often are in order */
			last = c;
			s->order[n++] = (uint32_t)i;
			continue;
		}
		for (at = n; at > 0 && s->cases[s->order[at - 1]].chan > c; at--)
			s->order[at] = s->order[at - 1];
		while (equal < at && s->cases[s->order[at - 1 - equal]].chan == c)
			equal++;
		if (equal) {
			uint32_t back = leat__choose(m->p, LEAT__CHOOSE_CASE, equal + 1);

			for (; back > 0; back--, at--)
				s->order[at] = s->order[at - 1];
		}
		s->order[at] = (uint32_t)i;
		n++;
	}
	s->ordered = n;
}

static int by_address(const void *a, const void *b, void *cases)
{
	const leat_case *k = cases;
	uintptr_t x = (uintptr_t)k[*(const uint32_t *)a].chan,
	          y = (uintptr_t)k[*(const uint32_t *)b].chan;

	return x < y ? -1 : x > y;
}

/* The same for many cases, where insertion would be quadratic. */
void leat__select_sort_many(struct leat__m *m, struct selection *s)
{
	const leat_chan *last = NULL;
	bool in_order = true;
	size_t n = 0;

	for (size_t i = 0; i < s->n && in_order; i++)
		if (s->cases[i].chan) {
			in_order = s->cases[i].chan > last;
			last = s->cases[i].chan;
			s->order[n++] = (uint32_t)i;
		}
	s->ordered = n;
	if (in_order)
		return;
	n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->cases[i].chan) {
			uint32_t at = leat__choose(m->p, LEAT__CHOOSE_CASE, (uint32_t)++n);

			s->order[n - 1] = s->order[at];
			s->order[at] = (uint32_t)i;
		}
	s->ordered = n;
	qsort_r(s->order, n, sizeof *s->order, by_address, (void *)(uintptr_t)s->cases);
}
