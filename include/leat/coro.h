/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: a function that yields values one by one, and goes on where it was when the next is wanted.
 *
 *	struct count { int from, to; };
 *	static void count(coro(int) c, struct count *a)
 *	{
 *		for (int i = a->from; i < a->to; i++)
 *			coro_yield(c, i);
 *	}
 *	...
 *	coro(int) c = coro_make(int, count, .from = 1, .to = 4);
 *	coro_range(v, c) printf("%d\n", v);
 *	coro_free(c);
 *
 * A coroutine is a stack and no more: no goroutine, no scheduling, nothing that runs beside its user.  To resume
 * it is a call that its next yield returns from; some 50 instructions each way, without a lock, a system call or
 * an atomic operation.  It may yield from any depth of calls, its body being an ordinary function, and may resume
 * other coroutines.
 *
 * While it runs it is the goroutine, or plain thread, that resumed it: leat_goid is that one's, and it may park,
 * sleep, lock, start goroutines and panic like that one.  errno, the floating-point control words and what is the
 * thread's pass through a resume and a yield as through a call.  A coroutine may be resumed by one goroutine or
 * thread now and by another later, not by two at once; each resume happens before what the coroutine does then,
 * and that before the return of the resume.
 *
 * The child of a fork has all coroutines that were suspended, and those that the caller was in: they go on, and are
 * stopped, as in the parent, but that nobody waits for goroutines that are gone (leat/go.h).  One that somebody else
 * was in counts as running for ever.
 *
 * What the body defers (leat/defer.h, scopes and with_lock among it) is the coroutine's own, and so are its catches:
 *  - It runs when its block is left, on the coroutine's stack.  coro_stop, and so coro_free, leave all blocks of a
 *    coroutine that has not ended, as leat_goexit does; what the frames only hold in variables is lost.
 *  - A panic that the body does not catch ends it, and is raised again, with the same message, where the coroutine was
 *    resumed.  If nobody would catch it there either, all that was deferred has run when the report comes, and the
 *    trace shows the frames of the coroutine and those below it.
 *  - leat_goexit in the body ends it, and then goes on where the coroutine was resumed.
 *  - A yield in a function that was deferred, while a panic or coro_stop runs it, panics.
 *
 * A coroutine that has not ended keeps 192 KiB of address space, of which only touched pages take memory: one, if
 * it is small.  An overflow is reported as a goroutine's, with the coroutine's limit.  For that a plain thread gets an
 * alternate signal stack (sigaltstack) of 64 KiB, unless it has one, when it first resumes a coroutine.
 *
 * To use NULL for a coroutine, but to free it, is a fault, which is reported as Go reports a nil dereference
 * (leat_fault_panics).
 *
 * After Go's iter.Pull and range over functions, Lua's coroutines and Python's generators.
 */
#ifndef LEAT_CORO_H
#define LEAT_CORO_H

#include <leat/base.h>
#include <leat/defer.h>

typedef struct leat_coro leat_coro;

/* What a resume of coro(T) brings: nothing.  Private. */
struct leat__coro_nothing;

/*
 * The type of a coroutine that yields values of type T, and is brought values of type R by who resumes it, if R is
 * said.  An ordinary pointer type, so it may be stored, passed and sent like one.
 */
#define LEAT_CORO(...)        LEAT__CORO(__VA_ARGS__, struct leat__coro_nothing, )
#define LEAT__CORO(T, R, ...) LEAT__CORO_OF(T, R)
#define LEAT__CORO_OF(T, R)   __typeof__(__typeof__(T) *(**)(__typeof__(R) const *, leat_coro *))

LEAT__BEGIN

/* How to make a coroutine; zero-initialised, every field has its default. */
typedef struct leat_coro_opts {
	size_t
	    stack_bytes; /* usable stack at least; never less than the default, 192 KiB; at most 1 GiB */
} leat_coro_opts;

/*
 * Make a coroutine that yields values of elem_bytes bytes by running fn(c, args), c being the result, on its own copy
 * of args_bytes bytes at args.  It does not run before it is first resumed.
 *
 * The copy is aligned to 16 bytes and valid until fn returns.  args may be NULL when args_bytes is 0; fn then gets an
 * unspecified pointer.  Panics "coro of nil func value", "coro: more than 65536 bytes of arguments", and "out of memory"
 * when there is none, all being as before.  The caller owns the result: leat_coro_free.
 * Any goroutine, any thread.  opts may be NULL.
 */
