/* SPDX-License-Identifier: MIT */
/*
 * Signals that the program wants to be told of: what the process does about them, and does again afterwards.
 *
 * What was there before the first of these calls is remembered, and comes back with leat__os_signal_release, unless
 * somebody has put something else in its place meanwhile: that stays.  Callers take turns (a lock of theirs).
 */
#ifndef LEAT_OS_CAUGHT_H
#define LEAT_OS_CAUGHT_H

#include "base/atomic.h"
#include "base/compiler.h"

#define LEAT__SIGNALS_END 65 /* above the last number */

/*
 * What a caught signal calls, in a signal handler on whatever thread the kernel chose, all other signals but faults
 * being blocked: it may do what signal-safety(7) allows.  False: it is nobody's any more, and has the effect that it
 * would have had without leat.  Set before the first is caught.
 */
extern bool (*leat__os_on_caught)(int sig);

/* Have sig caught; system calls that can be restarted are.  0; -EINVAL: it cannot be. */
int leat__os_signal_catch(int sig);

/* Have sig ignored.  Likewise. */
int leat__os_signal_ignore(int sig);

/* As it was before; nothing, where neither was called. */
void leat__os_signal_release(int sig);

/* Whether it is ignored now, by whoever. */
bool leat__os_signal_ignored(int sig);

/* A child process is to have its default: all but those that are ignored without leat_signal_ignore; SIGPIPE, which programs
   ignore for themselves, in any case. */
bool leat__os_signal_is_usual_there(int sig);

/* Wait until no leat__os_on_caught runs that has begun before. */
void leat__os_signals_await(void);

/* In the child of a fork, at once: release all.  No other thread is there, nor any handler at work. */
void leat__os_signals_forget(void);

/* Around a fork: the calling thread gets no signals but those of faults; and again what hold says that it got. */
uint64_t leat__os_signals_hold(void);
void leat__os_signals_let(uint64_t which);

/* Why the program may not have sig: "SIGKILL cannot be caught"; NULL: it may. */
const char *leat__os_signal_refused(int sig);

#endif
