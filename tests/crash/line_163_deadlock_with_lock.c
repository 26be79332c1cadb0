/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The same by declaration. */
#include <leat.h>

int main(void)
{
	leat_mutex m = {0};

	with_lock(&m);
	{
		with_lock(&m); /* again */
	}
	return 0;
}
