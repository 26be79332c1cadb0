/* SPDX-License-Identifier: MIT */
/*
 * libleat_locks.so: account of the locks that each thread holds.
 *
 * Preloaded (leat run --locks does so), it stands before libc's functions that take and give back locks
 * which belong to a thread: pthread mutexes, rwlocks and spinlocks, C11 mutexes, and stdio's streams by
 * flockfile.  It calls libc's function, hands on what that returns, and notes what has succeeded.  libleat
 * asks leat__locks_held when a goroutine is about to leave its thread (sched/locks.c).
 *
 * What happens inside libc does not come by here: printf's own lock, or a pthread_cond_wait, which gives
 * the mutex back and has it again when it returns.
 *
 * Invariants
 *  - A thread's table is touched by that thread alone.  A goroutine cannot change threads in here, since
 *    nothing here calls leat.
 *  - It only errs by holding too little: what does not fit is forgotten, and an unlock of what is not
 *    there does nothing.  But what another thread unlocks, which POSIX does not allow, stays.
 *  - Nothing is allocated, and errno is as libc's function leaves it.
 *
 * libc's functions are found by the constructor, or by a call that comes before that.
 */
#define _GNU_SOURCE
#include "sched/locks.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <threads.h>

enum { MOST = 64 }; /* different locks at a time */

static const char mutex_kind[] = "pthread mutex", rwlock_kind[] = "pthread rwlock",
                  spin_kind[] = "pthread spinlock", c11_kind[] = "C11 mutex",
                  stream_kind[] = "locked FILE";

/* --- a thread's table */

static __thread struct leat__lock_held held[MOST]; /* the newest last */
static __thread size_t count;

static struct leat__lock_held *find(const char *kind, const volatile void *lock)
{
	for (size_t i = count; i-- > 0;)
		if (held[i].lock == lock && held[i].kind == kind)
			return &held[i];
	return NULL;
}

static void took(const char *kind, const volatile void *lock, void *where)
{
	struct leat__lock_held *h = find(kind, lock);

	if (h) {
		h->times++;
		return;
	}
	if (count < MOST)
		held[count++] = (struct leat__lock_held){(const void *)lock, kind, where, 1};
}

static void gave_back(const char *kind, const volatile void *lock)
{
	struct leat__lock_held *h = find(kind, lock);

	if (!h || --h->times > 0)
		return;
	for (count--; h < &held[count]; h++)
		*h = h[1];
}

size_t leat__locks_held(struct leat__lock_held *to, size_t max)
{
	for (size_t i = 0; i < count && i < max; i++)
		to[i] = held[count - 1 - i];
	return count;
}

/* --- libc's functions */

#ifdef __GLIBC__
#define WITH_CLOCK(F)                                                                              \
	F(pthread_mutex_clocklock) F(pthread_rwlock_clockrdlock) F(pthread_rwlock_clockwrlock)
#else
#define WITH_CLOCK(F)
#endif

/* clang-format off */
#define FUNCTIONS(F) \
	F(pthread_mutex_lock) F(pthread_mutex_trylock) F(pthread_mutex_timedlock) F(pthread_mutex_unlock) \
	F(pthread_rwlock_rdlock) F(pthread_rwlock_tryrdlock) F(pthread_rwlock_timedrdlock) \
	F(pthread_rwlock_wrlock) F(pthread_rwlock_trywrlock) F(pthread_rwlock_timedwrlock) \
	F(pthread_rwlock_unlock) \
	F(pthread_spin_lock) F(pthread_spin_trylock) F(pthread_spin_unlock) \
	F(mtx_lock) F(mtx_trylock) F(mtx_timedlock) F(mtx_unlock) \
	F(flockfile) F(ftrylockfile) F(funlockfile) \
	WITH_CLOCK(F)
/* clang-format on */

#define NUMBER(name) number_##name,
#define NAME(name)   #name,
enum { FUNCTIONS(NUMBER) ALL };

static const char *const names[ALL] = {FUNCTIONS(NAME)};
static void *functions[ALL]; /* each thread that looks one up stores the same */
static __thread bool looking;

/* dlsym itself came here, by way of some malloc, before there is anything to call. */
static int nothing(void)
{
	return 0;
}

/* An older libc without it: the program could not have called that either. */
static int not_there(void)
{
	return ENOSYS;
}