LEAT_API leat_coro *leat_coro_make(const leat_coro_opts *opts, size_t elem_bytes,
                                   void (*fn)(leat_coro *c, void *args), const void *args,
                                   size_t args_bytes) LEAT__WARN_UNUSED;

/*
 * Resume c until it yields: true, with the value in *elem (NULL: not wanted); or until it ends: false, with *elem
 * untouched.  False, too, if it has ended before.
 *
 * Panics "coro: resume of a running coroutine" when c runs, the caller being in it or in one that it resumed, or
 * somebody else at the same time, as far as that is noticed; and with what the body did not catch.  Does not
 * return either where the body calls leat_goexit.
 * Any goroutine, any thread; one at a time.  After the next of Go's iter.Pull.
 */
LEAT_API bool leat_coro_next(leat_coro *c, void *elem);

/* The same, bringing *sent, which the body sees by leat_coro_sent until it yields or ends.  For a coroutine that has
   not begun it is the value that it begins with. */
LEAT_API bool leat_coro_send(leat_coro *c, const void *sent, void *elem);

/*
 * In the body of c, or in what it called: give *elem to who resumed c, and go on when c is resumed again.
 *
 * Panics "coro: yield outside of the coroutine" where c is not the innermost coroutine that runs here, and "coro:
 * yield in a deferred function" while a panic or leat_coro_stop runs what the body deferred.
 */
LEAT_API void leat_coro_yield(leat_coro *c, const void *elem);

/* In the body: what the resume brought, NULL by leat_coro_next.  Panics likewise. */
LEAT_API const void *leat_coro_sent(leat_coro *c);

/*
 * End c early: what its body deferred runs, innermost first, on its own stack, and its frames are abandoned.  A no-op
 * if it has ended; the body of one that has not begun never runs.  Its stack is free on return.
 *
 * Panics "coro: stop of a running coroutine", and with what the deferred functions did not catch.
 */
LEAT_API void leat_coro_stop(leat_coro *c);

/* Stop c, if it has not ended, and free it, also when that panics.  NULL is a no-op.  Panics "coro: free of a running
   coroutine", c being kept. */
LEAT_API void leat_coro_free(leat_coro *c);

/* c has ended: by itself, by a panic or by leat_coro_stop.  It has no stack any more. */
LEAT_API bool leat_coro_ended(const leat_coro *c);

/* leat_coro_send, but that it returns where the value lies, until c is resumed again, or NULL at the end.  Private. */
LEAT_API const void *leat__coro_resume(leat_coro *c, const void *sent);

LEAT__END

#ifndef __cplusplus

#define LEAT__CORO_RAW(c)  ((leat_coro *)(void *)(c))
#define LEAT__CORO_ELEM(c) __typeof__(*(*(c))(NULL, (leat_coro *)NULL))

/* T may be yielded. */
#define LEAT__CAN_YIELD(T)                                                                         \
	_Static_assert(!__builtin_types_compatible_p(__typeof__(T), void),                             \
	               "a coroutine of void yields nothing: use coro(leat_empty)");                    \
	_Static_assert(!__builtin_types_compatible_p(__typeof__(T) *, __typeof__(T) const *),          \
	               "what a coroutine yields is copied: its type cannot be const")

/*
 * LEAT_CORO_MAKE(T, fn, .field = value, ...): a coro(T) that runs fn(coro(T), struct fn *) on a copy of
 * (struct fn){ ... }.
 * LEAT_CORO_MAKE0(T, fn): one that runs fn(coro(T)).
 * LEAT_CORO_MAKE2(T, R, fn, ...): a coro(T, R) that runs fn(coro(T, R), struct fn *).
 * LEAT_CORO_MAKE_WITH(opts, T, fn, ...): with a pointer to leat_coro_opts.
 */
#define LEAT_CORO_MAKE(...)      LEAT__CORO_MAKE1(NULL, __VA_ARGS__, )
#define LEAT_CORO_MAKE2(...)     LEAT__CORO_MAKE(NULL, __VA_ARGS__, )
#define LEAT_CORO_MAKE_WITH(...) LEAT__CORO_MAKE1(__VA_ARGS__, )
#define LEAT__CORO_MAKE1(opts, T, ...)                                                             \
	LEAT__CORO_MAKE(opts, T, struct leat__coro_nothing, __VA_ARGS__)
