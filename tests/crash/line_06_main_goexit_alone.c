/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* The same when there is nobody else from the start. */
#include <leat.h>

int main(void)
{
	leat_goexit();
}
