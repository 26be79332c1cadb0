/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Readers have it, which is not what a writer's unlock undoes. */
#include <leat.h>

int main(void)
{
	leat_rwmutex m = {0};

	leat_yield(); /* or the report would have no goroutine to show */
	leat_rwmutex_lock(&m);
	leat_rwmutex_unlock(&m);
	leat_rwmutex_rlock(&m);
	leat_rwmutex_unlock(&m);
	return 0;
}
