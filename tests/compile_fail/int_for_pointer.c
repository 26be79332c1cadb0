/* SPDX-License-Identifier: MIT */
/* A number is no pointer. */
/* ERROR: (makes|incompatible) (pointer from integer|integer to pointer) */
/* ERROR: int_for_pointer\.c:9: */
#include <leat.h>

void f(chan(char *) c)
{
	chan_send(c, 42);
}
