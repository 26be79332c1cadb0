/* SPDX-License-Identifier: MIT */
/*
 * Goal: traces name every function of a known chain, from the running stack, from one that is parked
 * and from one that has faulted, with libunwind and libdw and without, and survive damaged stacks.
 *
 * Method: each function of the chain records its own return address and the line of its call, which
 * the trace must repeat exactly.  Each asks for its frame address, which makes both compilers give it
 * a frame pointer, so that the walk along those can be held to the same.
 */
#define _GNU_SOURCE
#include "os/module.h"
#include "os/symbol.h"
#include "os/unwind.h"

#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#define NOINLINE __attribute__((noinline))
#define MAX      64

struct chain {
	void *pcs[MAX];
	size_t count;
	void *returns[3]; /* of inner, middle and outer */
	void *frames[3];
	int lines[3]; /* of the calls in them */
	void (*at_end)(struct chain *chain);
	void *parked, *back; /* contexts: the chain's, and of who ran it */
	int fault_line;
};

/* Keeps the call before it from being the last thing its function does. */
#define NO_TAIL_CALL() __asm__ volatile("" : : : "memory")

#define RECORD(chain, i)                                                                           \
	((chain)->returns[i] = __builtin_return_address(0),                                            \
	 (chain)->frames[i] = __builtin_frame_address(0), (chain)->lines[i] = __LINE__)

static NOINLINE void inner(struct chain *chain)
{
	RECORD(chain, 0), chain->at_end(chain);
	NO_TAIL_CALL();
}

static NOINLINE void middle(struct chain *chain)
{
	RECORD(chain, 1), inner(chain);
	NO_TAIL_CALL();
}

static NOINLINE void outer(struct chain *chain)
{
	RECORD(chain, 2), middle(chain);
	NO_TAIL_CALL();
}

static NOINLINE void end_here(struct chain *chain)
{
	chain->count = leat__unwind_here(chain->pcs, MAX, 1);
	NO_TAIL_CALL();
}

/* Leave for good, as a goroutine that parks. */
static NOINLINE void end_parked(struct chain *chain)
{
	chain->frames[0] = __builtin_frame_address(0);
	leat__switch(&chain->parked, &chain->back);
	NO_TAIL_CALL();
}

/* Where in the trace, from the first on, `pc` is; fails if nowhere. */
static size_t position(const struct chain *chain, void *pc)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->pcs[i] == pc)
			return i;
	test_fail(__FILE__, __LINE__, "the address is in the trace");
}

/*
 * Whether lines are due: libdw is there, and the compiler was told to write down where they are.  That
 * is found by looking for the name of a section, without what is tested here.
 */
static bool lines_are_due(void)
{
	static const char start[] = ".debug_", end[] = "line"; /* apart: not to be found themselves */
	static int present = -1;

	if (present < 0) {
		int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		off_t bytes = lseek(fd, 0, SEEK_END);
		char *program = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0), *p = program;

		CHECK(fd >= 0 && program != MAP_FAILED);
		present = 0;
		while ((p = memmem(p, (size_t)(program + bytes - p), start, strlen(start))))
			present |= strcmp(p += strlen(start), end) == 0;
		munmap(program, (size_t)bytes);
		close(fd);
		fprintf(stderr, "debug information: %d\n", present);
	}
	return present && leat__symbol_has_lines();
}

static void check_symbol(void *pc, const char *function, int line)
{
	struct leat__symbol symbol;

	leat__symbol_find(pc, true, &symbol);
	CHECK_STR(symbol.module, program_invocation_short_name);
	if (!lines_are_due())
		return;
	CHECK_STR(symbol.function, function);
	CHECK_EQ(symbol.line, line);
	CHECK(symbol.file[0] == '/');
	CHECK(strlen(symbol.file) > strlen("/unwind_test.c"));
	CHECK_STR(symbol.file + strlen(symbol.file) - strlen("/unwind_test.c"), "/unwind_test.c");
	CHECK(symbol.offset > 0 && symbol.offset < 4096);
}

