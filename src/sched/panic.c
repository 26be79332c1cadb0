/* SPDX-License-Identifier: MIT */
/*
 * Panic, catch, defer and goexit.
 *
 * Invariants (all of them the goroutine's own, touched by nobody else)
 *  - g->records lists what the blocks being executed deferred, innermost first.  A record is taken off
 *    before it runs, so it never runs twice.
 *  - Records above catches->records belong to the innermost catch; a panic runs just those.
 *  - g->panics are those under way, newest first.  One whose handler runs is among them, recovered: what
 *    the handler raises is reported below it.
 *
 * A panic runs the records on top of the stack that raised it, then the catch's handler, and jumps to the
 * catch; without one it reports while that stack is still there to be traced.  The frames in between are
 * abandoned, not unwound: C has nothing else to clean up.  _setjmp and _longjmp are libc's, so that the
 * sanitizers, which intercept them, forget the abandoned frames.
 *
 * Rejected: unwinding them by _Unwind_ForcedUnwind, which would run destructors of C++ and cleanups of C
 * compiled with -fexceptions: see docs/design/panics.md.
 */
#include "sched/panic.h"

#include "base/copy.h"
#include "sched/fault.h"
#include "sched/scheduler.h"
#include "sched/settings.h"

#include <leat/go.h>
#include <leat/time.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A thread's first call of leat is in functions of its own: so that the two, which every defer and every scope is made
 * of, need no stack frame.  The compiler must not inline them either.
 */
static COLD leat__record *leat__record_push_first(leat__record *r)
{
	leat__attach();
	return leat__record_push(r);
}

leat__record *leat__record_push(leat__record *r)
{
	struct leat__m *m = leat__self();
	struct leat__g *g;

	if (unlikely(!m))
		return leat__record_push_first(r);
	g = m->g;
	r->next = g->records;
	g->records = r;
	return r;
}

static COLD LEAT__NORETURN void leat__nil_deferred(void)
{
	leat__panic_runtime(LEAT__NIL_DEREFERENCE);
}

static COLD void leat__record_leave_first(leat__record *r)
{
	leat__attach();
	leat__record_leave(r);
}

void leat__record_leave(leat__record *r)
{
	struct leat__m *m = leat__self();
	struct leat__g *g;

	if (unlikely(!m)) {
		leat__record_leave_first(r);
		return;
	}
	g = m->g;
	if (unlikely(g->records != r))
		return; /* a panic or goexit ran it already */
	g->records = r->next;
	if (unlikely(!r->fn))
		leat__nil_deferred();
	r->fn(r->arg);
}

/* Panics under way that nothing catches, as far as is known: main's return waits a while for their
   reports, which come after what they deferred has run. */
static _Atomic int uncaught;

static int count_uncaught(const struct leat__panic *p)
{
	int n = 0;

	for (; p; p = p->outer)
		n += !p->catchable;
	return n;
}

/* How many of these are the caller's. */
static int own_uncaught(void)
{
	struct leat__m *m = leat__self();
	int n = m ? count_uncaught(m->g->panics) : 0;

	for (struct leat__resumer *r = m ? leat__resumer_of(m->g->stack) : NULL; r;
	     r = leat__resumer_of(r->stack))
		n += count_uncaught(r->panics);
	return n;
}

void leat__panic_wait(void)
{
	/* What a panic runs may call exit: nobody waits for himself. */
	int own = own_uncaught();

	for (int i = 0; i < 1000 && load_acquire(&uncaught) > own; i++) {
		leat_yield();
		if (i >= 100)
			leat_sleep(LEAT_MILLISECOND);
	}
}

void leat__panic_forget(void)
{
	store_relaxed(&uncaught, own_uncaught());
}

/* Somebody catches what g panics with now: in a coroutine who waits below may. */
static bool catchable(const struct leat__g *g)
{
	bool caught = g->catches != NULL;

	for (struct leat__resumer *r = leat__resumer_of(g->stack); r; r = leat__resumer_of(r->stack))
		caught |= r->catches != NULL;
	return caught;
}

