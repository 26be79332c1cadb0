/* SPDX-License-Identifier: MIT */
/*
 * Panics: what who sets a hook did before happens before the call of the hook, on whatever goroutine that is; what
 * others did is not ordered by it.  The hook is the end of the case.
 */
#include "race.h"

static void hook(const leat_panic_info *info, void *arg)
{
	MUST(strcmp(info->message, "nobody catches this") == 0 && arg == &step);
	write_shared();
	exit(0);
}

static void panics(void)
{
	await(1);
	leat_panic("nobody catches this");
}

static void sets_hook(void)
{
	write_shared();
	leat_on_panic(hook, &step);
	reach(1);
	await(99);
}

ORDERED(set_and_called)
{
	go0(panics);
	go0(sets_hook);
	await_last();
}

static void writes(void)
{
	write_shared();
	reach(1);
	await(99);
}

RACES(what_others_did)
{
	leat_on_panic(hook, &step);
	go0(panics);
	go0(writes);
	await_last();
}

static void writes_after_setting(void)
{
	leat_on_panic(hook, &step);
	write_shared();
	reach(1);
	await(99);
}

RACES(what_was_done_after_setting)
{
	go0(panics);
	go0(writes_after_setting);
	await_last();
}
