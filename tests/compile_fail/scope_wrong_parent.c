/* SPDX-License-Identifier: MIT */
/* The parent of a scope is a scope or a context. */
/* ERROR-GCC: incompatible type for argument 2 of */
/* ERROR-CLANG: 'leat_mutex \*'.*incompatible type 'leat_any_ctx' */
/* ERROR: scope_wrong_parent\.c:10: */
#include <leat.h>

void f(leat_mutex *m)
{
	scope(s, m);
}
