/* SPDX-License-Identifier: MIT */
/* A sending one too. */
/* ERROR: undeclared.*leat__(s\b|\w*select)|leat__(s\b|\w*select).*undeclared */
/* ERROR: case_send_outside_select\.c:9: */
#include <leat.h>

void f(chan(int) c)
{
	case_send(c, 1) {
	}
}
