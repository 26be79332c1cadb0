/* SPDX-License-Identifier: MIT */
/*
 * Signals: as values in a channel, and as the end of a scope.
 *
 *	chan(int) hangups = chan_make(int, 1);
 *	signal_notify(hangups, SIGHUP);
 *	chan_range(sig, hangups)
 *		read_configuration();
 *
 *	{
 *		scope(s, NULL);
 *		scope_on_signal(s, SIGINT, SIGTERM);
 *		serve(s);                       until Ctrl-C, or kill
 *	}
 *
 * Numbers are those of <signal.h>.  An empty list of signals (0 of them) means all that a program may have.
 *
 * A signal that is notified has no other effect: what the process did about it before, its default or a handler of the
 * program's, it does again when nobody wants it any more.  System calls that a signal interrupts go on where the system can
 * restart them (SA_RESTART).  Signals are taken on any thread, and also where the program blocks them in all of its own.
 * If the program installs a handler of its own afterwards, that counts, and stays.
 *
 * These are refused, with a panic: SIGKILL and SIGSTOP, which nobody can have; SIGURG, by which leat stops goroutines;
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGSYS, which are faults (leat_fault_panics makes panics of them).  "signal:
 * SIGKILL cannot be caught", and so on; "signal: 99: there is no such signal".  Who is notified of SIGQUIT gets no dump
 * (leat/dump.h) for it.
 *
 * SIGPIPE: leat's own writes never raise it.  printf or write to a pipe that nobody reads do, and end the process, as
 * in any C program, unless it is ignored or notified.  Go does that for standard output and standard error alone.
 *
 * While somebody is to be notified the program is not deadlocked, though all goroutines wait.
 *
 * In the child of a fork all signals are as they were before leat was asked, from the beginning on: nothing is notified there
 * that was not asked for there.
 *
 * Any goroutine, any thread, all of it, but no signal handler.  After Go's os/signal.
 */
#ifndef LEAT_SIGNAL_H
#define LEAT_SIGNAL_H

#include <leat/chan.h>
#include <leat/ctx.h>
#include <leat/scope.h>

#include <signal.h>

LEAT__BEGIN

/*
 * Send the numbers of these signals to c, a channel of int, as they come; those of earlier calls too.
 *
 * Nobody waits for the receiver: what finds c full (or closed) is dropped, for this channel.  So give it room: 1 is enough
 * where it does not matter how often a signal came.  Of a signal that comes again before the first is taken by the process
 * the system keeps one; what the process takes is sent as often as it comes.  Of different ones that come at once the lowest
 * number is first.  Each channel gets a copy.
 *
 * c must live until leat_signal_stop.  Panics "signal.Notify using nil channel", "signal: not a channel of int", "out of
 * memory", and as above.  Costs a system call per signal, and each signal the wake-up of a thread (50 us).
 * After signal.Notify.
 */
LEAT_API void leat_signal_notify(leat_chan *c, const int *signals, size_t n);

/*
 * Send no more to c: on return all that came before is there, and nothing will follow.  A no-op where nothing was
 * asked for.  May wait for a thread of leat's, some 100 us.  Panics on a nil channel as notify.  After signal.Stop.
 */
LEAT_API void leat_signal_stop(leat_chan *c);

/* Ignore these signals; nobody is notified of them any more.  The system then reaps children by itself for SIGCHLD: their
   status is lost (leat/process.h).  After signal.Ignore. */
LEAT_API void leat_signal_ignore(const int *signals, size_t n);

/* Undo what notify, ignore, ctx and scopes have asked for these: they have the effect that they had before.
   After signal.Reset. */
LEAT_API void leat_signal_reset(const int *signals, size_t n);

/* Whether the process ignores it, by whatever means: as a job in the background was started, for instance.
   After signal.Ignored. */
LEAT_API bool leat_signal_ignored(int signal);

/*
 * A context that the first of these signals ends, with the cause "signal: interrupt" and the like.  For none of them (0):
 * SIGINT and SIGTERM, those of the two that are not ignored now.
 *
 * From then on, and also before leat_ctx_free, the signals are again as they were: a second Ctrl-C ends a process that does
 * not come to its end.  (Go's keep being caught until stop is called.)  Else as leat_ctx_with_cancel.
 * After signal.NotifyContext.
 */
