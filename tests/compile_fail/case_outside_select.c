/* SPDX-License-Identifier: MIT */
/* A case belongs into a select. */
/* ERROR: undeclared.*leat__(s\b|\w*select)|leat__(s\b|\w*select).*undeclared */
/* ERROR: case_outside_select\.c:9: */
#include <leat.h>

void f(chan(int) c)
{
	case_recv(c) {
	}
}
