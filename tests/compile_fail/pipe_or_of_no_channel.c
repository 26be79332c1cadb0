/* SPDX-License-Identifier: MIT */
/* Or takes channels, of any types. */
/* ERROR-GCC: invalid type argument of unary '\*' \(have 'int'\)|subscripted value is neither array nor pointer */
/* ERROR-CLANG: indirection requires pointer operand|subscripted value is not an array */
/* ERROR: pipe_or_of_no_channel\.c:10: */
#include <leat.h>

recv_chan(leat_empty) f(leat_scope *s, recv_chan(int) in, int *number)
{
	return pipe_or(s, in, number);
}