/* g's panics newer than mark will not be reported. */
static void drop_panics(struct leat__g *g, const struct leat__panic *mark)
{
	for (struct leat__panic *p = g->panics; p != mark; p = p->outer) {
		if (!p->catchable)
			fetch_add_acq_rel(&uncaught, -1);
		free(p->more);
	}
	g->panics = (struct leat__panic *)(uintptr_t)mark;
}

/* Run what was deferred above mark. */
static void leat__run_records(struct leat__g *g, const leat__record *mark)
{
	while (g->records && g->records != mark) {
		leat__record *r = g->records;

		g->records = r->next;
		if (unlikely(!r->fn))
			leat__nil_deferred();
		leat__call_guarded(r->fn, r->arg);
	}
}

/* What was deferred below a catch is not in it any more: what it raises goes to the next one out. */
static void leave_catches(struct leat__g *g)
{
	while (g->catches && g->catches->records == g->records)
		g->catches = g->catches->outer;
}

/* --- what only reports say */

struct leat__panic_more *(*leat__more_about)(const leat_any *value);

static void leat__ask_more(void *arg)
{
	struct leat__panic *p = arg;

	p->more = leat__more_about(&p->info.value);
}

void leat__panic_add_more(struct leat__panic *p)
{
	struct leat__m *m;

	if (!leat__more_about || catchable(leat__current()))
		return;
	m = leat__enter();
	leat__with_room(leat__ask_more, p);
	leat__leave(m);
}

/* --- the end of who panics */

static uint8_t hook_lock;
static void (*hook)(const leat_panic_info *info, void *arg); /* these two: hook_lock */
static void *hook_arg;

void leat_on_panic(void (*fn)(const leat_panic_info *info, void *arg), void *arg)
{
	struct leat__m *m = leat__enter();

	leat__lock(&hook_lock);
	hook = fn;
	hook_arg = arg;
	leat__unlock(&hook_lock);
	leat__hb_release(&hook);
	leat__leave(m);
}

/* The panic of g's whose hook is running, or NULL. */
static struct leat__panic *hooked(const struct leat__g *g)
{
	struct leat__panic *p = g->panics;

	while (p && !p->hooked)
		p = p->outer;
	return p;
}

/* A panic of the hook's has none: its report has both. */
static void leat__run_hook(struct leat__g *g, struct leat__panic *p)
{
	void (*fn)(const leat_panic_info *info, void *arg);
	struct leat__m *m;
	void *arg;

	if (hooked(g))
		return;
	m = leat__enter();
	leat__hb_acquire(&hook);
	leat__lock(&hook_lock);
	fn = hook;
	arg = hook_arg;
	leat__unlock(&hook_lock);
	leat__leave(m);
	if (!fn)
		return;
	p->hooked = true;
	fn(&p->info, arg);
}

/* In a coroutine, the panics of who wait below become g's, and what they wait to catch and to run is forgotten. */
static void take_panics(struct leat__g *g)
{
	struct leat__panic **end = &g->panics;

	for (struct leat__resumer *r = leat__resumer_of(g->stack); r; r = leat__resumer_of(r->stack)) {
		while (*end)
			end = &(*end)->outer;
		*end = r->panics;
		r->panics = NULL;
		r->catches = NULL;
		r->records = NULL;
	}
}

/* All that g's panics were to run has run, and nothing catches the newest. */
LEAT__NORETURN static void leat__die(struct leat__g *g)
{
	take_panics(g);
	leat__run_hook(g, g->panics);
	for (struct leat__panic *p = g->panics; p; p = p->outer)
		if (p->unprintable)
			leat__fatal(p->info.message);
	leat__with_room(leat__report_panic, g->panics);
	__builtin_unreachable();
}

void leat__panic_now(void)
{
	struct leat__g *g = leat__current();

	fetch_add_acq_rel(&uncaught, 1); /* if one more than there are: the process ends here */
	g->catches = NULL;
	g->records = NULL;
	leat__die(g);
}

/* --- panics */

