/* SPDX-License-Identifier: MIT */
/*
 * How errors on the heap are made, held and freed.
 *
 * Invariants
 *  - An error that another one has as a cause, or that was retained, is shared, and told nothing more.  An error
 *    that could not be wrapped for want of memory is, too: whoever means to tell the wrapper more does no harm.
 *  - What is below an error does not change, so what a walk or a question needs is computed when it is made: how
 *    many there are, and the first code.  But a joined error that only its maker knows may be joined by more, which
 *    changes it; then its causes and its message are blocks of their own, which grow.
 *
 * Ordering.  Who lets go releases, who frees acquires: all that was done with an error precedes its end.  To hold
 * it once more orders nothing: who does that holds it already.
 *
 * The trace is taken here and its addresses are kept; their names are looked up when somebody reads the log.  It is
 * unwound into the caller's stack, 600 bytes, and the message is formatted there if it is short, so that there is one
 * allocation of the right size.  printf and the unwinder take more than a small goroutine has: such a one borrows a
 * stack from the system (and not the scheduler's, see sched/dump.c).
 */
#include "value/error.h"

#include "arch/sanitizer.h"
#include "os/unwind.h"
#include "sched/scheduler.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_MAX 64
#define OWN_MAX   8 /* frames of this file, at the top */
#define SHORT     256
#define ROOM      ((size_t)256 << 10)

bool leat__error_with_room(void (*fn)(void *), void *arg)
{
	char *room;

	if (likely(!leat__cramped(leat__self()))) {
		fn(arg);
		return true;
	}
	room = leat__os_map(ROOM);
	if (!room)
		return false;
	leat__call_on(room + ROOM, fn, arg);
	leat__os_unmap(room, ROOM);
	return true;
}

/* --- made */

/* What an error is made of. */
struct order {
	const char *file, *function;
	int line;
	const leat_error_type *type;
	const leat_error *cause; /* or NULL */
	void *from;      /* where the trace begins, a return address; NULL: no trace and no time */
	bool with_cause; /* the message goes on with the cause's */
	const char *fmt;
	va_list args;
	leat_error *made; /* NULL: no memory */
};

static void become_shared(const leat_error *e)
{
	struct leat__error *h = leat__error_of(e);

	if (h && !load_relaxed(&h->shared))
		store_relaxed(&h->shared, true);
}

/* A block with room for so much behind it.  *message: where that begins. */
static struct leat__error *allocate(size_t causes, size_t frames, size_t message_bytes,
                                    char **message)
{
	size_t bytes = sizeof(struct leat__error) + (causes + frames) * sizeof(void *) + message_bytes;
	struct leat__error *h = malloc(bytes);

	if (!h)
		return NULL;
	*h = (struct leat__error){.e = {.leat__heap = 1}, .holders = 1, .nodes = 1};
	h->last_extra = &h->extras;
	h->causes = (const leat_error **)(h + 1);
	h->trace = (void **)(h->causes + causes);
	*message = (char *)(h->trace + frames);
	h->e.leat__message = *message;
	leat__hb_renew(&h->holders);
	return h;
}

/* The caller's hold on cause goes over. */
static void add_cause(struct leat__error *h, const leat_error *cause)
{
	const struct leat__error *c = leat__error_of(cause);

	become_shared(cause);
	h->causes[h->causes_n++] = cause;
	if (__builtin_add_overflow(h->nodes, c ? c->nodes : 1, &h->nodes))
		h->nodes = UINT64_MAX;
	if (!h->e.leat__code)
		h->e.leat__code = leat_error_code(cause);
}

/* The frames from `from` on, of which there are *n. */
static void **trace_from(void *from, void **pcs, size_t *n)
{
	size_t first = 0;

	*n = leat__unwind_often(pcs, TRACE_MAX + OWN_MAX);
	while (first < *n && first < OWN_MAX && pcs[first] != from)
		first++;
	if (first < *n && pcs[first] == from) {
		pcs += first;
		*n -= first;
	}
	if (*n > TRACE_MAX)
		*n = TRACE_MAX;
	return pcs;
}

static void leat__error_make(void *arg)
{
	struct order *o = arg;
	void *pcs[TRACE_MAX + OWN_MAX], **trace = pcs;
	const char *tail = o->with_cause && o->cause ? leat_error_message(o->cause) : NULL;
	size_t frames = 0, own, tail_length = tail ? strlen(tail) : 0;
	char text[SHORT], *message;
	struct leat__error *h;
	int length, error = errno;
	va_list again;

	/* The first trace of all loads a library; the message may be of errno. */
	if (o->from)
		trace = trace_from(o->from, pcs, &frames);
	errno = error;
	va_copy(again, o->args);
	length = vsnprintf(text, sizeof text, o->fmt, o->args);
	own = length > 0 ? (size_t)length : 0;
	h = allocate(o->cause ? 1 : 0, frames, own + (tail ? 2 : 0) + tail_length + 1, &message);
	if (h) {
		if (own < sizeof text)
			memcpy(message, text, own);
		else
			vsnprintf(message, own + 1, o->fmt, again);
		if (tail) {
			memcpy(message + own, ": ", 2);
			memcpy(message + own + 2, tail, tail_length);
			own += 2 + tail_length;
		}
		message[own] = '\0';
		memcpy(h->trace, trace, frames * sizeof *trace);
		h->trace_n = frames;
		h->e.leat__type = o->type;
		h->file = o->file;
		h->function = o->function;
		h->line = o->line;
		if (o->from)
			h->time_ns = leat__os_wall();
		if (o->cause)
			add_cause(h, o->cause);
		o->made = &h->e;
	}
	va_end(again);
	errno = error;
}

