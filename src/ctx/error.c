/* SPDX-License-Identifier: MIT */
/*
 * Errors that are known by their address.
 *
 * The errors of the system are a table by code.  Who asks for one writes its code there: all write the
 * same, so it matters not who comes first.
 */
#include <leat/error.h>

#include <errno.h>
#include <string.h>

#define CODES 256 /* Linux uses 133 of them */

const leat_error leat_canceled = {"context canceled", -ECANCELED};
const leat_error leat_deadline_exceeded = {"context deadline exceeded", -ETIMEDOUT};

static leat_error of_system[CODES];

const leat_error *leat_error_errno(int code)
{
	leat_error *e;

	if (code == 0)
		return NULL;
	if (code > 0 || code <= -CODES)
		code = -EINVAL;
	e = &of_system[-code];
	__atomic_store_n(&e->leat__code, code, __ATOMIC_RELAXED);
	return e;
}

int leat_error_code(const leat_error *e)
{
	return e ? __atomic_load_n(&e->leat__code, __ATOMIC_RELAXED) : 0;
}

const char *leat_error_message(const leat_error *e)
{
	if (!e)
		return "";
	return e->leat__message ? e->leat__message : strerror(-leat_error_code(e));
}

bool leat_error_timeout(const leat_error *e)
{
	return leat_error_code(e) == -ETIMEDOUT;
}
