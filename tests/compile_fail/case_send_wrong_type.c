/* SPDX-License-Identifier: MIT */
/* The value of a case is checked as that of chan_send. */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: case_send_wrong_type\.c:10: */
#include <leat.h>

void f(chan(int) c, const char *s)
{
	chan_select {
		case_send(c, s) {
		}
	}
}
