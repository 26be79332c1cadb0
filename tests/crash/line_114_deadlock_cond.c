/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Waiting for a signal that nobody sends. */
#include <leat.h>

int main(void)
{
	leat_mutex m = {0};
	leat_cond c = {0};

	leat_mutex_lock(&m);
	leat_cond_wait(&c, &m);
	return 0;
}
