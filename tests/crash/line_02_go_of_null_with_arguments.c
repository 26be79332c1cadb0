/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* The typed form says the same, in a goroutine too. */
#include <leat.h>

struct work {
	int v;
};

static void starter(void)
{
	void (*nothing)(struct work *) = NULL;

	go_as(work, nothing, .v = 1);
}

int main(void)
{
	go0(starter);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
