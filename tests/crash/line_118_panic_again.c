/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A later call panics with the same message. */
#include <leat.h>

#include <stdio.h>

static void fn(void *arg)
{
	leat_panic("%s", (const char *)arg);
}

static leat_once_func f = LEAT_ONCE_FUNC(fn, "the one\nmessage");

static void call(void *arg)
{
	(void)arg;
	leat_once_func_call(&f);
}

int main(void)
{
	leat_panic_info info;

	if (leat_catch(call, NULL, &info))
		fprintf(stderr, "caught: %s\n", info.message);
	leat_once_func_call(&f);
	return 0;
}
