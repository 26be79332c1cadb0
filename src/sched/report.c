/* SPDX-License-Identifier: MIT */
/*
 * How a goroutine looks in a report.
 *
 * Invariants
 *  - Who has the turn uses what is static here, in os/symbol.c and in snapshot.c.  A dump takes the turn
 *    for one goroutine at a time, and holds nothing then that others could wait for but that.
 *  - Who reports the process's end has the turn for good.  If he cannot get it (whoever has it was
 *    struck down, or it is himself) he reports all the same, without libdw, whose state may be torn.
 *
 * Frames of leat's own at the top are left out: on a stack that waits or panics they are the ones whose
 * names begin with leat_, which is why static functions that can be there carry the prefix leat__, and
 * whatever has no name in the shared library, which is mostly installed without its symbols.  Where a
 * program holds the static library and has no symbols, they are addresses, like the rest.
 */
#include "sched/report.h"

#include "os/signal.h"
#include "os/symbol.h"
#include "os/terminal.h"
#include "os/unwind.h"
#include "sched/scheduler.h"
#include "sched/settings.h"
#include "sched/snapshot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCS_MAX      4000
#define FRAMES_MAX   100
#define INLINED_MAX  16
#define FRAMES_EDGE  50 /* of a deeper stack: as many from either end */
#define KNOWN_MAX    256
#define KNOWN_FRAMES 4
#define TURN_NS      ((int64_t)3000000000)

/* --- text */

static void put_text(struct leat__text *to, const char *text, size_t n)
{
	if (!to->to_memory) {
		leat__os_write(2, text, n);
		return;
	}
	if (to->length + n > to->room) {
		size_t room = 2 * (to->length + n) + 4096;
		char *at = realloc(to->at, room);

		if (!at)
			return;
		to->at = at;
		to->room = room;
	}
	memcpy(to->at + to->length, text, n);
	to->length += n;
}

static void put_args(struct leat__text *to, const char *format, va_list args)
{
	char text[1024];
	int n = vsnprintf(text, sizeof text, format, args);

	if (n > 0)
		put_text(to, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void leat__put(struct leat__text *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_args(to, format, args);
	va_end(args);
}

void leat__report(const char *format, ...)
{
	struct leat__text to = {0};
	va_list args;

	va_start(args, format);
	put_args(&to, format, args);
	va_end(args);
}

/* --- whose turn it is */

enum { FREE, TAKEN, AWAITED };

static _Atomic uint32_t turn; /* futex; acquire when taken, release when given */
static _Atomic int turn_of;   /* a thread's id */

bool leat__turn_take(int64_t until_ns)
{
	uint32_t state = FREE;

	if (!cas_acq_rel(&turn, &state, TAKEN)) {
		while (exchange_acquire(&turn, AWAITED) != FREE) {
			if (until_ns != INT64_MAX && leat__os_now() >= until_ns)
				return false;
			leat__os_wait(&turn, AWAITED, until_ns);
		}
	}
	leat__hb_acquire(&turn);
	store_relaxed(&turn_of, leat__os_tid());
	return true;
}

void leat__turn_give(void)
{
	store_relaxed(&turn_of, 0);
	leat__hb_release(&turn);
	if (exchange_acq_rel(&turn, FREE) == AWAITED)
		leat__os_wake(&turn, 1);
}

/* --- the process dies */

static _Atomic uint32_t reporting; /* 0, or 1 + the id of the reporting thread */
static _Atomic uint32_t for_ever;

void leat__report_begin(void)
{
	uint32_t nobody = 0, me = 1 + (uint32_t)leat__os_tid();

	if (cas_acq_rel(&reporting, &nobody, me)) {
		if (load_relaxed(&turn_of) == leat__os_tid() || !leat__turn_take(leat__os_now() + TURN_NS))
			leat__report_without_libraries();
		leat__names_forget();
		leat__os_terminal_last();
		return;
	}
	if (nobody == me)
		return;
	for (;;)
		leat__os_wait(&for_ever, 0, INT64_MAX);
}

bool leat__reports_here(void)
{
	return load_relaxed(&reporting) == 1 + (uint32_t)leat__os_tid();
}

void leat__report_wait(void)
{
	uint32_t who = load_acquire(&reporting);

	while (who && who != 1 + (uint32_t)leat__os_tid())
		leat__os_wait(&for_ever, 0, INT64_MAX);
}

bool leat__report_before_fork(void)
{
	return load_relaxed(&turn_of) != leat__os_tid() && leat__turn_take(leat__os_now() + TURN_NS);
}

void leat__report_forget(bool had_turn)
{
	store_relaxed(&reporting, 0);
	/* Who else had the turn is not here, and was perhaps in the middle of what they do. */
	if (!had_turn && load_relaxed(&turn) != FREE)
		leat__report_without_libraries();
	store_relaxed(&turn_of, 0);
	store_relaxed(&turn, FREE);
}

void leat__report_end(int status)
{
	if (leat__settings.traceback == LEAT__TRACE_CRASH)
		leat__os_abort();
	leat__os_die(status);
}

void leat__report_without_libraries(void)
{
	leat__symbol_without_libraries = true;
	leat__unwind_without_libraries = !leat__unwind_is_loaded();
}

/* --- frames */

static bool ours(const struct leat__symbol *s)
{
	return strncmp(s->function, "leat_", 5) == 0 || strncmp(s->function, "libleat.so", 10) == 0;
}

/* Of no use to anybody, wherever it stands. */
static bool is_hidden(const struct leat__symbol *s)
{
	return leat__settings.traceback < LEAT__TRACE_SYSTEM &&
	       (strcmp(s->function, "leat__call_guarded") == 0 ||
	        strcmp(s->function, "leat__signal_frame") == 0);
}

static void put_place(struct leat__text *to, const struct leat__symbol *s)
{
	if (s->line)
		leat__put(to, "\t%s:%d +0x%lx\n", s->file, s->line, (unsigned long)s->offset);
	else
		leat__put(to, "\t%s%s+0x%lx\n", s->module, *s->module ? " " : "", (unsigned long)s->offset);
}

/* Many goroutines wait in the same few places, and a name takes libdw some 70 us.  For one dump: what is
   loaded at an address may be another library in the next. */
static struct known {
	void *pc;
	bool exact;
	size_t count;
	struct leat__symbol s[KNOWN_FRAMES];
} known[KNOWN_MAX];

void leat__names_forget(void)
{
	for (size_t i = 0; i < KNOWN_MAX; i++)
		known[i].count = 0;
}

/* What stands at pc, as leat__symbol_frames has it. */
static size_t look_up(void *pc, bool exact, const struct leat__symbol **s)
{
	static struct leat__symbol fresh[INLINED_MAX];
	struct known *k = &known[((uintptr_t)pc ^ (uintptr_t)pc >> 8) % KNOWN_MAX];
	size_t n;

	if (k->count && k->pc == pc && k->exact == exact) {
		*s = k->s;
		return k->count;
	}
	*s = fresh;
	n = leat__symbol_frames(pc, !exact, fresh, INLINED_MAX);
	if (n <= KNOWN_FRAMES) {
		memcpy(k->s, fresh, n * sizeof *fresh);
		k->pc = pc;
		k->exact = exact;
		k->count = n;
	}
	return n;
}

/* What stands at one address, inlined functions first.  False at the bottom of the stack; *top: still
   among leat's own frames. */
static bool put_address(struct leat__text *to, void *pc, bool exact, bool *top)
{
	const struct leat__symbol *s;
	size_t n = look_up(pc, exact, &s);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(s[i].function, "leat__goroutine_start") == 0 ||
		    strcmp(s[i].function, "leat__coro_start") == 0 ||
		    strcmp(s[i].function, "leat__context_start") == 0)
			return false;
		if ((*top && ours(&s[i])) || is_hidden(&s[i]))
			continue;
		*top = false;
		leat__put(to, "%s(...)\n", s[i].function);
		put_place(to, &s[i]);
		if (strcmp(s[i].function, "main") == 0)
			return false;
	}
	return true;
}

