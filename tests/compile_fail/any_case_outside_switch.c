/* SPDX-License-Identifier: MIT */
/* A case belongs to a type switch. */
/* ERROR: leat__switch.*undeclared|undeclared.*leat__switch */
/* ERROR: any_case_outside_switch\.c:9: */
#include <leat.h>

int f(void)
{
	any_case(int, n)
		return n;
	return 0;
}