__attribute__((noinline, cold)) static void *look_up(size_t number)
{
	int saved = errno;
	void *found;

	if (looking)
		return (void *)(uintptr_t)nothing;
	looking = true;
	found = dlsym(RTLD_NEXT, names[number]);
	looking = false;
	if (!found)
		found = (void *)(uintptr_t)not_there;
	__atomic_store_n(&functions[number], found, __ATOMIC_RELAXED);
	errno = saved;
	return found;
}

static inline void *function(size_t number)
{
	void *found = __atomic_load_n(&functions[number], __ATOMIC_RELAXED);

	return __builtin_expect(found != NULL, 1) ? found : look_up(number);
}

__attribute__((constructor)) static void look_up_all(void)
{
	for (size_t i = 0; i < ALL; i++)
		function(i);
}

#define REAL(name) ((__typeof__(&(name)))function(number_##name))

/* --- in their place */

/* libc's headers name the parameters otherwise. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

/* One that returns 0 when it has the lock, or EOWNERDEAD when it has it from somebody who died. */
#define TAKES(kind, name, parameters, ...)                                                         \
	int name parameters                                                                            \
	{                                                                                              \
		int error = REAL(name)(__VA_ARGS__);                                                       \
                                                                                                   \
		if (error == 0 || error == EOWNERDEAD)                                                     \
			took(kind, lock, __builtin_return_address(0));                                         \
		return error;                                                                              \
	}

#define GIVES_BACK(kind, name, parameters)                                                         \
	int name parameters                                                                            \
	{                                                                                              \
		int error = REAL(name)(lock);                                                              \
                                                                                                   \
		if (error == 0)                                                                            \
			gave_back(kind, lock);                                                                 \
		return error;                                                                              \
	}

TAKES(mutex_kind, pthread_mutex_lock, (pthread_mutex_t * lock), lock)
TAKES(mutex_kind, pthread_mutex_trylock, (pthread_mutex_t * lock), lock)
TAKES(mutex_kind, pthread_mutex_timedlock,
      (pthread_mutex_t *restrict lock, const struct timespec *restrict until), lock, until)
GIVES_BACK(mutex_kind, pthread_mutex_unlock, (pthread_mutex_t * lock))

TAKES(rwlock_kind, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), lock)
TAKES(rwlock_kind, pthread_rwlock_tryrdlock, (pthread_rwlock_t * lock), lock)
TAKES(rwlock_kind, pthread_rwlock_timedrdlock,
      (pthread_rwlock_t *restrict lock, const struct timespec *restrict until), lock, until)
TAKES(rwlock_kind, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), lock)
TAKES(rwlock_kind, pthread_rwlock_trywrlock, (pthread_rwlock_t * lock), lock)
TAKES(rwlock_kind, pthread_rwlock_timedwrlock,
      (pthread_rwlock_t *restrict lock, const struct timespec *restrict until), lock, until)
GIVES_BACK(rwlock_kind, pthread_rwlock_unlock, (pthread_rwlock_t * lock))

#ifdef __GLIBC__
TAKES(mutex_kind, pthread_mutex_clocklock,
      (pthread_mutex_t *restrict lock, clockid_t clock, const struct timespec *restrict until),
      lock, clock, until)
TAKES(rwlock_kind, pthread_rwlock_clockrdlock,
      (pthread_rwlock_t *restrict lock, clockid_t clock, const struct timespec *restrict until),
      lock, clock, until)
TAKES(rwlock_kind, pthread_rwlock_clockwrlock,
      (pthread_rwlock_t *restrict lock, clockid_t clock, const struct timespec *restrict until),
      lock, clock, until)
#endif

TAKES(spin_kind, pthread_spin_lock, (pthread_spinlock_t * lock), lock)
TAKES(spin_kind, pthread_spin_trylock, (pthread_spinlock_t * lock), lock)
GIVES_BACK(spin_kind, pthread_spin_unlock, (pthread_spinlock_t * lock))

_Static_assert(thrd_success == 0, "as of pthread functions");
TAKES(c11_kind, mtx_lock, (mtx_t * lock), lock)
TAKES(c11_kind, mtx_trylock, (mtx_t * lock), lock)
TAKES(c11_kind, mtx_timedlock, (mtx_t *restrict lock, const struct timespec *restrict until), lock,
      until)
GIVES_BACK(c11_kind, mtx_unlock, (mtx_t * lock))

TAKES(stream_kind, ftrylockfile, (FILE * lock), lock)

void flockfile(FILE *lock)
{
	REAL(flockfile)(lock);
	took(stream_kind, lock, __builtin_return_address(0));
}

void funlockfile(FILE *lock)
{
	gave_back(stream_kind, lock);
	REAL(funlockfile)(lock);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
