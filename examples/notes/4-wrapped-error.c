/* SPDX-License-Identifier: MIT */
/*
 * An error says what happened, when and where, something friendly to the user, and where there is more to learn.  It
 * holds the error that it comes from, the stack as it was then, and whatever else may help whoever reads the log.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

static LEAT_ERROR_TYPE(shop);

static const leat_error *open_till(int number)
{
	leat_error *e = leat_error_wrap(leat_error_errno(-ENOENT), &shop, "till %d is closed", number);

	leat_error_put(e, "till", "%d", number);
	leat_error_set_help(e, "https://example.org/tills");
	return e;
}

int main(void)
{
	const leat_error *e = open_till(3);
	size_t frames = 0;

	leat_error_trace(e, &frames);
	printf("message: %s\n", leat_error_message(e));
	printf("caused by: no such file: %s\n",
	       leat_error_is(e, leat_error_errno(-ENOENT)) ? "yes" : "no");
	printf("when and where: %s\n", leat_error_time(e) && frames ? "known" : "unknown");
	printf("till: %s\n", leat_error_get(e, "till"));
	printf("see %s\n", leat_error_help(e));
	leat_error_free(e);
}