/* What was ordered, or what there is instead. */
static leat_error *made(struct order *o)
{
	if (leat__error_with_room(leat__error_make, o) && o->made)
		return o->made;
	become_shared(o->cause);
	return (leat_error *)(uintptr_t)(o->cause ? o->cause : &leat_out_of_memory);
}

NOINLINE leat_error *leat_error_new_at(const char *file, int line, const char *function,
                                       const leat_error_type *type, const char *fmt, ...)
{
	struct order o = {.file = file, .function = function, .line = line, .type = type, .fmt = fmt};
	leat_error *e;

	o.from = __builtin_return_address(0);
	va_start(o.args, fmt);
	e = made(&o);
	va_end(o.args);
	return e;
}

NOINLINE leat_error *leat_error_wrap_at(const char *file, int line, const char *function,
                                        const leat_error *cause, const leat_error_type *type,
                                        const char *fmt, ...)
{
	struct order o = {.file = file, .function = function, .line = line, .type = type, .fmt = fmt};
	leat_error *e;

	o.cause = cause;
	o.from = __builtin_return_address(0);
	va_start(o.args, fmt);
	e = made(&o);
	va_end(o.args);
	return e;
}

leat_error *leat_errorf(const leat_error *cause, const char *fmt, ...)
{
	struct order o = {.cause = cause, .with_cause = true, .fmt = fmt};
	leat_error *e;

	va_start(o.args, fmt);
	e = made(&o);
	va_end(o.args);
	return e;
}

/* --- joined */

/* There is no memory for more than the first of the errors, which is what there is instead. */
static leat_error *only_first(const leat_error *first, const leat_error *const *errors, size_t n)
{
	bool kept = false;

	for (size_t i = 0; i < n; i++) {
		if (kept || errors[i] != first)
			leat_error_free(errors[i]);
		kept |= errors[i] == first;
	}
	become_shared(first);
	return (leat_error *)(uintptr_t)first;
}

/* Those of the errors that are not NULL become causes of h, which has room for them, and lines of its message. */
static void append(struct leat__error *h, const leat_error *const *errors, size_t n)
{
	char *message = (char *)(uintptr_t)h->e.leat__message;

	for (size_t i = 0; i < n; i++) {
		const char *line = leat_error_message(errors[i]);
		size_t length = strlen(line);

		if (!errors[i])
			continue;
		if (h->causes_n)
			message[h->text_length++] = '\n';
		memcpy(message + h->text_length, line, length);
		h->text_length += length;
		add_cause(h, errors[i]);
	}
	message[h->text_length] = '\0';
}

/* The room of so much, of which used is in use, is to be for so much more: as much, or twice what there is.  own:
   a block of its own, which grows; else it is part of another, and moves. */
static void *more_room(void *at, bool own, size_t used, size_t more, size_t *room)
{
	size_t wanted = used + more > 2 * used ? used + more : 2 * used;
	void *larger;

	if (own && used + more <= *room)
		return at;
	larger = realloc(own ? at : NULL, wanted);
	if (!larger)
		return NULL;
	if (!own)
		memcpy(larger, at, used);
	*room = wanted;
	return larger;
}

/* So many more causes and bytes of message have room in h; false: no memory. */
static bool grow(struct leat__error *h, size_t count, size_t bytes)
{
	char *message = (char *)(uintptr_t)h->e.leat__message;
	const leat_error **causes;

	message = more_room(message, h->text_room, h->text_length + 1, bytes, &h->text_room);
	if (!message)
		return false;
	h->e.leat__message = message;
	causes = more_room(h->causes, h->causes_room, h->causes_n * sizeof *causes,
	                   count * sizeof *causes, &h->causes_room);
	if (!causes)
		return false;
	h->causes = causes;
	return true;
}

/*
 * Who joins one error after the other to those before takes each time what it was the last time, of which nobody else
 * knows: that grows, since to copy all causes and lines each time, or to look through so many levels, would take
 * quadratic time.
 */
static struct leat__error *may_grow(const leat_error *e)
{
	struct leat__error *h = leat__error_of(e);

	return h && h->joins && !load_relaxed(&h->shared) && !h->extras && !h->help && !h->log_id
	           ? h
	           : NULL;
}

