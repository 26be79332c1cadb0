/* SPDX-License-Identifier: MIT */
/* ERROR: incompatible (function )?pointer type */
#include <leat.h>

static const leat_error *answer(leat_scope *s, size_t i, int *arg, int *result)
{
	(void)s;
	*result = *arg + (int)i;
	return NULL;
}

static void let_go(long *result)
{
	*result = 0;
}

int main(void)
{
	int arg = 1, result;

	leat_error_free(replicate(2, answer, &arg, &result, NULL, .discard = let_go));
}
