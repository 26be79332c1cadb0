/* SPDX-License-Identifier: MIT */
/*
 * Telling the sanitizers and Valgrind about stacks, switches and happens-before edges.
 *
 * The library needs no special build: the hooks are weak symbols, there when the program is linked
 * with a sanitizer's run-time and NULL otherwise.  leat__sanitizers is looked up once; every use in a
 * hot path is one predicted branch on it.
 *
 * AddressSanitizer keeps a fake stack per context.  ThreadSanitizer keeps a whole thread state (a
 * fiber) per context; the edges between goroutines are exactly those that leat__hb_release and
 * leat__hb_acquire name, a switch itself orders nothing.
 */
#ifndef LEAT_ARCH_SANITIZER_H
#define LEAT_ARCH_SANITIZER_H

#include "base/compiler.h"

enum { LEAT__ASAN = 1, LEAT__TSAN = 2, LEAT__LSAN = 4 /* leaks, with ASan or alone */ };

extern unsigned leat__sanitizers HIDDEN;

/* A context as the sanitizers know it; part of whatever owns the stack. */
struct leat__san_context {
	void *fiber;      /* ThreadSanitizer's, NULL until first run */
	void *fake_stack; /* AddressSanitizer's, while the context is parked */
	const void *low;  /* the stack's bounds */
	size_t bytes;
};

/* The calling thread's own stack becomes a context. */
void leat__san_adopt(struct leat__san_context *c, const void *low, size_t bytes);

/* Around the creation of a thread: ThreadSanitizer orders nothing that the caller did before it. */
void leat__san_orphan_begin(void);
void leat__san_orphan_end(void);

/* Around every switch: before on the old stack (dying: it will never be resumed), after on the new,
   with the context that runs again. */
void leat__san_before(struct leat__san_context *from, struct leat__san_context *to, bool dying);
void leat__san_after(struct leat__san_context *now);

/* The context's goroutine has ended and another context runs. */
void leat__san_destroy(struct leat__san_context *c);

/* The calling thread, made for goroutines, has just begun: they find its thread-local data in place. */
void leat__san_thread_begun(void);

/* The calling thread is about to end. */
void leat__san_thread_done(void);

/* Frames were abandoned on this stack: forget what they poisoned. */
void leat__san_unpoison(const void *low, size_t bytes);

/* Make whole pages new and zero, for ThreadSanitizer too: what was done to them is forgotten. */
void leat__san_forget(void *low, size_t bytes);

/* Memory outside malloc that may point to what malloc gave. */
void leat__san_add_root(const void *p, size_t bytes);
void leat__san_drop_root(const void *p, size_t bytes);

void leat__san_acquire(const void *address);
void leat__san_release(const void *address);
void leat__san_renew(void *address);

/* What the caller did before the release is ordered before what follows an acquire of the same. */
static inline void leat__hb_release(const void *address)
{
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_release(address);
}

static inline void leat__hb_acquire(const void *address)
{
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_acquire(address);
}

/* Something new lies at address: what was released there before is forgotten. */
static inline void leat__hb_renew(void *address)
{
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_renew(address);
}

/* Both, for what lives where others have lived: the first release of it. */
static inline void leat__hb_release_new(void *address)
{
	if (unlikely(leat__sanitizers & LEAT__TSAN)) {
		leat__san_renew(address);
		leat__san_release(address);
	}
}

/*
 * A token stands for what the caller did until now.  It is for one that is not known yet, and who may come
 * when the caller's stack is used for something else.  NULL without ThreadSanitizer, and without memory: then
 * the one edge is not told.
 */
void *leat__san_token(void);
/* The end of a token, if it is not NULL: what it stands for is ordered before what follows here; or nothing is. */
void leat__san_redeem(void *token);
void leat__san_drop(void *token);

/*
 * Between the two the calling thread is nobody, who comes after nothing but what it acquires: for what is done
 * in the time of whoever happens to run, on behalf of others.  Nothing is done without ThreadSanitizer.
 * No switch of stacks in between.  A fiber each time: some 10 us.
 */
struct leat__san_nobody {
	void *self, *fiber;
};

void leat__san_nobody_begin(struct leat__san_nobody *n);
void leat__san_nobody_end(const struct leat__san_nobody *n);

/*
 * Between the two ThreadSanitizer does not look at what the calling thread does: for libraries that it sees in part, by the
 * functions of libc that they call, without the atomics and thread-local data that put these in order.  No switch of stacks
 * in between.
 */
void leat__san_blind_begin(void);
void leat__san_blind_end(void);

/* Zeroed memory from malloc's heap that ThreadSanitizer does not take for written by the caller: for what is given
   to others, who may use it without further ado.  NULL: there is none. */
void *leat__san_fresh_memory(size_t bytes);

/* The process runs under Valgrind. */
bool leat__valgrind_watches(void);

/* A stack for Valgrind; returns its id. */
unsigned leat__valgrind_add_stack(const void *low, const void *high);
void leat__valgrind_drop_stack(unsigned id);

#endif