leat_error *leat_error_join(const leat_error *const *errors, size_t n)
{
	const leat_error *first = NULL;
	size_t count = 0, bytes = 0, at = 0;
	struct leat__error *h;
	char *message;

	for (size_t i = 0; i < n; i++) {
		if (!errors[i])
			continue;
		if (!first) {
			first = errors[i];
			at = i;
			continue;
		}
		count++;
		bytes += strlen(leat_error_message(errors[i])) + 1; /* the end of the line before */
	}
	if (!first)
		return NULL;
	h = count ? may_grow(first) : NULL;
	if (h) {
		if (!grow(h, count, bytes))
			return only_first(first, errors, n);
		append(h, errors + at + 1, n - at - 1);
		return &h->e;
	}
	h = allocate(count + 1, 0, strlen(leat_error_message(first)) + 1 + bytes, &message);
	if (!h)
		return only_first(first, errors, n);
	h->joins = true;
	append(h, errors, n);
	return &h->e;
}

/* --- told more */

/* The error, if it may be told more. */
static struct leat__error *open_one(leat_error *e)
{
	struct leat__error *h = leat__error_of(e);

	return h && !load_relaxed(&h->shared) ? h : NULL;
}

struct entry {
	const char *key, *fmt;
	va_list args;
	struct leat__extra *made;
};

static void leat__error_format_entry(void *arg)
{
	struct entry *x = arg;
	size_t key_bytes = strlen(x->key) + 1;
	char text[SHORT];
	va_list again;
	int length;
	size_t own;

	va_copy(again, x->args);
	length = vsnprintf(text, sizeof text, x->fmt, x->args);
	own = length > 0 ? (size_t)length : 0;
	x->made = malloc(sizeof *x->made + key_bytes + own + 1);
	if (x->made) {
		char *value = x->made->text + key_bytes;

		memcpy(x->made->text, x->key, key_bytes);
		if (own < sizeof text)
			memcpy(value, text, own);
		else
			vsnprintf(value, own + 1, x->fmt, again);
		value[own] = '\0';
		x->made->value = value;
		x->made->next = NULL;
	}
	va_end(again);
}

bool leat_error_put(leat_error *e, const char *key, const char *fmt, ...)
{
	struct entry x = {.key = key, .fmt = fmt};
	struct leat__error *h = open_one(e);

	if (!h)
		return false;
	va_start(x.args, fmt);
	leat__error_with_room(leat__error_format_entry, &x);
	va_end(x.args);
	if (!x.made)
		return false;
	*h->last_extra = x.made;
	h->last_extra = &x.made->next;
	return true;
}

bool leat_error_set_help(leat_error *e, const char *link)
{
	struct leat__error *h = open_one(e);
	size_t bytes = strlen(link) + 1;
	char *copy = h ? malloc(bytes) : NULL;

	if (!copy)
		return false;
	memcpy(copy, link, bytes);
	free(h->help);
	h->help = copy;
	return true;
}

uint64_t leat_error_new_log_id(void)
{
	static _Atomic uint64_t last;

	return fetch_add_relaxed(&last, 1) + 1;
}

bool leat_error_set_log_id(leat_error *e, uint64_t id)
{
	struct leat__error *h = open_one(e);

	if (!h)
		return false;
	h->log_id = id ? id : leat_error_new_log_id();
	return true;
}

bool leat_error_set_code(leat_error *e, int code)
{
	struct leat__error *h = open_one(e);

	if (!h || code >= 0)
		return false;
	h->e.leat__code = code;
	return true;
}

/* --- held */

const leat_error *leat_error_retain(const leat_error *e)
{
	struct leat__error *h = leat__error_of(e);

	if (h) {
		become_shared(e);
		fetch_add_relaxed(&h->holders, 1);
	}
	return e;
}

/* Let go of e; if that was the last hold, put it before *dead. */
static void let_go(const leat_error *e, struct leat__error **dead)
{
	struct leat__error *h = leat__error_of(e);

	if (!h)
		return;
	leat__hb_release(&h->holders);
	if (load_acquire(&h->holders) != 1 && fetch_add_acq_rel(&h->holders, (uint32_t)-1) != 1)
		return;
	leat__hb_acquire(&h->holders);
	h->dead = *dead;
	*dead = h;
}

void leat_error_free(const leat_error *e)
{
	struct leat__error *dead = NULL, *h;

	for (let_go(e, &dead); (h = dead);) {
		struct leat__extra *x, *next;

		dead = h->dead;
		for (size_t i = 0; i < h->causes_n; i++)
			let_go(h->causes[i], &dead);
		for (x = h->extras; x; x = next) {
			next = x->next;
			free(x);
		}
		if (h->causes_room)
			free(h->causes);
		if (h->text_room)
			free((void *)(uintptr_t)h->e.leat__message);
		free(h->help);
		free(h);
	}
}
