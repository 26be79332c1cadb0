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
 * and exits with status 2.  A panic that was raised while others were under way is reported with these,
 * oldest first:
 *
 *	panic: first [recovered]
 *		panic: second
 *
 * What is fatal (deadlock, unlock of an unlocked mutex, go of NULL) prints "fatal error: ..." instead and
 * cannot be caught.
 *
 * The frames between a panic and its catch are abandoned, as by longjmp: what they deferred has run, no
 * cleanup of C with -fexceptions and no destructor of C++ does.  A C++ exception must not leave a function
 * that leat called.
 */
#ifndef LEAT_PANIC_H
#define LEAT_PANIC_H

#include <leat/any.h>

LEAT__BEGIN

/* What leat_catch caught. */
typedef struct leat_panic_info {
	char message[240]; /* the panic's text, cut to fit */
	bool runtime;      /* raised by leat for a misuse or a fault, not by the program */
	uint64_t goid;     /* the goroutine that panicked, always the one that called leat_catch */
	leat_any value;    /* what leat_panic_any was given; nil of all other panics */
} leat_panic_info;

/*
 * Panic with a message formatted as by printf (cut at 239 bytes).
 *
 * Never returns to its caller.  NULL is a panic of leat's, as leat_panic_any of nil.  Any goroutine, any
 * thread.  After Go's panic.
 */
LEAT_API LEAT__NORETURN void leat_panic(const char *format, ...) LEAT__PRINTF(1, 2);

/*
 * Panic with a value.  Its text is that of leat_any_print, cut at 239 bytes; an error's as by leat_panic_error.
 *
 * The printer of its type, if it has one, runs first of all, on the caller's stack, before what was
 * deferred, which may free what the value leads to.  It may block.  If it panics, the text says so, and
 * uncaught the panic is reported as "fatal error: panic while printing panic value: ...".  On a stack of
 * less than 192 KiB it is not called: the text is the type's name.  Nil panics with the text "panic called
 * with nil argument (use GODEBUG=panicnil=1 to disable)", and runtime set.
 * Never returns.  Any goroutine, any thread.  After Go's panic.
 */
LEAT_API LEAT__NORETURN void leat_panic_any(leat_any value);

/*
 * Call fn(arg); true when it panicked, with *info (NULL: not wanted) filled in, false when it
 * returned.  info is untouched when there was no panic.
 *
 * The frames between the panic and this call are abandoned: what they deferred has run, what they
 * only held in variables is lost.  Locals of the caller need no volatile.
 * leat_goexit passes through.  Any goroutine, any thread.  After Go's recover, at a call boundary.
 */
LEAT_API bool leat_catch(void (*fn)(void *), void *arg, leat_panic_info *info);

/*
 * The same, but when fn panicked, and all that it deferred has run, call handler(info, handler_arg) on top
 * of the frames that panicked, before they are abandoned; true when that has returned.
 *
 * The handler is what in Go a deferred function is that recovers: it is outside this catch, so a panic
 * there goes to the next one out, and a report of it shows the first one too, "[recovered]".  info is
 * valid until the handler returns.
 */
LEAT_API bool leat_catch_with(void (*fn)(void *), void *arg,
                              void (*handler)(const leat_panic_info *info, void *handler_arg),
                              void *handler_arg);

/*
 * Panic with what was caught: the same text, value and kind.
 *
 * By the handler of the panic it is that one going on: a report shows it once, "[recovered, repanicked]".
 * Never returns.  After panic(recover()) in Go.
 */
LEAT_API LEAT__NORETURN void leat_repanic(const leat_panic_info *info);

/*
 * From now on, call hook(info, arg) for each panic that nothing catches, on the goroutine that panics, when
 * all that it deferred has run and before its report.  NULL: no more.
 *
 * The process ends with the report when hook returns, calls leat_goexit, or panics (both panics are
 * reported, hook is not called again); exit and _exit end it with their own status.  hook may block; until
 * it returns others run on, and those who panic meanwhile call it too.  Fatal errors, and faults that are
 * no panics, have no hook.  Any thread, any time; what it did before happens before the call of hook.
 */
LEAT_API void leat_on_panic(void (*hook)(const leat_panic_info *info, void *arg), void *arg);

/*
 * Whether faults of the calling goroutine panic, and can be caught, rather than end the process; what it
 * was before.  At first they do not, also where the goroutine that started it said yes.
 *
 * A fault is reported as Go does it, "panic: runtime error: ..." and "[signal ...]", exit status 2 (a core
 * file where LEAT_TRACEBACK is crash), unless the program has a handler for the signal.  Nothing deferred
 * runs.  Where the goroutine has said yes it is a panic, with runtime set, if
 *  - it was an access to an address below 4096, or a division by zero (which 64-bit Arm does not notice),
 *  - by code that is neither the C library's nor libleat.so's, which may hold a lock (with libleat.a leat's
 *    own code is the program's, and a fault in it may be a panic), and
 *  - the goroutine's stack has a KiB left.
 * What the frames between were doing is left undone: state that they were changing may be torn.
 * In a statically linked program, whose C library cannot be told apart, and on a plain thread there are
 * no such panics.  Go's are always panics; this is its debug.SetPanicOnFault, a goroutine's own, but for
 * other faults.
 */
LEAT_API bool leat_fault_panics(bool yes);

LEAT__END

#endif
