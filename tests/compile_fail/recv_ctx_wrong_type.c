/* SPDX-License-Identifier: MIT */
/* A long does not fit where an int lies. */
/* ERROR-GCC: 'long int \*' from incompatible pointer type 'int \*' */
/* ERROR-CLANG: 'long \*'.*'int \*' */
/* ERROR: recv_ctx_wrong_type\.c:10: */
#include <leat.h>

int f(chan(long) c, int *p, leat_ctx *ctx)
{
	return chan_recv_ctx(c, p, ctx);
}
