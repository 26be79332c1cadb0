/* SPDX-License-Identifier: MIT */
/* A result has a member value. */
/* ERROR: no member named 'value' */
#include <leat.h>

struct result {
	int number;
	const leat_error *error;
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
