/* SPDX-License-Identifier: MIT */
/* A number is no pointer here either. */
/* ERROR-GCC: passing argument 1 of 'done' makes pointer from integer */
/* ERROR-CLANG: passing 'int' to parameter of type 'int \*' */
/* ERROR: defer_integer_argument\.c:12: */
#include <leat.h>

void done(int *n);

void f(void)
{
	defer(done, 5);
}
