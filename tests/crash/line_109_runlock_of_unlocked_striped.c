/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Its readers are counted by processor. */
#include <leat.h>

int main(void)
{
	leat_rwmutex m = {0};

	for (int i = 0; i < 5000; i++) {
		leat_rwmutex_rlock(&m);
		leat_rwmutex_runlock(&m);
	}
	leat_rwmutex_runlock(&m);
	return 0;
}
