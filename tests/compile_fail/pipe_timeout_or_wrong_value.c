/* SPDX-License-Identifier: MIT */
/* What stands in for a value is of its type. */
/* ERROR-GCC: invalid initializer */
/* ERROR-CLANG: initializing .*'struct point'.* with an expression of incompatible type 'int' */
/* ERROR: pipe_timeout_or_wrong_value\.c:14: */
#include <leat.h>

struct point {
	int x, y;
};

recv_chan(struct point) f(leat_scope *s, recv_chan(struct point) c)
{
	return pipe_timeout_or(s, c, LEAT_SECOND, 5);
}
