/* SPDX-License-Identifier: MIT */
/* x86-64: what arch.h says that must be inline.  Include that. */
#ifndef LEAT_ARCH_X86_64_CPU_H
#define LEAT_ARCH_X86_64_CPU_H

struct leat__regs {
	uint64_t ip, sp, fp, rbx, r12, r13, r14, r15;
};

static inline struct leat__m *leat__self(void)
{
	struct leat__m *m;

	__asm__ volatile("movq leat__tls_self@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(m));
	return m;
}

/* GCC, and clang from 15 on, have a function return by a jump to __x86_return_thunk, unless there are shadow stacks. */
#if defined __has_attribute
#if __has_attribute(function_return) && !(defined __CET__ && (__CET__ & 2))
#define LEAT__RESUMED __attribute__((function_return("thunk-extern")))
#endif
#endif

#ifdef LEAT__RESUMED
static ALWAYS_INLINE void leat__resumed(void)
{
	__asm__ volatile(".set __x86_return_thunk, leat__return_resumed");
}
#else
#define LEAT__RESUMED
static ALWAYS_INLINE void leat__resumed(void)
{
}
#endif

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

static inline void leat__switch_last(void **to)
{
	__asm__ volatile("jmp leat__switch_for_good" : : "D"(to) : "memory");
	__builtin_unreachable();
}

static inline void leat__cpu_relax(void)
{
	__builtin_ia32_pause();
}

static inline void leat__count_up(uint8_t *count)
{
	__asm__ volatile("incb %0" : "+m"(*count));
}

static inline uint64_t leat__ticks(void)
{
	return __builtin_ia32_rdtsc();
}

static inline __attribute__((always_inline)) void leat__regs_here(struct leat__regs *regs)
{
	__asm__ volatile("leaq 0f(%%rip), %%rax\n"
	                 "0:\tmovq %%rax, 0(%0)\n\t"
	                 "movq %%rsp, 8(%0)\n\t"
	                 "movq %%rbp, 16(%0)\n\t"
	                 "movq %%rbx, 24(%0)\n\t"
	                 "movq %%r12, 32(%0)\n\t"
	                 "movq %%r13, 40(%0)\n\t"
	                 "movq %%r14, 48(%0)\n\t"
	                 "movq %%r15, 56(%0)"
	                 :
	                 : "r"(regs)
	                 : "rax", "memory");
}

/* A call has put the return address on top of the stack, which must be readable. */
__attribute__((no_sanitize("address"))) static inline void
leat__regs_uncall(struct leat__regs *regs)
{
	regs->ip = *(const uintptr_t *)regs->sp; /* NOLINT(performance-no-int-to-ptr) */
	regs->sp += sizeof(uintptr_t);
}

void leat__signal_frame(void); /* leat__signal_call */

static inline bool leat__is_signal_frame(uintptr_t pc)
{
	return pc - (uintptr_t)leat__signal_frame < 16;
}

static inline uintptr_t leat__code_address(uintptr_t address)
{
	return address;
}

#endif