/* inner, middle, outer and their caller stand next to each other in the trace. */
static void check_chain(const struct chain *chain)
{
	size_t first = position(chain, chain->returns[0]);

	CHECK(first > 0);
	CHECK(chain->count > first + 2 && chain->count < MAX);
	CHECK(chain->pcs[first + 1] == chain->returns[1]);
	CHECK(chain->pcs[first + 2] == chain->returns[2]);
	check_symbol(chain->pcs[first - 1], "inner", chain->lines[0]);
	check_symbol(chain->pcs[first], "middle", chain->lines[1]);
	check_symbol(chain->pcs[first + 1], "outer", chain->lines[2]);
	for (size_t i = 1; i < chain->count; i++)
		CHECK(chain->pcs[i]);
}

static void check_here(void)
{
	struct chain chain = {.at_end = end_here};

	outer(&chain);
	check_chain(&chain);
	/* One frame was skipped, that of end_here: inner is the first. */
	CHECK_EQ(position(&chain, chain.returns[0]), 1);
}

/* A stack of its own for a chain that parks at its end, as a goroutine does. */
#define STACK_BYTES ((size_t)256 << 10)

static struct chain *current;

static void enter(void)
{
	outer(current);
	leat__switch(&current->parked, &current->back);
}

static struct chain *run_on(char *stack, size_t stack_bytes, void (*at_end)(struct chain *chain))
{
	static struct chain chain;

	memset(&chain, 0, sizeof chain);
	chain.at_end = at_end;
	chain.parked = leat__context_make(stack + stack_bytes, enter);
	current = &chain;
	leat__switch(&chain.back, &chain.parked);
	return &chain;
}

static char *new_stack(size_t bytes)
{
	char *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(stack != MAP_FAILED);
	return stack;
}

static void check_parked(void)
{
	char *stack = new_stack(STACK_BYTES);
	uintptr_t lo = (uintptr_t)stack, hi = lo + STACK_BYTES;
	struct chain *chain = run_on(stack, STACK_BYTES, end_parked);
	struct leat__regs regs;
	void *all[MAX];
	size_t count;

	leat__context_regs(chain->parked, &regs);
	CHECK(regs.sp > lo && regs.sp < hi);
	chain->count = leat__unwind_regs(&regs, false, lo, hi, chain->pcs, MAX);
	check_chain(chain);
	CHECK(chain->pcs[0] == (void *)regs.ip);
	/* Below outer there are enter and the start of a context, and no more. */
	CHECK(chain->count - position(chain, chain->returns[2]) <= 2);

	memcpy(all, chain->pcs, sizeof all);
	count = chain->count;
	/* No more than was asked for. */
	chain->count = leat__unwind_regs(&regs, false, lo, hi, chain->pcs, 2);
	CHECK_EQ(chain->count, 2);
	CHECK(memcmp(all, chain->pcs, 2 * sizeof *all) == 0);
	CHECK_EQ(leat__unwind_regs(&regs, false, lo, hi, chain->pcs, 0), 0);
	/* A shorter stack ends the walk early. */
	chain->count =
	    leat__unwind_regs(&regs, false, lo, (uintptr_t)chain->frames[1], chain->pcs, MAX);
	CHECK(chain->count > 0 && chain->count < count);
	CHECK(memcmp(all, chain->pcs, chain->count * sizeof *all) == 0);
	munmap(stack, STACK_BYTES);
}

static void with_and_without(void (*check)(void))
{
	check();
	leat__unwind_without_libraries = true;
	check();
	leat__symbol_without_libraries = true;
	check();
	leat__unwind_without_libraries = false;
	check();
	leat__symbol_without_libraries = false;
	check();
}

TEST(calling_stack)
{
	with_and_without(check_here);
}

TEST(parked_stack)
{
	with_and_without(check_parked);
}

