/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4,8 */
/* A thousand goroutines that panic at once: one of them is reported, whole, and nothing of the others. */
#include <leat.h>

#include <stdatomic.h>

static atomic_int ready;

struct worker {
	int i;
};

static void worker(struct worker *a)
{
	atomic_fetch_add(&ready, 1);
	while (atomic_load(&ready) < 1000)
		leat_yield();
	leat_panic("number %d\nof a thousand", a->i);
}

int main(void)
{
	for (int i = 0; i < 1000; i++)
		go(worker, i);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
