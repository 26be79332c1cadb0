/* SPDX-License-Identifier: MIT */
/*
 * Errors as values: what leat_ctx_cause gives, and a closed channel's reason.
 *
 * A leat_error is immutable and known by its address: compare pointers.  Declare a module's errors once,
 * as Go does with errors.New at the top of a file:
 *
 *	LEAT_ERROR(out_of_paper, -EIO, "printer: out of paper");        in one .c file
 *	LEAT_ERROR_DECLARE(out_of_paper);                               in a header
 *
 *	leat_ctx_cancel_cause(ctx, &out_of_paper);
 *
 * What fails for a reason that the system names has leat_error_errno.
 */
#ifndef LEAT_ERROR_H
#define LEAT_ERROR_H

#include <leat/base.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_error {
	const char *leat__message; /* NULL: the system's words for the code */
	int leat__code;
} leat_error;

/* The errors of a context: "context canceled" (-ECANCELED) and "context deadline exceeded" (-ETIMEDOUT). */
LEAT_API extern const leat_error leat_canceled;
LEAT_API extern const leat_error leat_deadline_exceeded;

/* What e says, for people; "" for NULL.  Lives as long as e.  After Go's error.Error. */
LEAT_API const char *leat_error_message(const leat_error *e);

/* A negative errno code; 0 for NULL. */
LEAT_API int leat_error_code(const leat_error *e);

/* Something took too long: its code is -ETIMEDOUT.  After the method Timeout of Go's errors. */
LEAT_API bool leat_error_timeout(const leat_error *e);

/*
 * The error for a negative errno code: always the same one for the same code, valid for ever.  NULL for
 * 0; for what is no errno code the error of -EINVAL.  Never allocates.
 */
LEAT_API const leat_error *leat_error_errno(int code);

LEAT__END

/* LEAT_ERROR(name, code, message): define the error `name`; static may stand before it. */
#define LEAT_ERROR(name, code, message) const leat_error name = {(message), (code)}
#define LEAT_ERROR_DECLARE(name)        extern const leat_error name

#endif
