/* SPDX-License-Identifier: MIT */
/* CTEST: nosan noemulator locks env:LEAT_TRACEBACK=none */
/*
 * Goal: with libleat_locks.so, who parks while its thread holds a lock is reported, whichever lock it is and
 * however it was taken; and nobody else is.
 * Method: the mistakes are made by children, of which the report is read; all that is legal is done here.
 */
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <threads.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spinlock;
static mtx_t c11;
static struct timespec future;

__attribute__((constructor)) static void prepare(void)
{
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	mtx_init(&c11, mtx_timed | mtx_recursive);
	clock_gettime(CLOCK_REALTIME, &future);
	future.tv_sec += 3600;
}

/* --- all the ways */

#define WAY(name, lock, unlock)                                                                    \
	static int lock_by_##name(void)                                                                \
	{                                                                                              \
		return lock;                                                                               \
	}                                                                                              \
	static int unlock_by_##name(void)                                                              \
	{                                                                                              \
		return unlock;                                                                             \
	}

WAY(mutex_lock, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
WAY(mutex_trylock, pthread_mutex_trylock(&mutex), pthread_mutex_unlock(&mutex))
WAY(mutex_timedlock, pthread_mutex_timedlock(&mutex, &future), pthread_mutex_unlock(&mutex))
WAY(rdlock, pthread_rwlock_rdlock(&rwlock), pthread_rwlock_unlock(&rwlock))
WAY(tryrdlock, pthread_rwlock_tryrdlock(&rwlock), pthread_rwlock_unlock(&rwlock))
WAY(timedrdlock, pthread_rwlock_timedrdlock(&rwlock, &future), pthread_rwlock_unlock(&rwlock))
WAY(wrlock, pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
WAY(trywrlock, pthread_rwlock_trywrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
WAY(timedwrlock, pthread_rwlock_timedwrlock(&rwlock, &future), pthread_rwlock_unlock(&rwlock))
WAY(spin_lock, pthread_spin_lock(&spinlock), pthread_spin_unlock(&spinlock))
WAY(spin_trylock, pthread_spin_trylock(&spinlock), pthread_spin_unlock(&spinlock))
WAY(mtx_lock, mtx_lock(&c11), mtx_unlock(&c11))
WAY(mtx_trylock, mtx_trylock(&c11), mtx_unlock(&c11))
WAY(mtx_timedlock, mtx_timedlock(&c11, &future), mtx_unlock(&c11))
WAY(flockfile, (flockfile(stdout), 0), (funlockfile(stdout), 0))
WAY(ftrylockfile, ftrylockfile(stdout), (funlockfile(stdout), 0))
#ifdef __GLIBC__
WAY(mutex_clocklock, pthread_mutex_clocklock(&mutex, CLOCK_REALTIME, &future),
    pthread_mutex_unlock(&mutex))
WAY(clockrdlock, pthread_rwlock_clockrdlock(&rwlock, CLOCK_REALTIME, &future),
    pthread_rwlock_unlock(&rwlock))
WAY(clockwrlock, pthread_rwlock_clockwrlock(&rwlock, CLOCK_REALTIME, &future),
    pthread_rwlock_unlock(&rwlock))
#endif

static const struct way {
	const char *kind, *name;
	int (*lock)(void), (*unlock)(void);
} ways[] = {
#define ENTRY(kind, name) {kind, "lock_by_" #name, lock_by_##name, unlock_by_##name},
    ENTRY("pthread mutex", mutex_lock) ENTRY("pthread mutex", mutex_trylock)
        ENTRY("pthread mutex", mutex_timedlock) ENTRY("pthread rwlock", rdlock)
            ENTRY("pthread rwlock", tryrdlock) ENTRY("pthread rwlock", timedrdlock)
                ENTRY("pthread rwlock", wrlock) ENTRY("pthread rwlock", trywrlock)
                    ENTRY("pthread rwlock", timedwrlock) ENTRY("pthread spinlock", spin_lock)
                        ENTRY("pthread spinlock", spin_trylock) ENTRY("C11 mutex", mtx_lock)
                            ENTRY("C11 mutex", mtx_trylock) ENTRY("C11 mutex", mtx_timedlock)
                                ENTRY("locked FILE", flockfile) ENTRY("locked FILE", ftrylockfile)
#ifdef __GLIBC__
                                    ENTRY("pthread mutex", mutex_clocklock)
                                        ENTRY("pthread rwlock", clockrdlock)
                                            ENTRY("pthread rwlock", clockwrlock)
#endif
};
enum { WAYS = sizeof ways / sizeof *ways };

static void lock(const struct way *w)
{
	CHECK_EQ(w->lock(), 0);
}

static void unlock(const struct way *w)
{
	CHECK_EQ(w->unlock(), 0);
}

/* --- mistakes */

/* What a child says that makes the mistake, which is the end of it. */
static const char *report_of(void (*mistake)(const struct way *), const struct way *w)
{
	static char text[4096];
	size_t length = 0;
	ssize_t n;
	int ends[2], status;
	pid_t pid;

	CHECK_EQ(pipe(ends), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], 2);
		mistake(w);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)n;
	close(ends[0]);
	text[length] = '\0';
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	fputs(text, stderr);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 2);
	return text;
}

