/* SPDX-License-Identifier: MIT */
/*
 * quicksort: 20,000,000 random ints, each half of more than 4,096 in a goroutine of its own, joined
 * by its scope.  The figure is the time to sort them.
 */
#include "../sort.h"

#include <leat.h>

enum { CUTOFF = 4096 };

struct part {
	int32_t *v;
	size_t n;
};

static void part(struct part *a)
{
	if (a->n <= CUTOFF) {
		sort_alone(a->v, a->n);
		return;
	}

	scope(s, NULL);
	size_t left = sort_partition(a->v, a->n);

	scope_go(s, part, .v = a->v, .n = left);
	part(&(struct part){.v = a->v + left, .n = a->n - left});
}

int main(void)
{
	int32_t *v = sort_input();
	int64_t sum = sort_sum(v);

	leat_procs(bench_procs());
	int64_t start = bench_now();
	part(&(struct part){.v = v, .n = SORT_INTS});
	bench_result("quicksort", (double)(bench_now() - start) / 1e6, "ms");
	bench_work(SORT_INTS, "ints");
	sort_check(v, sum);
	return 0;
}
