/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* On the smallest stack, too. */
#include <leat.h>

struct small {
	int *p;
};

static void small(struct small *a)
{
	*(volatile int *)a->p = 1;
}

int main(void)
{
	leat_go_opts opts = {.stack_bytes = 2048, .name = "small"};

	go_with(&opts, small, NULL);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
