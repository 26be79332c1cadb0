/* SPDX-License-Identifier: MIT */
/* A string is none. */
/* ERROR-GCC: (invalid type argument of unary '\*'|subscripted value is neither array nor pointer|incomplete type 'leat_chan') */
/* ERROR-CLANG: (indirection requires pointer operand|subscripted value is not an array, pointer, or vector|incomplete type 'leat_chan') */
/* ERROR: non_channel_close\.c:10: */
#include <leat.h>

void f(const char *c)
{
	chan_close(c);
}
