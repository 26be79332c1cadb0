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
 * The registers are put into libunwind's context by hand.  The first frame is declared to be a signal
 * frame, which means only that its address is looked up as it is.  That is right for a faulting
 * instruction, and for a return address too: the CFI row at an address describes the state before the
 * instruction there.  (The address before it matters only after a call that never returns, and nothing
 * parks in one.)
 *
 * libunwind keeps the CFI rows that it has found under their addresses, and takes that of an
 * instruction for that of a return address.  Where a function ends in a call that does not return, the
 * return address is the first instruction of the next function: the row of the one is wrong for the
 * other, and the walk loses its way.  So it must forget what it knows around an exact address.
 *
 * Rejected: libunwind's unw_backtrace, which cannot start from saved registers; libgcc's
 * _Unwind_Backtrace, for the same reason; and linking with libunwind, which puts its _Unwind_ functions
 * before libgcc's for the whole program.
 */
#define _GNU_SOURCE
#include "os/unwind.h"

#include "os/module.h"

#include <dlfcn.h>
#include <sys/auxv.h>

bool leat__unwind_without_libraries;

bool leat__unwind_can_load(void)
{
	return getauxval(AT_BASE) != 0; /* where the dynamic linker is */
}

#if defined LEAT_HAVE_LIBUNWIND && LEAT_HAVE_LIBUNWIND
#define USE_LIBUNWIND 1
#include "arch/libunwind.h"
#else
#define USE_LIBUNWIND 0
#endif

#if __has_include(<execinfo.h>)
#define USE_BACKTRACE 1
#include <execinfo.h>
#else /* musl */
#define USE_BACKTRACE 0
#include <sys/uio.h>
#include <unistd.h>
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

/* Whether some loaded file has instructions there. */
static bool is_code(uintptr_t pc)
{
	struct leat__module module;

	return leat__module_find(pc, &module) && module.code;
}

#if USE_LIBUNWIND

static struct {
	__typeof__(unw_init_local2) *init_local2;
	__typeof__(unw_step) *step;
	__typeof__(unw_get_reg) *get_reg;
	__typeof__(unw_flush_cache) *flush_cache;
	unw_addr_space_t *local;
} unw;

static enum { UNTRIED, LOADED, MISSING } loaded; /* release when set, acquire in load() */

static bool load(void)
{
	int state = __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
	void *lib, *init_local2, *step, *get_reg, *flush_cache, *local;

	if (state != UNTRIED)
		return state == LOADED;
	lib = leat__unwind_can_load() ? dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) : NULL;
	init_local2 = lib ? dlsym(lib, LEAT__UNW_NAME(unw_init_local2)) : NULL;
	step = lib ? dlsym(lib, LEAT__UNW_NAME(unw_step)) : NULL;
	get_reg = lib ? dlsym(lib, LEAT__UNW_NAME(unw_get_reg)) : NULL;
	flush_cache = lib ? dlsym(lib, LEAT__UNW_NAME(unw_flush_cache)) : NULL;
	local = lib ? dlsym(lib, LEAT__UNW_NAME(unw_local_addr_space)) : NULL;
	if (!init_local2 || !step || !get_reg || !flush_cache || !local) {
		__atomic_store_n(&loaded, MISSING, __ATOMIC_RELEASE);
		return false;
	}
	__atomic_store_n((void **)&unw.init_local2, init_local2, __ATOMIC_RELAXED);
	__atomic_store_n((void **)&unw.step, step, __ATOMIC_RELAXED);
	__atomic_store_n((void **)&unw.get_reg, get_reg, __ATOMIC_RELAXED);
	__atomic_store_n((void **)&unw.flush_cache, flush_cache, __ATOMIC_RELAXED);
	__atomic_store_n((void **)&unw.local, local, __ATOMIC_RELAXED);
	__atomic_store_n(&loaded, LOADED, __ATOMIC_RELEASE);
	return true;
}

bool leat__unwind_is_loaded(void)
{
	return __atomic_load_n(&loaded, __ATOMIC_ACQUIRE) == LOADED;
}

/* Whether libunwind can take a step from the frame at ip without reading what is not there. */
static bool is_safe(unw_cursor_t *cursor, uintptr_t ip, uintptr_t lo, uintptr_t hi)
{
#ifdef LEAT__UNW_UNCHECKED_FP
	unw_word_t fp = 0;

	return is_code(ip) && unw.get_reg(cursor, LEAT__UNW_UNCHECKED_FP, &fp) >= 0 &&
	       in_bounds(fp, lo, hi);
#else
	(void)cursor, (void)ip, (void)lo, (void)hi;
	return true;
#endif
}

