/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A wait unlocks the mutex, which must be locked. */
#include <leat.h>

int main(void)
{
	leat_mutex m = {0};
	leat_cond c = {0};

	leat_cond_wait(&c, &m);
	return 0;
}
