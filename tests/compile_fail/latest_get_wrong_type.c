/* SPDX-License-Identifier: MIT */
/* A long does not fit where an int lies. */
/* ERROR-GCC: 'long int \*' from incompatible pointer type 'int \*' */
/* ERROR-CLANG: 'long \*'.*'int \*' */
/* ERROR: latest_get_wrong_type\.c:10: */
#include <leat.h>

bool f(latest_cell(long) l, int *p)
{
	return latest_get_ok(l, p);
}
