/* SPDX-License-Identifier: MIT */
/*
 * Panics: how leat, and a program, says that it has been used wrongly.
 *
 * A panic runs what the goroutine deferred, innermost first (leaving scopes and unlocking on the way),
 * up to the nearest leat_catch, which returns.  Without one the process prints Go's report on stderr,
 *
 *	panic: send on closed channel
 *
 *	goroutine 7 [running]:
 *	producer(...)
 *		/home/u/p.c:12 +0x2d
 *	created by main in goroutine 1
 *		/home/u/p.c:30 +0x55
 *
 * and exits with status 2.  What is fatal (deadlock, unlock of an unlocked mutex, go of NULL) prints
 * "fatal error: ..." instead and cannot be caught.
 */
#ifndef LEAT_PANIC_H
#define LEAT_PANIC_H

#include <leat/base.h>

LEAT__BEGIN

/* What leat_catch caught. */
typedef struct leat_panic_info {
	char message[240]; /* the panic's text, cut to fit */
	bool runtime;      /* raised by leat for a misuse, not by leat_panic */
	uint64_t goid;     /* the goroutine that panicked, always the one that called leat_catch */
} leat_panic_info;

/*
 * Panic with a message formatted as by printf (cut at 239 bytes).
 *
 * Never returns to its caller.  Any goroutine, any thread.  After Go's panic.
 */
LEAT_API LEAT__NORETURN void leat_panic(const char *format, ...) LEAT__PRINTF(1, 2);

/*
 * Call fn(arg); true when it panicked, with *info (NULL: not wanted) filled in, false when it
 * returned.  info is untouched when there was no panic.
 *
 * The frames between the panic and this call are abandoned: what they deferred has run, what they
 * only held in variables is lost.  Locals of the caller need no volatile.
 * leat_goexit passes through.  Any goroutine, any thread.  After Go's recover, at a call boundary.
 */
LEAT_API bool leat_catch(void (*fn)(void *), void *arg, leat_panic_info *info);

LEAT__END

#endif
