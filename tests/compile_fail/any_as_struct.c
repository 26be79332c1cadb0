/* SPDX-License-Identifier: MIT */
/* A struct is asked for by the name of its type, not by its tag. */
/* ERROR: not a type that a leat_any gives: those are types of C .*and names of LEAT_TYPE */
/* ERROR: any_as_struct\.c:15: */
#include <leat.h>

struct point {
	int x, y;
};

static LEAT_TYPE(point, struct point);

bool f(leat_any a, struct point *p)
{
	return any_is(point, a) && any_as(struct point, a, p);
}
