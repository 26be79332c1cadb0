/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A hook that panics is reported with the panic for which it ran, and not called for its own. */
#include <leat.h>

#include <stdio.h>

static void hook(const leat_panic_info *info, void *unused)
{
	(void)unused;
	puts("hook");
	defer(puts, "deferred by the hook");
	leat_panic("hook of %s", info->message);
}

int main(void)
{
	leat_on_panic(hook, NULL);
	leat_panic("first");
}
