/* SPDX-License-Identifier: MIT */
/*
 * See the header.
 *
 * Who handles a fault, first to last: a handler that the program installed after leat's first call (it
 * takes the place of ours), one that was there before (a sanitizer's is), then leat.
 *
 * It becomes a panic only where the goroutine asked for that (leat_fault_panics), for what Go panics for
 * too, and where abandoning the frames breaks nothing but the program's own invariants: not inside the
 * runtime, nor in the code of the C library or of leat, which may hold a lock.
 *
 * Nothing here can loop: a fault of the thread that reports one ends the process, one inside the handler
 * does so by its signal, which is blocked there, and a watchdog ends a report that hangs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sched/fault.h"

#include "sched/panic.h"
#include "sched/scheduler.h"

#include <leat/panic.h>

#include <link.h>
#include <signal.h>
#include <string.h>

#define SIGNAL_STACK ((size_t)64 << 10) /* a frame with all of AVX-512 and AMX state is 11 KiB */
#define REPORT_STACK ((size_t)256 << 10)
#define NIL_PAGE     4096 /* a NULL pointer leads to below this, fields of structs too */
#define PANIC_BYTES  1024 /* of stack that a panic must find */
#define RANGES_MAX   16

static struct sigaction before[3]; /* SIGSEGV, SIGBUS, SIGFPE */

static struct sigaction *previous(int sig)
{
	return &before[sig == SIGBUS ? 1 : sig == SIGFPE ? 2 : 0];
}

/* --- what the fault means */

static const char *signal_name(int sig)
{
	switch (sig) {
	case SIGBUS:
		return "SIGBUS: bus error";
	case SIGFPE:
		return "SIGFPE: floating-point exception";
	default:
		return "SIGSEGV: segmentation violation";
	}
}

void leat__report_signal(const struct leat__fault *f)
{
	leat__report("[signal %s code=0x%x addr=0x%lx pc=0x%lx]\n", signal_name(f->sig),
	             (unsigned)f->code, (unsigned long)f->address, (unsigned long)f->regs.ip);
}

/* The panic that Go makes of it, or NULL. */
static const char *meaning(const struct leat__fault *f)
{
	switch (f->sig) {
	case SIGFPE:
		return f->code == FPE_INTDIV   ? "runtime error: integer divide by zero"
		       : f->code == FPE_INTOVF ? "runtime error: integer overflow"
		                               : "runtime error: floating point error";
	case SIGBUS:
		return f->code == BUS_ADRERR && f->address < NIL_PAGE ? LEAT__NIL_DEREFERENCE : NULL;
	default:
		return (f->code == SEGV_MAPERR || f->code == SEGV_ACCERR) && f->address < NIL_PAGE
		           ? LEAT__NIL_DEREFERENCE
		           : NULL;
	}
}

/* --- whose code it was in */

struct range {
	uintptr_t low, high;
};

/* The code of the C library and of leat. */
static struct range excluded[RANGES_MAX]; /* excluded_lock, then as excluded_n says */
static _Atomic int excluded_n;            /* release when set; -1: it is part of the program */
static uint8_t excluded_lock;

struct search {
	struct range found[RANGES_MAX];
	int n, objects;
	bool libc;
};

static bool is_libc(const char *path)
{
	static const char *const names[] = {"libc.",      "libc-", "ld-",   "ld.",   "ld64.",
	                                    "libpthread", "libm.", "libm-", "libdl", "librt"};
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool holds(const struct dl_phdr_info *info, uintptr_t address)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && address - (info->dlpi_addr + ph->p_vaddr) < ph->p_memsz)
			return true;
	}
	return false;
}

static void on_fault(int sig, siginfo_t *info, void *context);

static int note_object(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	struct search *s = arg;
	bool libc = is_libc(info->dlpi_name);

	(void)bytes;
	/* The program itself comes first.  What is a part of it, as leat may be, is the program's code. */
	if (s->objects++ == 0 || !(libc || holds(info, (uintptr_t)on_fault)))
		return 0;
	s->libc |= libc;
	for (size_t i = 0; i < info->dlpi_phnum && s->n < RANGES_MAX; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t low = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X))
			s->found[s->n++] = (struct range){low, low + ph->p_memsz};
	}
	return 0;
}

/* Before the first fault that is to be a panic: the dynamic linker cannot be asked in a handler. */
static void find_excluded(void)
{
	struct search s = {0};
	struct leat__m *m;

	if (load_acquire(&excluded_n))
		return;
	dl_iterate_phdr(note_object, &s);
	m = leat__enter();
	leat__lock(&excluded_lock);
	if (!load_relaxed(&excluded_n)) {
		memcpy(excluded, s.found, sizeof excluded);
		/* Acquired by the handler. */
		store_release(&excluded_n, s.libc ? s.n : -1);
	}
	leat__unlock(&excluded_lock);
	leat__leave(m);
}

static bool is_excluded(uintptr_t ip)
{
	int n = load_acquire(&excluded_n);

	for (int i = 0; i < n; i++)
		if (ip - excluded[i].low < excluded[i].high - excluded[i].low)
			return true;
	return n <= 0;
}

bool leat_fault_panics(bool yes)
{
	struct leat__g *g = leat__current();
	bool was = g->faults;

	if (yes)
		find_excluded();
	g->faults = yes;
	return was;
}

/* On the goroutine's own stack, of which so much is free. */
static bool has_room(const struct leat__g *g, uintptr_t sp)
{
	uintptr_t low = (uintptr_t)g->stack->san.low;

	return sp - low < g->stack->san.bytes &&
	       sp - low >= LEAT__SIGNAL_CALL_BYTES + sizeof(struct leat__fault) + PANIC_BYTES;
}

