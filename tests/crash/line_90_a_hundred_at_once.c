/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4,8 */
/* A hundred goroutines that fault at once, on as many threads as there are: one of them is reported, whole. */
#include <leat.h>

#include <stdatomic.h>

static atomic_int ready;

struct worker {
	int *p;
};

static void worker(struct worker *a)
{
	atomic_fetch_add(&ready, 1);
	while (atomic_load(&ready) < 100)
		leat_yield();
	*(volatile int *)a->p = 1;
}

int main(void)
{
	for (int i = 0; i < 100; i++)
		go(worker, NULL);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
