/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Cannot be caught (line 94). */
#include <leat.h>

#include <stdio.h>

static void unlock(void *m)
{
	leat_rwmutex_runlock(m);
	puts("never");
}

int main(void)
{
	leat_rwmutex m = {0};

	leat_rwmutex_rlock(&m);
	leat_rwmutex_runlock(&m);
	puts("before");
	leat_catch(unlock, &m, NULL);
	puts("never");
	return 0;
}
