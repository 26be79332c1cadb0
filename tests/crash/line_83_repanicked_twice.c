/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* One handler after the other raises it again: it is still one panic.  After a catch that has returned it is
   a new one. */
#include <leat.h>

static void fail(void *unused)
{
	(void)unused;
	leat_panic("two\nlines");
}

static void handle(const leat_panic_info *info, void *unused)
{
	(void)unused;
	leat_repanic(info);
}

static void inner(void *unused)
{
	leat_catch_with(fail, unused, handle, NULL);
}

static void outer(void *unused)
{
	leat_panic_info info;

	leat_catch(inner, unused, &info);
	leat_repanic(&info);
}

int main(void)
{
	leat_catch_with(outer, NULL, handle, NULL);
	return 0;
}