/* Registers and stack contents as a smashed stack leaves them: any answer, but an answer. */
static void check_damaged(void)
{
	static const uint64_t values[] = {
	    0, 1, 8, 0x4141414141414141, 0x7fffffffffff, UINT64_MAX, UINT64_MAX - 7};
	char *stack = new_stack(STACK_BYTES), *guard = new_stack(STACK_BYTES);
	uintptr_t lo = (uintptr_t)stack, hi = lo + STACK_BYTES;
	struct chain *chain = run_on(stack, STACK_BYTES, end_parked);
	uintptr_t *frame = chain->frames[0];
	struct leat__regs good, regs;

	leat__context_regs(chain->parked, &good);
	CHECK(mprotect(guard, STACK_BYTES, PROT_NONE) == 0);
	for (size_t i = 0; i <= sizeof values / sizeof *values; i++) {
		uint64_t value = i < sizeof values / sizeof *values ? values[i] : (uintptr_t)guard;

		regs = good;
		regs.fp = value;
		CHECK(leat__unwind_regs(&regs, false, lo, hi, chain->pcs, MAX) >= 1);
		regs = good;
		regs.sp = value;
		CHECK(leat__unwind_regs(&regs, false, lo, hi, chain->pcs, MAX) < MAX);
		regs = good;
		regs.ip = value;
		CHECK(leat__unwind_regs(&regs, false, lo, hi, chain->pcs, MAX) >= 1);
		CHECK(chain->pcs[0] == (void *)value);
		/* The caller's frame pointer and the return address, overwritten in memory. */
		for (size_t word = 0; word < 2; word++) {
			uintptr_t saved = frame[word];

			frame[word] = value;
			CHECK(leat__unwind_regs(&good, false, lo, hi, chain->pcs, MAX) >= 1);
			frame[word] = saved;
		}
	}
	memset(&regs, 0, sizeof regs);
	CHECK_EQ(leat__unwind_regs(&regs, false, lo, hi, chain->pcs, MAX), 0);
	munmap(stack, STACK_BYTES);
	munmap(guard, STACK_BYTES);
}

TEST(damaged_stack)
{
	with_and_without(check_damaged);
}

static sigjmp_buf after_fault;

static void on_fault(int number, siginfo_t *info, void *context)
{
	struct leat__regs regs;

	(void)number;
	(void)info;
	leat__signal_regs(context, &regs);
	current->count = leat__unwind_regs(&regs, true, 4096, UINTPTR_MAX, current->pcs, MAX);
	siglongjmp(after_fault, 1);
}

static NOINLINE void end_call_null(struct chain *chain)
{
	void (*volatile nothing)(void) = NULL;

	chain->frames[0] = __builtin_frame_address(0);
	chain->fault_line = __LINE__ + 1;
	nothing();
	NO_TAIL_CALL();
}

/* In assembly, which no sanitizer looks at; in the line where it is used. */
#if defined __x86_64__
#define STORE_ZERO(p) __asm__ volatile("movl $0, (%0)" : : "r"(p) : "memory")
#elif defined __aarch64__
#define STORE_ZERO(p) __asm__ volatile("str wzr, [%0]" : : "r"(p) : "memory")
#endif

static NOINLINE void end_write_null(struct chain *chain)
{
	int *volatile nowhere = (int *)8;

	chain->frames[0] = __builtin_frame_address(0);
	chain->fault_line = __LINE__ + 1;
	STORE_ZERO(nowhere);
	NO_TAIL_CALL();
}

/* A caller that ends in a call, and right behind it who faults in its first instruction: the return
   address is the faulting one. */
#if defined __x86_64__
__asm__(".text\n"
        ".type last_caller, @function\n"
        "last_caller:\n"
        "	.cfi_startproc\n"
        "	subq $40, %rsp\n"
        "	.cfi_adjust_cfa_offset 40\n"
        "	call first_faulter\n"
        "	.cfi_endproc\n"
        ".size last_caller, . - last_caller\n"
        ".type first_faulter, @function\n"
        "first_faulter:\n"
        "	.cfi_startproc\n"
        "	movl $0, (%rdi)\n"
        "	ret\n"
        "	.cfi_endproc\n"
        ".size first_faulter, . - first_faulter\n");
