/* SPDX-License-Identifier: MIT */
/*
 * What leat needs of a CPU.  One folder per architecture holds the switch; this header holds the
 * contract and the few instructions that must be inline.
 *
 * A context is a stack pointer: everything else that the ABI preserves over a call (callee-saved
 * registers, and the floating-point control words) lies on the stack below it.  The word that holds
 * it is 0 while the context runs.  leat__switch stores it last, after it has left the stack, so
 * whoever reads it non-zero may resume the context on another thread.
 */
#ifndef LEAT_ARCH_ARCH_H
#define LEAT_ARCH_ARCH_H

#include "base/atomic.h"
#include "base/compiler.h"

/* What a function must preserve, and the place itself, as an unwinder wants them: of a parked context,
   or of one that faulted.  Registers that are not known are 0. */
struct leat__regs {
	uint64_t ip, sp, bp, rbx, r12, r13, r14, r15;
};

/* Save the running context in *from and continue the one in *to, which must not be 0. */
void leat__switch(void **from, void **to);

/*
 * Prepare the stack that ends at top (aligned to 16) so that the first switch to the result calls
 * entry(), which must not return.  The floating-point control words are the ABI's initial ones.
 */
void *leat__context_make(void *top, void (*entry)(void));

/* Where a saved context keeps which register, for debuggers: offsets from its stack pointer, names as
   gdb has them.  The last has no name: so many bytes above sp is the context's own stack pointer. */
struct leat__saved_register {
	const char *name;
	uint64_t offset;
};
extern const struct leat__saved_register leat__saved_registers[];

/* The registers of the context saved at sp. */
void leat__context_regs(void *sp, struct leat__regs *regs);

struct leat__m;
extern __thread struct leat__m *leat__tls_self __attribute__((tls_model("initial-exec")));

#if defined __x86_64__

/*
 * The thread's own M, NULL before its first call.  In assembly, since both compilers believe that a
 * thread-local's address cannot change inside a function, and keep it across a switch.
 */
static inline struct leat__m *leat__self(void)
{
	struct leat__m *m;

	__asm__ volatile("movq leat__tls_self@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(m));
	return m;
}

static inline void leat__cpu_relax(void)
{
	__builtin_ia32_pause();
}

/* A cheap clock for heuristics: constant rate, unit unknown (see leat__ticks_per_us). */
static inline uint64_t leat__ticks(void)
{
	return __builtin_ia32_rdtsc();
}

#else
#error "leat has no context switch for this CPU yet: see src/arch"
#endif

#endif
