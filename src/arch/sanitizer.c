/* SPDX-License-Identifier: MIT */
/* See the header. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arch/sanitizer.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if LEAT_HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#define WEAK __attribute__((weak))

WEAK void __sanitizer_start_switch_fiber(void **fake_stack, const void *low, size_t bytes);
WEAK void __sanitizer_finish_switch_fiber(void *fake_stack, const void **low, size_t *bytes);
WEAK void __asan_unpoison_memory_region(const volatile void *p, size_t bytes);
WEAK void __lsan_register_root_region(const void *p, size_t bytes);
WEAK void __lsan_unregister_root_region(const void *p, size_t bytes);
WEAK void *__tsan_get_current_fiber(void);
WEAK void *__tsan_create_fiber(unsigned flags);
WEAK void __tsan_destroy_fiber(void *fiber);
WEAK void __tsan_switch_to_fiber(void *fiber, unsigned flags);
WEAK void __tsan_acquire(void *address);
WEAK void __tsan_release(void *address);
WEAK void __tsan_mutex_destroy(void *address, unsigned flags);
WEAK void AnnotateIgnoreWritesBegin(const char *file, int line);
WEAK void AnnotateIgnoreWritesEnd(const char *file, int line);
WEAK void AnnotateBenignRaceSized(const char *file, int line, const volatile void *p, size_t bytes,
                                  const char *why);

enum { TSAN_NO_SYNC = 1, FIBERS_KEPT = 32 };

unsigned leat__sanitizers;

static size_t fibers; /* that there are */
static bool bounded;  /* only so many can be */

/*
 * To ThreadSanitizer whoever creates a fiber or a thread happens before all that it does.  leat creates
 * them in the middle of whatever runs there, which would order goroutines that nothing orders.  So the
 * creator is always this fiber, which knows of nothing but what came before the first call into leat.
 * (It is not made earlier: a process that has fibers may not start threads after a fork.)
 */
static struct {
	uint8_t lock; /* one thread at a time can be on a fiber */
	void *fiber;
	void *creator; /* who is on it instead of on its own */
} orphanage;

/* Before main and other constructors: a primitive's fast path may come before the runtime starts. */
__attribute__((constructor(101))) static void find_hooks(void)
{
	/* HWASan and others have the fiber hooks without ASan's poisoning; both count as ASan here. */
	if (__sanitizer_start_switch_fiber && __sanitizer_finish_switch_fiber && !__tsan_create_fiber)
		leat__sanitizers |= LEAT__ASAN;
	if (__tsan_create_fiber && __tsan_switch_to_fiber)
		leat__sanitizers |= LEAT__TSAN;
	if (leat__sanitizers & LEAT__TSAN) {
		Dl_info where;

		/* gcc's alone is a library of this name. */
		bounded = dladdr((void *)(uintptr_t)__tsan_create_fiber, &where) && where.dli_fname &&
		          strstr(where.dli_fname, "libtsan.so");
	}
	if (__lsan_register_root_region)
		leat__sanitizers |= LEAT__LSAN;
}

void leat__san_adopt(struct leat__san_context *c, const void *low, size_t bytes)
{
	c->low = low;
	c->bytes = bytes;
	if (!(leat__sanitizers & LEAT__TSAN))
		return;
	c->fiber = __tsan_get_current_fiber();
	/* errno is the thread's, its goroutines' by turns: what one leaves there the next overwrites. */
	if (AnnotateBenignRaceSized)
		AnnotateBenignRaceSized(__FILE__, __LINE__, &errno, sizeof errno, "errno");
}

