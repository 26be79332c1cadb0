/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: a switch keeps what the ABI says that a function keeps, and the floating-point control words
 * per context; a new context starts as the ABI wants; a parked one can be walked by an unwinder.
 *
 * Method: two contexts switch to each other through a piece of assembly that puts known values into
 * all callee-saved registers before the switch and reads them after it.  No runtime is started.  What
 * depends on the CPU is in its folder.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arch/arch.h"

#include "arch/sanitizer.h"
#include "base/random.h"

#include "test.h"

#include <errno.h>

#if defined LEAT_HAVE_LIBUNWIND && LEAT_HAVE_LIBUNWIND
#include "arch/libunwind.h"
#include <dlfcn.h>
#endif

void switch_with(void **from, void *to, const uint64_t *in, uint64_t *out, void *how,
                 void (*entry)(void));

#if defined __x86_64__
#include "arch/x86_64/arch_test.h"
#elif defined __aarch64__
#include "arch/aarch64/arch_test.h"
#endif

enum { STACK = 64 << 10, SETTINGS = ARRAY_LEN(controls) };

static _Alignas(16) char stack[STACK];
static void *main_sp, *other_sp;

/* The other context begins anew; frames that were left there are forgotten. */
static void begin(void (*entry)(void))
{
	leat__san_unpoison(stack, sizeof stack);
	other_sp = leat__context_make(stack + STACK, entry);
}

static uint64_t pattern(int round, int side, int k)
{
	return leat__random_seed((uint64_t)round * 100 + (uint64_t)(side * 50 + k));
}

