/* SPDX-License-Identifier: MIT */
/*
 * The signals that leat uses: one to look at a running thread or to stop it, SIGQUIT to be told to report, SIGALRM
 * when a report does not come.
 *
 * Handlers given here run in a signal handler, on whatever thread the kernel chose, in the middle of
 * anything: they may do what signal-safety(7) allows, and no more.  errno is kept for them.
 *
 * The signal for looking at threads is SIGURG, which Go uses for the same reason: nobody's default
 * action for it does anything, so one that comes late does no harm; debuggers pass it on silently; the C
 * library has no use for it; and programs that have one expect it to come without a reason.
 */
#ifndef LEAT_OS_SIGNAL_H
#define LEAT_OS_SIGNAL_H

#include "arch/arch.h"

struct sigaction;

/* sigaction(2) itself, whatever a sanitizer has put in its place. */
int leat__os_sigaction(int sig, const struct sigaction *act, struct sigaction *old);

/*
 * Make fn what interrupted threads run, with the registers of what they did.  System calls that can be
 * restarted are.  Call it before each use: a handler that the program has installed since is kept,
 * and gets every SIGURG that is not for leat.  False where that cannot be had.
 */
bool leat__os_on_interrupt(void (*fn)(const struct leat__regs *regs));

/* Interrupt a thread of this process: 0, or -errno when there is none.  It may block the signal, and
   then runs the handler when it no longer does. */
int leat__os_interrupt(int tid);

/*
 * Make fn what threads run that leat__os_stop was called for: with what was interrupted, for
 * leat__signal_regs, and with all signals blocked but those of faults.  It may wait, and let itself be
 * interrupted for a look meanwhile.  False from fn: the signal was not meant for that thread any more.
 */
bool leat__os_on_stop(bool (*fn)(const void *context));
void leat__os_stop(int tid);
void leat__os_let_interrupt(bool yes);

/* Have SIGQUIT call fn unless the program has a handler for it already, or ignores it.  One that it
   installs later takes the place of this. */
void leat__os_on_quit(void (*fn)(void));

/* Have SIGINT, SIGTERM and SIGHUP call fn before they end the process, those of them that would do so by default;
   NULL: no more. */
void leat__os_on_end(void (*fn)(void));

/* Call fn in a signal handler after so many seconds, of the calling thread or another; also while
   another such fn is under way.  SIGALRM and its clock are the caller's from then on, so the process
   must be about to end. */
void leat__os_later(unsigned seconds, void (*fn)(void));

/* End the process with SIGABRT, whatever the program does about that: for a core file. */
LEAT__NORETURN void leat__os_abort(void);

#endif
