/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The first Ctrl-C ends the scope; the second the process, which waits for a goroutine that pays no heed. */
#include <leat.h>

#include <stdio.h>

struct stubborn {
	leat_scope *s;
};

static void stubborn(struct stubborn *a)
{
	chan_recv(scope_done(a->s));
	printf("%s, and on\n", leat_error_message(leat_ctx_cause(a->s)));
	fflush(stdout);
	raise(SIGINT);
	leat_sleep(LEAT_HOUR);
}

int main(void)
{
	scope(s, NULL);
	scope_on_signal(s, SIGINT, SIGTERM);
	scope_go(s, stubborn, s);
	raise(SIGINT);
	chan_recv(scope_done(s));
	return 0;
}
