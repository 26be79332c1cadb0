/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A fault of a deferred function is one more panic of the chain. */
#include <leat.h>

static void store(volatile int *p)
{
	*p = 1;
}

int main(void)
{
	defer(store, NULL);
	leat_panic("first");
}
