/* SPDX-License-Identifier: MIT */
/* What the files of select share. */
#ifndef LEAT_CHAN_SELECT_H
#define LEAT_CHAN_SELECT_H

#include "chan/chan.h"

#include <leat/select.h>

/* One call of leat_select. */
struct selection {
	const leat_case *cases;
	size_t n;
	bool *ok;
	struct leat__waiter *waiters; /* n of them */
	uint32_t *order;              /* indices of the cases with a channel, by address */
	size_t ordered;
	void *mutex; /* unlocked while it waits, of a case that waits for a cond; mostly NULL */
	leat__record cleanup; /* frees what did not fit on the stack, if a panic passes */
	void *room;           /* the caller's for waiters and their order; NULL: see to it */
};

/* Fill in order: by address, and among cases of one channel at random.  Many: for more than 64 cases. */
void leat__select_sort(struct leat__m *m, struct selection *s);
void leat__select_sort_many(struct leat__m *m, struct selection *s);

#endif
