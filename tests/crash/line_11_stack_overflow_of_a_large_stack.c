/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* The limit named is that of the stack that was asked for. */
#include <leat.h>

#include <stdio.h>

struct deep {
	int from;
};

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[400];

	room[n % 400] = (char)n;
	if (n == INT32_MAX)
		return 0;
	return recurse(n + 1) + room[n % 400];
}

static void deep(struct deep *a)
{
	printf("%d\n", recurse(a->from));
}

int main(void)
{
	leat_go_opts opts = {.stack_bytes = 4 << 20};

	go_with(&opts, deep, 0);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
