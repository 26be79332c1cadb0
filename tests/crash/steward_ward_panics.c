/* SPDX-License-Identifier: MIT */
/* A panic in a ward is one as in any goroutine, unless its steward is to catch it; what it deferred runs, and no
   restart comes of it. */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>

static void leaves(const char *text)
{
	puts(text);
	fflush(stdout);
}

static int ward(leat_ward *w)
{
	defer(leaves, "leaves");

	leat_panic("start %d", (int)w->start);
}

static void restarted(const leat_steward_event *e, void *arg)
{
	(void)arg;
	printf("%s\n", leat_steward_reason_string(e->reason));
	fflush(stdout);
	if (!e->panic)
		_Exit(1);
}

int main(void)
{
	leat_steward s = {.ward = ward,
	                  .timeout_ns = LEAT_MINUTE,
	                  .max_restarts = 1,
	                  .backoff_ns = -1,
	                  .catch_panics = true,
	                  .hook = restarted};

	if (leat_steward_run(&s, NULL) == 0)
		return 1;
	s.catch_panics = false;
	return leat_steward_run(&s, NULL) == 0 ? 0 : 1;
}
