/* SPDX-License-Identifier: MIT */
/* ERROR: incompatible (function )?pointer type */
#include <leat.h>

static const leat_error *answer(leat_scope *s, size_t i, int *arg, long *result)
{
	(void)s;
	*result = *arg + (long)i;
	return NULL;
}

int main(void)
{
	int arg = 1, result;

	leat_error_free(replicate(2, answer, &arg, &result, NULL));
}