#elif defined __aarch64__
__asm__(".text\n"
        ".type last_caller, %function\n"
        "last_caller:\n"
        "	.cfi_startproc\n"
        "	stp x29, x30, [sp, #-48]!\n"
        "	.cfi_adjust_cfa_offset 48\n"
        "	.cfi_rel_offset x29, 0\n"
        "	.cfi_rel_offset x30, 8\n"
        "	mov x29, sp\n"
        "	bl first_faulter\n"
        "	.cfi_endproc\n"
        ".size last_caller, . - last_caller\n"
        ".type first_faulter, %function\n"
        "first_faulter:\n"
        "	.cfi_startproc\n"
        "	str wzr, [x0]\n"
        "	ret\n"
        "	.cfi_endproc\n"
        ".size first_faulter, . - first_faulter\n");
#endif
void last_caller(int *nowhere);

static NOINLINE void end_at_a_return_address(struct chain *chain)
{
	chain->frames[0] = __builtin_frame_address(0);
	last_caller((int *)8);
	NO_TAIL_CALL();
}

static void fault(struct chain *chain)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;

	current = chain;
	CHECK(sigaction(SIGSEGV, &action, &old) == 0);
	if (sigsetjmp(after_fault, 1) == 0)
		outer(chain);
	CHECK(sigaction(SIGSEGV, &old, NULL) == 0);
}

TEST(call_of_null)
{
	static struct chain chain = {.at_end = end_call_null};

	fault(&chain);
	check_chain(&chain);
	CHECK(!chain.pcs[0]);
	check_symbol(chain.pcs[1], "end_call_null", chain.fault_line);
	CHECK_EQ(position(&chain, chain.returns[0]), 3);
}

TEST(faulting_instruction)
{
	static struct chain chain = {.at_end = end_write_null};
	struct leat__symbol symbol;

	fault(&chain);
	check_chain(&chain);
	CHECK_EQ(position(&chain, chain.returns[0]), 2);
	/* The address is the instruction's own. */
	leat__symbol_find(chain.pcs[0], false, &symbol);
	if (lines_are_due()) {
		CHECK_STR(symbol.function, "end_write_null");
		CHECK_EQ(symbol.line, chain.fault_line);
	}
}

TEST(faulting_at_a_return_address)
{
	static struct chain chain = {.at_end = end_at_a_return_address};

	/* Twice: what was found out about the one must not serve the other. */
	for (int i = 0; i < 2; i++) {
		fault(&chain);
		if (!leat__unwind_is_loaded()) /* frame pointers do not tell who was called last */
			return;
		check_chain(&chain);
		CHECK(chain.pcs[0] == chain.pcs[1]);
		CHECK_EQ(position(&chain, chain.returns[0]), 4);
	}
}

static inline __attribute__((always_inline)) void inlined_inner(struct chain *chain)
{
	chain->lines[0] = __LINE__, chain->at_end(chain);
}

static inline __attribute__((always_inline)) void inlined_middle(struct chain *chain)
{
	chain->lines[1] = __LINE__, inlined_inner(chain);
}

static NOINLINE void holder(struct chain *chain)
{
	chain->returns[0] = __builtin_return_address(0);
	chain->lines[2] = __LINE__, inlined_middle(chain);
	NO_TAIL_CALL();
}

/* One address, three functions: each with its own line. */
TEST(inlined_functions)
{
	static const char *const names[] = {"inlined_inner", "inlined_middle", "holder"};
	struct chain chain = {.at_end = end_here};
	struct leat__symbol symbols[8], one;
	void *pc;

	holder(&chain);
	CHECK_EQ(position(&chain, chain.returns[0]), 1);
	pc = chain.pcs[0];
	leat__symbol_find(pc, true, &one);
	if (!lines_are_due())
		return;
	CHECK_EQ(leat__symbol_frames(pc, true, symbols, 8), 3);
	for (int i = 0; i < 3; i++) {
		CHECK_STR(symbols[i].function, names[i]);
		CHECK_EQ(symbols[i].line, chain.lines[i]);
		CHECK_STR(symbols[i].file, one.file);
	}
	CHECK_STR(one.function, names[0]);
	CHECK_EQ(leat__symbol_frames(pc, true, symbols, 2), 2);
	CHECK_STR(symbols[1].function, names[1]);
}

