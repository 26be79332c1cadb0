/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/* A goroutine that never stops is looked at when it ends; its frames are gone then. */
#include <leat.h>

struct deep {
	int levels;
};

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[400];

	for (int i = 0; i < 400; i++)
		room[i] = (char)n;
	if (n > 0)
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
	leat_go_opts opts = {.stack_bytes = 4096};

	/* The lowest of all has the guard below it; the next ones have others. */
	for (int i = 0; i < 5; i++)
		leat_go_with(&opts, sleeper, NULL, 0);
	go_with(&opts, deep, 10);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
