/* SPDX-License-Identifier: MIT */
/* A context is a leat_ctx * or a leat_scope *. */
/* ERROR-GCC: incompatible type for argument 1 of 'leat_ctx_err' */
/* ERROR-CLANG: 'leat_waitgroup \*'.*incompatible type 'leat_any_ctx' */
/* ERROR: ctx_wrong_type\.c:10: */
#include <leat.h>

int f(leat_waitgroup *g)
{
	return leat_ctx_err(g);
}
