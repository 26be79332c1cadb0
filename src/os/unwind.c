/* SPDX-License-Identifier: MIT */
/*
 * Stack traces as addresses.
 *
 * Invariants
 *	- A walk from saved registers never follows a stack pointer out of the given bounds, and the stack
 *	  pointer grows with every frame: a damaged stack ends the walk, it cannot make it loop.
 *	- The functions of `unw` are all set once `loaded` says LOADED.  Several threads may load at the
 *	  same time: dlopen counts and gives all of them the same addresses, so each stores the same
 *	  values, and the release store of `loaded` publishes them.  No lock: a thread that faults while
 *	  it loads would wait for itself.
 *
 * The registers are put into libunwind's context by hand.  On x86-64 that is a ucontext_t, and its
 * integer registers are all that the CFI of ordinary code asks for.  The first frame is declared to be
 * a signal frame, which means only that its address is looked up as it is.  That is right for a
 * faulting instruction, and for a return address too: the CFI row at an address describes the state
 * before the instruction there.  (The address before it matters only after a call that never returns,
 * and nothing parks in one.)
 *
 * Rejected: libunwind's unw_backtrace, which cannot start from saved registers; libgcc's
 * _Unwind_Backtrace, for the same reason; and linking with libunwind, which puts its _Unwind_ functions
 * before libgcc's for the whole program.
 */
#define _GNU_SOURCE
#include "os/unwind.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <string.h>
#include <sys/auxv.h>

bool leat__unwind_without_libraries;

bool leat__unwind_can_load(void)
{
	return getauxval(AT_BASE) != 0; /* where the dynamic linker is */
}

#if defined __x86_64__ && defined LEAT_HAVE_LIBUNWIND && LEAT_HAVE_LIBUNWIND
#define USE_LIBUNWIND 1
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <ucontext.h>
#else
#define USE_LIBUNWIND 0
#endif

#define LIBRARY "libunwind.so.8"

/* A stack that overflowed may have its pointer this far below its end: the frame that did not fit. */
#define OVERFLOW_MAX ((uintptr_t)1 << 20)

static bool in_bounds(uintptr_t sp, uintptr_t lo, uintptr_t hi)
{
	return sp >= lo && sp < hi && hi - sp >= sizeof(uintptr_t) && sp % sizeof(uintptr_t) == 0;
}

/* How low the stack pointer of the innermost frame may be. */
static uintptr_t lowest(uintptr_t lo)
{
	return lo > OVERFLOW_MAX ? lo - OVERFLOW_MAX : 0;
}

/* Whether some loaded file is mapped there. */
static bool is_code(uintptr_t pc)
{
	Dl_info info;

	return pc && dladdr((void *)pc, &info) != 0; /* NOLINT(performance-no-int-to-ptr) */
}

#if USE_LIBUNWIND

/* The names are macros for the real ones, which differ from one kind of processor to the next. */
#define NAME_(name) #name
#define NAME(name)  NAME_(name)

static struct {
	__typeof__(unw_init_local2) *init_local2;
	__typeof__(unw_step) *step;
	__typeof__(unw_get_reg) *get_reg;
} unw;

static enum { UNTRIED, LOADED, MISSING } loaded; /* release when set, acquire in load() */

static bool load(void)
{
	int state = __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
	void *lib, *init_local2, *step, *get_reg;

	if (state != UNTRIED)
		return state == LOADED;
	lib = leat__unwind_can_load() ? dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) : NULL;
	init_local2 = lib ? dlsym(lib, NAME(unw_init_local2)) : NULL;
	step = lib ? dlsym(lib, NAME(unw_step)) : NULL;
	get_reg = lib ? dlsym(lib, NAME(unw_get_reg)) : NULL;
	if (!init_local2 || !step || !get_reg) {
		__atomic_store_n(&loaded, MISSING, __ATOMIC_RELEASE);
		return false;
	}
	__atomic_store_n((void **)&unw.init_local2, init_local2, __ATOMIC_RELAXED);
	__atomic_store_n((void **)&unw.step, step, __ATOMIC_RELAXED);
	__atomic_store_n((void **)&unw.get_reg, get_reg, __ATOMIC_RELAXED);
	__atomic_store_n(&loaded, LOADED, __ATOMIC_RELEASE);
	return true;
}

bool leat__unwind_is_loaded(void)
{
	return __atomic_load_n(&loaded, __ATOMIC_ACQUIRE) == LOADED;
}

static void fill_context(unw_context_t *context, const struct leat__regs *regs)
{
	greg_t *gregs = context->uc_mcontext.gregs;

	memset(context, 0, sizeof *context);
	gregs[REG_RIP] = (greg_t)regs->ip;
	gregs[REG_RSP] = (greg_t)regs->sp;
	gregs[REG_RBP] = (greg_t)regs->bp;
	gregs[REG_RBX] = (greg_t)regs->rbx;
	gregs[REG_R12] = (greg_t)regs->r12;
	gregs[REG_R13] = (greg_t)regs->r13;
	gregs[REG_R14] = (greg_t)regs->r14;
	gregs[REG_R15] = (greg_t)regs->r15;
}

