/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A NULL function panics when it would run, not where it is deferred, and the others still run. */
#include <leat.h>

#include <stdio.h>

static void say(const char *s)
{
	puts(s);
}

static void worker(void)
{
	void (*none)(const char *) = NULL;

	defer(say, "last");
	defer(none, "never");
	defer(say, "first");
	puts("body");
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
