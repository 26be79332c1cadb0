/* SPDX-License-Identifier: MIT */
/*
 * Out of memory, injected at every allocation of an operation.
 *
 *	static int make_and_free(void *arg)
 *	{
 *		leat_ctx_free(leat_ctx_with_cancel(arg));
 *		return 0;
 *	}
 *	...
 *	CHECK(oom_each(make_and_free, parent) > 0);
 *
 * oom_each calls the function again and again and lets its 1st, 2nd, ... allocation fail, until it ends without
 * coming to the one that is to fail; it returns how many there were.  Each time but the last the function
 * must have panicked "out of memory" or returned a negative errno code; one that may do without memory (a
 * cache that forgets) returns OOM_COPED.  Each time all that was allocated must have been freed, by whichever
 * thread, and there must be as many goroutines as before: so the function undoes what it did, and what it
 * holds when it panics it defers.
 *
 * Only allocations of the thread that calls oom_each fail, by malloc, calloc, realloc, posix_memalign and
 * aligned_alloc, and with oom_maps set also the runtime's mappings (descriptors of goroutines, stacks, heaps of
 * timers); those are kept for later use, so there is no telling how many there are, and nothing that starts
 * goroutines and waits for them should set it.
 *
 * Where memory is to stay out, all allocations of the thread between oom_begin(n) and oom_end fail but the first n.
 *
 * A goroutine that parks may go on on another thread, where nothing fails: do the parking last, and run the
 * program without LEAT_MIGRATE ("CTEST: nomigrate").
 *
 * One file of a program includes this header, after test.h.  It defines malloc, so sanitizers must not: such
 * programs say "CTEST: nosan", too.  Where the C library has no second name for its malloc nothing fails, and
 * oom_skip ends the program with 77.
 */
#ifndef OOM_H
#define OOM_H

#include "test.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { OOM_COPED = 1 };

static int oom_holds;           /* how much was allocated and not freed */
static long oom_left;           /* allocations until the one that fails; 0: it was, or none is to */
static long oom_thread;         /* whose they are */
static bool oom_armed, oom_hit; /* by that thread */
static bool oom_stays;          /* all that follow the one that fails do so, too */
LEAT__UNUSED static bool oom_maps; /* mappings fail, too */

#if defined __GLIBC__ && !defined TEST_SANITIZED

enum { OOM_WORKS = 1 };

static void *oom_held[4096]; /* what it was, under a lock */
static uint8_t oom_lock;

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *p, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *p);

static bool oom_ours(void)
{
	return __atomic_load_n(&oom_armed, __ATOMIC_ACQUIRE) && oom_thread == syscall(SYS_gettid);
}

/* This allocation is the one. */
static bool oom_now(void)
{
	if (!oom_ours() || oom_left == 0 || --oom_left > 0)
		return false;
	oom_hit = true;
	oom_left = oom_stays;
	return true;
}

static void *oom_hold(void *p)
{
	if (!p || oom_stays || !oom_ours())
		return p;
	while (__atomic_test_and_set(&oom_lock, __ATOMIC_ACQUIRE))
		;
	if (oom_holds < (int)(sizeof oom_held / sizeof *oom_held))
		oom_held[oom_holds++] = p;
	__atomic_clear(&oom_lock, __ATOMIC_RELEASE);
	return p;
}

static void oom_let_go(const void *p)
{
	if (!p)
		return;
	while (__atomic_test_and_set(&oom_lock, __ATOMIC_ACQUIRE))
		;
	for (int i = oom_holds; i-- > 0;)
		if (oom_held[i] == p) {
			oom_held[i] = oom_held[--oom_holds];
			break;
		}
	__atomic_clear(&oom_lock, __ATOMIC_RELEASE);
}

void *malloc(size_t bytes)
{
	return oom_now() ? NULL : oom_hold(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
	return oom_now() ? NULL : oom_hold(__libc_calloc(count, bytes));
}

void *realloc(void *p, size_t bytes)
{
	if (oom_now())
		return NULL;
	oom_let_go(p);
	return oom_hold(__libc_realloc(p, bytes));
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return oom_now() ? NULL : oom_hold(__libc_memalign(alignment, bytes));
}

int posix_memalign(void **where, size_t alignment, size_t bytes)
{
	void *p = aligned_alloc(alignment, bytes);

	if (!p)
		return ENOMEM;
	*where = p;
	return 0;
}

void free(void *p)
{
	oom_let_go(p);
	__libc_free(p);
}

/* The runtime maps by a system call of its own, and makes what it maps accessible by this one. */
int mprotect(void *at, size_t bytes, int protection)
{
	if (__atomic_load_n(&oom_maps, __ATOMIC_RELAXED) && oom_now()) {
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_mprotect, at, bytes, protection);
}

#else

enum { OOM_WORKS = 0 };

#endif

struct oom_call {
	int (*fn)(void *);
	void *arg;
	int result;
};

static inline void oom_run(void *arg)
{
	struct oom_call *c = arg;

	c->result = c->fn(c->arg);
}

static inline void oom_arm(long n)
{
	oom_hit = false;
	oom_left = n;
	oom_thread = syscall(SYS_gettid); /* not pthread_self, which compilers keep over a park */
	__atomic_store_n(&oom_armed, true, __ATOMIC_RELEASE);
}

/* The allocation that was to fail was come to. */
static inline bool oom_disarm(void)
{
	__atomic_store_n(&oom_armed, false, __ATOMIC_RELEASE);
	return oom_hit;
}

static inline void oom_begin(long succeed)
{
	oom_stays = true;
	oom_arm(succeed + 1);
}

static inline void oom_end(void)
{
	oom_disarm();
	oom_stays = false;
}

/* One try; false when it never came to the n-th allocation. */
static inline bool oom_nth(int (*fn)(void *), void *arg, long n)
{
	size_t goroutines = leat_num_goroutine();
	struct oom_call c = {fn, arg, 0};
	leat_panic_info info;
	bool panicked, hit;

	oom_arm(n);
	panicked = leat_catch(oom_run, &c, &info);
	hit = oom_disarm();
	if (panicked)
		CHECK_STR(info.message, "out of memory");
	if (hit)
		CHECK(panicked || c.result != 0);
	else
		CHECK(!panicked && c.result >= 0);
	test_goroutines(goroutines);
	CHECK_EQ(oom_holds, 0);
	return hit;
}

static inline int oom_each(int (*fn)(void *), void *arg)
{
	int n = 1;

	while (oom_nth(fn, arg, n))
		n++;
	return n - 1;
}

/* Nothing can be made to fail here. */
static inline void oom_skip(void)
{
	if (!OOM_WORKS) {
		printf("malloc cannot be replaced here\n");
		exit(77);
	}
}

#endif
