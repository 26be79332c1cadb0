/* SPDX-License-Identifier: MIT */
/*
 * Errors that are known by their address.
 *
 * The errors of the system are a table by code, for the codes that it has words for: those words are static,
 * in English, and take little stack, which strerror does not promise.  Who asks for one writes its code
 * there: all write the same, so it matters not who comes first.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrordesc_np */
#endif
#include <leat/error.h>

#include <errno.h>
#include <string.h>

#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 32)
#define HAVE_STRERRORDESC
#endif
#endif

#define CODES 134 /* Linux uses 133 of them */

/* What the system says about a positive code; NULL where it is none. */
static const char *system_message(int code)
{
#ifdef HAVE_STRERRORDESC
	return strerrordesc_np(code);
#else
	return code >= 0 && code < CODES && code != 41 && code != 58 ? strerror(code) : NULL;
#endif
}

const leat_error leat_canceled = {"context canceled", -ECANCELED};
const leat_error leat_deadline_exceeded = {"context deadline exceeded", -ETIMEDOUT};

static leat_error of_system[CODES];

const leat_error *leat_error_errno(int code)
{
	leat_error *e;

	if (code == 0)
		return NULL;
	if (code > 0 || code <= -CODES || !system_message(-code))
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
	const char *message;

	if (!e)
		return "";
	if (e->leat__message)
		return e->leat__message;
	message = system_message(-leat_error_code(e));
	return message ? message : "unknown error";
}

bool leat_error_timeout(const leat_error *e)
{
	return leat_error_code(e) == -ETIMEDOUT;
}
