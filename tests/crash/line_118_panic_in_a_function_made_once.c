/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* The first panic is reported with the trace of where it was raised. */
#include <leat.h>

__attribute__((noinline)) static void fail(void)
{
	leat_panic("no such thing");
}

static void fn(void *arg)
{
	(void)arg;
	fail();
	__asm__ volatile("");
}

static leat_once_func f = LEAT_ONCE_FUNC(fn, NULL);

int main(void)
{
	leat_once_func_call(&f);
	return 0;
}
