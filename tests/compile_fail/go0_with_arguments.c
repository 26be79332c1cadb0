/* SPDX-License-Identifier: MIT */
/* go0 is for functions without arguments. */
/* ERROR-GCC: 'void \(\*\)\(void\)' from incompatible pointer type 'void \(\*\)\(int\)' */
/* ERROR-CLANG: incompatible (function )?pointer types .*'void \(\*\)\(void\)'.*'void \(int\)' */
/* ERROR: go0_with_arguments\.c:12: */
#include <leat.h>

void work(int n);

void f(void)
{
	go0(work);
}
