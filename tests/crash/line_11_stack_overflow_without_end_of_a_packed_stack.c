/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* What runs through all the small stacks below its own comes to a guard. */
#include <leat.h>

#include <stdio.h>

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[400];

	room[n % 400] = (char)n;
	if (n == INT32_MAX)
		return 0;
	return recurse(n + 1) + room[n % 400];
}

struct deep {
	int from;
};

static void deep(struct deep *a)
{
	printf("%d\n", recurse(a->from));
}

int main(void)
{
	leat_go_opts opts = {.stack_bytes = 2048};

	go_with(&opts, deep, 0);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
