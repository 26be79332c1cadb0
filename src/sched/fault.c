/* SPDX-License-Identifier: MIT */
/* See the header. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sched/fault.h"

#include "sched/panic.h"
#include "sched/scheduler.h"

#include <signal.h>

#define SIGNAL_STACK ((size_t)64 << 10) /* a frame with all of AVX-512 and AMX state is 11 KiB */

static struct sigaction before[2]; /* SIGSEGV, SIGBUS */

static struct sigaction *previous(int sig)
{
	return &before[sig == SIGBUS];
}

/* On the scheduler context's stack, as if called by nobody. */
static void leat__report_overflow(void *arg)
{
	struct leat__m *m = arg;

	leat__stack_exceeded(m->g, &m->fault_regs);
}

/* The main thread's stack ends where its limit says, and the kernel keeps a gap below. */
static bool in_overflow(const struct leat__g *g, uintptr_t address, uintptr_t sp)
{
	if (leat__stack_overflowed(g->stack, address, sp))
		return true;
	return g->id == 1 && address < (uintptr_t)g->stack->low + 4096 &&
	       sp - address + LEAT__STACK_GUARD < 2 * LEAT__STACK_GUARD;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct leat__m *m = leat__self();
	struct sigaction *old = previous(sig);
	struct leat__regs regs;

	leat__signal_regs(context, &regs);
	if (m && !m->foreign && m->g != &m->g0 &&
	    in_overflow(m->g, (uintptr_t)info->si_addr, regs.sp)) {
		m->fault_regs = regs;
		/* Below what the scheduler context saved. */
		leat__signal_divert(context, (void *)(((uintptr_t)m->g0.sp - 256) & ~(uintptr_t)15),
		                    leat__report_overflow, m);
		return;
	}
	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(sig, info, context);
	} else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
		old->sa_handler(sig);
	} else {
		/* The instruction faults again, with the default action. */
		signal(sig, SIG_DFL);
	}
}

void leat__fault_init(void)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaction(SIGSEGV, &sa, previous(SIGSEGV));
	sigaction(SIGBUS, &sa, previous(SIGBUS));
}

void leat__fault_init_thread(struct leat__m *m)
{
	stack_t now;

	if (m->foreign)
		return; /* its stack is not ours to report on */
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
