/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The same while readers are counted by processor. */
#include <leat.h>

static leat_rwmutex m;

static void write_it(void)
{
	leat_rwmutex_lock(&m);
	leat_rwmutex_unlock(&m);
}

int main(void)
{
	for (int i = 0; i < 5000; i++) {
		leat_rwmutex_rlock(&m);
		leat_rwmutex_runlock(&m);
	}
	leat_rwmutex_rlock(&m);
	go0(write_it);
	while (leat_num_parked() != 1)
		leat_yield();
	leat_rwmutex_rlock(&m); /* again */
	return 0;
}
