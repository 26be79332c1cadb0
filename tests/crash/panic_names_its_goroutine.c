/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A name that was given is shown. */
#include <leat.h>

struct worker {
	int unused;
};

static void worker(struct worker *a)
{
	leat_panic("%d", a->unused);
}

int main(void)
{
	leat_go_opts opts = {.name = "walker"};

	go_with(&opts, worker, 5);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
