/* SPDX-License-Identifier: MIT */
/* What the tests of contexts share. */
#ifndef CTX_HELP_H
#define CTX_HELP_H

#include "test.h"

#include <errno.h>

/* Its done channel is closed; all that says that ctx is done must say the same then. */
static inline bool is_done(leat_any_ctx ctx)
{
	bool ok = true;
	bool got = chan_try_recv(leat_ctx_done(ctx), NULL, &ok);

	if (got)
		CHECK(!ok);
	CHECK_EQ(got, leat_ctx_err(ctx) != 0);
	CHECK_EQ(got, leat_ctx_error(ctx) != NULL);
	CHECK_EQ(got, leat_ctx_cause(ctx) != NULL);
	if (got)
		CHECK_EQ(leat_error_code(leat_ctx_error(ctx)), leat_ctx_err(ctx));
	return got;
}

/* ctx is not done, and cannot be: it has no done channel. */
static inline bool is_endless(leat_any_ctx ctx)
{
	return leat_ctx_done(ctx) == NULL && leat_ctx_err(ctx) == 0 && leat_ctx_error(ctx) == NULL &&
	       leat_ctx_cause(ctx) == NULL;
}

/* The heap holds no more than before, but for what malloc and the scheduler keep for threads. */
static inline bool heap_is_back(size_t before)
{
	return test_heap_in_use() <= before + (32 << 10);
}

/* ctx has just this form. */
#define CHECK_FORM(ctx, form)                                                                      \
	do {                                                                                           \
		char test_text[300];                                                                       \
		CHECK_EQ(leat_ctx_string((ctx), test_text, sizeof test_text), strlen(form));               \
		CHECK_STR(test_text, form);                                                                \
	} while (0)

#endif
