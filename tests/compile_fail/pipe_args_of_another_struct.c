/* SPDX-License-Identifier: MIT */
/* A function takes the struct that bears its name. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible (function )?pointer types */
/* ERROR: pipe_args_of_another_struct\.c:20: */
#include <leat.h>

struct twice {
	int by;
};

struct other {
	int by;
};

void twice(const int *in, struct other *a);

void f(leat_scope *s, recv_chan(int) c)
{
	pipe_each(s, c, twice, .by = 2);
}
