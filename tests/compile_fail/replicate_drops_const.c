/* SPDX-License-Identifier: MIT */
/* What is const stays so. */
/* ERROR: discards.* qualifiers? */
/* ERROR: replicate_drops_const\.c:13: */
#include <leat.h>

const leat_error *answer(leat_scope *s, size_t i, int *arg, long *result);

void f(const int *arg)
{
	long result;

	leat_error_free(replicate(2, answer, arg, &result, NULL));
}
