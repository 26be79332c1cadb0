/* SPDX-License-Identifier: MIT */
/* What a process that dies of a panic, a fatal error or a fault says, and its end. */
#include "sched/fault.h"
#include "sched/panic.h"
#include "sched/scheduler.h"

#include <string.h>

#define PIECE 500 /* bytes that leat__report takes at a time, and more */

/* Oldest first, each later one indented, as Go prints them.  One that was raised again is there once. */
static void report_chain(const struct leat__panic *p)
{
	if (p->outer) {
		report_chain(p->outer);
		if (p->outer->repanicked)
			return;
		leat__report("\t");
	}
	leat__report("panic: ");
	for (const char *s = p->more ? p->more->text : p->info.message; *s;) {
		size_t n = strcspn(s, "\n"), some = n < PIECE ? n : PIECE;

		leat__report("%.*s%s", (int)some, s, some == n && s[n] ? "\n\t" : "");
		s += some + (some == n && s[n]);
	}
	leat__report(p->repanicked  ? " [recovered, repanicked]\n"
	             : p->recovered ? " [recovered]\n"
	                            : "\n");
}

/* Where the error was made that p, or the newest before it, is about. */
static void report_making(const struct leat__panic *p)
{
	struct leat__text err = {0};

	while (p && !(p->more && p->more->frames))
		p = p->outer;
	if (!p || leat__settings.traceback == LEAT__TRACE_NONE)
		return;
	leat__report("\nerror made at:\n");
	leat__put_trace(&err, p->more->trace, p->more->frames);
}

/* The newest fault among p and the panics before it, or NULL. */
static const struct leat__fault *fault_of(const struct leat__panic *p)
{
	while (p && !p->fault)
		p = p->outer;
	return p ? p->fault : NULL;
}

void leat__report_stacks(enum leat__traceback level, const struct leat__fault *fault)
{
	struct leat__m *m = leat__self();
	struct leat__g *g = m ? (fault ? m->g : leat__asker(m)) : NULL;
	struct leat__text err = {0};

	if (leat__settings.traceback == LEAT__TRACE_NONE)
		return;
	leat__report("\n");
	if (fault)
		leat__put_fault(&err, g, &fault->regs);
	else
		leat__put_self(&err);
	if (leat__settings.traceback >= level)
		leat__report_others(g ? g->id : 0);
}

void leat__report_panic(void *arg)
{
	struct leat__panic *p = arg;

	leat__report_begin();
	/* Of a goroutine that faulted anything may be torn, malloc's state too, which the trace needs. */
	if (fault_of(p))
		leat__os_watchdog(10, 2);
	report_chain(p);
	if (fault_of(p))
		leat__report_signal(fault_of(p));
	report_making(p);
	leat__report_stacks(LEAT__TRACE_ALL, p->fault);
	leat__report_end(2);
}

static void leat__report_fatal(void *message)
{
	leat__report_begin();
	leat__report("fatal error: %s\n", (const char *)message);
	leat__report_stacks(LEAT__TRACE_SINGLE, NULL);
	leat__report_end(2);
}

void leat__fatal(const char *message)
{
	leat__with_room(leat__report_fatal, (void *)(uintptr_t)message);
	__builtin_unreachable();
}

void leat__report_wild_fault(const struct leat__fault *fault)
{
	leat__report_begin();
	leat__os_watchdog(10, 2);
	leat__report("unexpected fault address 0x%lx\nfatal error: fault\n",
	             (unsigned long)fault->address);
	leat__report_signal(fault);
	leat__report_stacks(LEAT__TRACE_SINGLE, fault);
	leat__report_end(2);
}
