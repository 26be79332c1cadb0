/* SPDX-License-Identifier: MIT */
/* The function takes a pointer to what comes in. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible (function )?pointer types */
/* ERROR: pipe_map_wrong_input\.c:16: */
#include <leat.h>

struct twice {
	int by;
};

void twice(const long *in, int *out, struct twice *a);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_map(s, c, int, twice, .by = 2);
}
