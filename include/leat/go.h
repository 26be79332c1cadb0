/* SPDX-License-Identifier: MIT */
/*
 * Goroutines: functions that run concurrently, scheduled over leat_procs() processors.
 *
 *	struct count { send_chan(int) out; int n; };
 *	static void count(struct count *a) { ... }
 *	...
 *	go(count, .out = chan_sender(ints), .n = 10);
 *
 * The initial thread is goroutine 1 from its first call into leat; no call starts the library.  When
 * main returns the process exits: other goroutines are not waited for.
 *
 * Order.  A processor starts its own new goroutines newest first; one that waits is started within
 * about a millisecond all the same, as long as the processor schedules at all.  This differs from Go,
 * which runs the newest next and the others oldest first; rely on neither.
 *
 * A goroutine may call any function that blocks its thread, or spin: a monitor then takes the
 * processor away from it.  Such a goroutine continues on its own thread and waits for a processor at
 * its next call into leat; until then more goroutines than leat_procs() may be running.
 *
 * Any call into leat may return on another thread than it was made on.  What is the goroutine's own all
 * the same: errno (leat/errno.h) and the floating-point control words.  What stays the thread's: thread-
 * local variables, so keep no address of one over a call; the signal mask, the locale of uselocale,
 * credentials set by raw system calls; locks that know their owner.  In C++, do not call leat in a catch
 * block: exceptions being handled are the thread's.  LEAT_MIGRATE=1 in the environment makes nearly every
 * call return on another thread, for tests.
 *
 * Threads that leat did not start may call all of it.  Such a thread sleeps where a goroutine would park,
 * may end at any time, in whatever way, and no call of leat is a cancellation point.  pthread_exit in main
 * is leat_goexit, but that nothing deferred runs; in another goroutine it is fatal.
 *
 * fork.  The child keeps the goroutine, or plain thread, that called it, and can use all of leat.  All
 * other goroutines are gone: scopes do not wait for them, nor wait groups that started them (wg_go), where
 * these lie on the stack of the one that is kept, or of a coroutine that was suspended, whoever had resumed it
 * before, and that goes on in the child like any other; nothing deferred by them runs, channels pass over them; what
 * they had locked stays locked, what else they had promised a wait group does not come.
 * Timers do not survive, those of leat_after and of deadlines among them.  Do not use in the child what
 * a plain thread waited for.  If goroutine 1 is not the one that is kept, the end of the last goroutine
 * ends the child as after leat_goexit.  fork waits until every thread is outside leat, some microseconds;
 * a handler of pthread_atfork may call leat if it was registered after the first call into leat.
 * posix_spawn, system and popen cost nothing of this, and take none of the risks of fork among threads.
 */
#ifndef LEAT_GO_H
#define LEAT_GO_H

#include <leat/base.h>

LEAT__BEGIN

struct leat_scope;

/*
 * How to start a goroutine; zero-initialised, every field has its default.
 *
 * Stacks.  A goroutine has 192 KiB of stack unless it asks for another size, and takes memory only for
 * the pages that it touches: one, 4 KiB, if it is small.  Sizes are rounded up to powers of two (to 192
 * KiB between 128 and 192; above 8 MiB to pages).  Below is a guard of 64 KiB: who runs into it dies with
 * "runtime: goroutine stack exceeds N-byte limit", "fatal error: stack overflow", its number, name and
 * trace.  Where the kernel has no guard markers (before Linux 6.13) and the process has used up half of
 * vm.max_map_count, there is only a canary, as for small stacks.  Stacks that nobody has used for a
 * second or two give their pages back to the system.
 *
 * Less than 8 KiB is for very many goroutines that do little: 2 KiB (or 4) lie packed, several to a page,
 * with nothing between them.  An overflow then damages a neighbour before it is found: when the
 * goroutine next parks, yields or ends, or when it comes to the guard below the last of 30.  Every call
 * into leat can be made on 2 KiB (a select, or leat_catch, takes up to 1.5 KiB of it, the others at most half),
 * and a panic there is reported like any other; printf, and signal handlers that are not installed with
 * SA_ONSTACK, cannot.  A program that is not linked with -z now gets 8 KiB instead, since the first call
 * of a function in a shared library takes 3 KiB when it is bound lazily; shared libraries that make such
 * calls among themselves need -z now, too, or LD_BIND_NOW=1.  Under a sanitizer, whose frames are larger,
 * no stack is smaller than the usual one.
 */
typedef struct leat_go_opts {
	const char *name;         /* shown in reports and dumps; copied; NULL: none */
	size_t stack_bytes;       /* usable stack at least; 0: 192 KiB; at most 1 GiB; see above */
	struct leat_scope *scope; /* joined by this scope; NULL: by nobody */
} leat_go_opts;

/*
 * Start a goroutine that runs fn on its own copy of args_bytes bytes at args.
 *
 * The copy is made before the call returns; fn gets a pointer to it, aligned to 16 bytes, valid until
 * fn returns.  args may be NULL when args_bytes is 0; fn then gets an unspecified pointer.
 * A NULL fn is fatal: "go of nil func value".  args_bytes is at most 64 KiB, more panics.
 * Panics "out of memory", when there is none for a descriptor, for a stack that options or more than 64
 * bytes of arguments need at once, or for the stacks of goroutines started before; all is then as
 * before the call.  Those wait until others end; when for 10 seconds none did, that is fatal.
 * Any goroutine, any thread.  The call happens before fn's first statement; fn's return orders
 * nothing.  Takes no lock on its fast path.  After Go's go statement.
 */
