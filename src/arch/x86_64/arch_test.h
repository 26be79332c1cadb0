/* SPDX-License-Identifier: MIT */
/* What arch_test.c needs to know about x86-64. */

enum { KEPT = 6 };

/* how(from, to, entry) with rbx, rbp, r12 to r15 as in in[], and what they are afterwards in out[]. */
__asm__(".text\n"
        ".globl switch_with\n"
        ".type switch_with, @function\n"
        "switch_with:\n"
        "	endbr64\n"
        "	pushq %rbp\n"
        "	pushq %rbx\n"
        "	pushq %r12\n"
        "	pushq %r13\n"
        "	pushq %r14\n"
        "	pushq %r15\n"
        "	pushq %rcx\n"
        "	movq 0(%rdx), %rbx\n"
        "	movq 8(%rdx), %rbp\n"
        "	movq 16(%rdx), %r12\n"
        "	movq 24(%rdx), %r13\n"
        "	movq 32(%rdx), %r14\n"
        "	movq 40(%rdx), %r15\n"
        "	movq %r9, %rdx\n"
        "	call *%r8\n"
        "	popq %rcx\n"
        "	movq %rbx, 0(%rcx)\n"
        "	movq %rbp, 8(%rcx)\n"
        "	movq %r12, 16(%rcx)\n"
        "	movq %r13, 24(%rcx)\n"
        "	movq %r14, 32(%rcx)\n"
        "	movq %r15, 40(%rcx)\n"
        "	popq %r15\n"
        "	popq %r14\n"
        "	popq %r13\n"
        "	popq %r12\n"
        "	popq %rbx\n"
        "	popq %rbp\n"
        "	ret\n"
        ".size switch_with, . - switch_with\n");

/* The control words, without the flags that say what happened: 16 bits of either. */
static uint64_t get_control(void)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
	return (mxcsr & 0xffc0) << 16 | x87;
}

static void set_control(uint64_t control)
{
	uint32_t mxcsr = (uint32_t)(control >> 16);
	uint16_t x87 = (uint16_t)control;

	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

/* The ABI's, then others: rounding in both, flush to zero in one, precision in the other. */
static const uint64_t controls[] = {
    0x1f80037f, 0x7f800f7f, 0x3f80077f, 0x9f80037f, 0x1f80017f, 0x5f800b7f,
};

/* Where the function that made the context wait goes on, as its stack says. */
static uint64_t goes_on_at(const void *sp, const struct leat__regs *regs)
{
	(void)sp;
	return ((const uint64_t *)(uintptr_t)regs->sp)[-1]; /* pushed by the call of leat__switch */
}

/* Something that wants its stack aligned. */
static void __attribute__((noinline)) use_aligned(void *p)
{
	__asm__ volatile("movaps %%xmm0, (%0)" : : "r"(p) : "memory");
}
