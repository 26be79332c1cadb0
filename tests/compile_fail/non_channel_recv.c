/* SPDX-License-Identifier: MIT */
/* A pointer to int is none. */
/* ERROR-GCC: (invalid type argument of unary '\*'|subscripted value is neither array nor pointer|incomplete type 'leat_chan') */
/* ERROR-CLANG: (indirection requires pointer operand|subscripted value is not an array, pointer, or vector|incomplete type 'leat_chan') */
/* ERROR: non_channel_recv\.c:10: */
#include <leat.h>

void f(int *c)
{
	chan_recv(c);
}