/* m's goroutine is to panic. */
static bool is_panic(const struct leat__m *m, const struct leat__fault *f)
{
	struct leat__regs at = f->regs;

	if (!m->g->faults || !m->g->stack || load_relaxed(&m->in_runtime) || !has_room(m->g, at.sp) ||
	    !meaning(f) || (f->sig == SIGFPE && f->code != FPE_INTDIV && f->code != FPE_INTOVF))
		return false;
	/* A call of NULL is its caller's. */
	if (at.ip < NIL_PAGE)
		leat__regs_uncall(&at);
	return !is_excluded(leat__code_address(at.ip));
}

/* --- stack overflow */

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
		leat__report_stacks(LEAT__TRACE_SINGLE, NULL);
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
	if (m->g != &m->g0 && !m->foreign && !regs)
		leat__on_scheduler(m, leat__report_exceeded, &e);
	else
		leat__report_exceeded(&e);
	__builtin_unreachable();
}

/* --- where the thread goes on */

/* On the scheduler context's stack, as if called by nobody. */
static void leat__report_overflow(void *arg)
{
	struct leat__m *m = arg;

	leat__stack_exceeded(m->g, &m->fault.regs);
}

static void leat__report_fault(void *arg)
{
	const struct leat__fault *f = arg;
	struct leat__m *m = leat__self();
	struct leat__panic p = {.fault = f, .outer = m ? leat__asker(m)->panics : NULL};
	const char *message = meaning(f);

	if (!message)
		leat__report_wild_fault(f);
	strcpy(p.info.message, message);
	leat__report_panic(&p);
}

static void leat__panic_of_fault(void *arg)
{
	leat__panic_fault(arg, meaning(arg));
}

/* The main thread's stack ends where its limit says, and the kernel keeps a gap below. */
static bool in_overflow(const struct leat__m *m, uintptr_t address, uintptr_t sp)
{
	const struct leat__g *g = m->g;

	/* A plain thread has stacks of ours where it runs coroutines. */
	if (g == &m->g0 || (m->foreign && !leat__resumer_of(g->stack)))
		return false;
	if (leat__stack_overflowed(g->stack, address, sp))
		return true;
	return g->id == 1 && address < (uintptr_t)g->stack->low + 4096 &&
	       sp - address + LEAT__STACK_GUARD < 2 * LEAT__STACK_GUARD;
}

static void on_scheduler(struct leat__m *m, void *context, void (*fn)(void *), void *arg)
{
	/* Below what the scheduler context saved. */
	leat__signal_divert(context, (void *)(((uintptr_t)m->g0.sp - 256) & ~(uintptr_t)15), fn, arg);
}

/* A plain thread has no scheduler context.  Its own stack, below, may be a small one.  False: no memory. */
static bool report_overflow(struct leat__m *m, void *context)
{
	char *room;

	if (!m->foreign) {
		on_scheduler(m, context, leat__report_overflow, m);
		return true;
	}
	room = leat__os_map(REPORT_STACK);
	if (room)
		leat__signal_divert(context, room + REPORT_STACK, leat__report_overflow, m);
	return room;
}

/* A report of this thread's is under way, or was to be: what is out must do. */
static void mind_reentry(const struct leat__m *m)
{
	if (!leat__reports_here() && !(m && m->fault.sig))
		return;
	leat__report("[fault while reporting]\n");
	leat__report_end(2);
}

/* Nobody else wants it, and it is no overflow. */
static void take_fault(struct leat__m *m, const struct leat__fault *f, void *context)
{
	bool goroutine = m && !m->foreign && m->g != &m->g0;

	mind_reentry(m);
	if (goroutine && is_panic(m, f)) {
		leat__signal_call(context, leat__panic_of_fault, f, sizeof *f);
		return;
	}
	if (m)
		m->fault = *f;
	if (goroutine && m->g0.sp)
		on_scheduler(m, context, leat__report_fault, &m->fault);
	else
		leat__signal_call(context, leat__report_fault, f, sizeof *f);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct leat__m *m = leat__self();
	struct sigaction *old = previous(sig);
	struct leat__fault f = {.sig = sig, .code = info->si_code};

	leat__signal_regs(context, &f.regs);
	f.address = (uintptr_t)info->si_addr;
	if (sig != SIGFPE && m && in_overflow(m, f.address, f.regs.sp)) {
		mind_reentry(m);
		m->fault = f;
		if (report_overflow(m, context))
			return;
		m->fault.sig = 0; /* reported as another fault, with what there is */
	}
	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(sig, info, context);
	} else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
		old->sa_handler(sig);
	} else if (info->si_code > 0) {
		take_fault(m, &f, context);
	} else if (old->sa_handler == SIG_DFL) {
		/* Sent by somebody: the default action, once this returns. */
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

void leat__fault_init(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE};
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &sa, previous(signals[i]));
}

void leat__fault_init_thread(struct leat__m *m)
{
	stack_t now;

	/* A sanitizer may have given this thread one already. */
	if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE))
		return;
	m->signal_stack = leat__os_map(SIGNAL_STACK);
	if (m->signal_stack)
		sigaltstack(&(stack_t){.ss_sp = m->signal_stack, .ss_size = SIGNAL_STACK}, NULL);
}

void leat__fault_done_thread(struct leat__m *m)
{
	if (!m->signal_stack)
		return;
	sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
	leat__os_unmap(m->signal_stack, SIGNAL_STACK);
	m->signal_stack = NULL;
}
