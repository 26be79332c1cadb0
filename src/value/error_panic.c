/* SPDX-License-Identifier: MIT */
/*
 * Panics with an error: what they say.
 *
 * People are shown an error's own message, and the log all there is.  A panic that nothing catches is for who can
 * mend the program, and the root of it is what he must know: so its text is the whole chain, as error.Error is in Go,
 * where a wrapper mostly says what it wraps; and its report shows where the innermost of it was made.
 *
 * What the report needs is taken down when the panic is raised: what is deferred may free the error.
 */
#include "sched/panic.h"
#include "value/error.h"

#include <leat/any.h>

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 10)

/* How much of e's message is its own: not that which leat_errorf has from its cause, of which more may be said. */
static size_t own_length(const leat_error *e, const leat_error *cause)
{
	const char *message = leat_error_message(e), *tail = cause ? leat_error_message(cause) : NULL;
	size_t n = strlen(message), tail_n = tail ? strlen(tail) : 0;

	if (tail && n >= tail_n + 2 && memcmp(message + n - tail_n - 2, ": ", 2) == 0 &&
	    memcmp(message + n - tail_n, tail, tail_n) == 0)
		return n - tail_n - 2;
	return n;
}

/* The length of the text, of which so much as fits was written. */
static size_t put(char *text, size_t room, size_t length, const char *more, size_t n)
{
	if (length < room)
		memcpy(text + length, more, n < room - length ? n : room - length);
	return length + n;
}

size_t leat__error_chain(const leat_error *e, char *text, size_t room)
{
	size_t length = 0;
	struct leat__error_walk w;
	bool below = true; /* what comes next belongs to the one before */

	for (leat__error_walk(&w, e); w.at && length < room; leat__error_next(&w)) {
		const struct leat__error *h = leat__error_of(w.at);
		const leat_error *cause = leat_error_unwrap(w.at);

		if (!below)
			length = put(text, room - 1, length, "\n", 1);
		below = h && h->causes_n;
		if (h && h->joins)
			continue; /* its message is theirs */
		length = put(text, room - 1, length, leat_error_message(w.at), own_length(w.at, cause));
		if (cause)
			length = put(text, room - 1, length, ": ", 2);
	}
	if (length >= room)
		length = room - 1;
	text[length] = '\0';
	return length;
}

/* The trace of the innermost error that has one, of those that the first of each joined ones leads to. */
static void copy_trace(const leat_error *e, struct leat__panic_more *more)
{
	void *const *trace = NULL;
	size_t frames = 0, n;

	for (; e; e = leat_error_cause(e, 0)) {
		void *const *own = leat_error_trace(e, &n);

		if (n) {
			trace = own;
			frames = n;
		}
	}
	n = sizeof more->trace / sizeof *more->trace;
	more->frames = frames < n ? frames : n;
	if (trace)
		memcpy(more->trace, trace, more->frames * sizeof *trace);
}

static struct leat__panic_more *more_about(const leat_any *value)
{
	struct leat__panic_more *more, *cut;
	const leat_error *e;

	if (!leat_any_get(*value, &leat__type_error, &e) || !e)
		return NULL;
	more = malloc(sizeof *more + TEXT_MAX);
	if (!more)
		return NULL;
	copy_trace(e, more);
	cut = realloc(more, sizeof *more + leat__error_chain(e, more->text, TEXT_MAX) + 1);
	return cut ? cut : more;
}

__attribute__((constructor(101))) static void connect(void)
{
	leat__more_about = more_about;
}

void leat_panic_error(const leat_error *e)
{
	leat_panic_any(e ? leat_any_make(&leat__type_error, &e) : (leat_any){0});
}
