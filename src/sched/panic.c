/* SPDX-License-Identifier: MIT */
/*
 * Panic, catch, defer and goexit.
 *
 * Invariants (all of them the goroutine's own, touched by nobody else)
 *  - g->records lists what the blocks being executed deferred, innermost first.  A record is taken off
 *    before it runs, so it never runs twice.
 *  - Records above catches->records belong to the innermost catch; a panic runs just those.
 *
 * A panic runs the records on top of the stack that raised it, then jumps to the catch; without one it
 * reports while that stack is still there to be traced.  The frames in between are abandoned, not
 * unwound: C has nothing else to clean up.  _setjmp and _longjmp are libc's, so that the sanitizers,
 * which intercept them, forget the abandoned frames.
 */
#include "sched/panic.h"

#include "base/copy.h"
#include "sched/scheduler.h"
#include "sched/settings.h"

#include <leat/go.h>
#include <leat/time.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

leat__record *leat__record_push(leat__record *r)
{
	struct leat__g *g = leat__current();

	r->next = g->records;
	g->records = r;
	return r;
}

void leat__record_leave(leat__record *r)
{
	struct leat__g *g = leat__current();

	if (unlikely(g->records != r))
		return; /* a panic or goexit ran it already */
	g->records = r->next;
	r->fn(r->arg);
}

/* Panics under way that nothing catches, as far as is known: main's return waits a while for their
   reports, which come after what they deferred has run. */
static _Atomic int uncaught;

void leat__panic_wait(void)
{
	for (int i = 0; i < 1000 && load_acquire(&uncaught) > 0; i++) {
		leat_yield();
		if (i >= 100)
			leat_sleep(LEAT_MILLISECOND);
	}
}

void leat__panic_forget(void)
{
	struct leat__m *m = leat__self();

	store_relaxed(&uncaught, 0);
	for (const struct leat__panic *p = m ? m->g->panics : NULL; p; p = p->outer)
		if (!p->catchable)
			fetch_add_relaxed(&uncaught, 1);
}

/* g's panics newer than mark will not be reported. */
static void drop_panics(struct leat__g *g, const struct leat__panic *mark)
{
	for (struct leat__panic *p = g->panics; p != mark; p = p->outer)
		if (!p->catchable)
			fetch_add_acq_rel(&uncaught, -1);
	g->panics = (struct leat__panic *)(uintptr_t)mark;
}

/* Run what was deferred above mark. */
static void leat__run_records(struct leat__g *g, const leat__record *mark)
{
	while (g->records && g->records != mark) {
		leat__record *r = g->records;

		g->records = r->next;
		r->fn(r->arg);
	}
}

/* Oldest first, each later one indented, as Go prints them. */
static void report_chain(const struct leat__panic *p)
{
	if (p->outer) {
		report_chain(p->outer);
		leat__report("\t");
	}
	leat__report("panic: ");
	for (const char *s = p->info.message; *s; s++)
		leat__report(*s == '\n' ? "\n\t" : "%c", *s);
	leat__report("\n");
}

/* The caller's goroutine, and from this level on all others too. */
static void leat__report_stacks(enum leat__traceback level)
{
	struct leat__m *m = leat__self();
	struct leat__text err = {0};

	if (leat__settings.traceback == LEAT__TRACE_NONE)
		return;
	leat__report("\n");
	leat__put_self(&err);
	if (leat__settings.traceback >= level)
		leat__report_others(m ? leat__asker(m)->id : 0);
}

static void leat__report_panic(void *arg)
{
	leat__report_begin();
	report_chain(arg);
	leat__report_stacks(LEAT__TRACE_ALL);
	leat__report_end(2);
}

LEAT__NORETURN static void leat__raise(struct leat__panic *p)
{
	struct leat__g *g = leat__current();
	struct leat__catch *c;

	p->info.goid = g->id;
	p->outer = g->panics;
	p->catchable = g->catches != NULL;
	if (!p->catchable)
		fetch_add_acq_rel(&uncaught, 1);
	g->panics = p;
	/* A deferred function may leave by goexit, or raise another panic: neither returns here. */
	leat__run_records(g, g->catches ? g->catches->records : NULL);
	c = g->catches;
	if (!c) {
		leat__with_room(leat__report_panic, p);
		__builtin_unreachable();
	}
	g->catches = c->outer;
	drop_panics(g, c->panics);
	if (c->abandoned)
		leat_goexit();
	c->info = p->info;
	_longjmp(c->env, 1);
}

