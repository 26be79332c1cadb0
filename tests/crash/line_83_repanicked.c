/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/* A panic that its handler raises again is reported once. */
#include <leat.h>

static void fail(void *unused)
{
	(void)unused;
	leat_panic("message");
}

static void handle(const leat_panic_info *info, void *unused)
{
	(void)unused;
	leat_repanic(info);
}

static void worker(void)
{
	leat_catch_with(fail, NULL, handle, NULL);
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
