/* SPDX-License-Identifier: MIT */
/* The same for a type of the program's. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: any_as_wrong_struct\.c:20: */
#include <leat.h>

struct point {
	int x, y;
};

struct place {
	int x, y;
};

static LEAT_TYPE(point, struct point);

bool f(leat_any a, struct place *p)
{
	return any_as(point, a, p);
}