LEAT_API leat_ctx *leat_signal_ctx(leat_any_ctx parent, const int *signals,
                                   size_t n) LEAT__WARN_UNUSED;

/* The same for a scope that there is, until it ends: it is cancelled by the first of these signals.  scope_err is
   -ECANCELED then, and leat_ctx_cause(s) says which it was.  Panics "out of memory". */
LEAT_API void leat_scope_on_signal(leat_scope *s, const int *signals, size_t n);

/* The number of the signal that e, the cause of a context, tells of; 0: of none. */
LEAT_API int leat_signal_of(const leat_error *e);

/* Its name as Go has it: "interrupt", "killed", "user defined signal 1"; "signal 40" where it has none.  Valid for ever. */
LEAT_API const char *leat_signal_string(int signal);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_signal_ctx(...) __extension__ leat_signal_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_SIGNAL_NOTIFY(c, SIGHUP, ...), LEAT_SIGNAL_STOP(c): the same for a chan(int) or a send_chan(int). */
#define LEAT_SIGNAL_NOTIFY(...) LEAT__SIGNAL_NOTIFY(__VA_ARGS__, 0)
#define LEAT__SIGNAL_NOTIFY(c, ...)                                                                \
	leat_signal_notify(LEAT__SIGNALS_TO(c), LEAT__SIGNALS(__VA_ARGS__))
#define LEAT_SIGNAL_STOP(c) leat_signal_stop(LEAT__SIGNALS_TO(c))
#define LEAT__SIGNALS_TO(c)                                                                        \
	__extension__({                                                                                \
		LEAT_SEND_CHAN(int) leat__signals = LEAT_CHAN_SENDER(c);                                   \
		LEAT__RAW(leat__signals);                                                                  \
	})

/* A list with a 0 behind it, and how many there are before that. */
#define LEAT__SIGNALS(...)                                                                         \
	(const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int) - 1

/* LEAT_SIGNAL_IGNORE(SIGPIPE, ...), LEAT_SIGNAL_RESET(SIGPIPE, ...): of one signal or more. */
#define LEAT_SIGNAL_IGNORE(...) leat_signal_ignore(LEAT__SIGNALS(__VA_ARGS__, 0))
#define LEAT_SIGNAL_RESET(...)  leat_signal_reset(LEAT__SIGNALS(__VA_ARGS__, 0))

/* LEAT_SIGNAL_CTX(parent, SIGINT, ...), LEAT_SCOPE_ON_SIGNAL(s, SIGINT, ...) */
#define LEAT_SIGNAL_CTX(...)          LEAT__SIGNAL_CTX(__VA_ARGS__, 0)
#define LEAT__SIGNAL_CTX(parent, ...) leat_signal_ctx((parent), LEAT__SIGNALS(__VA_ARGS__))
#define LEAT_SCOPE_ON_SIGNAL(...)     LEAT__SCOPE_ON_SIGNAL(__VA_ARGS__, 0)
#define LEAT__SCOPE_ON_SIGNAL(s, ...) leat_scope_on_signal((s), LEAT__SIGNALS(__VA_ARGS__))

#ifndef LEAT_NO_SHORT_NAMES
#define signal_notify(...)   LEAT_SIGNAL_NOTIFY(__VA_ARGS__)
#define signal_stop(c)       LEAT_SIGNAL_STOP(c)
#define signal_ignore(...)   LEAT_SIGNAL_IGNORE(__VA_ARGS__)
#define signal_reset(...)    LEAT_SIGNAL_RESET(__VA_ARGS__)
#define signal_ignored(sig)  leat_signal_ignored(sig)
#define signal_ctx(...)      LEAT_SIGNAL_CTX(__VA_ARGS__)
#define scope_on_signal(...) LEAT_SCOPE_ON_SIGNAL(__VA_ARGS__)
#endif

#endif /* !__cplusplus */

#endif
