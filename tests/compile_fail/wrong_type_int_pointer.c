/* SPDX-License-Identifier: MIT */
/* A pointer to int is no int. */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: wrong_type_int_pointer\.c:9: */
#include <leat.h>

void f(chan(int) c, int *p)
{
	chan_send(c, p);
}
