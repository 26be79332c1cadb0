/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* What a deferred function caught is no part of the chain, nor is what a handler caught. */
#include <leat.h>

static void fail(void *message)
{
	leat_panic("%s", (char *)message);
}

static void handle(const leat_panic_info *info, void *unused)
{
	(void)info;
	(void)unused;
	leat_catch(fail, "inside a handler", NULL);
}

static void catch_some(char *message)
{
	leat_catch(fail, "caught", NULL);
	leat_catch_with(fail, "handled", handle, NULL);
	leat_panic("%s", message);
}

int main(void)
{
	defer(catch_some, "newest");
	leat_panic("oldest");
}
