/* SPDX-License-Identifier: MIT */
/* any_of knows C's own types; others have a name. */
/* ERROR: any_of knows the types of C alone: declare this one with LEAT_TYPE */
/* ERROR: any_of_struct\.c:13: */
#include <leat.h>

struct point {
	int x, y;
};

leat_any f(struct point p)
{
	return any_of(p);
}
