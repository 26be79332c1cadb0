/* SPDX-License-Identifier: MIT */
/* A replica returns an error or NULL. */
/* ERROR: answer: replicate takes const leat_error \*fn\(leat_scope \*s, size_t i, A arg, T \*result\)" */
/* ERROR: replicate_returns_int\.c:13: */
#include <leat.h>

int answer(leat_scope *s, size_t i, int *arg, long *result);

void f(int *arg)
{
	long result;

	leat_error_free(replicate(2, answer, arg, &result, NULL));
}
