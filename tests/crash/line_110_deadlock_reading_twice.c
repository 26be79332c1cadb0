/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A second read lock with a writer waiting in between: all three wait for each other. */
#include <leat.h>

static leat_rwmutex m;

static void write_it(void)
{
	leat_rwmutex_lock(&m);
	leat_rwmutex_unlock(&m);
}

int main(void)
{
	with_rlock(&m);
	go0(write_it);
	while (leat_num_parked() != 1)
		leat_yield();
	go0(write_it);
	while (leat_num_parked() != 2)
		leat_yield();
	leat_rwmutex_rlock(&m); /* again */
	return 0;
}
