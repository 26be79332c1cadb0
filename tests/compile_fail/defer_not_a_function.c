/* SPDX-License-Identifier: MIT */
/* Only functions can be deferred. */
/* ERROR: '(n|int \*)' is not a function or function pointer */
/* ERROR: defer_not_a_function\.c:9: */
#include <leat.h>

void f(int *n)
{
	defer(n, n);
}
