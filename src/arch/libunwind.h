/* SPDX-License-Identifier: MIT */
/*
 * Putting saved registers into libunwind's context by hand.  Its type is the signal's ucontext_t on
 * x86-64, and nearly so on Arm; the integer registers are all that the CFI of ordinary code asks for.
 *
 * For files that use libunwind, where CMake has found its header (LEAT_HAVE_LIBUNWIND).
 */
#ifndef LEAT_ARCH_LIBUNWIND_H
#define LEAT_ARCH_LIBUNWIND_H

#include "arch/arch.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <string.h>
#include <ucontext.h>

/* A function's name as dlsym knows it: the names are macros for the real ones, which differ from one
   CPU to the next. */
#define LEAT__UNW_NAME_(name) #name
#define LEAT__UNW_NAME(name)  LEAT__UNW_NAME_(name)

/*
 * Where libunwind reads memory without a look at whether it is there, as it does on Arm, which may be code
 * at the address of a frame and what its frame pointer points to: the number of that register.  The
 * caller looks.  (The ABI promises that the frame pointer is one, or 0 in the last frame.)
 */
#if defined __aarch64__
#define LEAT__UNW_UNCHECKED_FP UNW_AARCH64_X29
#endif

static inline void leat__regs_to_libunwind(const struct leat__regs *regs, unw_context_t *context)
{
	memset(context, 0, sizeof *context);
#if defined __x86_64__
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)regs->ip;
	context->uc_mcontext.gregs[REG_RSP] = (greg_t)regs->sp;
	context->uc_mcontext.gregs[REG_RBP] = (greg_t)regs->fp;
	context->uc_mcontext.gregs[REG_RBX] = (greg_t)regs->rbx;
	context->uc_mcontext.gregs[REG_R12] = (greg_t)regs->r12;
	context->uc_mcontext.gregs[REG_R13] = (greg_t)regs->r13;
	context->uc_mcontext.gregs[REG_R14] = (greg_t)regs->r14;
	context->uc_mcontext.gregs[REG_R15] = (greg_t)regs->r15;
#elif defined __aarch64__
	context->uc_mcontext.pc = regs->ip;
	context->uc_mcontext.sp = regs->sp;
	context->uc_mcontext.regs[29] = regs->fp;
	context->uc_mcontext.regs[30] = regs->lr;
	for (size_t i = 0; i < ARRAY_LEN(regs->x); i++)
		context->uc_mcontext.regs[19 + i] = regs->x[i];
#endif
}

#endif
