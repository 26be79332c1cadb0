/* SPDX-License-Identifier: MIT */
/* For tests of the pipeline monitor: pipelines whose values tell how old they are, and figures that add up. */
#ifndef PIPE_MONITOR_TEST_H
#define PIPE_MONITOR_TEST_H

#include "test.h"

#include <stdatomic.h>

enum { STAGES = 8 };

struct seen {
	leat_pipe_stats stage[STAGES];
	leat_pipe_totals all;
	size_t n;
};

LEAT__UNUSED static struct seen look(leat_scope *s)
{
	struct seen seen = {0};

	seen.n = leat_pipe_stats_of(s, seen.stage, STAGES, &seen.all);
	CHECK(seen.n <= STAGES);
	CHECK_EQ(seen.n, seen.all.stages);
	for (size_t i = 0; i < seen.n; i++) {
		CHECK_EQ(seen.stage[i].arrivals, seen.stage[i].departures + seen.stage[i].inside);
		CHECK(seen.stage[i].inside >= 0);
		CHECK(seen.stage[i].queued >= 0);
	}
	return seen;
}

LEAT__UNUSED static bool close_to(double a, double b, double share)
{
	return a - b <= share * b && b - a <= share * b;
}

LEAT__UNUSED static void check_law(const char *what, double inside, double rate, double time_ns,
                                   double share)
{
	if (!close_to(rate * time_ns / 1e9, inside, share)) {
		fprintf(stderr, "%s: L is %g, lambda * W %g\n", what, inside, rate * time_ns / 1e9);
		exit(1);
	}
}

/* --- values that tell how old they are */

struct making {
	_Atomic int64_t left;
};

LEAT__UNUSED static bool make(int64_t *out, struct making **a)
{
	if (atomic_fetch_sub(&(*a)->left, 1) <= 0)
		return false;
	*out = leat_now();
	return true;
}

LEAT__UNUSED static bool leat__make(void *out, void *args)
{
	return make(out, args);
}

LEAT__UNUSED static void spin_for(int64_t ns)
{
	int64_t end = leat_now() + ns;

	while (leat_now() < end)
		;
}

struct work {
	int64_t ns;
};

LEAT__UNUSED static void work(const int64_t *in, int64_t *out, struct work *a)
{
	spin_for(a->ns);
	*out = *in;
}

struct rest {
	int64_t ns;
};

LEAT__UNUSED static void rest(const int64_t *in, int64_t *out, struct rest *a)
{
	leat_sleep(a->ns);
	*out = *in;
}

struct add_age {
	_Atomic int64_t *sum;
};

LEAT__UNUSED static void add_age(const int64_t *in, struct add_age *a)
{
	atomic_fetch_add_explicit(a->sum, leat_now() - *in, memory_order_relaxed);
}

LEAT__UNUSED static void forget(const int64_t *in)
{
	(void)in;
}

LEAT__UNUSED static recv_chan(int64_t) made(leat_scope *s, struct making *m, ptrdiff_t cap)
{
	return (recv_chan(int64_t))leat_pipe_from(
	    (leat_pipe_opts){.scope = s, .name = "made", .cap = cap}, sizeof(int64_t), leat__make, &m,
	    sizeof(struct making *));
}

#endif
