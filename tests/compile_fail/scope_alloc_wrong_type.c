/* SPDX-License-Identifier: MIT */
/* Memory of a scope has its type. */
/* ERROR-GCC: 'long int \*' from incompatible pointer type 'int \*' */
/* ERROR-CLANG: 'long \*'.*'int \*' */
/* ERROR: scope_alloc_wrong_type\.c:10: */
#include <leat.h>

void f(leat_scope *s)
{
	long *p = scope_alloc(s, int, 10);

	(void)p;
}
