/* SPDX-License-Identifier: MIT */
/* A function takes the struct that bears its name. */
/* ERROR-GCC: 'void \(\*\)\(struct count \*\)' from incompatible pointer type 'void \(\*\)\(struct other \*\)' */
/* ERROR-CLANG: incompatible (function )?pointer types .*'void \(\*\)\(struct count \*\)'.*'void \(struct other \*\)' */
/* ERROR: go_other_argument_struct\.c:20: */
#include <leat.h>

struct count {
	int n;
};

struct other {
	int n;
};

void count(struct other *a);

void f(void)
{
	go(count, .n = 1);
}
