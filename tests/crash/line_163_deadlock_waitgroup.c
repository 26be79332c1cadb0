/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Waiting for what nobody does. */
#include <leat.h>

int main(void)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	leat_waitgroup_wait(&wg);
	return 0;
}
