/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A select without cases. */
#include <leat.h>

int main(void)
{
	chan_select {
	}
	return 0;
}
