/* SPDX-License-Identifier: MIT */
/*
 * Faults: SIGSEGV, SIGBUS and SIGFPE of the program's code become a report, or a panic.
 *
 * The handler runs on the thread's alternate stack, if it has one, and does next to nothing: it arranges
 * that the thread continues elsewhere when it returns.  A goroutine's report runs on the scheduler
 * context's stack, also where its own is used up; that of any other context below what it had in use; and
 * a panic, which runs what the goroutine deferred, below what the goroutine had in use.
 */
#ifndef LEAT_SCHED_FAULT_H
#define LEAT_SCHED_FAULT_H

#include "arch/arch.h"

struct leat__g;
struct leat__m;

struct leat__fault {
	struct leat__regs regs; /* first: leat__signal_call */
	uintptr_t address;
	int sig, code;
};

/* Once, at start. */
void leat__fault_init(void);

/* The alternate stack of the calling thread.  A plain one, whose own stack is not ours to report on, gets one when it
   first resumes a coroutine. */
void leat__fault_init_thread(struct leat__m *m);
void leat__fault_done_thread(struct leat__m *m);

/* The stack of g, which runs or just ran here, is exhausted; regs as the fault left them or NULL. */
LEAT__NORETURN void leat__stack_exceeded(struct leat__g *g, const struct leat__regs *regs);

/* "[signal SIGSEGV: ...]", as Go has it, in a report. */
void leat__report_signal(const struct leat__fault *fault);

#endif
