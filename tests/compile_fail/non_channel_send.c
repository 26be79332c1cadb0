/* SPDX-License-Identifier: MIT */
/* An int is no channel. */
/* ERROR-GCC: (invalid type argument of unary '\*'|subscripted value is neither array nor pointer|incomplete type 'leat_chan') */
/* ERROR-CLANG: (indirection requires pointer operand|subscripted value is not an array, pointer, or vector|incomplete type 'leat_chan') */
/* ERROR: non_channel_send\.c:10: */
#include <leat.h>

void f(int c)
{
	chan_send(c, 1);
}
