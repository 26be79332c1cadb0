/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* A writer waits, but has it not. */
#include <leat.h>

static leat_rwmutex m;

static void write_it(void)
{
	leat_rwmutex_lock(&m);
}

int main(void)
{
	leat_rwmutex_rlock(&m);
	go0(write_it);
	while (leat_num_parked() == 0)
		leat_yield();
	leat_rwmutex_unlock(&m);
	return 0;
}
