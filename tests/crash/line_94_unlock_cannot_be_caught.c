/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* Unlock of an unlocked mutex is fatal: neither a catch nor what was deferred sees it. */
#include <leat.h>

#include <stdio.h>

static void say(const char *s)
{
	puts(s);
}

static void handle(const leat_panic_info *info, void *unused)
{
	(void)unused;
	say(info->message);
}

static void unlock(void *mutex)
{
	defer(say, "deferred");
	leat_mutex_unlock(mutex);
}

static void hook(const leat_panic_info *info, void *unused)
{
	(void)unused;
	say(info->message);
}

int main(void)
{
	leat_mutex mutex = {0};

	leat_on_panic(hook, NULL);
	puts("begin");
	leat_catch_with(unlock, &mutex, handle, NULL);
	puts("caught");
	return 0;
}
