/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Done too often. */
#include <leat.h>

int main(void)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	leat_waitgroup_done(&wg);
	leat_waitgroup_done(&wg); /* too often */
	return 0;
}
