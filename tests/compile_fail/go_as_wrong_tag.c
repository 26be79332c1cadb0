/* SPDX-License-Identifier: MIT */
/* A function pointer takes the struct that is named. */
/* ERROR-GCC: 'void \(\*\)\(struct count \*\)' from incompatible pointer type 'void \(\*\)\(struct other \*\)' */
/* ERROR-CLANG: incompatible (function )?pointer types .*'void \(\*\)\(struct count \*\)'.*'void \(\*\)\(struct other \*\)' */
/* ERROR: go_as_wrong_tag\.c:18: */
#include <leat.h>

struct count {
	int n;
};

struct other {
	int n;
};

void f(void (*fn)(struct other *))
{
	go_as(count, fn, .n = 1);
}