static void sleep_with_a_lock(const struct way *w)
{
	lock(w);
	leat_sleep(LEAT_MICROSECOND);
}

TEST(every_way_is_reported)
{
	for (const struct way *w = ways; w < ways + WAYS; w++) {
		const char *text = report_of(sleep_with_a_lock, w);
		char message[128];

		snprintf(message, sizeof message, "] while its thread holds a %s\n", w->kind);
		CHECK(strstr(text, "\nfatal error: goroutine 1 parks ["));
		CHECK(strstr(text, message));
	}
}

static void unlock_one_of_two(const struct way *w)
{
	(void)w;
	mtx_lock(&c11);
	mtx_lock(&c11);
	mtx_unlock(&c11);
	leat_sleep(LEAT_MICROSECOND);
}

TEST(a_lock_that_is_held_twice_takes_two_unlocks)
{
	CHECK(strstr(report_of(unlock_one_of_two, NULL), "holds a C11 mutex\n"));
}

static void unpin_too_early(const struct way *w)
{
	{
		leat_pin();
		lock(w);
		leat_sleep(LEAT_MICROSECOND);
	}
	leat_sleep(LEAT_MICROSECOND);
}

TEST(a_pin_helps_as_long_as_it_lasts)
{
	CHECK(strstr(report_of(unpin_too_early, ways), "goroutine 1 parks ["));
}

/* --- what is legal */

struct member {
	leat_waitgroup *wg;
	const struct way *way;
};

static void take_and_give(struct member *a)
{
	for (int i = 0; i < 20; i++) {
		lock(a->way);
		unlock(a->way);
		leat_yield();
		leat_sleep(LEAT_MICROSECOND);
	}
	leat_waitgroup_done(a->wg);
}

/* Not the tries, which others make fail. */
static bool waits(const struct way *w)
{
	return !strstr(w->name, "try");
}

TEST(what_was_given_back_is_forgotten)
{
	leat_waitgroup wg = {0};

	for (const struct way *w = ways; w < ways + WAYS; w++)
		for (int i = 0; i < 3 && waits(w); i++) {
			leat_waitgroup_add(&wg, 1);
			go_as(member, take_and_give, &wg, w);
		}
	leat_waitgroup_wait(&wg);
}

static void park_with_it(const struct way *w)
{
	lock(w);
	leat_sleep(LEAT_MICROSECOND);
	leat_yield();
	unlock(w);
}

static void pinned(struct member *a)
{
	leat_pin();
	park_with_it(a->way);
	leat_waitgroup_done(a->wg);
}

TEST(who_is_locked_to_its_thread_may_park)
{
	leat_waitgroup wg = {0};

	for (const struct way *w = ways; w < ways + WAYS; w++)
		if (waits(w)) {
			leat_waitgroup_add(&wg, 1);
			go_as(member, pinned, &wg, w);
		}
	leat_waitgroup_wait(&wg);
}

static void pinned_for_good(struct member *a)
{
	static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;

	leat_lock_thread();
	pthread_mutex_lock(&left);
	leat_waitgroup_done(a->wg);
}

TEST(who_ends_locked_to_its_thread_ends_as_a_thread_does)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go_as(member, pinned_for_good, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

static void *plain(void *arg)
{
	for (const struct way *w = ways; w < ways + WAYS; w++)
		if (waits(w))
			park_with_it(w);
	return arg;
}

TEST(plain_threads_may_wait_with_a_lock)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, plain, NULL), 0);
	pthread_join(thread, NULL);
}

static void computes_or_blocks(struct member *a)
{
	int64_t end;

	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&mutex);
		usleep(500);
		pthread_mutex_unlock(&mutex);
		leat_yield();
		{
			leat_blocking();
			pthread_mutex_lock(&mutex);
			usleep(500);
			pthread_mutex_unlock(&mutex);
		}
		pthread_mutex_lock(&mutex);
		for (end = leat_now() + 2 * LEAT_MILLISECOND; leat_now() < end;)
			;
		pthread_mutex_unlock(&mutex);
		leat_sleep(LEAT_MICROSECOND);
	}
	leat_waitgroup_done(a->wg);
}

TEST(to_block_or_compute_with_a_lock_is_legal)
{
	leat_waitgroup wg = {0};

	for (int i = 0; i < 8; i++) {
		leat_waitgroup_add(&wg, 1);
		go_as(member, computes_or_blocks, &wg);
	}
	leat_waitgroup_wait(&wg);
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;

static void takes_turns(struct member *a)
{
	int mine = a->way ? 1 : 0;

	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != mine)
			pthread_cond_wait(&cond, &mutex);
		turn = !mine;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

TEST(a_condition_variable_blocks_the_thread)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 2);
	go_as(member, takes_turns, &wg, NULL);
	go_as(member, takes_turns, &wg, ways);
	leat_waitgroup_wait(&wg);
}

TEST_MAIN
