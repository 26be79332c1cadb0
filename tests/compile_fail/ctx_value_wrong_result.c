/* SPDX-License-Identifier: MIT */
/* The value of a key has the key's type. */
/* ERROR-GCC: 'long\ int\ \*'\ from\ incompatible\ pointer\ type\ 'leat__ctx_type_number\ \*'|incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types initializing 'long \*' with an expression of type '.*number \*' */
/* ERROR: ctx_value_wrong_result\.c:12: */
#include <leat.h>

static LEAT_CTX_KEY(number, int);

long f(leat_ctx *ctx)
{
	long *n = ctx_value(ctx, number);

	return *n;
}
