/* SPDX-License-Identifier: MIT */
/*
 * The platform: everything that leat asks of an operating system, as a contract.  These are the only
 * system calls of the core; linux.c keeps the contract for real, explore mode will keep it simulated.
 *
 * Nothing here parks a goroutine or knows of any.  Failures are negative errno codes; errno itself is
 * left alone.  Instants are nanoseconds on the monotonic clock.
 */
#ifndef LEAT_OS_OS_H
#define LEAT_OS_OS_H

#include "base/atomic.h"
#include "base/compiler.h"

/* --- time */

int64_t leat__os_now(void);

/* What a clock on the wall shows: nanoseconds since 1970 UTC.  It may be set back. */
int64_t leat__os_wall(void);

/* --- waiting: one word, as with futex(2) */

/*
 * Sleep while *word is expected, until a wake or deadline_ns (INT64_MAX: none).  May return for no
 * reason: callers look at the word again.
 */
void leat__os_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);

/* Wake up to count sleepers on word, which may already be gone. */
void leat__os_wake(_Atomic uint32_t *word, int count);

/* Give the CPU to others; the argument counts the caller's attempts, longer waits for higher ones. */
void leat__os_backoff(unsigned attempt);

/* --- threads */

/* Start a detached thread, with all signals blocked; stack_bytes is a minimum.  0 or -errno. */
int leat__os_thread_start(void *(*fn)(void *), void *arg, size_t stack_bytes);

/* The same; the thread has that name when this returns. */
int leat__os_thread_start_named(void *(*fn)(void *), void *arg, size_t stack_bytes,
                                const char *name);

int leat__os_tid(void);
bool leat__os_is_initial_thread(void);
void leat__os_thread_name(const char *name);

/* How many threads of this process have that name. */
int leat__os_threads_named(const char *name);

/* Send a signal to one thread of this process. */
void leat__os_signal_thread(int tid, int sig);

/* Block every signal that need not stay open, in the calling thread. */
void leat__os_block_signals(void);

/* Block all the others; bit N - 1 of which is for signal N.  From then on the calling thread takes them for the process. */
void leat__os_take_signals(uint64_t which);
extern __thread bool leat__os_takes_signals;

/* Remember the calling thread's signal mask; set it in another one, which inherited that of whoever
   happened to start it. */
void leat__os_save_signals(void);
void leat__os_restore_signals(void);

/* Let sleeps of the calling thread end within a microsecond of their time. */
void leat__os_precise_timers(void);

/* The bounds of the calling thread's own stack. */
void leat__os_stack_bounds(void **low, void **high);

/* CPU time that a thread of this process has used, or -1. */
int64_t leat__os_thread_cpu(int tid);

enum leat__os_state {
	LEAT__OS_UNKNOWN,
	LEAT__OS_RUNNING, /* on a CPU or waiting for one */
	LEAT__OS_ASLEEP,  /* waiting in the kernel */
};

enum leat__os_state leat__os_thread_state(int tid);

/* How many threads this process has; -1 if that cannot be told. */
int leat__os_thread_count(void);

/* CPUs this process may run on; what its quota is worth is another matter: cgroup.h. */
int leat__os_cpus(void);

/*
 * A barrier in every thread of this process that is running now; 0.9 us.  leat__os_has_membarrier
 * says whether it is to be had; it registers the process.
 */
bool leat__os_has_membarrier(void);
void leat__os_membarrier(void);

/* --- memory */

struct leat__range {
	void *base;
	size_t bytes;
};

/* Address space without memory, neither readable nor writable; NULL when there is none. */
void *leat__os_reserve(size_t bytes);

/* Make reserved pages usable; they are zero, and take memory when first touched.  0 or -errno. */
int leat__os_commit(void *base, size_t bytes);

/* reserve and commit in one. */
void *leat__os_map(size_t bytes);
void leat__os_unmap(void *base, size_t bytes);

/*
 * Make the ranges fault when touched; returns how many of them now do, from the first on.  Uses
 * guard markers (Linux 6.13), which cost no mapping; else protection, as long as the kernel's limit on
 * mappings is far.
 */
size_t leat__os_guard(const struct leat__range *ranges, size_t n);

/* For tests: do as where there are no guard markers, or as where no more mappings are to be had. */
enum leat__os_guards { LEAT__OS_GUARDS_ALL, LEAT__OS_GUARDS_PROTECT, LEAT__OS_GUARDS_NONE };
extern enum leat__os_guards leat__os_guards;

/* Touch whole pages, which costs 1.3 us for each where a fault takes 1.7.  Those that are not to be had now are as
   they were, and will fault. */
void leat__os_populate(const struct leat__range *ranges, size_t n);

/* Pages that were mapped and are used all over may be huge: a fault for each 2 MiB, and fewer misses of the TLB. */
void leat__os_may_be_huge(void *base, size_t bytes);

/* Give the memory of whole pages back: they read as zero from then on, or, where it is locked, may stay
   as they are. */
void leat__os_discard(const struct leat__range *ranges, size_t n);

/* --- the process */

/* The program's calls into shared libraries are bound when first made, which takes 3 KiB of stack. */
bool leat__os_binds_lazily(void);

/* Write all of it to a descriptor, errors ignored: for reports of a dying process. */
void leat__os_write(int fd, const char *text, size_t bytes);

/* Write out what stdio holds for stdout, unless another thread is inside it; then end the process. */
LEAT__NORETURN void leat__os_die(int status);

/* End the process after so many seconds, come what may: for reports that could hang. */
void leat__os_watchdog(unsigned seconds, int status);

#endif