void leat__san_orphan_begin(void)
{
	if (!(leat__sanitizers & LEAT__TSAN))
		return;
	while (__atomic_exchange_n(&orphanage.lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	if (!orphanage.fiber)
		orphanage.fiber = __tsan_create_fiber(0);
	orphanage.creator = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(orphanage.fiber, TSAN_NO_SYNC);
}

void leat__san_orphan_end(void)
{
	if (!(leat__sanitizers & LEAT__TSAN))
		return;
	__tsan_switch_to_fiber(orphanage.creator, TSAN_NO_SYNC);
	__atomic_store_n(&orphanage.lock, 0, __ATOMIC_RELEASE);
}

/*
 * gcc's run-time has room for 8,128 fibers and threads, and hangs when there are more.  So it is said when
 * the end is near, and the process ends a little before.  clang's has room for more than there is memory for.
 */
enum { FEW_LEFT = 7900, NONE_LEFT = 8060 };

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void count_fiber(void)
{
	size_t n = __atomic_add_fetch(&fibers, 1, __ATOMIC_RELAXED);

	if (likely(!bounded) || likely(n < FEW_LEFT))
		return;
	if (n == FEW_LEFT)
		say("leat: 7,900 goroutines have begun and not ended; gcc's ThreadSanitizer has room for\n"
		    "8,060, clang's for more\n");
	if (n < NONE_LEFT)
		return;
	say("fatal error: more goroutines at once than gcc's ThreadSanitizer has room for (8,060);\n"
	    "build with clang\n");
	_exit(2);
}

static void destroy_fiber(void *fiber)
{
	__tsan_destroy_fiber(fiber);
	__atomic_fetch_sub(&fibers, 1, __ATOMIC_RELAXED);
}

static void *orphan_fiber(void)
{
	void *fiber;

	count_fiber();
	leat__san_orphan_begin();
	fiber = __tsan_create_fiber(0);
	leat__san_orphan_end();
	return fiber;
}

/*
 * ThreadSanitizer takes the beginning of a thread for a write to all of its thread-local data.  A
 * goroutine that uses some comes after that; and after nothing else, since a thread that has just begun
 * knows only what its creator, the orphan, knew.
 */
static __thread char begun;

void leat__san_thread_begun(void)
{
	leat__hb_release(&begun);
}

void leat__san_before(struct leat__san_context *from, struct leat__san_context *to, bool dying)
{
	if (leat__sanitizers & LEAT__ASAN)
		__sanitizer_start_switch_fiber(dying ? NULL : &from->fake_stack, to->low, to->bytes);
	if (leat__sanitizers & LEAT__TSAN) {
		if (!to->fiber)
			to->fiber = orphan_fiber();
		__tsan_switch_to_fiber(to->fiber, TSAN_NO_SYNC);
		__tsan_acquire(&begun);
	}
}

void leat__san_after(struct leat__san_context *now)
{
	if (leat__sanitizers & LEAT__ASAN)
		__sanitizer_finish_switch_fiber(now->fake_stack, NULL, NULL);
}

/* The last fibers that ended on this thread. */
static __thread void *ended[FIBERS_KEPT];
static __thread unsigned oldest;

void leat__san_thread_done(void)
{
	for (unsigned i = 0; i < FIBERS_KEPT; i++)
		if (ended[i])
			destroy_fiber(ended[i]);
}

/* ThreadSanitizer gives a destroyed fiber's slot to the next one, and then takes the two for one thread: races
   between goroutines that run one after the other would go unseen.  So the last fibers to end on this thread
   stay for a while. */
static void retire(void *fiber)
{
	if (ended[oldest])
		destroy_fiber(ended[oldest]);
	ended[oldest] = fiber;
	oldest = (oldest + 1) % FIBERS_KEPT;
}

void leat__san_destroy(struct leat__san_context *c)
{
	if ((leat__sanitizers & LEAT__TSAN) && c->fiber)
		retire(c->fiber);
	c->fiber = NULL;
	c->fake_stack = NULL;
}

void leat__san_unpoison(const void *low, size_t bytes)
{
	if ((leat__sanitizers & LEAT__ASAN) && __asan_unpoison_memory_region)
		__asan_unpoison_memory_region(low, bytes);
}

/* Between these ThreadSanitizer takes nothing that the thread does for a write: where it would take malloc, free
   or mmap for one it resets the range instead. */
static void ignore_begin(void)
{
	if (AnnotateIgnoreWritesBegin)
		AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

static void ignore_end(void)
{
	if (AnnotateIgnoreWritesEnd)
		AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

void leat__san_forget(void *low, size_t bytes)
{
	/* Libc's mmap, not os.h's, since the sanitizer must see it. */
	ignore_begin();
	mmap(low, bytes, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	ignore_end();
}

void *leat__san_fresh_memory(size_t bytes)
{
	void *p;

	ignore_begin();
	p = calloc(1, bytes);
	ignore_end();
	return p;
}

void leat__san_add_root(const void *p, size_t bytes)
{
	if (leat__sanitizers & LEAT__LSAN)
		__lsan_register_root_region(p, bytes);
}

void leat__san_drop_root(const void *p, size_t bytes)
{
	if ((leat__sanitizers & LEAT__LSAN) && __lsan_unregister_root_region)
		__lsan_unregister_root_region(p, bytes);
}

void leat__san_acquire(const void *address)
{
	__tsan_acquire((void *)(uintptr_t)address);
}

void leat__san_release(const void *address)
{
	__tsan_release((void *)(uintptr_t)address);
}

void leat__san_renew(void *address)
{
	/* The end of a mutex, and of all that was released at its address. */
	if (!__tsan_mutex_destroy)
		return;
	ignore_begin();
	__tsan_mutex_destroy(address, 0);
	ignore_end();
}

/* Memory of its own, whose address nobody else releases: free makes ThreadSanitizer forget what was. */
void *leat__san_token(void)
{
	void *token = NULL;

	if (!(leat__sanitizers & LEAT__TSAN))
		return NULL;
	token = leat__san_fresh_memory(1);
	if (token)
		__tsan_release(token);
	return token;
}

void leat__san_redeem(void *token)
{
	if (!token)
		return;
	__tsan_acquire(token);
	leat__san_drop(token);
}

void leat__san_drop(void *token)
{
	if (!token)
		return;
	ignore_begin();
	free(token);
	ignore_end();
}

void leat__san_nobody_begin(struct leat__san_nobody *n)
{
	if (!(leat__sanitizers & LEAT__TSAN))
		return;
	n->self = __tsan_get_current_fiber();
	n->fiber = orphan_fiber();
	__tsan_switch_to_fiber(n->fiber, TSAN_NO_SYNC);
}

void leat__san_nobody_end(const struct leat__san_nobody *n)
{
	if (!(leat__sanitizers & LEAT__TSAN))
		return;
	__tsan_switch_to_fiber(n->self, TSAN_NO_SYNC);
	retire(n->fiber);
}

void leat__san_blind_begin(void)
{
	if (leat__sanitizers & LEAT__TSAN)
		ignore_begin();
}

void leat__san_blind_end(void)
{
	if (leat__sanitizers & LEAT__TSAN)
		ignore_end();
}

bool leat__valgrind_watches(void)
{
#if LEAT_HAVE_VALGRIND
	return RUNNING_ON_VALGRIND;
#else
	return false;
#endif
}

unsigned leat__valgrind_add_stack(const void *low, const void *high)
{
#if LEAT_HAVE_VALGRIND
	return VALGRIND_STACK_REGISTER(low, high);
#else
	(void)low, (void)high;
	return 0;
#endif
}

void leat__valgrind_drop_stack(unsigned id)
{
#if LEAT_HAVE_VALGRIND
	VALGRIND_STACK_DEREGISTER(id);
#endif
	(void)id;
}
