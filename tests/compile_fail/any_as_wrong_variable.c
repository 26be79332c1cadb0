/* SPDX-License-Identifier: MIT */
/* The variable is of the type that is asked for. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: any_as_wrong_variable\.c:12: */
#include <leat.h>

bool f(leat_any a)
{
	long n;

	return any_as(int, a, &n);
}
