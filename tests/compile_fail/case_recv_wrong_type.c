/* SPDX-License-Identifier: MIT */
/* The variable of a case has the type of the elements. */
/* ERROR: (makes|incompatible) (pointer from integer|integer to pointer) */
/* ERROR: case_recv_wrong_type\.c:13: */
#include <leat.h>

void f(chan(int) c)
{
	const char *s = "";

	chan_select {
		case_recv(c, v)
			s = v;
	}
	(void)s;
}