/* Store the frames after the first `skip` ones, starting with regs->ip; how many were stored. */
static size_t walk_cfi(const struct leat__regs *regs, uintptr_t lo, uintptr_t hi, void **pcs,
                       size_t max, size_t skip)
{
	unw_context_t context;
	unw_cursor_t cursor;
	size_t n = 0;
	uintptr_t last = 0;

	fill_context(&context, regs);
	if (unw.init_local2(&cursor, &context, UNW_INIT_SIGNAL_FRAME) < 0)
		return 0;
	while (n < max) {
		unw_word_t ip = 0, sp = 0;

		if (unw.get_reg(&cursor, UNW_REG_IP, &ip) < 0 ||
		    unw.get_reg(&cursor, UNW_REG_SP, &sp) < 0 || !ip)
			break;
		if (!in_bounds(sp, n ? lo : lowest(lo), hi) || (sp <= last && lo))
			break;
		last = sp;
		if (skip)
			skip--;
		else
			pcs[n++] = (void *)ip; /* NOLINT(performance-no-int-to-ptr) */
		if (unw.step(&cursor) <= 0)
			break;
	}
	return n;
}

#else

bool leat__unwind_is_loaded(void)
{
	return false;
}

#endif

/*
 * A frame that has a frame pointer holds, where that points, its caller's and above it the return
 * address.  Where a function was compiled without, its callers up to the next one with are missing.
 * What is read may be anybody's, hence the attribute.
 */
__attribute__((no_sanitize("address"))) static size_t
walk_frame_pointers(const struct leat__regs *regs, uintptr_t lo, uintptr_t hi, void **pcs,
                    size_t max)
{
	uintptr_t fp = regs->bp, last = regs->sp;
	size_t n = 0;

	if (max && in_bounds(regs->sp, lowest(lo), hi))
		pcs[n++] = (void *)regs->ip; /* NOLINT(performance-no-int-to-ptr) */
	while (n && n < max && fp >= last && in_bounds(fp, lo, hi) && hi - fp >= 2 * sizeof fp) {
		const uintptr_t *frame = (const uintptr_t *)fp; /* NOLINT(performance-no-int-to-ptr) */

		if (!is_code(frame[1]))
			break;
		pcs[n++] = (void *)frame[1]; /* NOLINT(performance-no-int-to-ptr) */
		last = fp + 1;
		fp = frame[0];
	}
	return n;
}

/*
 * glibc's own walk.  It begins with this function; what is wanted begins with the return address
 * `from`, however many frames the compiler has left in between.
 */
static size_t walk_backtrace(void *from, void **pcs, size_t max, size_t skip)
{
	void *all[256];
	size_t found = (size_t)backtrace(all, sizeof all / sizeof *all), first = 0, n = 0;

	while (first < found && all[first] != from)
		first++;
	for (size_t i = first + skip; i < found && n < max && all[i]; i++)
		pcs[n++] = all[i];
	return n;
}

__attribute__((noinline)) size_t leat__unwind_here(void **pcs, size_t max, size_t skip)
{
	size_t n;

#if USE_LIBUNWIND
	if (!leat__unwind_without_libraries && load()) {
		struct leat__regs regs;

		/* The state at label 0, in this very frame, which is the first one skipped. */
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
		                 : "r"(&regs)
		                 : "rax", "memory");
		n = walk_cfi(&regs, 0, UINTPTR_MAX, pcs, max, skip + 1);
	} else
#endif
		n = walk_backtrace(__builtin_return_address(0), pcs, max, skip);
	/* Neither is a tail call: both walk through this frame. */
	__asm__ volatile("" : "+r"(n) : : "memory");
	return n;
}

/* What stands at the top of the stack, where a call has put its return address. */
__attribute__((no_sanitize("address"))) static uintptr_t top_of_stack(uintptr_t sp)
{
	return *(const uintptr_t *)sp; /* NOLINT(performance-no-int-to-ptr) */
}

size_t leat__unwind_regs(const struct leat__regs *regs, uintptr_t stack_lo, uintptr_t stack_hi,
                         void **pcs, size_t max)
{
	struct leat__regs at = *regs;
	size_t n = 0;

	if (max && !is_code(at.ip) && in_bounds(at.sp, stack_lo, stack_hi)) {
		/* No code there, hence no frame: the caller of what is not there is all there is to find. */
		pcs[n++] = (void *)at.ip; /* NOLINT(performance-no-int-to-ptr) */
		at.ip = top_of_stack(at.sp);
		at.sp += sizeof(uintptr_t);
		if (!is_code(at.ip))
			return n;
	}
#if USE_LIBUNWIND
	if (!leat__unwind_without_libraries && load())
		return n + walk_cfi(&at, stack_lo, stack_hi, pcs + n, max - n, 0);
#endif
	return n + walk_frame_pointers(&at, stack_lo, stack_hi, pcs + n, max - n);
}
