/* SPDX-License-Identifier: MIT */
/*
 * Once: do something one time, whoever comes first.  After Go's sync.Once, sync.OnceFunc and sync.OnceValue.
 *
 *	static leat_once opened;
 *	leat_once_do(&opened, open_log, "log.txt");
 *
 *	static leat_once_value table = LEAT_ONCE_VALUE(make_table, NULL);
 *	struct table *t = leat_once_value_get(&table);
 *
 * A leat_once that is zero has done nothing yet.  None of the three needs a destructor, may be copied after
 * its first use, or begins anew.  Each must outlive the calls that were given it.
 */
#ifndef LEAT_ONCE_H
#define LEAT_ONCE_H

#include <leat/ctx.h>
#include <leat/panic.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_once {
	uint8_t leat__state;
	uint8_t leat__lock;
	struct leat__waiters leat__queue;
} leat_once;

/*
 * Call fn(arg) if this is the first call for once; otherwise park until the first one's fn has ended, and
 * return.  fn counts as done by whatever way it ends: a panic and leat_goexit go on to the caller, and later
 * calls do nothing.
 *
 * A call from inside fn deadlocks.  Any goroutine, any thread.  The end of fn happens before the return of
 * every call.  One load once it is done; never allocates.  After sync.Once.Do.
 */
LEAT_API void leat_once_do(leat_once *once, void (*fn)(void *), void *arg);

/* The usual case in line, which is all there is to it mostly: some 5 to 1.4 ns.  Not for the thread sanitizer: it is
   told by the library.  Private. */
#define LEAT__ONCE_DONE 2
#if !defined __cplusplus && !defined LEAT__NO_INLINE && !defined __SANITIZE_THREAD__
#if defined __has_feature
#if __has_feature(thread_sanitizer)
#define LEAT__NO_INLINE
#endif
#endif
#ifndef LEAT__NO_INLINE
LEAT_API void leat__once_do(leat_once *once, void (*fn)(void *), void *arg);

extern __inline__ __attribute__((gnu_inline)) void leat_once_do(leat_once *once, void (*fn)(void *),
                                                                void *arg)
{
	if (__builtin_expect(__atomic_load_n(&once->leat__state, __ATOMIC_ACQUIRE) != LEAT__ONCE_DONE,
	                     0))
		leat__once_do(once, fn, arg);
}
#endif
#endif

/*
 * The same, but give up waiting for another's fn when ctx is done (NULL: no context): 0 when fn has ended,
 * else -ECANCELED or -ETIMEDOUT.  Where ctx is done already nothing is called, and it fails even if fn has
 * ended; an fn that this call runs is not cut short, and learns of ctx by its arg.
 */
LEAT_API int leat_once_do_ctx(leat_once *once, void (*fn)(void *), void *arg,
                              leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* What OnceFunc and OnceValue share.  All fields are private. */
typedef struct leat__once_call {
	leat_once leat__once;
	bool leat__panicked;
	leat_panic_info leat__panic;
} leat__once_call;

/* A function to be called once; made with LEAT_ONCE_FUNC.  All fields are private. */
typedef struct leat_once_func {
	void (*leat__fn)(void *);
	void *leat__arg;
	leat__once_call leat__call;
} leat_once_func;

/*
 * Call f's function, once and for all: calls that come later, or meanwhile, return when it has ended, without
 * calling it.  If it panicked they panic with the same message; a panic of leat's stays one of leat's.  If it
 * ended by leat_goexit they return.
 * Else as leat_once_do and leat_once_do_ctx.  After sync.OnceFunc.
 */
LEAT_API void leat_once_func_call(leat_once_func *f);
LEAT_API int leat_once_func_call_ctx(leat_once_func *f, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* A pointer to be made once; made itself with LEAT_ONCE_VALUE.  All fields are private. */
typedef struct leat_once_value {
	void *(*leat__fn)(void *);
	void *leat__arg;
	void *leat__value;
	leat__once_call leat__call;
} leat_once_value;

/*
 * What v's function returned, which is called by the first of these calls; after a leat_goexit in it NULL.
 * What it points to is the program's.  The second form stores it in *value when it returns 0.
 * Else as leat_once_func_call.  After sync.OnceValue.
 */
LEAT_API void *leat_once_value_get(leat_once_value *v);
LEAT_API int leat_once_value_get_ctx(leat_once_value *v, void **value,
                                     leat_any_ctx ctx) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_once_do_ctx(...)        __extension__ leat_once_do_ctx(__VA_ARGS__)
#define leat_once_func_call_ctx(...) __extension__ leat_once_func_call_ctx(__VA_ARGS__)
#define leat_once_value_get_ctx(...) __extension__ leat_once_value_get_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* Initialisers, for static storage too: void fn(void *), void *fn(void *), and what it is called with. */
#define LEAT_ONCE_FUNC(fn, arg)                                                                    \
	{                                                                                              \
		.leat__fn = (fn), .leat__arg = (arg)                                                       \
	}
#define LEAT_ONCE_VALUE(fn, arg)                                                                   \
	{                                                                                              \
		.leat__fn = (fn), .leat__arg = (arg)                                                       \
	}

#endif /* !__cplusplus */

#endif
