/* SPDX-License-Identifier: MIT */
/*
 * Panics, fatal errors and their reports, for the rest of the library.
 *
 * Raise them outside the runtime, with no lock held: what the goroutine deferred runs, and may call
 * leat.  Fatal errors may be raised anywhere.
 */
#ifndef LEAT_SCHED_PANIC_H
#define LEAT_SCHED_PANIC_H

#include "sched/goroutine.h"
#include "sched/report.h"

#include <leat/panic.h>

#include <setjmp.h>

/* A panic under way, on the stack of who raised it. */
struct leat__panic {
	struct leat__panic *outer; /* the one whose deferred function raised this one */
	bool catchable;            /* there was a catch when it was raised */
	leat_panic_info info;
};

/* A leat_catch under way. */
struct leat__catch {
	struct leat__catch *outer;
	leat__record *records;      /* what was deferred before it: not this catch's to run */
	struct leat__panic *panics; /* likewise for panics */
	leat_panic_info info;       /* filled in when it catches */
	bool abandoned;             /* a goexit passed: what it catches only lets that continue */
	jmp_buf env;
};

/* Panic for a misuse of leat. */
LEAT__NORETURN void leat__panic_runtime(const char *message);

/* By what a panic runs: report it now, as if nothing caught it, and exit 2; nothing more that was deferred
   runs. */
LEAT__NORETURN void leat__panic_now(void);

/* Report "fatal error: ..." with the caller's trace and exit 2; nothing deferred runs. */
LEAT__NORETURN void leat__fatal(const char *message);

/* The stack of g, which runs or just ran here, is exhausted; regs as the fault left them or NULL. */
LEAT__NORETURN void leat__stack_exceeded(struct leat__g *g, const struct leat__regs *regs);

/* The process is about to end: give panics that are under way the time to be reported. */
void leat__panic_wait(void);

/* In the child of a fork: those of other threads are not under way here. */
void leat__panic_forget(void);

#endif
