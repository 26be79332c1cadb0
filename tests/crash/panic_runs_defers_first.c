/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* Before the report all that was deferred runs, innermost first, and scopes are left. */
#include <leat.h>

#include <stdio.h>

struct last {
	leat_scope *s;
};

static void last(struct last *a)
{
	chan_recv(scope_done(a->s));
	puts("scope cancelled");
}

static void say(const char *s)
{
	puts(s);
}

static void worker(void)
{
	defer(say, "outer");
	scope(s, NULL);
	scope_go(s, last, s);
	defer(say, "inner");
	leat_panic("at last");
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
