/* SPDX-License-Identifier: MIT */
/* ERROR: not a place for last results */
#include <leat.h>

int f(chan(int) c)
{
	return duplicates_put(c, 1, 2);
}
