/* SPDX-License-Identifier: MIT */
/* An integer goes as it is, and an int is not what a function of doubles, or of longs, finds. */
/* ERROR: answer: replicate passes an integer as what it is */
/* ERROR: replicate_wrong_integer\.c:13: */
#include <leat.h>

const leat_error *answer(leat_scope *s, size_t i, double arg, long *result);

void f(int arg)
{
	long result;

	leat_error_free(replicate(2, answer, arg, &result, NULL));
}
