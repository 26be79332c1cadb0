/* SPDX-License-Identifier: MIT */
/*
 * Stack traces that are taken often.
 *
 * libunwind's own unw_backtrace keeps, for each thread, how the frame of each address is laid out, and so follows a
 * stack with a few loads per frame.  What os/unwind.c does instead, step by step, can start anywhere, but takes a
 * lock and blocks the signals for each step: two system calls, and some 20 times as long.  On Arm unw_backtrace
 * reads without a look at whether there is anything (see arch/libunwind.h), so it is left alone there.  So it is
 * under LeakSanitizer, which dies of thread-local data of libraries that were loaded later, on threads that were
 * there before; and where a fault's frame (leat__signal_frame) is on the stack, which it takes for the kernel's.
 */
#define _GNU_SOURCE
#include "os/unwind.h"

#include "arch/sanitizer.h"

#if defined LEAT_HAVE_LIBUNWIND && LEAT_HAVE_LIBUNWIND
#include "arch/libunwind.h"
#endif

#if defined LEAT_HAVE_LIBUNWIND && LEAT_HAVE_LIBUNWIND && !defined LEAT__UNW_UNCHECKED_FP

#include <dlfcn.h>

typedef int backtrace_function(void **pcs, int max);

static enum { UNTRIED, LOADED, MISSING } loaded; /* release when set, acquire in find() */
static backtrace_function *found;

/* As in os/unwind.c: all who come find the same. */
static backtrace_function *find(void)
{
	int state = __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
	void *lib, *symbol;

	if (state != UNTRIED)
		return state == LOADED ? __atomic_load_n(&found, __ATOMIC_RELAXED) : NULL;
	lib = leat__unwind_can_load() ? dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL) : NULL;
	symbol = lib ? dlsym(lib, "unw_backtrace") : NULL;
	__atomic_store_n((void **)&found, symbol, __ATOMIC_RELAXED);
	__atomic_store_n(&loaded, symbol ? LOADED : MISSING, __ATOMIC_RELEASE);
	return (backtrace_function *)(uintptr_t)symbol;
}

size_t leat__unwind_often(void **pcs, size_t max)
{
	bool not_here = leat__unwind_without_libraries || leat__sanitizers & (LEAT__ASAN | LEAT__LSAN);
	backtrace_function *backtrace = not_here ? NULL : find();
	int n;

	if (!backtrace)
		return leat__unwind_here(pcs, max, 0);
	n = backtrace(pcs, (int)max);
	for (int i = 0; i < n; i++)
		if (leat__is_signal_frame((uintptr_t)pcs[i]))
			return leat__unwind_here(pcs, max, 0);
	return n > 0 ? (size_t)n : 0;
}

#else

size_t leat__unwind_often(void **pcs, size_t max)
{
	return leat__unwind_here(pcs, max, 0);
}

#endif