/* Store the frames after the first `skip` ones, starting with regs->ip; how many were stored. */
static size_t walk_cfi(const struct leat__regs *regs, bool exact, uintptr_t lo, uintptr_t hi,
                       void **pcs, size_t max, size_t skip)
{
	unw_context_t context;
	unw_cursor_t cursor;
	size_t n = 0, frames = 0;
	uintptr_t last = 0;

	leat__regs_to_libunwind(regs, &context);
	if (unw.init_local2(&cursor, &context, UNW_INIT_SIGNAL_FRAME) < 0)
		return 0;
	while (n < max) {
		unw_word_t ip = 0, sp = 0;

		if (unw.get_reg(&cursor, UNW_REG_IP, &ip) < 0 ||
		    unw.get_reg(&cursor, UNW_REG_SP, &sp) < 0 || !ip)
			break;
		/* A function that calls nobody may have no frame, on CPUs where a call pushes nothing: only
		   the first may share its stack pointer with its caller. */
		if (!in_bounds(sp, n ? lo : lowest(lo), hi) ||
		    (lo && (sp < last || (sp == last && frames > 1))))
			break;
		last = sp;
		frames++;
		if (skip)
			skip--;
		else
			pcs[n++] = (void *)leat__code_address(ip); /* NOLINT(performance-no-int-to-ptr) */
		if (!is_safe(&cursor, ip, lo, hi))
			break;
		if (exact && frames <= 2)
			unw.flush_cache(*unw.local, 0, 0);
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
 * What lies at fp, frame pointer and return address of a caller.  Without bounds to trust, as the
 * kernel would read it: a frame pointer may be any number, where a function uses the register for
 * something else.  What is read may be anybody's, hence the attribute.
 */
__attribute__((no_sanitize("address"))) static bool read_frame(uintptr_t fp, bool bounded,
                                                               uintptr_t frame[2])
{
	const uintptr_t *there = (const uintptr_t *)fp; /* NOLINT(performance-no-int-to-ptr) */

#if !USE_BACKTRACE
	if (!bounded) {
		struct iovec from = {(void *)fp, 2 * sizeof fp}, to = {frame, 2 * sizeof fp};

		return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof fp * 2;
	}
#endif
	(void)bounded;
	frame[0] = there[0];
	frame[1] = there[1];
	return true;
}

/*
 * A frame that has a frame pointer holds, where that points, its caller's and above it the return
 * address.  Where a function was compiled without, its callers up to the next one with are missing.
 * The frames after the first `skip` ones, starting with regs->ip, are stored; how many were.
 */
static size_t walk_frame_pointers(const struct leat__regs *regs, uintptr_t lo, uintptr_t hi,
                                  void **pcs, size_t max, size_t skip)
{
	uintptr_t fp = regs->fp, pc = regs->ip, last = regs->sp, frame[2];
	size_t n = 0;

	if (!in_bounds(regs->sp, lowest(lo), hi))
		return 0;
	while (n < max) {
		if (skip)
			skip--;
		else
			pcs[n++] = (void *)pc; /* NOLINT(performance-no-int-to-ptr) */
		if (fp < last || !in_bounds(fp, lo, hi) || hi - fp < sizeof frame ||
		    !read_frame(fp, lo != 0, frame))
			break;
		pc = leat__code_address(frame[1]);
		if (!is_code(pc))
			break;
		last = fp + 1;
		fp = frame[0];
	}
	return n;
}

#if USE_BACKTRACE

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

#endif

/* The frame pointer is asked for, since this frame is the first of the walk along those. */
__attribute__((noinline)) size_t leat__unwind_here(void **pcs, size_t max, size_t skip)
{
	struct leat__regs regs;
	size_t n;

	__asm__ volatile("" : : "r"(__builtin_frame_address(0)));
	leat__regs_here(&regs); /* of this very frame, which is the first one skipped */
#if USE_LIBUNWIND
	if (!leat__unwind_without_libraries && load())
		n = walk_cfi(&regs, false, 0, UINTPTR_MAX, pcs, max, skip + 1);
	else
#endif
#if USE_BACKTRACE
		n = walk_backtrace(__builtin_return_address(0), pcs, max, skip);
#else
	n = walk_frame_pointers(&regs, 0, UINTPTR_MAX, pcs, max, skip + 1);
#endif
	/* None is a tail call: all walk through this frame. */
	__asm__ volatile("" : "+r"(n) : : "memory");
	return n;
}

size_t leat__unwind_regs(const struct leat__regs *regs, bool exact, uintptr_t stack_lo,
                         uintptr_t stack_hi, void **pcs, size_t max)
{
	struct leat__regs at = *regs;
	size_t n = 0;

	if (max && !is_code(at.ip) && in_bounds(at.sp, stack_lo, stack_hi)) {
		/* No code there, hence no frame: the caller of what is not there is all there is to find. */
		pcs[n++] = (void *)at.ip; /* NOLINT(performance-no-int-to-ptr) */
		leat__regs_uncall(&at);
		if (!is_code(at.ip))
			return n;
	}
#if USE_LIBUNWIND
	if (!leat__unwind_without_libraries && load()) {
		size_t found = walk_cfi(&at, exact, stack_lo, stack_hi, pcs + n, max - n, 0);

		if (found > 1)
			return n + found;
	}
#else
	(void)exact;
#endif
	return n + walk_frame_pointers(&at, stack_lo, stack_hi, pcs + n, max - n, 0);
}
