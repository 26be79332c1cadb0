/* SPDX-License-Identifier: MIT */
/*
 * What errors say, and what is below them; and those that there are always.
 *
 * The errors of the system are a table by code, for the codes that it has words for: those words are static,
 * in English, and take little stack, which strerror does not promise.  Who asks for one writes its code
 * there: all write the same, so it matters not who comes first.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrordesc_np */
#endif
#include "value/error.h"

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

LEAT_ERROR(leat_canceled, -ECANCELED, "context canceled");
LEAT_ERROR(leat_deadline_exceeded, -ETIMEDOUT, "context deadline exceeded");
LEAT_ERROR(leat_out_of_memory, -ENOMEM, "out of memory");

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

/* --- one error */

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

const leat_error_type *leat_error_type_of(const leat_error *e)
{
	return e ? e->leat__type : NULL;
}

bool leat_error_extra(const leat_error *e, size_t i, const char **key, const char **value)
{
	const struct leat__error *h = leat__error_of(e);
	const struct leat__extra *x = h ? h->extras : NULL;

	for (; x && i; i--)
		x = x->next;
	if (!x)
		return false;
	*key = x->text;
	*value = x->value;
	return true;
}

int64_t leat_error_time(const leat_error *e)
{
	const struct leat__error *h = leat__error_of(e);

	return h ? h->time_ns : 0;
}

leat_error_place leat_error_where(const leat_error *e)
{
	const struct leat__error *h = leat__error_of(e);
	leat_error_place nowhere = {NULL, NULL, 0};

	return h ? (leat_error_place){h->file, h->function, h->line} : nowhere;
}

void *const *leat_error_trace(const leat_error *e, size_t *n)
{
	const struct leat__error *h = leat__error_of(e);

	*n = h ? h->trace_n : 0;
	return h ? h->trace : NULL;
}

const leat_error *leat_error_unwrap(const leat_error *e)
{
	const struct leat__error *h = leat__error_of(e);

	return h && h->causes_n && !h->joins ? h->causes[0] : NULL;
}

const leat_error *leat_error_cause(const leat_error *e, size_t i)
{
	const struct leat__error *h = leat__error_of(e);

	return h && i < h->causes_n ? h->causes[i] : NULL;
}

/* --- a tree of them */

static uint64_t nodes(const leat_error *e)
{
	const struct leat__error *h = leat__error_of(e);

	return h ? h->nodes : 1;
}

void leat__error_walk(struct leat__error_walk *w, const leat_error *top)
{
	*w = (struct leat__error_walk){.top = top, .at = top};
}

/* To the k-th, from 0, of the tree of top, which has more. */
static void walk_to(struct leat__error_walk *w, uint64_t k)
{
	w->at = w->top;
	w->join = NULL;
	while (k) {
		const struct leat__error *h = leat__error_of(w->at);
		size_t i = 0;

		for (k--; k >= nodes(h->causes[i]); i++)
			k -= nodes(h->causes[i]);
		if (h->joins) {
			w->join = h;
			w->index = i;
		}
		w->at = h->causes[i];
	}
}

void leat__error_next(struct leat__error_walk *w)
{
	const struct leat__error *h = leat__error_of(w->at);

	if (++w->count >= nodes(w->top)) {
		w->at = NULL;
	} else if (h && h->causes_n) {
		if (h->joins) {
			w->join = h;
			w->index = 0;
		}
		w->at = h->causes[0];
	} else if (w->join && w->index + 1 < w->join->causes_n) {
		w->at = w->join->causes[++w->index];
	} else {
		walk_to(w, w->count);
	}
}

bool leat_error_is(const leat_error *e, const leat_error *target)
{
	struct leat__error_walk w;

	if (!e || !target)
		return e == target;
	for (leat__error_walk(&w, e); w.at; leat__error_next(&w))
		if (w.at == target)
			return true;
	return false;
}

const leat_error *leat_error_as(const leat_error *e, const leat_error_type *type)
{
	struct leat__error_walk w;

	if (!e || !type)
		return NULL;
	for (leat__error_walk(&w, e); w.at; leat__error_next(&w))
		if (w.at->leat__type == type)
			return w.at;
	return NULL;
}

const char *leat_error_get(const leat_error *e, const char *key)
{
	struct leat__error_walk w;
	const char *k, *value;

	if (!e)
		return NULL;
	for (leat__error_walk(&w, e); w.at; leat__error_next(&w))
		for (size_t i = 0; leat_error_extra(w.at, i, &k, &value); i++)
			if (strcmp(k, key) == 0)
				return value;
	return NULL;
}

const char *leat_error_help(const leat_error *e)
{
	struct leat__error_walk w;

	if (!e)
		return NULL;
	for (leat__error_walk(&w, e); w.at; leat__error_next(&w)) {
		const struct leat__error *h = leat__error_of(w.at);

		if (h && h->help)
			return h->help;
	}
	return NULL;
}

uint64_t leat_error_log_id(const leat_error *e)
{
	struct leat__error_walk w;

	if (!e)
		return 0;
	for (leat__error_walk(&w, e); w.at; leat__error_next(&w)) {
		const struct leat__error *h = leat__error_of(w.at);

		if (h && h->log_id)
			return h->log_id;
	}
	return 0;
}
