/* SPDX-License-Identifier: MIT */
/* The value must be one of the cell's type. */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: latest_set_wrong_type\.c:9: */
#include <leat.h>

void f(latest_cell(int) l, int *p)
{
	latest_set(l, p);
}