/* Compilers warn where what is read from an array is not used; of the value of a ({ }) they say nothing. */
#define LEAT__CORO_MAKE(opts, T, R, fn, ...)                                                       \
	(*(LEAT__CORO_OF(T, R)[1]){__extension__({                                                     \
		LEAT__CAN_YIELD(T);                                                                        \
		void (*leat__f)(LEAT__CORO_OF(T, R), struct fn *) = (fn);                                  \
		(void *)leat_coro_make((opts), sizeof(__typeof__(T)),                                      \
		                       (void (*)(leat_coro *, void *))(void (*)(void))leat__f,             \
		                       &(struct fn){__VA_ARGS__}, sizeof(struct fn));                      \
	})})
#define LEAT_CORO_MAKE0(T, fn)                                                                     \
	(*(LEAT_CORO(T)[1]){__extension__({                                                            \
		LEAT__CAN_YIELD(T);                                                                        \
		void (*leat__f)(LEAT_CORO(T)) = (fn);                                                      \
		(void *)leat_coro_make(NULL, sizeof(__typeof__(T)),                                        \
		                       (void (*)(leat_coro *, void *))(void (*)(void))leat__f, NULL, 0);   \
	})})

/*
 * LEAT_CORO_OWN(c, T, fn, .field = value, ...): a declaration of coro(T) c, freed when the block is left by
 * whichever way.  OWN0, OWN2: the same for what MAKE0 and MAKE2 make.  One that goroutines of a scope use is
 * declared before the scope, as all that they use: then they are joined first.
 */
#define LEAT_CORO_OWN(c, T, ...)                                                                   \
	LEAT_CORO(T) const c = LEAT_CORO_MAKE(T, __VA_ARGS__);                                         \
	LEAT_DEFER(leat_coro_free, LEAT__CORO_RAW(c))
#define LEAT_CORO_OWN0(c, T, fn)                                                                   \
	LEAT_CORO(T) const c = LEAT_CORO_MAKE0(T, fn);                                                 \
	LEAT_DEFER(leat_coro_free, LEAT__CORO_RAW(c))
#define LEAT_CORO_OWN2(c, T, R, ...)                                                               \
	LEAT_CORO(T, R) const c = LEAT_CORO_MAKE2(T, R, __VA_ARGS__);                                  \
	LEAT_DEFER(leat_coro_free, LEAT__CORO_RAW(c))

/* The value that is next, into *(T *)vp, and whether there was one (false: c has ended). */
#define LEAT_CORO_NEXT(c, vp) LEAT__CORO_RESUMING(__COUNTER__, c, NULL, vp)

/* The same for a coro(T, R), bringing *(R *)rp. */
#define LEAT_CORO_SEND(c, rp, vp)                                                                  \
	__extension__({                                                                                \
		(void)sizeof((*(c))((rp), (leat_coro *)NULL));                                             \
		LEAT__CORO_RESUMING(__COUNTER__, c, rp, vp);                                               \
	})

#define LEAT__CORO_RESUMING(n, c, sent, vp)                                                        \
	__extension__({                                                                                \
		LEAT__CORO_ELEM(c) * LEAT__CAT(leat__to, n) = (vp);                                        \
		const LEAT__CORO_ELEM(c) * LEAT__CAT(leat__from, n) =                                      \
		    leat__coro_resume(LEAT__CORO_RAW(c), (sent));                                          \
		if (LEAT__CAT(leat__from, n) && LEAT__CAT(leat__to, n))                                    \
			*LEAT__CAT(leat__to, n) = *LEAT__CAT(leat__from, n);                                   \
		LEAT__CAT(leat__from, n) != NULL;                                                          \
	})

/* The value is evaluated once, and must be assignable to T. */
#define LEAT_CORO_YIELD(...) LEAT__CORO_YIELD(__COUNTER__, __VA_ARGS__)
#define LEAT__CORO_YIELD(n, c, ...)                                                                \
	__extension__({                                                                                \
		leat_coro *LEAT__CAT(leat__coro, n) = LEAT__CORO_RAW(c);                                   \
		LEAT__CORO_ELEM(c) LEAT__CAT(leat__value, n) = __VA_ARGS__;                                \
		leat_coro_yield(LEAT__CAT(leat__coro, n), &LEAT__CAT(leat__value, n));                     \
	})

