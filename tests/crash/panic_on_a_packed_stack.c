/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* 2 KiB are not enough to print a report on: it says all the same what it would say elsewhere. */
#include <leat.h>

struct small {
	int n;
};

static void small(struct small *a)
{
	leat_panic("small, and %d of %s", a->n, "them");
}

int main(void)
{
	leat_go_opts opts = {.stack_bytes = 2048, .name = "small"};

	go_with(&opts, small, 3);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
