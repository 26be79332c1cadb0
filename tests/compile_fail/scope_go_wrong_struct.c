/* SPDX-License-Identifier: MIT */
/* Scopes check the same. */
/* ERROR-GCC: 'void \(\*\)\(struct count \*\)' from incompatible pointer type 'void \(\*\)\(int \*\)' */
/* ERROR-CLANG: incompatible (function )?pointer types .*'void \(\*\)\(struct count \*\)'.*'void \(int \*\)' */
/* ERROR: scope_go_wrong_struct\.c:16: */
#include <leat.h>

struct count {
	int n;
};

void count(int *n);

void f(leat_scope *s)
{
	scope_go(s, count, .n = 1);
}
