/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/* A goexit in a catch leaves it: what was deferred below is not caught there. */
#include <leat.h>

#include <stdio.h>

static void fail(const char *message)
{
	leat_panic("%s", message);
}

static void leaves(void *arg)
{
	(void)arg;
	leat_goexit();
}

static void worker(void)
{
	defer(fail, "caught by nobody");
	leat_catch(leaves, NULL, NULL);
	fputs("never\n", stderr);
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
