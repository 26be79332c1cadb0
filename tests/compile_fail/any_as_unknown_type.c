/* SPDX-License-Identifier: MIT */
/* A name that nothing declares. */
/* ERROR: leat_+type(_of)?_piont.*(undeclared|unknown)|(undeclared|unknown).*leat_+type(_of)?_piont */
/* ERROR: any_as_unknown_type\.c:15: */
#include <leat.h>

struct point {
	int x, y;
};

static LEAT_TYPE(point, struct point);

bool f(leat_any a, struct point *p)
{
	return any_is(point, a) && any_as(piont, a, p);
}
