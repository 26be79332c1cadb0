/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: a switch keeps what the ABI says that a function keeps, and the floating-point control words
 * per context; a new context starts as the ABI wants; a parked one can be walked by an unwinder.
 *
 * Method: two contexts switch to each other through a piece of assembly that puts known values into
 * all callee-saved registers before the switch and reads them after it.  No runtime is started.
 */
#define _GNU_SOURCE /* REG_RIP */
#include "arch/arch.h"

#include "arch/sanitizer.h"
#include "base/random.h"

#include "test.h"

#ifdef LEAT_HAVE_LIBUNWIND
#if LEAT_HAVE_LIBUNWIND
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#endif
#endif

enum { STACK = 64 << 10, KEPT = 6 };

static _Alignas(16) char stack[STACK];
static void *main_sp, *other_sp;

#if defined __x86_64__

/* leat__switch(from, to) with rbx, rbp, r12 to r15 as in in[], and what they are afterwards in out[]. */
void switch_with(void **from, void **to, const uint64_t in[KEPT], uint64_t out[KEPT]);
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
        "	call leat__switch\n"
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

struct control {
	uint32_t mxcsr;
	uint16_t x87;
};

static struct control get_control(void)
{
	struct control c;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(c.mxcsr), "=m"(c.x87));
	return c;
}

static void set_control(struct control c)
{
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(c.mxcsr), "m"(c.x87));
}

#endif

/* The other context begins anew; frames that were left there are forgotten. */
static void begin(void (*entry)(void))
{
	leat__san_unpoison(stack, sizeof stack);
	other_sp = leat__context_make(stack + STACK, entry);
}

static uint64_t pattern(int round, int side, int k)
{
	return leat__random_seed((uint64_t)round * 100 + (uint64_t)(side * 10 + k));
}

/* Switch with registers of this side and round, and find them again. */
static void switch_and_check(int side, int round)
{
	uint64_t in[KEPT], out[KEPT] = {0};

	for (int k = 0; k < KEPT; k++)
		in[k] = pattern(round, side, k);
	if (side == 0)
		switch_with(&main_sp, &other_sp, in, out);
	else
		switch_with(&other_sp, &main_sp, in, out);
	for (int k = 0; k < KEPT; k++)
		CHECK_EQ(out[k], in[k]);
}

/* --- registers */

static void other_side(void)
{
	for (int round = 0;; round++)
		switch_and_check(1, round);
}

TEST(callee_saved_registers_are_kept)
{
	begin(other_side);
	main_sp = NULL;
	for (int round = 0; round < test_count(100000); round++) {
		switch_and_check(0, round);
		/* The word of the one that runs is 0, of the one that is parked not. */
		CHECK(main_sp == NULL);
		CHECK((char *)other_sp >= stack && (char *)other_sp < stack + STACK);
	}
}

/* --- floating-point control */

static struct control seen_at_start;

static void control_side(void)
{
	static const struct control mine = {0x1f80 | 0x6000, 0x37f | 0xc00}; /* toward zero */

	seen_at_start = get_control();
	set_control(mine);
	for (;;) {
		struct control now;

		leat__switch(&other_sp, &main_sp);
		now = get_control();
		CHECK_EQ(now.mxcsr & 0xffc0, mine.mxcsr & 0xffc0);
		CHECK_EQ(now.x87, mine.x87);
	}
}

TEST(control_words_belong_to_the_context)
{
	struct control before = get_control(), mine = {0x1f80 | 0x2000, 0x37f | 0x400}; /* down */

	set_control(mine);
	begin(control_side);
	for (int round = 0; round < 100; round++) {
		struct control now;

		leat__switch(&main_sp, &other_sp);
		now = get_control();
		CHECK_EQ(now.mxcsr & 0xffc0, mine.mxcsr & 0xffc0);
		CHECK_EQ(now.x87, mine.x87);
		/* Each alone differs, too. */
		mine.mxcsr ^= round % 2 ? 0x8000 : 0;
		mine.x87 ^= round % 3 ? 0x200 : 0;
		set_control(mine);
	}
	set_control(before);
	/* The maker's were different. */
	CHECK_EQ(seen_at_start.mxcsr, 0x1f80);
	CHECK_EQ(seen_at_start.x87, 0x37f);
}

/* --- how a context begins */

static uintptr_t frame, aligned_local;

static void __attribute__((noinline)) use(void *p)
{
	__asm__ volatile("movaps %%xmm0, (%0)" : : "r"(p) : "memory");
}

