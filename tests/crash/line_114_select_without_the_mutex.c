/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A select that waits for a cond unlocks the mutex, which must be locked. */
#include <leat.h>

int main(void)
{
	leat_mutex m = {0};
	leat_cond c = {0};

	chan_select {
		case_cond(&c, &m) {
		}
	}
	return 0;
}
