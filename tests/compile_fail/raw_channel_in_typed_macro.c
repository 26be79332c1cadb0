/* SPDX-License-Identifier: MIT */
/* The typed macros want to know the type of the elements. */
/* ERROR-GCC: (invalid type argument of unary '\*'|subscripted value is neither array nor pointer|incomplete type 'leat_chan') */
/* ERROR-CLANG: (indirection requires pointer operand|subscripted value is not an array, pointer, or vector|incomplete type 'leat_chan') */
/* ERROR: raw_channel_in_typed_macro\.c:10: */
#include <leat.h>

void f(leat_chan *c)
{
	chan_send(c, 1);
}
