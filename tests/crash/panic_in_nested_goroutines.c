/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* A goroutine started by a goroutine names it, not main. */
#include <leat.h>

#include <inttypes.h>
#include <stdio.h>

static void inner(void)
{
	leat_panic("inner");
}

static void outer(void)
{
	fprintf(stderr, "outer is %" PRIu64 "\n", leat_goid());
	go0(inner);
	leat_sleep(LEAT_MINUTE);
}

int main(void)
{
	go0(outer);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
