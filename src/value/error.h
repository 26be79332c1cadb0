/* SPDX-License-Identifier: MIT */
/* Errors on the heap. */
#ifndef LEAT_VALUE_ERROR_H
#define LEAT_VALUE_ERROR_H

#include "base/atomic.h"
#include "base/compiler.h"

#include <leat/error.h>

/* An entry of an error; text is the key, a NUL, and the value. */
struct leat__extra {
	struct leat__extra *next;
	const char *value;
	char text[];
};

/*
 * One block of malloc's: this, the causes, the trace, the message; unless those have room of their own.  Only who makes it writes, until `shared`; then
 * nobody but those who count.
 */
struct leat__error {
	leat_error e; /* first */
	_Atomic uint32_t holders;
	_Atomic bool shared; /* relaxed: who put more into it has it for himself */
	bool joins;
	int line;
	const char *file, *function; /* NULL: unknown */
	int64_t time_ns;             /* since 1970; 0: unknown */
	uint64_t log_id;
	char *help;
	struct leat__extra *extras, **last_extra;
	struct leat__error *dead; /* the next of those that are being freed */
	uint64_t nodes;           /* it and all below it, each as often as a walk comes to it */
	const leat_error **causes;
	size_t causes_n, causes_room;  /* room in bytes, of a block of its own; 0: there is none */
	size_t text_length, text_room; /* of the message of a joined one; likewise */
	void **trace;
	size_t trace_n;
};

/* NULL for those that there are always. */
static inline struct leat__error *leat__error_of(const leat_error *e)
{
	return e && e->leat__heap ? (struct leat__error *)(uintptr_t)e : NULL;
}

/*
 * A walk over an error and all below it, an error before its causes, without a stack: trees may be deep.
 * Where a joined error ends within another one the way is looked up from the top, by counting.
 */
struct leat__error_walk {
	const leat_error *top, *at; /* at: NULL after the last */
	uint64_t count;             /* how many came before */
	const struct leat__error *join;
	size_t
	    index; /* at is in this one of the causes of join, the innermost joined error above it, or NULL */
};

void leat__error_walk(struct leat__error_walk *w, const leat_error *top);
void leat__error_next(struct leat__error_walk *w);

/* What e and all below it say, for who mends the program: "message: cause's message: ...", those of joined ones in
   lines; what a message says already is not said again.  Cut to room bytes, which include the NUL and are not 0; how
   long it is. */
size_t leat__error_chain(const leat_error *e, char *text, size_t room);

/* Call fn on as much stack as printf, the unwinder and what looks up names take, which is more than a small goroutine
   has; false when there is none. */
bool leat__error_with_room(void (*fn)(void *), void *arg);

#endif
