/* SPDX-License-Identifier: MIT */
/* The value of the form that does not park is checked as well. */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: try_send_wrong_type\.c:9: */
#include <leat.h>

void f(chan(int) c, int *p)
{
	chan_try_send(c, p);
}
