/* SPDX-License-Identifier: MIT */
/*
 * Reports in Go's format: which goroutine, in which state, where.
 *
 *	goroutine 7 [chan receive]:
 *	consumer(...)
 *		/home/u/p.c:12 +0x2d
 *	created by main in goroutine 1
 *		/home/u/p.c:30 +0x55
 *
 * One thread reports, and the process dies then; so the tracing underneath needs no lock.  Frames of
 * leat's own at the top are left out: on a stack that waits or panics they are the ones whose names
 * begin with leat_, which is why static functions that can be there carry the prefix leat__.
 */
#include "os/symbol.h"
#include "os/unwind.h"
#include "sched/panic.h"
#include "sched/scheduler.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX  100
#define INLINED_MAX 16
#define FRAMES_EDGE 50 /* of a deeper stack: as many from either end */

static _Atomic uint32_t reporting; /* 0, or 1 + the id of the reporting thread */
static _Atomic uint32_t for_ever;

void leat__report_begin(void)
{
	uint32_t nobody = 0, me = 1 + (uint32_t)leat__os_tid();

	if (cas_acq_rel(&reporting, &nobody, me) || nobody == me)
		return;
	for (;;)
		leat__os_wait(&for_ever, 0, INT64_MAX);
}

void leat__report_wait(void)
{
	uint32_t who = load_acquire(&reporting);

	while (who && who != 1 + (uint32_t)leat__os_tid())
		leat__os_wait(&for_ever, 0, INT64_MAX);
}

void leat__report_forget(void)
{
	store_relaxed(&reporting, 0);
}

void leat__report(const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n > 0)
		leat__os_write(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static bool ours(const struct leat__symbol *s)
{
	return strncmp(s->function, "leat_", 5) == 0;
}

static void report_place(const struct leat__symbol *s)
{
	if (s->line)
		leat__report("\t%s:%d +0x%lx\n", s->file, s->line, (unsigned long)s->offset);
	else
		leat__report("\t%s +0x%lx\n", s->module, (unsigned long)s->offset);
}

/* What stands at one address, inlined functions first.  False at the bottom of the stack; *top: still
   among leat's own frames. */
static bool report_address(void *pc, bool exact, bool *top)
{
	static struct leat__symbol s[INLINED_MAX];
	size_t n = leat__symbol_frames(pc, !exact, s, INLINED_MAX);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(s[i].function, "leat__goroutine_start") == 0)
			return false;
		if (*top && ours(&s[i]))
			continue;
		*top = false;
		leat__report("%s(...)\n", s[i].function);
		report_place(&s[i]);
		if (strcmp(s[i].function, "main") == 0)
			return false;
	}
	return true;
}

/* first_exact: pcs[0] is the very instruction, not a return address. */
static void report_frames(void **pcs, size_t n, bool first_exact)
{
	bool top = true;

	for (size_t i = 0; i < n; i++) {
		if (n > FRAMES_MAX && i == FRAMES_EDGE) {
			leat__report("...%zu frames elided...\n", n - 2 * FRAMES_EDGE);
			i = n - FRAMES_EDGE;
		}
		if (!report_address(pcs[i], i == 0 && first_exact, &top))
			return;
	}
}

static void report_creator(const struct leat__g *g)
{
	struct leat__symbol s;

	if (g->id <= 1 || !g->created_at)
		return;
	leat__symbol_find(g->created_at, true, &s);
	leat__report("created by %s in goroutine %lu\n", s.function, (unsigned long)g->parent);
	report_place(&s);
}

static void report_head(const struct leat__g *g, const char *state)
{
	const char *locked = g->special & LEAT__LOCKED ? ", locked to thread" : "";

	if (load_relaxed(&g->kind) == LEAT__THREAD || load_relaxed(&g->kind) == LEAT__SCHEDULER)
		leat__report("thread %d [%s]:\n", leat__os_tid(), state);
	else if (g->stack && g->stack->name)
		leat__report("goroutine %lu \"%s\" [%s%s]:\n", (unsigned long)g->id, g->stack->name, state,
		             locked);
	else
		leat__report("goroutine %lu [%s%s]:\n", (unsigned long)g->id, state, locked);
}

/* The goroutine for which the scheduler context runs, from where it asked for that. */
static void report_caller(const struct leat__m *m)
{
	static void *pcs[1000];
	const struct leat__g *g = m->caller;
	uintptr_t low = (uintptr_t)g->stack->san.low;
	struct leat__regs regs;

	leat__context_regs(m->caller_sp, &regs);
	report_head(g, "running");
	report_frames(
	    pcs, leat__unwind_regs(&regs, low, low + g->stack->san.bytes, pcs, ARRAY_LEN(pcs)), false);
	report_creator(g);
}

void leat__report_self(void)
{
	static void *pcs[1000];
	struct leat__m *m = leat__self();

	if (m && m->caller) {
		report_caller(m);
		return;
	}
	if (m)
		report_head(m->g, "running");
	report_frames(pcs, leat__unwind_here(pcs, ARRAY_LEN(pcs), 0), false);
	if (m)
		report_creator(m->g);
}

void leat__report_regs(struct leat__g *g, const char *state, const struct leat__regs *regs)
{
	static void *pcs[4000];
	uintptr_t low = (uintptr_t)g->stack->san.low, high = low + g->stack->san.bytes;
	bool running = strcmp(state, "running") == 0;

	report_head(g, state);
	report_frames(pcs, leat__unwind_regs(regs, low, high, pcs, ARRAY_LEN(pcs)), running);
	report_creator(g);
}

static void report_parked(struct leat__g *g)
{
	struct leat__regs regs;

	if (!g->sp) {
		/* New, or running: there is no context to look at. */
		report_head(g, g->stack ? "running" : "runnable");
		report_creator(g);
		return;
	}
	leat__context_regs(g->sp, &regs);
	leat__report_regs(g, leat__wait_name(load_relaxed(&g->wait)), &regs);
}

/* The goroutines there are, as many as there is room for. */
struct roll {
	struct leat__g **g;
	size_t count, room;
};

static void enrol(struct leat__g *g, void *arg)
{
	struct roll *r = arg;

	if (load_relaxed(&g->kind) != LEAT__GOROUTINE)
		return;
	if (r->count < r->room)
		r->g[r->count] = g;
	r->count++;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = (*(struct leat__g *const *)a)->id, y = (*(struct leat__g *const *)b)->id;

	return x < y ? -1 : x > y;
}

void leat__report_all(void)
{
	static struct leat__g *few[64];
	struct roll r = {0};

	/* Oldest first; if memory is out, as many as there is room for. */
	leat__g_each(enrol, &r);
	r.room = r.count;
	r.g = malloc(r.room * sizeof(struct leat__g *) + 1);
	if (!r.g) {
		r.g = few;
		r.room = ARRAY_LEN(few);
	}
	r.count = 0;
	leat__g_each(enrol, &r);
	if (r.count > r.room)
		r.count = r.room;
	qsort(r.g, r.count, sizeof *r.g, by_id);
	for (size_t i = 0; i < r.count; i++) {
		if (i > 0)
			leat__report("\n");
		report_parked(r.g[i]);
	}
	if (r.g != few)
		free(r.g);
}
