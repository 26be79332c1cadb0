/* SPDX-License-Identifier: MIT */
/* ERROR: incompatible (function )?pointer type */
#include <leat.h>

static void let_go(long *result)
{
	*result = 0;
}

int main(void)
{
	duplicates(int) d = duplicates_make(int, 1, 0, 0, let_go);

	duplicates_free(d);
}
