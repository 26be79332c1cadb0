/* SPDX-License-Identifier: MIT */
/* A function that takes something else. */
/* ERROR-GCC: 'void \(\*\)\(struct count \*\)' from incompatible pointer type 'void \(\*\)\(int\)' */
/* ERROR-CLANG: incompatible (function )?pointer types .*'void \(\*\)\(struct count \*\)'.*'void \(int\)' */
/* ERROR: go_function_without_argument\.c:16: */
#include <leat.h>

struct count {
	int n;
};

void count(int n);

void f(void)
{
	go(count, .n = 1);
}
