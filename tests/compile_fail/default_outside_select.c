/* SPDX-License-Identifier: MIT */
/* And default. */
/* ERROR: undeclared.*leat__(s\b|\w*select)|leat__(s\b|\w*select).*undeclared */
/* ERROR: default_outside_select\.c:9: */
#include <leat.h>

void f(void)
{
	case_default {
	}
}