/* What a message does not use of its room stays as it is: it is most of all that a panic would copy. */
static void tell(leat_panic_info *to, const leat_panic_info *from)
{
	leat__copy(to->message, from->message, strlen(from->message) + 1);
	to->runtime = from->runtime;
	to->goid = from->goid;
	to->value = from->value;
}

/* p is caught by c: never returns to who raised it. */
LEAT__NORETURN static void leat__recover(struct leat__g *g, struct leat__catch *c,
                                         struct leat__panic *p)
{
	g->catches = c->outer;
	if (c->handler) {
		p->recovered = true;
		c->handler(&p->info, c->handler_arg);
	}
	drop_panics(g, c->panics);
	if (c->abandoned)
		leat_goexit();
	if (c->info)
		tell(c->info, &p->info);
	_longjmp(c->env, 1);
}

/*
 * A coroutine's code does not catch p.  Who resumed it panics with the same, if somebody catches that; else what all
 * those below deferred runs here, for the report to have the stack.  (They cannot change meanwhile: a coroutine
 * that panics does not yield.)
 */
static void leat__raise_below(struct leat__g *g, struct leat__panic *p)
{
	struct leat__resumer *r = leat__resumer_of(g->stack);

	if (p->catchable)
		r->end(r, p);
	for (; r; r = leat__resumer_of(r->stack)) {
		g->records = r->records;
		r->records = NULL;
		r->passed = true;
		leat__run_records(g, NULL);
	}
}

void leat__raise(struct leat__panic *p)
{
	struct leat__g *g = leat__current();

	p->info.goid = g->id;
	p->outer = g->panics;
	p->catchable = catchable(g);
	if (!p->catchable)
		fetch_add_acq_rel(&uncaught, 1);
	g->panics = p;
	/* A deferred function may leave by goexit, or raise another panic: neither returns here. */
	leat__run_records(g, g->catches ? g->catches->records : NULL);
	if (!g->catches && leat__resumer_of(g->stack))
		leat__raise_below(g, p);
	if (!g->catches)
		leat__die(g);
	leat__recover(g, g->catches, p);
}

struct formatting {
	struct leat__panic *p;
	const char *format;
	va_list args;
};

/* With what needs no formatting, which takes as long as all the rest. */
static LEAT__NORETURN void leat__raise_with(struct leat__panic *p, const char *message)
{
	size_t bytes = strnlen(message, sizeof p->info.message - 1);

	leat__copy(p->info.message, message, bytes);
	p->info.message[bytes] = '\0';
	leat__raise(p);
}

static void format_message(void *arg)
{
	struct formatting *f = arg;

	vsnprintf(f->p->info.message, sizeof f->p->info.message, f->format, f->args);
}

/* All but its message, which follows. */
static void clear(struct leat__panic *p)
{
	memset(p, 0, offsetof(struct leat__panic, info.message));
	memset((char *)p + offsetof(struct leat__panic, info.runtime), 0,
	       sizeof *p - offsetof(struct leat__panic, info.runtime));
	p->info.message[0] = '\0';
}

