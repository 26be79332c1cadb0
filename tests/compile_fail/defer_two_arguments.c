/* SPDX-License-Identifier: MIT */
/* Deferred functions take one argument. */
/* ERROR: too few arguments to function */
/* ERROR: defer_two_arguments\.c:11: */
#include <leat.h>

void two(int *a, int b);

void f(int *n)
{
	defer(two, n);
}
