/* SPDX-License-Identifier: MIT */
/* Only a leat_any has its type with it. */
/* ERROR-GCC: invalid initializer */
/* ERROR-CLANG: with an expression of incompatible type 'int' */
/* ERROR: any_as_without_any\.c:12: */
#include <leat.h>

bool f(int n)
{
	int m;

	return any_as(int, n, &m);
}