void leat_panic(const char *format, ...)
{
	struct leat__panic p;
	struct formatting f = {.p = &p, .format = format};

	if (!format)
		leat__panic_runtime(LEAT__NIL_PANIC);
	clear(&p);
	if (!strchr(format, '%'))
		leat__raise_with(&p, format);
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

void leat__panic_runtime(const char *message)
{
	struct leat__panic p = {.info.runtime = true};

	leat__raise_with(&p, message);
}

static bool same(const leat_panic_info *a, const leat_panic_info *b)
{
	return a->runtime == b->runtime && strcmp(a->message, b->message) == 0 &&
	       a->value.leat__type == b->value.leat__type &&
	       memcmp(a->value.leat__value.leat__bytes, b->value.leat__value.leat__bytes,
	              sizeof a->value.leat__value.leat__bytes) == 0;
}

void leat_repanic(const leat_panic_info *info)
{
	struct leat__panic *last = leat__current()->panics;
	struct leat__panic p = {.info = *info};

	if (last && last->recovered && same(&last->info, info)) {
		last->repanicked = true;
		leat__panic_add_more(&p);
		last->more = p.more; /* that one is shown */
		p.more = NULL;
	}
	leat__raise(&p);
}

void leat__panic_fault(const struct leat__fault *fault, const char *message)
{
	struct leat__panic p = {.info.runtime = true, .fault = fault};

	leat__copy(p.info.message, message, strnlen(message, sizeof p.info.message - 1));
	leat__raise(&p);
}

void leat__panic_again(const leat_panic_info *info)
{
	struct leat__panic p = {.info = *info};

	leat__raise(&p);
}

void leat__goexit_passes(struct leat__g *g)
{
	drop_panics(g, NULL);
	for (struct leat__catch *c = g->catches; c; c = c->outer) {
		c->abandoned = true;
		c->panics = NULL;
	}
	if (leat__resumer_of(g->stack))
		g->stack->resumer->exits = true; /* goes on below, or is a stop */
}

void leat__panic_drop(struct leat__g *g)
{
	drop_panics(g, NULL);
}

/* --- catches */

static inline void leat__catch_begin(struct leat__catch *c, leat_panic_info *info)
{
	struct leat__g *g = leat__current();

	c->outer = g->catches;
	c->records = g->records;
	c->panics = g->panics;
	c->info = info;
	c->handler = NULL;
	c->abandoned = false;
	c->printing = false;
	g->catches = c;
}

static inline void leat__catch_end(const struct leat__catch *c)
{
	leat__current()->catches = c->outer;
}

/* An exception has nowhere to go but past a catch, a panic or a goexit, all of which it would leave behind
   as if they went on.  A thread that ends is unwound by force, as the exit of one in C goes on. */
LEAT__FOR_ASM int leat__no_exceptions(int version, int actions, uint64_t kind, void *exception,
                                      void *context)
{
	enum { BY_FORCE = 8, GO_ON = 8 };

	(void)version, (void)kind, (void)exception, (void)context;
	if (actions & BY_FORCE)
		return GO_ON;
	leat__fatal("a C++ exception leaves a function that leat called");
}

/* Each with its own setjmp, which belongs into the frame of who is called: no other is to be seen in
   traces. */
bool leat_catch(void (*fn)(void *), void *arg, leat_panic_info *info)
{
	struct leat__catch c;

	leat__catch_begin(&c, info);
	if (_setjmp(c.env) != 0)
		return true;
	leat__call_guarded(fn, arg);
	leat__catch_end(&c);
	return false;
}

bool leat_catch_with(void (*fn)(void *), void *arg,
                     void (*handler)(const leat_panic_info *info, void *handler_arg),
                     void *handler_arg)
{
	struct leat__catch c;

	leat__catch_begin(&c, NULL);
	c.handler = handler;
	c.handler_arg = handler_arg;
	if (_setjmp(c.env) != 0)
		return true;
	leat__call_guarded(fn, arg);
	leat__catch_end(&c);
	return false;
}

bool leat__catch_printing(void (*fn)(void *), void *arg, leat_panic_info *info)
{
	struct leat__catch c;

	leat__catch_begin(&c, info);
	c.printing = true;
	if (_setjmp(c.env) != 0)
		return true;
	leat__call_guarded(fn, arg);
	leat__catch_end(&c);
	return false;
}

bool leat__is_printing(void)
{
	const struct leat__catch *c = leat__current()->catches;

	while (c && !c->printing)
		c = c->outer;
	return c;
}

void leat_goexit(void)
{
	struct leat__g *g = leat__current();

	/* What the hook of a dying process does cannot save it. */
	if (hooked(g)) {
		leat__with_room(leat__report_panic, g->panics);
		__builtin_unreachable();
	}
	leat__goexit_passes(g);
	for (leave_catches(g); g->records; leave_catches(g))
		leat__run_records(g, g->records->next);
	if (leat__resumer_of(g->stack))
		g->stack->resumer->end(g->stack->resumer, NULL);
	if (load_relaxed(&g->kind) == LEAT__THREAD)
		pthread_exit(NULL);
	leat__end_goroutine(leat__enter());
}
