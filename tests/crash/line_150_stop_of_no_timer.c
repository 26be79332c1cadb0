/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 */
#include <leat.h>

int main(void)
{
	leat_timer *none = NULL;

	leat_timer_stop(none);
	return 0;
}
