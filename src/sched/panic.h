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
#include "sched/settings.h"

#include <leat/panic.h>

#include <setjmp.h>

struct leat__fault;

/* Go's words. */
#define LEAT__NIL_DEREFERENCE "runtime error: invalid memory address or nil pointer dereference"
#define LEAT__NIL_PANIC       "panic called with nil argument (use GODEBUG=panicnil=1 to disable)"

/* What the report of a panic says beyond its info: from malloc. */
struct leat__panic_more {
	void *trace[64]; /* of where the error was made that it is about */
	size_t frames;
	char text[]; /* in place of the info's message */
};

/* More about that value, or NULL; set by what is above. */
extern struct leat__panic_more *(*leat__more_about)(const leat_any *value);

/* A panic under way, on the stack of who raised it. */
struct leat__panic {
	struct leat__panic *outer; /* the one whose deferred function, or handler, raised this one */
	const struct leat__fault *fault; /* what it is for, or NULL */
	bool catchable;                  /* there was a catch when it was raised */
	bool recovered;                  /* the handler of its catch is running */
	bool repanicked;                 /* and has raised it again */
	bool hooked;                     /* the hook has been called for it */
	bool unprintable;                /* its value's printer panicked; the message says so */
	struct leat__panic_more *more;   /* or NULL: what is catchable, mostly, has none */
	leat_panic_info info;
};

/* A leat_catch under way. */
struct leat__catch {
	struct leat__catch *outer;
	leat__record *records;      /* what was deferred before it: not this catch's to run */
	struct leat__panic *panics; /* likewise for panics */
	leat_panic_info *info;      /* to be filled in when it catches, or NULL */
	void (*handler)(const leat_panic_info *info, void *arg); /* NULL: none */
	void *handler_arg;
	bool abandoned; /* a goexit passed: what it catches only lets that continue */
	bool printing;  /* it is for the printer of a panic's value */
	jmp_buf env;
};

/* If nothing will catch p, which is about to be raised with a value that is there as yet, add more about it. */
void leat__panic_add_more(struct leat__panic *p);

/* Panic with p, in which info, fault and more are set, and all else is 0. */
LEAT__NORETURN void leat__raise(struct leat__panic *p);

/* Panic for a misuse of leat. */
LEAT__NORETURN void leat__panic_runtime(const char *message);

/* The same for a fault of the caller's, which lies on its stack. */
LEAT__NORETURN void leat__panic_fault(const struct leat__fault *fault, const char *message);

/* leat_catch around a printer, and whether the caller is in one: such is not called inside itself. */
bool leat__catch_printing(void (*fn)(void *), void *arg, leat_panic_info *info);
bool leat__is_printing(void);

/* In a report: the caller's goroutine, from where it faulted if it did, and from this level on all others too. */
void leat__report_stacks(enum leat__traceback level, const struct leat__fault *fault);

/* Report arg, a struct leat__panic, and those before it, with the caller's trace, and exit 2; on a context with
   room for that. */
void leat__report_panic(void *arg);

/* The same for a fault that no nil pointer explains. */
LEAT__NORETURN void leat__report_wild_fault(const struct leat__fault *fault);
/* Panic with what a coroutine of the caller's did not catch. */
LEAT__NORETURN void leat__panic_again(const leat_panic_info *info);

/* A goexit passes g's catches, which forget what they were in: a panic in what is deferred is caught as it would be
   without it, but then the goexit goes on. */
void leat__goexit_passes(struct leat__g *g);

/* What panics g, in a coroutine that ends, has under way there is raised below, or not at all. */
void leat__panic_drop(struct leat__g *g);

/* By what a panic runs: report it now, as if nothing caught it, and exit 2; nothing more that was deferred
   runs. */
LEAT__NORETURN void leat__panic_now(void);

/* Report "fatal error: ..." with the caller's trace and exit 2; nothing deferred runs. */
LEAT__NORETURN void leat__fatal(const char *message);

/* The process is about to end: give panics that are under way the time to be reported. */
void leat__panic_wait(void);

/* In the child of a fork: those of other threads are not under way here. */
void leat__panic_forget(void);

#endif
