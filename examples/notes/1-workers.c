/* SPDX-License-Identifier: MIT */
/*
 * The library's pool: tasks are submitted, four of them run at a time, and sixteen more may wait for that; who submits
 * another waits himself.  A pool that has nothing to do has no goroutines.
 */
#include <leat.h>

#include <stdio.h>

static _Atomic long sum;

struct add {
	int n;
};

static void add(struct add *a)
{
	sum += a->n;
}

int main(void)
{
	scope(s, NULL);
	leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 4, .queue = 16});

	for (int i = 1; i <= 10000; i++)
		workers_submit(w, add, .n = i);
	leat_workers_wait(w);
	printf("10000 tasks: %ld\n", sum);
	printf("at most 4 at a time: %s\n", leat_workers_get_stats(w).peak <= 4 ? "yes" : "no");
}
