/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The report says who set the timer, not in whose time it went off. */
#include <leat.h>

static void function(void *arg)
{
	leat_panic("%s", (const char *)arg);
}

struct setter {
	leat_timer **t;
};

static void setter(struct setter *a)
{
	*a->t = leat_after_func(LEAT_MILLISECOND, function, (void *)(uintptr_t) "it is time");
}

int main(void)
{
	leat_timer *t = NULL;

	go(setter, &t);
	leat_sleep(LEAT_MINUTE);
	leat_timer_free(t);
	return 0;
}
