/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* Nothing faults at the end of a small stack: what was overwritten there is found when it stops next. */
#include <leat.h>

struct deep {
	int levels;
};

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[400];

	room[n % 400] = (char)n;
	if (n == 0)
		leat_sleep(1);
	else
		room[n % 400] += (char)recurse(n - 1);
	return room[n % 400];
}

static void deep(struct deep *a)
{
	recurse(a->levels);
	__asm__ volatile(""); /* no tail call */
}

static void sleeper(void *unused)
{
	(void)unused;
	leat_sleep(LEAT_MINUTE);
}

int main(void)
{
	leat_go_opts opts = {.stack_bytes = 2048, .name = "deep"};

	/* The lowest of all has the guard below it; the next ones have others. */
	for (int i = 0; i < 5; i++)
		leat_go_with(&opts, sleeper, NULL, 0);
	while (leat_num_parked() < 5)
		leat_yield(); /* its neighbours are not to run when it writes over them */
	go_with(&opts, deep, 8);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
