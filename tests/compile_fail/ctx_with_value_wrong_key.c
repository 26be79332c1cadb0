/* SPDX-License-Identifier: MIT */
/* A value goes under a key of its own type. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types initializing '.*number \*'.*with an expression of type 'const char \*|incompatible pointer types initializing '.*number \*'.*'char */
/* ERROR: ctx_with_value_wrong_key\.c:12: */
#include <leat.h>

static LEAT_CTX_KEY(number, int);

leat_ctx *f(leat_ctx *ctx, const char *name)
{
	return ctx_with_value(ctx, number, name);
}
