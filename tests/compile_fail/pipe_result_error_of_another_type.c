/* SPDX-License-Identifier: MIT */
/* The error in a result is a leat_error. */
/* ERROR: the member error of a result is to be a const leat_error \* */
#include <leat.h>

struct result {
	int value, error;
};

static const leat_error *parse(const int *in, int *value)
{
	*value = *in;
	return NULL;
}

void f(leat_scope *s, recv_chan(int) in)
{
	(void)pipe_try_map0(s, in, struct result, parse);
}
