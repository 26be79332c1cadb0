/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/* A handler that panics is reported with the panic that it handled, which is on the stack still. */
#include <leat.h>

static void fail(void *message)
{
	leat_panic("%s", (char *)message);
}

static void handle(const leat_panic_info *info, void *message)
{
	if (info->message[0] == 'f')
		leat_panic("%s", (char *)message);
}

int main(void)
{
	leat_catch_with(fail, "first panic", handle, "second panic");
	return 0;
}
