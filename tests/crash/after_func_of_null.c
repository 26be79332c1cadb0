/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 */
/* Fatal where it is asked for, not where it would run. */
#include <leat.h>

int main(void)
{
	leat_timer_free(leat_after_func(LEAT_HOUR, NULL, NULL));
	return 0;
}
