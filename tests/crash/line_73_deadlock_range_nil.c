/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A range over NULL. */
#include <leat.h>

int main(void)
{
	chan(int) c = NULL;

	chan_range(v, c)
		(void)v;
	return 0;
}
