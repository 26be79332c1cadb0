/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* What is fatal shows all goroutines, whoever of them did it; none: not even that one. */
#include <leat.h>

static void waiter(void)
{
	leat_sleep(LEAT_HOUR);
	__asm__ volatile("");
}

int main(void)
{
	leat_mutex m = {0};

	go0(waiter);
	while (leat_num_parked() != 1)
		leat_yield();
	leat_mutex_unlock(&m);
	return 0;
}