/* In the body of a coro(T, R): what the resume brought, into *(R *)rp; false, with that untouched: nothing. */
#define LEAT_CORO_SENT(c, rp) LEAT__CORO_SENT(__COUNTER__, c, rp)
#define LEAT__CORO_SENT(n, c, rp)                                                                  \
	__extension__({                                                                                \
		__typeof__(*(rp)) *LEAT__CAT(leat__to, n) = (rp);                                          \
		(void)sizeof((*(c))(LEAT__CAT(leat__to, n), (leat_coro *)NULL));                           \
		const __typeof__(*(rp)) *LEAT__CAT(leat__from, n) = leat_coro_sent(LEAT__CORO_RAW(c));     \
		if (LEAT__CAT(leat__from, n))                                                              \
			*LEAT__CAT(leat__to, n) = *LEAT__CAT(leat__from, n);                                   \
		LEAT__CAT(leat__from, n) != NULL;                                                          \
	})

/* Anything that is no coroutine fails in LEAT__CORO_ELEM. */
#define LEAT__CORO_CALL(fn, c)                                                                     \
	__extension__({                                                                                \
		(void)sizeof(LEAT__CORO_ELEM(c) *);                                                        \
		fn(LEAT__CORO_RAW(c));                                                                     \
	})
#define LEAT_CORO_STOP(c)  LEAT__CORO_CALL(leat_coro_stop, c)
#define LEAT_CORO_FREE(c)  LEAT__CORO_CALL(leat_coro_free, c)
#define LEAT_CORO_ENDED(c) LEAT__CORO_CALL(leat_coro_ended, c)

/*
 * LEAT_CORO_RANGE(v, c) statement: run the statement for every value, v being declared here, until c ends.  c is
 * evaluated once.  Leaving early (break, return, goto) leaves c where it is, for another range to go on with, or
 * for its owner to free: as with channels.
 */
#define LEAT_CORO_RANGE(v, c) LEAT__CORO_RANGE(__COUNTER__, v, c)
#define LEAT__CORO_RANGE(n, v, c)                                                                  \
	for (leat_coro * LEAT__CAT(leat__c, n) = LEAT__CORO_RAW(c),                                    \
	                                    *LEAT__CAT(leat__l, n) = (leat_coro *)1;                   \
	     LEAT__CAT(leat__l, n); LEAT__CAT(leat__l, n) = NULL)                                      \
		for (LEAT__CORO_ELEM(c) v; __extension__({                                                 \
			     const LEAT__CORO_ELEM(c) * LEAT__CAT(leat__from, n) =                             \
			         leat__coro_resume(LEAT__CAT(leat__c, n), NULL);                               \
			     if (LEAT__CAT(leat__from, n))                                                     \
				     __builtin_memcpy((void *)&v, LEAT__CAT(leat__from, n), sizeof(v));            \
			     LEAT__CAT(leat__from, n) != NULL;                                                 \
		     });)

#ifndef LEAT_NO_SHORT_NAMES
#define coro(...)            LEAT_CORO(__VA_ARGS__)
#define coro_make(...)       LEAT_CORO_MAKE(__VA_ARGS__)
#define coro_make0(T, fn)    LEAT_CORO_MAKE0(T, fn)
#define coro_make2(...)      LEAT_CORO_MAKE2(__VA_ARGS__)
#define coro_make_with(...)  LEAT_CORO_MAKE_WITH(__VA_ARGS__)
#define coro_own(...)        LEAT_CORO_OWN(__VA_ARGS__)
#define coro_own0(c, T, fn)  LEAT_CORO_OWN0(c, T, fn)
#define coro_own2(...)       LEAT_CORO_OWN2(__VA_ARGS__)
#define coro_next(c, vp)     LEAT_CORO_NEXT(c, vp)
#define coro_send(c, rp, vp) LEAT_CORO_SEND(c, rp, vp)
#define coro_yield(...)      LEAT_CORO_YIELD(__VA_ARGS__)
#define coro_sent(c, rp)     LEAT_CORO_SENT(c, rp)
#define coro_stop(c)         LEAT_CORO_STOP(c)
#define coro_free(c)         LEAT_CORO_FREE(c)
#define coro_ended(c)        LEAT_CORO_ENDED(c)
#define coro_range(v, c)     LEAT_CORO_RANGE(v, c)
#endif

#endif /* !__cplusplus */

#endif