LEAT_API void leat_go(void (*fn)(void *), const void *args, size_t args_bytes);

/* leat_go with options; opts is read before the call returns and may be NULL. */
LEAT_API void leat_go_with(const leat_go_opts *opts, void (*fn)(void *), const void *args,
                           size_t args_bytes);

/*
 * Let others run.  Every started goroutine that waits for this processor goes before the caller, as
 * do new ones that have waited a millisecond.  From a plain thread: sched_yield.
 * After Go's runtime.Gosched.
 */
LEAT_API void leat_yield(void);

/*
 * End the calling goroutine after running what it deferred, innermost first, and leaving its scopes.
 * In goroutine 1 the other goroutines go on; when the last of them has ended the program dies with
 * "no goroutines (main called runtime.Goexit) - deadlock!", exit status 2.
 * From a plain thread: runs the records and ends the thread.  After Go's runtime.Goexit.
 */
LEAT_API LEAT__NORETURN void leat_goexit(void);

/* The calling goroutine's id: 1 for main, unique, never used again; 0 on a plain thread. */
LEAT_API uint64_t leat_goid(void);

/* The calling goroutine's name, "" if it has none; valid until the goroutine ends. */
LEAT_API const char *leat_name(void);

/* How many goroutines, and plain threads inside leat, are parked; exact when nothing else runs.
   Walks all of them. */
LEAT_API size_t leat_num_parked(void);

/* How many goroutines exist, the calling one included; exact when nothing else runs.  The end of a goroutine that is not
   counted any more happened before the return.  After Go's runtime.NumGoroutine. */
LEAT_API size_t leat_num_goroutine(void);

/*
 * Set the number of processors to n, 1 to 1,024 (larger values count as 1,024), and return the number
 * before; n < 1 only asks.  A lower number takes effect as each surplus processor comes to its next
 * scheduling point.
 * The default is LEAT_PROCS, else the number of CPUs this process may run on, or what the CPU quota of
 * its control groups is worth, rounded up, if that is less; but never fewer than 2 for the quota's
 * sake.  While neither LEAT_PROCS nor a call has set a number it follows both within some seconds.
 * Any goroutine, any thread.  After Go's runtime.GOMAXPROCS.
 */
LEAT_API int leat_procs(int n);

/*
 * Set the number of threads that leat may use, the initial one among them, to n, and return the number
 * before; n < 1 only asks.  The default is 10,000.  Give it some threads per processor at least.
 *
 * Threads are used up by goroutines that block in the program's own code or in other libraries.  When
 * all are, and goroutines wait, that is fatal: "thread exhaustion".  Goroutines that compute are
 * stopped instead while threads are short: a signal, SIGURG, parks the whole thread until it has a
 * processor again.  Its handler is installed when this first happens; a program that handles or blocks
 * SIGURG itself only loses that stop.
 * Any goroutine, any thread.  After Go's debug.SetMaxThreads.
 */
LEAT_API int leat_max_threads(int n);

LEAT__END

#ifndef __cplusplus

/*
 * LEAT_GO(fn, .field = value, ...): start fn(struct fn *) on a copy of (struct fn){ ... }.
 * LEAT_GO0(fn): start fn(void).
 * LEAT_GO_AS(tag, fnptr, ...): the same for a function pointer that takes struct tag *.
 * LEAT_GO_WITH(opts, fn, ...): with a pointer to leat_go_opts.
 */
#define LEAT_GO(...)      LEAT__GO(__VA_ARGS__, )
#define LEAT_GO_AS(...)   LEAT__GO_AS(__VA_ARGS__, )
#define LEAT_GO_WITH(...) LEAT__GO_WITH(__VA_ARGS__, )

/* The comma that each adds keeps the variadic part from being absent, which -Wpedantic dislikes. */
#define LEAT__GO(fn, ...) LEAT__GO_AS(fn, fn, __VA_ARGS__)

#define LEAT__GO_AS(tag, fnptr, ...)                                                               \
	__extension__({                                                                                \
		void (*leat__f)(struct tag *) = (fnptr);                                                   \
		leat_go((void (*)(void *))(void (*)(void))leat__f, &(struct tag){__VA_ARGS__},             \
		        sizeof(struct tag));                                                               \
	})

#define LEAT_GO0(fn)                                                                               \
	__extension__({                                                                                \
		void (*leat__f)(void) = (fn);                                                              \
		leat_go((void (*)(void *))leat__f, NULL, 0);                                               \
	})

#define LEAT__GO_WITH(opts, fn, ...)                                                               \
	__extension__({                                                                                \
		void (*leat__f)(struct fn *) = (fn);                                                       \
		leat_go_with((opts), (void (*)(void *))(void (*)(void))leat__f, &(struct fn){__VA_ARGS__}, \
		             sizeof(struct fn));                                                           \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define go(...)      LEAT_GO(__VA_ARGS__)
#define go0(fn)      LEAT_GO0(fn)
#define go_as(...)   LEAT_GO_AS(__VA_ARGS__)
#define go_with(...) LEAT_GO_WITH(__VA_ARGS__)
#endif

#endif /* !__cplusplus */

#endif
