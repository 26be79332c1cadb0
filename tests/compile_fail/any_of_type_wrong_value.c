/* SPDX-License-Identifier: MIT */
/* The value is of the type. */
/* ERROR-GCC: invalid initializer */
/* ERROR-CLANG: with an expression of incompatible type 'struct place' */
/* ERROR: any_of_type_wrong_value\.c:20: */
#include <leat.h>

struct point {
	int x, y;
};

struct place {
	int x, y;
};

static LEAT_TYPE(point, struct point);

leat_any f(struct place p)
{
	return any_of_type(point, p);
}