/* Functions that a library exports are known without libdw, other places by where they are. */
static void check_exported(void)
{
	char *function = dlsym(RTLD_DEFAULT, "hcreate_r");
	struct leat__symbol symbol;

	CHECK(function);
	leat__symbol_find(function + 1, false, &symbol);
	CHECK(strstr(symbol.function, "hcreate_r")); /* libc has a second name for it */
	CHECK_EQ(symbol.offset, 1);
	CHECK(strncmp(symbol.module, "libc", 4) == 0 || strncmp(symbol.module, "ld-musl", 7) == 0);
	leat__symbol_find(function + 1, true, &symbol);
	CHECK(strstr(symbol.function, "hcreate_r")); /* libc has a second name for it */
	CHECK_EQ(symbol.offset, 1);
}

static void check_unknown(void)
{
	struct leat__symbol symbol;

	leat__symbol_find(NULL, true, &symbol);
	CHECK_STR(symbol.function, "0x0");
	leat__symbol_find((void *)0x1234, false, &symbol);
	CHECK_STR(symbol.function, "0x1234");
	CHECK_EQ(symbol.offset, 0x1234);
	CHECK_STR(symbol.file, "");
	CHECK_EQ(symbol.line, 0);
	CHECK_STR(symbol.module, "");
	leat__symbol_find((void *)UINTPTR_MAX, true, &symbol);
	CHECK_STR(symbol.function, "0xfffffffffffffffe");
}

TEST(exported_and_unknown)
{
	with_and_without(check_exported);
	with_and_without(check_unknown);
}

/* A static function is not exported: without libdw there is the place in the file. */
TEST(static_function_without_libraries)
{
	char start[256];
	struct leat__symbol symbol;
	struct leat__module module;
	Dl_info info;

	leat__symbol_without_libraries = true;
	CHECK(!leat__symbol_has_lines());
	leat__symbol_find((void *)inner, false, &symbol);
	CHECK(dladdr((void *)inner, &info) && !info.dli_sname);
	snprintf(start, sizeof start, "%s+0x%lx", program_invocation_short_name, (long)symbol.offset);
	CHECK_STR(symbol.function, start);
	CHECK(leat__module_find((uintptr_t)inner, &module) && module.code);
	CHECK_EQ(symbol.offset, (uintptr_t)inner - module.bias);
	CHECK(leat__module_find((uintptr_t)&leat__symbol_without_libraries, &module) && !module.code);
	CHECK_STR(symbol.file, "");
	leat__symbol_without_libraries = false;
}

static NOINLINE void end_symbols(struct chain *chain)
{
	struct leat__symbol symbol;

	chain->count = leat__unwind_here(chain->pcs, MAX, 1);
	for (size_t i = 0; i < chain->count; i++)
		leat__symbol_find(chain->pcs[i], true, &symbol);
}

/*
 * What the headers say about the stack holds.  It is the whole truth when this test runs alone, and the
 * libraries are loaded in it too.
 */
TEST(stack_need)
{
	size_t bytes = (size_t)128 << 10, untouched = 0;
	char *stack = new_stack(bytes);
	struct chain *chain = run_on(stack, bytes, end_symbols);

	check_chain(chain);
	while (untouched < bytes && !stack[untouched])
		untouched++;
	fprintf(stderr, "a trace with names took %zu bytes of stack\n", bytes - untouched);
	CHECK(bytes - untouched <= (size_t)16 << 10);
	munmap(stack, bytes);
}

TEST_MAIN
