/* SPDX-License-Identifier: MIT */
/*
 * What leat needs of a CPU.  One folder per architecture holds the switch; this header holds the
 * contract and the few instructions that must be inline.
 *
 * A context is a stack pointer: everything else that the ABI preserves over a call (callee-saved
 * registers, and the floating-point control words) lies on the stack below it, and errno, which is the
 * context's own like these.  The word that holds it is 0 while the context runs.  leat__switch stores
 * it last, after it has left the stack, so whoever reads it non-zero may resume the context on another
 * thread.
 *
 * errno is a thread-local variable behind __errno_location(), which libc declares const: compilers call
 * it once a function and keep the address over a switch.  Where it lies relative to the thread pointer
 * is the same in every thread, libc being there from the start; so that offset is measured once, and
 * the switch adds it to the pointer of the thread it is on.
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

/* Of errno, from the thread pointer; known before main and other constructors. */
extern ptrdiff_t leat__errno_offset;

/*
 * Prepare the stack that ends at top (aligned to 16) so that the first switch to the result calls
 * entry(), which must not return.  The floating-point control words are the ABI's initial ones, errno
 * is 0.
 */
void *leat__context_make(void *top, void (*entry)(void));

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

/* What the offset of a thread-local variable is added to; in assembly for the same reason. */
static inline char *leat__thread_pointer(void)
{
	char *p;

	__asm__ volatile("movq %%fs:0, %0" : "=r"(p));
	return p;
}

/* The ABI's initial floating-point control words: all exceptions masked, round to nearest. */
#define LEAT__MXCSR       UINT32_C(0x1f80)
#define LEAT__MXCSR_FLAGS UINT32_C(0x3f) /* exceptions so far: any inexact sum sets one */
#define LEAT__X87         UINT16_C(0x37f)

/* The running context begins anew: make what leat__switch saves beside registers what it is in a new
   one.  Cheap where the control words are that already. */
static inline void leat__context_reset(void)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(x87));
	if (unlikely((mxcsr ^ LEAT__MXCSR) & ~LEAT__MXCSR_FLAGS)) {
		mxcsr = LEAT__MXCSR;
		__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	}
	if (unlikely(x87 != LEAT__X87)) {
		x87 = LEAT__X87;
		__asm__ volatile("fldcw %0" : : "m"(x87));
	}
	*(int *)(void *)(leat__thread_pointer() + leat__errno_offset) = 0;
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
