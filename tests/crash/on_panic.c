/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The hook runs once, on the goroutine that panics, after what that deferred, and may wait; then the report
   comes.  Panics that are caught have none. */
#include <leat.h>

#include <inttypes.h>
#include <stdio.h>

static void fail(void *message)
{
	leat_panic("%s", (char *)message);
}

static void hook(const leat_panic_info *info, void *name)
{
	leat_yield();
	leat_sleep(LEAT_MILLISECOND);
	leat_catch(fail, "inside the hook", NULL);
	printf("%s: %s, %s\n", (char *)name, info->message,
	       info->goid == leat_goid() && info->goid != 1 ? "its own goroutine"
	                                                    : "another goroutine");
}

static void unused(const leat_panic_info *info, void *arg)
{
	(void)info;
	(void)arg;
	puts("replaced");
}

static void worker(void)
{
	defer(puts, "deferred");
	leat_catch(fail, "caught", NULL);
	fail("uncaught");
}

int main(void)
{
	leat_on_panic(unused, NULL);
	leat_on_panic(hook, "hook");
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
