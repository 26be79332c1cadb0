/* SPDX-License-Identifier: MIT */
/*
 * Copying of elements between goroutines.  Inline and never by libc's memcpy: the thread sanitizer
 * intercepts that and would report a copy that leat makes on behalf of a parked goroutine.
 */
#ifndef LEAT_BASE_COPY_H
#define LEAT_BASE_COPY_H

#include "base/compiler.h"

/* Words that may alias anything and need not be aligned. */
typedef uint64_t leat__word __attribute__((may_alias, aligned(1)));
typedef uint32_t leat__half __attribute__((may_alias, aligned(1)));

static inline void leat__copy_long(void *to, const void *from, size_t bytes)
{
	char *d = to;
	const char *s = from;

	/* The compiler is to know nothing of how they change: or each loop becomes a call of memcpy, or one with
	   counters of its own, for which what this is inlined into would save registers. */
	for (; bytes >= 8; bytes -= 8, d += 8, s += 8) {
		*(leat__word *)d = *(const leat__word *)s;
		__asm__ volatile("" : "+r"(d), "+r"(s), "+r"(bytes) : : "memory");
	}
	for (; bytes; bytes--) {
		*d++ = *s++;
		__asm__ volatile("" : "+r"(d), "+r"(s), "+r"(bytes) : : "memory");
	}
}

/* At most 8 bytes, with few registers. */
static inline void leat__copy_few(void *to, const void *from, size_t bytes)
{
	char *d = to;
	const char *s = from;

	if (likely(bytes == 8))
		*(leat__word *)to = *(const leat__word *)from;
	else if (likely(bytes == 4))
		*(leat__half *)to = *(const leat__half *)from;
	else
		for (; bytes; bytes--) {
			*d++ = *s++;
			compiler_barrier();
		}
}

static inline void leat__copy(void *to, const void *from, size_t bytes)
{
	if (likely(bytes == 8))
		*(leat__word *)to = *(const leat__word *)from;
	else if (likely(bytes == 4))
		*(leat__half *)to = *(const leat__half *)from;
	else
		leat__copy_long(to, from, bytes);
}

static inline void leat__copy_word(char *to, const char *from, size_t at)
{
	*(leat__word *)(to + at) = *(const leat__word *)(from + at);
}

/* 8 to 64 bytes, without a loop: words from both ends, which may meet in the middle. */
static inline void leat__copy_short(char *to, const char *from, size_t bytes)
{
	leat__copy_word(to, from, 0);
	if (bytes > 16) {
		leat__copy_word(to, from, 8);
		if (bytes > 32) {
			leat__copy_word(to, from, 16);
			leat__copy_word(to, from, 24);
			leat__copy_word(to, from, bytes - 32);
			leat__copy_word(to, from, bytes - 24);
		}
		leat__copy_word(to, from, bytes - 16);
	}
	leat__copy_word(to, from, bytes - 8);
}

static inline void leat__zero(void *to, size_t bytes)
{
	char *d = to;

	for (; bytes >= 8; bytes -= 8, d += 8) {
		*(leat__word *)d = 0;
		compiler_barrier();
	}
	for (; bytes; bytes--) {
		*d++ = 0;
		compiler_barrier();
	}
}

#endif
