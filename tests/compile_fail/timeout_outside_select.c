/* SPDX-License-Identifier: MIT */
/* And the timeout. */
/* ERROR: undeclared.*leat__(s\b|\w*select)|leat__(s\b|\w*select).*undeclared */
/* ERROR: timeout_outside_select\.c:9: */
#include <leat.h>

void f(void)
{
	case_timeout(1) {
	}
}
