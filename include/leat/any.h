/* SPDX-License-Identifier: MIT */
/*
 * A value with its type: what Go calls any, or interface{}.
 */
#ifndef LEAT_ANY_H
#define LEAT_ANY_H

#include <leat/base.h>

#include <stdio.h>

LEAT__BEGIN

/*
 * What a type is to a leat_any: an object, known by its address.
 */
typedef struct leat_type {
	const char *name;                           /* as panics and prints call it */
	size_t bytes;                               /* at most 16 */
	void (*print)(FILE *to, const void *value); /* NULL: a form as Go's */
	bool (*equal)(const void *a,
	              const void *b); /* NULL: as its C type; structs cannot be compared */
	unsigned char leat__kind;     /* what it is in C */
} leat_type;

/* A value and its type.  All zero is Go's nil.  All fields are private. */
typedef struct leat_any {
	const leat_type *leat__type;
	union {
		unsigned char leat__bytes[16];
		void *leat__pointer;
		long long leat__integer;
		double leat__real;
	} leat__value;
} leat_any;

/* Print v as Go prints the value of a panic. */
LEAT_API void leat_any_print(FILE *to, leat_any v);

/* The same into buf, cut to room - 1 characters and a NUL.  Returns the whole length, as snprintf. */
LEAT_API size_t leat_any_text(leat_any v, char *buf, size_t room);

/* Is v nil: neither a value nor a type? */
LEAT_API bool leat_any_is_nil(leat_any v);

LEAT__END

#endif
