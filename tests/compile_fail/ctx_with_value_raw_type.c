/* SPDX-License-Identifier: MIT */
/* A plain key is a leat_ctx_key. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types passing 'const char \*' to parameter of type 'const leat_ctx_key \*' */
/* ERROR: ctx_with_value_raw_type\.c:10: */
#include <leat.h>

leat_ctx *f(leat_ctx *ctx, const char *name)
{
	return leat_ctx_with_value(ctx, name, ctx);
}
