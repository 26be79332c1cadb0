/* SPDX-License-Identifier: MIT */
/* What is received has the type of the elements. */
/* ERROR: (makes|incompatible) (pointer from integer|integer to pointer) */
/* ERROR: recv_wrong_type\.c:9: */
#include <leat.h>

int *f(chan(int) c)
{
	return chan_recv(c);
}
