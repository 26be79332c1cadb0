/* SPDX-License-Identifier: MIT */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: duplicates_put_wrong_type\.c:8: */
#include <leat.h>

int f(duplicates(int) d, int *p)
{
	return duplicates_put(d, 1, p);
}
