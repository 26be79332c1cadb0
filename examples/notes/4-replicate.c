/* SPDX-License-Identifier: MIT */
/*
 * Replicated requests by the library.  An error of the fastest is no answer as long as others are under way; the first
 * success wins, and the call returns when all have ended.  With .hedge_ns the second is only asked when the first
 * takes long.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

static const leat_error *ask(leat_scope *s, size_t i, const char *question, int *answer)
{
	if (i == 0)
		return leat_errorf(NULL, "nobody knows %s", question);
	*answer = (int)i * 10;
	return leat_error_errno(leat_sleep_ctx(i == 3 ? LEAT_MILLISECOND : LEAT_HOUR, s));
}

int main(void)
{
	const char *question = "the time";
	int answer = 0;
	const leat_error *e = replicate(5, ask, question, &answer, NULL);

	printf("the answer is %d, and %s\n", answer, e ? leat_error_message(e) : "no error");
	question = "the way";
	e = replicate(1, ask, question, &answer, NULL);
	printf("%s\n", leat_error_message(e));
	leat_error_free(e);
}
