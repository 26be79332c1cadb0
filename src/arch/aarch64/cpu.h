/* SPDX-License-Identifier: MIT */
/* 64-bit Arm: what arch.h says that must be inline.  Include that. */
#ifndef LEAT_ARCH_AARCH64_CPU_H
#define LEAT_ARCH_AARCH64_CPU_H

struct leat__regs {
	uint64_t ip, sp, fp; /* fp is x29 */
	uint64_t lr;         /* x30: the way back from a function that has not saved it */
	uint64_t x[10];      /* x19 to x28 */
};

/* The form that the linker can turn into two moves where it knows the offset. */
static inline struct leat__m *leat__self(void)
{
	struct leat__m *m;
	uint64_t offset;

	__asm__ volatile("mrs %0, tpidr_el0\n\t"
	                 "adrp %1, :gottprel:leat__tls_self\n\t"
	                 "ldr %1, [%1, #:gottprel_lo12:leat__tls_self]\n\t"
	                 "ldr %0, [%0, %1]"
	                 : "=&r"(m), "=&r"(offset));
	return m;
}

/* Compilers have nothing for it. */
#define LEAT__RESUMED
static ALWAYS_INLINE void leat__resumed(void)
{
}

static inline char *leat__thread_pointer(void)
{
	char *p;

	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(p));
	return p;
}

static inline void leat__context_reset(void)
{
	uint64_t fpcr;

	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	if (unlikely(fpcr != 0))
		__asm__ volatile("msr fpcr, xzr");
	*(int *)(void *)(leat__thread_pointer() + leat__errno_offset) = 0;
}

static inline void leat__switch_last(void **to)
{
	register void **x0 __asm__("x0") = to;

	__asm__ volatile("b leat__switch_for_good" : : "r"(x0) : "memory");
	__builtin_unreachable();
}

/*
 * An instruction barrier empties the pipeline: some tens of cycles during which the other hardware
 * thread, or nobody, runs, as x86's pause.  yield, which is meant for this, does nothing on most cores
 * without hardware threads, and loops calibrated for a pause would hammer the line they wait for.
 */
static inline void leat__cpu_relax(void)
{
	__asm__ volatile("isb" ::: "memory");
}

static inline void leat__count_up(uint8_t *count)
{
	__atomic_store_n(count, (uint8_t)(__atomic_load_n(count, __ATOMIC_RELAXED) + 1),
	                 __ATOMIC_RELAXED);
}

/* The counter may be read early, out of order: for a heuristic that is as good.  It runs at 1 GHz in
   new cores, at 20 to 100 MHz in older ones. */
static inline uint64_t leat__ticks(void)
{
	uint64_t t;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
}

static inline __attribute__((always_inline)) void leat__regs_here(struct leat__regs *regs)
{
	__asm__ volatile("adr x16, .\n\t"
	                 "mov x17, sp\n\t"
	                 "stp x16, x17, [%0]\n\t"
	                 "stp x29, x30, [%0, #16]\n\t"
	                 "stp x19, x20, [%0, #32]\n\t"
	                 "stp x21, x22, [%0, #48]\n\t"
	                 "stp x23, x24, [%0, #64]\n\t"
	                 "stp x25, x26, [%0, #80]\n\t"
	                 "stp x27, x28, [%0, #96]"
	                 :
	                 : "r"(regs)
	                 : "x16", "x17", "memory");
}

/* A return address may be signed (pac-ret) in bits that no address has.  The instruction that strips
   them works on x30 and does nothing on cores that cannot sign. */
static inline bool leat__is_signal_frame(uintptr_t pc)
{
	(void)pc;
	return false;
}

static inline uintptr_t leat__code_address(uintptr_t address)
{
	register uintptr_t x30 __asm__("x30") = address;

	__asm__("hint #7" : "+r"(x30)); /* xpaclri */
	return x30;
}

/* A call has put the return address into x30, and nothing on the stack. */
static inline void leat__regs_uncall(struct leat__regs *regs)
{
	regs->ip = leat__code_address(regs->lr);
}

#endif
