/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced nosan */
/* Freeing a timer with a function twice.  A sanitizer would tell of it first. */
#include <leat.h>

static void never(void *arg)
{
	(void)arg;
}

int main(void)
{
	leat_timer *t = leat_after_func(LEAT_HOUR, never, NULL);

	leat_timer_free(t);
	leat_timer_free(t);
	return 0;
}
