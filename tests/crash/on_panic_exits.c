/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A hook may end the process its own way, at once: exit does not wait for the report of this very panic. */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>

static int64_t start;

static void hook(const leat_panic_info *info, void *unused)
{
	(void)unused;
	printf("hook: %s\n", info->message);
	start = leat_now();
	exit(5);
}

static void at_exit(void)
{
	/* Runs after leat's own, which would wait for a second. */
	puts(leat_now() - start < 500 * LEAT_MILLISECOND ? "at once" : "late");
}

int main(void)
{
	atexit(at_exit);
	leat_on_panic(hook, NULL);
	leat_panic("exit instead");
}
