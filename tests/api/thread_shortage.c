/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/*
 * Goal: where the system gives no thread, work waits for one, and nothing is lost.
 * Method: the program's own pthread_create stands before libc's, and refuses for a while.
 */
#define _GNU_SOURCE
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static atomic_int refuse; /* so many more times */
static atomic_int refused;
static atomic_int refusal_us; /* so long does it take */

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (atomic_load(&refuse) > 0) {
		atomic_fetch_sub(&refuse, 1);
		usleep((useconds_t)atomic_load(&refusal_us));
		atomic_fetch_add(&refused, 1);
		return EAGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(thread, attr, fn, arg);
}

struct member {
	int fd;
	atomic_int *done;
};

static void writer(struct member *a)
{
	CHECK_EQ(write(a->fd, "x", 1), 1);
	atomic_fetch_add(a->done, 1);
}

/* Main's thread is the only one, and no other is to be had: what main leaves behind when it blocks it
   does itself when it comes back. */
static void go_on_with_one_thread(void)
{
	atomic_int done = 0;
	int fds[2], n = 0;

	leat_procs(leat_procs(0)); /* the monitor has its thread by now */
	CHECK_EQ(pipe(fds), 0);
	atomic_store(&refuse, 1 << 30);
	while (atomic_load(&refused) == 0) {
		go_as(member, writer, fds[1], &done);
		usleep(1000);
		CHECK(++n < 10000);
	}
	test_goroutines(1);
	CHECK_EQ(done, n);
}

/* Main often comes back, to another processor, while the one that it lost is about to get a thread; then
   there is none to be had, and main never parks again. */
static void go_on_without_parking(void)
{
	atomic_int done = 0;
	int fds[2];

	leat_procs(leat_procs(0)); /* the monitor has its thread by now */
	CHECK_EQ(pipe(fds), 0);
	atomic_store(&refusal_us, 2000);
	atomic_store(&refuse, 1 << 30);
	for (int i = 1; i <= 50; i++) {
		go_as(member, writer, fds[1], &done);
		usleep(200 * (useconds_t)i);
		test_until(done == i);
	}
	test_goroutines(1);
}

/* The next test, too, is to begin with main's thread alone. */
static void in_a_child(void (*fn)(void))
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		fn();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(goroutines_go_on_with_the_threads_that_there_are)
{
	in_a_child(go_on_with_one_thread);
}

TEST(goroutines_go_on_beside_one_that_never_parks)
{
	in_a_child(go_on_without_parking);
}

/* Main's thread is blocked, so those that could unblock it need another. */
TEST(a_thread_is_made_as_soon_as_the_system_allows)
{
	atomic_int done = 0;
	int fds[2];
	char byte;

	CHECK_EQ(pipe(fds), 0);
	leat_procs(leat_procs(0)); /* the monitor has its thread by now */
	atomic_store(&refuse, 5);
	for (int i = 0; i < 10; i++)
		go_as(member, writer, fds[1], &done);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(read(fds[0], &byte, 1), 1);
	test_goroutines(1);
	CHECK_EQ(done, 10);
	CHECK_EQ(refused, 5);
}

TEST_MAIN
