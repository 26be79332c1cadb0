/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* NULL takes the hook away. */
#include <leat.h>

#include <stdio.h>

static void hook(const leat_panic_info *info, void *unused)
{
	(void)unused;
	puts(info->message);
}

int main(void)
{
	leat_on_panic(hook, NULL);
	leat_on_panic(NULL, NULL);
	leat_panic("without a hook");
}