/* Switch with registers of this side and round, and find them again. */
static void switch_and_check(int side, int round)
{
	uint64_t in[KEPT], out[KEPT] = {0};

	for (int k = 0; k < KEPT; k++)
		in[k] = pattern(round, side, k);
	if (side == 0)
		switch_with(&main_sp, &other_sp, in, out, (void *)leat__switch, NULL);
	else
		switch_with(&other_sp, &main_sp, in, out, (void *)leat__switch, NULL);
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

static uint64_t seen_at_start;

static void control_side(void)
{
	seen_at_start = get_control();
	for (unsigned i = 0;; i++) {
		uint64_t mine = controls[i / SETTINGS % SETTINGS];

		set_control(mine);
		leat__switch(&other_sp, &main_sp);
		CHECK_EQ(get_control(), mine);
	}
}

/* Each setting of one side meets each of the other. */
TEST(line_25_control_words_belong_to_the_context)
{
	set_control(controls[1]);
	begin(control_side);
	for (unsigned i = 0; i < 3 * SETTINGS * SETTINGS; i++) {
		uint64_t mine = controls[(i + 1) % SETTINGS];

		set_control(mine);
		leat__switch(&main_sp, &other_sp);
		CHECK_EQ(get_control(), mine);
	}
	set_control(controls[0]);
	/* The maker's were different. */
	CHECK_EQ(seen_at_start, controls[0]);
}

/* --- how a context begins */

static uintptr_t frame, aligned_local;

static void beginner(void)
{
	_Alignas(16) char local[16];

	frame = (uintptr_t)__builtin_frame_address(0);
	aligned_local = (uintptr_t)local;
	use_aligned(local);
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

/* --- a context that is begun at once, and left for good */

static char *begun_at;
static uint64_t begun_with;
static int begun_errno;
static bool begun_deeper;

static void __attribute__((noinline)) leave(void)
{
	leat__switch_last(&main_sp);
}

static void __attribute__((noinline)) leave_deeper(void)
{
	leave();
	__asm__ volatile("" ::: "memory");
}

static void brief(void)
{
	_Alignas(16) char local[16];

	begun_at = __builtin_frame_address(0);
	begun_with = get_control();
	begun_errno = errno;
	use_aligned(local);
	set_control(controls[2]);
	errno = 4;
	if (begun_deeper)
		leave_deeper();
	leave();
}

TEST(a_context_is_begun_at_once_and_left_for_good)
{
	main_sp = NULL;
	leat__san_unpoison(stack, sizeof stack);
	for (int round = 0; round < test_count(10000); round++) {
		uint64_t in[KEPT], out[KEPT] = {0}, mine = controls[(unsigned)round % SETTINGS];

		for (int k = 0; k < KEPT; k++)
			in[k] = pattern(round, 0, k);
		set_control(mine);
		errno = round;
		begun_deeper = round & 1;
		switch_with(&main_sp, stack + STACK, in, out, (void *)leat__switch_start, brief);
		CHECK_EQ(errno, round);
		CHECK_EQ(get_control(), mine);
		set_control(controls[0]);
		for (int k = 0; k < KEPT; k++)
			CHECK_EQ(out[k], in[k]);
		CHECK(main_sp == NULL);
		CHECK((uintptr_t)begun_at % 16 == 0);
		CHECK(begun_at < stack + STACK && begun_at >= stack + STACK - 128);
		CHECK_EQ(begun_with, controls[0]);
		CHECK_EQ(begun_errno, 0);
	}
}

/* --- a context that goes on as after a call */

static void *swap_with(void **from, void *to, void *value)
{
	return leat__swap(from, to, value);
}

static void swap_side(void)
{
	uint64_t in[KEPT], out[KEPT] = {0};

	for (int round = 0;; round++) {
		errno = round;
		set_control(controls[(unsigned)round % SETTINGS]);
		for (int k = 0; k < KEPT; k++)
			in[k] = pattern(round, 1, k);
		switch_with(&other_sp, main_sp, in, out, (void *)leat__swap, NULL);
		for (int k = 0; k < KEPT; k++)
			CHECK_EQ(out[k], in[k]);
	}
}

/* Registers are kept; errno and the control words come along. */
TEST(a_swap_is_as_a_call)
{
	uint64_t in[KEPT], out[KEPT] = {0};

	begin(swap_side);
	for (int round = 0; round < test_count(100000); round++) {
		errno = -1;
		set_control(controls[0]);
		for (int k = 0; k < KEPT; k++)
			in[k] = pattern(round, 0, k);
		switch_with(&main_sp, other_sp, in, out, (void *)leat__swap, NULL);
		for (int k = 0; k < KEPT; k++)
			CHECK_EQ(out[k], in[k]);
		CHECK_EQ(errno, round);
		CHECK_EQ(get_control(), controls[(unsigned)round % SETTINGS]);
	}
	set_control(controls[0]);
}

static uintptr_t diverted_from, diverted_to;

static void *diverted(void *value)
{
	_Alignas(16) char local[16];

	use_aligned(local);
	diverted_from = (uintptr_t)__builtin_return_address(0);
	diverted_to = (uintptr_t)__builtin_frame_address(0);
	return (char *)value + 1;
}

static char given[10];

static void value_side(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	void *got = swap_with(&other_sp, main_sp, given);

	CHECK(got == given + 3);
	CHECK(diverted_to < here && diverted_to % 16 == 0);
	CHECK(diverted_from > (uintptr_t)swap_with);
	swap_with(&other_sp, main_sp, given + 4);
	__builtin_trap();
}

TEST(a_swap_passes_a_value_and_can_be_diverted)
{
	begin(value_side);
	CHECK(swap_with(&main_sp, other_sp, NULL) == given);
	other_sp = leat__context_divert(other_sp, diverted);
	CHECK(swap_with(&main_sp, other_sp, given + 2) == given + 4);
	CHECK(diverted_to > (uintptr_t)stack && diverted_to < (uintptr_t)stack + STACK);
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

	begin(outer);
	leat__switch(&main_sp, &other_sp);
	leat__context_regs(other_sp, &regs);
	CHECK((char *)(uintptr_t)regs.sp > (char *)other_sp);
	CHECK_EQ(regs.ip, goes_on_at(other_sp, &regs));
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
	*(void **)&init = dlsym(library, LEAT__UNW_NAME(unw_init_local));
	*(void **)&step = dlsym(library, LEAT__UNW_NAME(unw_step));
	*(void **)&get = dlsym(library, LEAT__UNW_NAME(unw_get_reg));
	CHECK(init && step && get);
	leat__regs_to_libunwind(regs, &context);
	CHECK(init(&cursor, &context) == 0);
	do {
		unw_word_t ip;

		CHECK(get(&cursor, UNW_REG_IP, &ip) == 0);
		pcs[n++] = (void *)(uintptr_t)ip;
	} while (n < max && step(&cursor) > 0);
	return n;
}

static void walk_from_inner_to_beginning(void)
{
	struct leat__regs regs;
	void *pcs[16];
	size_t n;

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
	CHECK((char *)pcs[3] > (char *)leat__context_start &&
	      (char *)pcs[3] < (char *)leat__context_start + 64);
}

TEST(parked_context_is_walked_to_its_beginning)
{
	begin(outer);
	leat__switch(&main_sp, &other_sp);
	walk_from_inner_to_beginning();

	leat__switch_start(&main_sp, stack + STACK, outer);
	walk_from_inner_to_beginning();
}

#endif

/* --- a call on another stack */

static void *called_at, *called_with;

static void called(void *arg)
{
	char local;

	called_at = &local;
	called_with = arg;
	use_aligned((void *)((uintptr_t)stack & ~(uintptr_t)15));
}

TEST(call_on_another_stack_returns)
{
	char here;

	leat__san_unpoison(stack, sizeof stack);
	for (int i = 0; i < 3; i++) {
		leat__call_on(stack + STACK - 16 * i, called, &here);
		CHECK(called_with == &here);
#ifndef __SANITIZE_ADDRESS__ /* it may keep locals elsewhere */
		CHECK((char *)called_at < stack + STACK && (char *)called_at > stack + STACK - 512);
#endif
	}
}

TEST_MAIN
