/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* With another panic in between, the one that is raised again is reported twice. */
#include <leat.h>

static leat_panic_info kept;

static void fail(void *unused)
{
	(void)unused;
	leat_panic("message");
}

static void keep(const leat_panic_info *info, void *unused)
{
	(void)unused;
	kept = *info;
	leat_panic("in between");
}

static void fail_twice(void *unused)
{
	leat_catch_with(fail, unused, keep, NULL);
}

static void raise_kept(const leat_panic_info *info, void *unused)
{
	(void)info;
	(void)unused;
	leat_repanic(&kept);
}

int main(void)
{
	leat_catch_with(fail_twice, NULL, raise_kept, NULL);
	return 0;
}