static void beginner(void)
{
	_Alignas(16) char local[16];

	/* With rbp pushed right after the return address this is 16 below an aligned address. */
	frame = (uintptr_t)__builtin_frame_address(0);
	aligned_local = (uintptr_t)local;
	use(local);
	leat__switch(&other_sp, &main_sp);
	__builtin_trap();
}

TEST(new_context_has_an_aligned_stack)
{
	begin(beginner);
	leat__switch(&main_sp, &other_sp);
	CHECK_EQ(frame % 16, 0);
	CHECK_EQ(aligned_local % 16, 0);
	CHECK(frame < (uintptr_t)stack + STACK && frame >= (uintptr_t)stack + STACK - 128);
}

/* --- unwinding a parked context */

static void *returns[3];

static void __attribute__((noinline)) inner(void)
{
	returns[0] = __builtin_return_address(0);
	leat__switch(&other_sp, &main_sp);
	__asm__ volatile("" ::: "memory");
}

static void __attribute__((noinline)) middle(void)
{
	returns[1] = __builtin_return_address(0);
	inner();
	__asm__ volatile("" ::: "memory");
}

static void outer(void)
{
	returns[2] = __builtin_return_address(0);
	middle();
	__builtin_trap();
}

TEST(parked_context_has_its_registers)
{
	struct leat__regs regs;
	const uint64_t *word;

	begin(outer);
	leat__switch(&main_sp, &other_sp);
	leat__context_regs(other_sp, &regs);
	CHECK((char *)(uintptr_t)regs.sp > (char *)other_sp);
	/* Where it goes on is what lies below its stack pointer: the call of leat__switch. */
	word = (const uint64_t *)(uintptr_t)regs.sp;
	CHECK_EQ(regs.ip, word[-1]);
}

#if defined LEAT_HAVE_LIBUNWIND && LEAT_HAVE_LIBUNWIND

/* libunwind's own cursor, started from the registers alone. */
static size_t walk(const struct leat__regs *regs, void **pcs, size_t max)
{
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	int (*init)(unw_cursor_t *, unw_context_t *), (*step)(unw_cursor_t *);
	int (*get)(unw_cursor_t *, unw_regnum_t, unw_word_t *);
	unw_context_t context;
	unw_cursor_t cursor;
	size_t n = 0;

	if (!library)
		return 0;
	*(void **)&init = dlsym(library, "_ULx86_64_init_local");
	*(void **)&step = dlsym(library, "_ULx86_64_step");
	*(void **)&get = dlsym(library, "_ULx86_64_get_reg");
	CHECK(init && step && get);
	memset(&context, 0, sizeof context);
	context.uc_mcontext.gregs[REG_RIP] = (greg_t)regs->ip;
	context.uc_mcontext.gregs[REG_RSP] = (greg_t)regs->sp;
	context.uc_mcontext.gregs[REG_RBP] = (greg_t)regs->bp;
	context.uc_mcontext.gregs[REG_RBX] = (greg_t)regs->rbx;
	context.uc_mcontext.gregs[REG_R12] = (greg_t)regs->r12;
	context.uc_mcontext.gregs[REG_R13] = (greg_t)regs->r13;
	context.uc_mcontext.gregs[REG_R14] = (greg_t)regs->r14;
	context.uc_mcontext.gregs[REG_R15] = (greg_t)regs->r15;
	CHECK(init(&cursor, &context) == 0);
	do {
		unw_word_t ip;

		CHECK(get(&cursor, UNW_REG_IP, &ip) == 0);
		pcs[n++] = (void *)(uintptr_t)ip;
	} while (n < max && step(&cursor) > 0);
	return n;
}

TEST(parked_context_is_walked_to_its_beginning)
{
	struct leat__regs regs;
	void *pcs[16];
	size_t n;

	begin(outer);
	leat__switch(&main_sp, &other_sp);
	leat__context_regs(other_sp, &regs);
	n = walk(&regs, pcs, 16);
	if (n == 0)
		return; /* the library is not installed, only its header */
	/* inner, middle, outer, and the start of the context, where it ends. */
	CHECK(n >= 4 && n <= 5);
	CHECK(pcs[0] == (void *)(uintptr_t)regs.ip);
	for (int i = 0; i < 3; i++)
		CHECK(pcs[i + 1] == returns[i]);
	CHECK(n == 4 || pcs[4] == NULL);
}

#endif

TEST_MAIN