/* first_exact: pcs[0] is the very instruction, not a return address.  Whether there was any frame of
   the program's. */
static bool put_frames(struct leat__text *to, void **pcs, size_t n, bool first_exact)
{
	bool top = leat__settings.traceback < LEAT__TRACE_SYSTEM, had_top = top, exact;

	/* What began the goroutine, which has no name where there are no symbols. */
	if (n > 1 && pcs[n - 1] == (const void *)leat__context_ended)
		n -= 2;
	for (size_t i = 0; i < n; i++) {
		if (n > FRAMES_MAX && i == FRAMES_EDGE) {
			leat__put(to, "...%zu frames elided...\n", n - 2 * FRAMES_EDGE);
			i = n - FRAMES_EDGE;
		}
		exact = i == 0 ? first_exact : leat__is_signal_frame((uintptr_t)pcs[i - 1]);
		if (!put_address(to, pcs[i], exact, &top))
			break;
	}
	return !had_top || !top;
}

void leat__put_trace(struct leat__text *to, void *const *trace, size_t n)
{
	put_frames(to, (void **)(uintptr_t)trace, n, false);
}

static void put_creator(struct leat__text *to, uint64_t id, void *created_at, uint64_t parent)
{
	const struct leat__symbol *s;

	if (id <= 1 || !created_at)
		return;
	look_up(created_at, false, &s);
	leat__put(to, "created by %s in goroutine %lu\n", s->function, (unsigned long)parent);
	put_place(to, s);
}

void leat__put_place(struct leat__text *to, void *pc)
{
	const struct leat__symbol *s;

	look_up(pc, false, &s);
	leat__put(to, "%s\n", s->function);
	put_place(to, s);
}

