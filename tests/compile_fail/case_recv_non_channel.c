/* SPDX-License-Identifier: MIT */
/* Nor in a select. */
/* ERROR-GCC: (invalid type argument of unary '\*'|subscripted value is neither array nor pointer|incomplete type 'leat_chan') */
/* ERROR-CLANG: (indirection requires pointer operand|subscripted value is not an array, pointer, or vector|incomplete type 'leat_chan') */
/* ERROR: case_recv_non_channel\.c:11: */
#include <leat.h>

void f(int c)
{
	chan_select {
		case_recv(c) {
		}
	}
}
