/* SPDX-License-Identifier: MIT */
/* A reason is a leat_error, no code. */
/* ERROR: (makes|incompatible) (pointer from integer|integer to pointer) */
/* ERROR: close_with_a_number\.c:9: */
#include <leat.h>

void f(chan(int) c, int code)
{
	chan_close_with(c, code);
}