static void put_head(struct leat__text *to, uint64_t id, const char *name, const char *state,
                     int64_t blocked_s, bool locked)
{
	leat__put(to, "goroutine %lu ", (unsigned long)id);
	if (*name)
		leat__put(to, "\"%s\" ", name);
	leat__put(to, "[%s", state);
	if (blocked_s >= 60)
		leat__put(to, ", %ld minutes", (long)(blocked_s / 60));
	leat__put(to, "%s]:\n", locked ? ", locked to thread" : "");
}

/* Of the caller's goroutine or thread, which leat may never have seen (NULL). */
static void put_own_head(struct leat__text *to, const struct leat__g *g)
{
	const struct leat__stack *own = g ? leat__own_stack(g->stack) : NULL;

	if (!g || load_relaxed(&g->kind) == LEAT__THREAD || load_relaxed(&g->kind) == LEAT__SCHEDULER)
		leat__put(to, "thread %d [running]:\n", leat__os_tid());
	else
		put_head(to, g->id, own && own->name ? own->name : "", "running", 0,
		         g->special & LEAT__LOCKED);
}

static void *pcs[PCS_MAX];

/* Below a coroutine's frames, which were those of s: where it was resumed, and so on. */
static void put_resumers(struct leat__text *to, const struct leat__stack *s)
{
	struct leat__regs regs;

	for (struct leat__resumer *r = leat__resumer_of(s); r; r = leat__resumer_of(s)) {
		void *low = r->sp, *high;

		s = r->stack;
		if (s)
			high = (char *)(uintptr_t)s->san.low + s->san.bytes;
		else
			leat__os_stack_bounds(&low, &high);
		leat__context_regs(r->sp, &regs);
		put_frames(to, pcs,
		           leat__unwind_regs(&regs, false, (uintptr_t)low, (uintptr_t)high, pcs, PCS_MAX),
		           false);
	}
}

/* The goroutine for which the scheduler context runs, from where it asked for that. */
static void put_caller(struct leat__text *to, const struct leat__m *m)
{
	const struct leat__g *g = m->caller;
	uintptr_t low = (uintptr_t)g->stack->san.low;
	struct leat__regs regs;

	leat__context_regs(m->caller_sp, &regs);
	put_own_head(to, g);
	put_frames(to, pcs,
	           leat__unwind_regs(&regs, false, low, low + g->stack->san.bytes, pcs, PCS_MAX),
	           false);
	put_resumers(to, g->stack);
	put_creator(to, g->id, g->created_at, g->parent);
}

void leat__put_self(struct leat__text *to)
{
	struct leat__m *m = leat__self();

	if (m && m->caller) {
		put_caller(to, m);
		return;
	}
	if (m)
		put_own_head(to, m->g);
	put_frames(to, pcs, leat__unwind_here(pcs, PCS_MAX, 0), false);
	if (m) {
		put_resumers(to, m->g->stack);
		put_creator(to, m->g->id, m->g->created_at, m->g->parent);
	}
}

void leat__put_fault(struct leat__text *to, struct leat__g *g, const struct leat__regs *regs)
{
	/* The end of a thread's own stack is not known: the unwinder knows where to stop. */
	uintptr_t low = (uintptr_t)regs->sp & ~(uintptr_t)4095, high = UINTPTR_MAX;

	if (g && g->stack) {
		low = (uintptr_t)g->stack->san.low;
		high = low + g->stack->san.bytes;
	}
	put_own_head(to, g);
	put_frames(to, pcs, leat__unwind_regs(regs, true, low, high, pcs, PCS_MAX), true);
	if (g) {
		put_resumers(to, g->stack);
		put_creator(to, g->id, g->created_at, g->parent);
	}
}

static const char *state_name(const struct leat__snapshot *s)
{
	switch (s->state) {
	case LEAT__STATE_RUNNING:
		return "running";
	case LEAT__STATE_SYSCALL:
		return "syscall";
	case LEAT__STATE_WAITING:
		return leat__wait_name(s->wait);
	case LEAT__STATE_RUNNABLE:
		break;
	}
	return "runnable";
}

void leat__put_snapshot(struct leat__text *to, const struct leat__snapshot *s)
{
	bool any = false, top = false;
	size_t n;

	put_head(to, s->id, s->name, state_name(s), s->state == LEAT__STATE_WAITING ? s->blocked_s : 0,
	         s->locked);
	if (s->bytes) {
		n = leat__unwind_regs(&s->regs, s->exact, s->stack, s->stack + s->bytes, pcs, PCS_MAX);
		any = put_frames(to, pcs, n, s->exact);
		if (s->cut)
			leat__put(to, "...additional frames elided...\n");
	}
	if (any) {
		put_creator(to, s->id, s->created_at, s->parent);
		return;
	}
	/* In Go's words; one that has not begun is about to be where its function begins. */
	if (s->state == LEAT__STATE_RUNNABLE && s->id > 1 && s->fn)
		put_address(to, (void *)(uintptr_t)s->fn, true, &top); /* NOLINT */
	else if (!s->bytes)
		leat__put(to, "\tgoroutine running on other thread; stack unavailable\n");
	put_creator(to, s->id, s->created_at, s->parent);
}
