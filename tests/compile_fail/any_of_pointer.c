/* SPDX-License-Identifier: MIT */
/* What a pointer points to has a type, too, which any_of does not know. */
/* ERROR: any_of knows the types of C alone */
/* ERROR: any_of_pointer\.c:9: */
#include <leat.h>

leat_any f(int *p)
{
	return any_of(p);
}
