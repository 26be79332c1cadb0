/* SPDX-License-Identifier: MIT */
/*
 * quicksort: 20,000,000 random ints, each half of more than 100,000 in a thread of its own: a few
 * hundred threads.  The figure is the time to sort them.
 */
#include "threads.h"

#include "../sort.h"

enum { CUTOFF = 100000 };

struct part {
	int32_t *v;
	size_t n;
};

static void *part(void *arg)
{
	struct part *a = (struct part *)arg, left;
	pthread_t t;

	if (a->n <= CUTOFF) {
		sort_alone(a->v, a->n);
		return NULL;
	}
	left = (struct part){a->v, sort_partition(a->v, a->n)};
	t = threads_start(part, &left);
	part(&(struct part){a->v + left.n, a->n - left.n});
	pthread_join(t, NULL);
	return NULL;
}

int main(void)
{
	int32_t *v = sort_input();
	int64_t sum = sort_sum(v);

	threads_limit();
	int64_t start = bench_now();
	part(&(struct part){v, SORT_INTS});
	bench_result("quicksort", (double)(bench_now() - start) / 1e6, "ms");
	bench_work(SORT_INTS, "ints");
	sort_check(v, sum);
	return 0;
}
