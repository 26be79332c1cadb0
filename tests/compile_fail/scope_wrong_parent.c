/* SPDX-License-Identifier: MIT */
/* The parent of a scope is a scope. */
/* ERROR-GCC: from incompatible pointer type */
/* ERROR-CLANG: 'leat_mutex \*'.*'leat_scope \*' */
/* ERROR: scope_wrong_parent\.c:10: */
#include <leat.h>

void f(leat_mutex *m)
{
	scope(s, m);
}
