/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The array form without cases. */
#include <leat.h>

int main(void)
{
	leat_select(NULL, 0, LEAT_FOREVER, NULL);
	return 0;
}