struct formatting {
	struct leat__panic *p;
	const char *format;
	va_list args;
};

static void format_message(void *arg)
{
	struct formatting *f = arg;

	vsnprintf(f->p->info.message, sizeof f->p->info.message, f->format, f->args);
}

void leat_panic(const char *format, ...)
{
	struct leat__panic p = {0};
	struct formatting f = {.p = &p, .format = format};

	va_start(f.args, format);
	if (unlikely(leat__cramped(leat__self()))) {
		/* printf takes 1.5 KiB of stack. */
		struct leat__m *m = leat__enter();

		leat__with_room(format_message, &f);
		leat__leave(m);
	} else {
		format_message(&f);
	}
	va_end(f.args);
	leat__raise(&p);
}

void leat__panic_now(void)
{
	fetch_add_acq_rel(&uncaught, 1); /* if one more than there are: the process ends here */
	leat__with_room(leat__report_panic, leat__current()->panics);
	__builtin_unreachable();
}

void leat__panic_runtime(const char *message)
{
	struct leat__panic p = {.info.runtime = true};

	leat__copy(p.info.message, message, strnlen(message, sizeof p.info.message - 1));
	leat__raise(&p);
}

bool leat_catch(void (*fn)(void *), void *arg, leat_panic_info *info)
{
	struct leat__g *g = leat__current();
	struct leat__catch c = {.outer = g->catches, .records = g->records, .panics = g->panics};

	g->catches = &c;
	if (_setjmp(c.env) == 0) {
		fn(arg);
		leat__current()->catches = c.outer;
		return false;
	}
	if (info)
		*info = c.info;
	return true;
}

void leat_goexit(void)
{
	struct leat__g *g = leat__current();

	/* A panic in what runs now is caught as it would be without us, but then we go on. */
	for (struct leat__catch *c = g->catches; c; c = c->outer)
		c->abandoned = true;
	drop_panics(g, NULL);
	leat__run_records(g, NULL);
	if (load_relaxed(&g->kind) == LEAT__THREAD)
		pthread_exit(NULL);
	leat__end_goroutine(leat__enter());
}

static void leat__report_fatal(void *message)
{
	leat__report_begin();
	leat__report("fatal error: %s\n", (const char *)message);
	leat__report_stacks(LEAT__TRACE_SINGLE);
	leat__report_end(2);
}

void leat__fatal(const char *message)
{
	leat__with_room(leat__report_fatal, (void *)(uintptr_t)message);
	__builtin_unreachable();
}

struct exceeded {
	struct leat__g *g;
	const struct leat__regs *regs;
};

static void leat__report_exceeded(void *arg)
{
	struct exceeded *e = arg;
	struct leat__san_context *bounds = &e->g->stack->san;
	size_t limit = bounds->bytes;
	char *sp = e->regs ? (char *)(uintptr_t)e->regs->sp : leat__self()->caller_sp;
	struct leat__text err = {0};

	leat__report_begin();
	/* The goroutine may have been anywhere, inside malloc too, which the trace needs. */
	leat__os_watchdog(10, 2);
	leat__report("runtime: goroutine stack exceeds %zu-byte limit\nfatal error: stack overflow\n",
	             limit);
	/* Where nothing stopped it, its frames reach below the end, and the trace is to have them. */
	if (sp && sp < (const char *)bounds->low) {
		bounds->bytes += (size_t)((const char *)bounds->low - sp);
		bounds->low = sp;
	}
	if (!e->regs) {
		leat__report_stacks(LEAT__TRACE_SINGLE);
	} else if (leat__settings.traceback > LEAT__TRACE_NONE) {
		leat__report("\n");
		leat__put_fault(&err, e->g, e->regs);
		leat__report_others(e->g->id);
	}
	leat__report_end(2);
}

void leat__stack_exceeded(struct leat__g *g, const struct leat__regs *regs)
{
	struct exceeded e = {g, regs};
	struct leat__m *m = leat__self();

	/* Of a stack that is used up nothing more can be asked; after a fault we are off it already. */
	if (m->g != &m->g0 && !regs)
		leat__on_scheduler(m, leat__report_exceeded, &e);
	else
		leat__report_exceeded(&e);
	__builtin_unreachable();
}
