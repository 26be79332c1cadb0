/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* The same for what is fatal. */
#include <leat.h>

static leat_mutex mutex;

static void small(void *unused)
{
	(void)unused;
	leat_mutex_unlock(&mutex);
	__asm__ volatile(""); /* no tail call */
}

int main(void)
{
	leat_go_with(&(leat_go_opts){.stack_bytes = 2048}, small, NULL, 0);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
