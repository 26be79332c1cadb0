/* SPDX-License-Identifier: MIT */
/*
 * Defer: run a function when the enclosing block is left.
 *
 *	FILE *f = fopen(path, "r");
 *	defer(fclose, f);
 *
 * defer is a declaration.  Its function runs when the block ends, by whichever way: its last
 * statement, break, continue, return, goto, a panic or leat_goexit; the last deferred first.  Both
 * operands are evaluated at the declaration.  This differs from Go, where deferred calls wait for the
 * end of the function; in C the block is the unit that lifetimes have.
 *
 * A return's expression is evaluated before the deferred functions run.  A NULL function panics when it
 * would run.  longjmp out of the block calls nothing, and leaves the record behind; an exception of C++ is
 * no way out unless this file was compiled with -fexceptions.  A push and a call are some 3 ns.
 */
#ifndef LEAT_DEFER_H
#define LEAT_DEFER_H

#include <leat/base.h>

LEAT__BEGIN

/* A record on the goroutine's list of what to run on the way out.  Private. */
typedef struct leat__record {
	struct leat__record *next;
	void (*fn)(void *);
	void *arg;
} leat__record;

/* Put r on top of the caller's list; r stays where it is until leat__record_leave. */
LEAT_API leat__record *leat__record_push(leat__record *r);

/* Take r from the list and run it; does nothing if a panic or goexit already did. */
LEAT_API void leat__record_leave(leat__record *r);

LEAT__END

#ifndef __cplusplus

/*
 * LEAT_DEFER(fn, arg): fn takes one pointer and may return anything.  A call that would not compile
 * as fn(arg) does not compile here.  arg stands outside of the statement expression: a compound literal in it
 * lives as long as the block that defer stands in.
 */
#define LEAT_DEFER(fn, arg) LEAT__DEFER(__COUNTER__, fn, arg)
#define LEAT__DEFER(n, f, a)                                                                       \
	leat__record LEAT__CAT(leat__d, n)                                                             \
	    LEAT__CLEANUP(leat__record_leave) = {NULL, __extension__({                                 \
		                                         (void)sizeof((f)(a), 0);                          \
		                                         (void (*)(void *))(void (*)(void))(f);            \
	                                         }),                                                   \
	                                         (void *)(a)};                                         \
	leat__record *const LEAT__CAT(leat__dp, n) LEAT__UNUSED =                                      \
	    leat__record_push(&LEAT__CAT(leat__d, n))

#ifndef LEAT_NO_SHORT_NAMES
#define defer(fn, arg) LEAT_DEFER(fn, arg)
#endif

#endif /* !__cplusplus */

#endif
