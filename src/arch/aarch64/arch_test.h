/* SPDX-License-Identifier: MIT */
/* What arch_test.c needs to know about 64-bit Arm. */

enum { KEPT = 19 };

/* how(from, to, entry) with x19 to x29 and d8 to d15 as in in[], and what they are afterwards in
   out[]. */
__asm__(".text\n"
        ".globl switch_with\n"
        ".type switch_with, %function\n"
        "switch_with:\n"
        "	sub sp, sp, #176\n"
        "	stp x19, x20, [sp]\n"
        "	stp x21, x22, [sp, #16]\n"
        "	stp x23, x24, [sp, #32]\n"
        "	stp x25, x26, [sp, #48]\n"
        "	stp x27, x28, [sp, #64]\n"
        "	stp x29, x30, [sp, #80]\n"
        "	stp d8, d9, [sp, #96]\n"
        "	stp d10, d11, [sp, #112]\n"
        "	stp d12, d13, [sp, #128]\n"
        "	stp d14, d15, [sp, #144]\n"
        "	str x3, [sp, #160]\n"
        "	ldp x19, x20, [x2]\n"
        "	ldp x21, x22, [x2, #16]\n"
        "	ldp x23, x24, [x2, #32]\n"
        "	ldp x25, x26, [x2, #48]\n"
        "	ldp x27, x28, [x2, #64]\n"
        "	ldr x29, [x2, #80]\n"
        "	ldp d8, d9, [x2, #88]\n"
        "	ldp d10, d11, [x2, #104]\n"
        "	ldp d12, d13, [x2, #120]\n"
        "	ldp d14, d15, [x2, #136]\n"
        "	mov x2, x5\n"
        "	blr x4\n"
        "	ldr x3, [sp, #160]\n"
        "	stp x19, x20, [x3]\n"
        "	stp x21, x22, [x3, #16]\n"
        "	stp x23, x24, [x3, #32]\n"
        "	stp x25, x26, [x3, #48]\n"
        "	stp x27, x28, [x3, #64]\n"
        "	str x29, [x3, #80]\n"
        "	stp d8, d9, [x3, #88]\n"
        "	stp d10, d11, [x3, #104]\n"
        "	stp d12, d13, [x3, #120]\n"
        "	stp d14, d15, [x3, #136]\n"
        "	ldp x19, x20, [sp]\n"
        "	ldp x21, x22, [sp, #16]\n"
        "	ldp x23, x24, [sp, #32]\n"
        "	ldp x25, x26, [sp, #48]\n"
        "	ldp x27, x28, [sp, #64]\n"
        "	ldp x29, x30, [sp, #80]\n"
        "	ldp d8, d9, [sp, #96]\n"
        "	ldp d10, d11, [sp, #112]\n"
        "	ldp d12, d13, [sp, #128]\n"
        "	ldp d14, d15, [sp, #144]\n"
        "	add sp, sp, #176\n"
        "	ret\n"
        ".size switch_with, . - switch_with\n");

static uint64_t get_control(void)
{
	uint64_t fpcr;

	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	return fpcr;
}

static void set_control(uint64_t control)
{
	__asm__ volatile("msr fpcr, %0" : : "r"(control));
}

/* The ABI's, then others: the rounding modes, flush to zero, default NaN. */
static const uint64_t controls[] = {
    0,
    UINT64_C(3) << 22,
    UINT64_C(2) << 22,
    UINT64_C(1) << 24,
    UINT64_C(1) << 25,
    UINT64_C(1) << 22,
};

/* Where the function that made the context wait goes on, as its stack says. */
static uint64_t goes_on_at(const void *sp, const struct leat__regs *regs)
{
	(void)regs;
	return ((const uint64_t *)sp)[11]; /* x30, beside x29 */
}

/* Something that wants its stack aligned: the CPU looks at sp itself. */
static void __attribute__((noinline)) use_aligned(void *p)
{
	__asm__ volatile("str xzr, [%0]\n\tstr xzr, [sp, #-16]!\n\tadd sp, sp, #16"
	                 :
	                 : "r"(p)
	                 : "memory");
}
