/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Locking twice deadlocks: a mutex is not recursive. */
#include <leat.h>

int main(void)
{
	leat_mutex m = {0};

	leat_mutex_lock(&m);
	leat_mutex_lock(&m); /* again */
	return 0;
}
