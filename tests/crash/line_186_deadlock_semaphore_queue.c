/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Behind a large request nobody is served, although his tokens are there. */
#include <leat.h>

static leat_semaphore tokens = LEAT_SEMAPHORE(2);

static void large(void)
{
	leat_semaphore_acquire(&tokens, 2);
	leat_semaphore_release(&tokens, 2);
}

int main(void)
{
	leat_semaphore_acquire(&tokens, 1);
	go0(large);
	while (leat_num_parked() < 1)
		leat_yield();
	leat_semaphore_acquire(&tokens, 1);
	return 0;
}
