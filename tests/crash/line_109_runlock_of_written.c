/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* A writer has it. */
#include <leat.h>

int main(void)
{
	leat_rwmutex m = {0};

	leat_yield(); /* or the report would have no goroutine to show */
	leat_rwmutex_lock(&m);
	leat_rwmutex_runlock(&m);
	return 0;
}
