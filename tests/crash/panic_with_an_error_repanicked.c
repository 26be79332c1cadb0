/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* An error that its catcher panics with again is reported in full, once. */
#include <leat.h>

static LEAT_ERROR_TYPE(module);

__attribute__((noinline)) static void fail(void *unused)
{
	const leat_error *e = leat_error_new(&module, "%300s", "cause");

	(void)unused;
	leat_panic_error(leat_error_wrap(e, &module, "first"));
}

static void again(const leat_panic_info *info, void *unused)
{
	(void)unused;
	leat_repanic(info);
}

int main(void)
{
	leat_catch_with(fail, NULL, again, NULL);
	return 0;
}
