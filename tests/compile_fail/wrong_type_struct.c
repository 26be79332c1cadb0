/* SPDX-License-Identifier: MIT */
/* A struct is no int. */
/* ERROR-GCC: incompatible types when initializing type 'int' using type 'struct point' */
/* ERROR-CLANG: \(aka 'int'\) with an expression of incompatible type 'struct point' */
/* ERROR: wrong_type_struct\.c:14: */
#include <leat.h>

struct point {
	int x, y;
};

void f(chan(int) c, struct point p)
{
	chan_send(c, p);
}
