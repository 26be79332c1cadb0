/* SPDX-License-Identifier: MIT */
/*
 * Goal: an announced call gives way to others as any blocking call does, costs nobody his turn, and
 * leaves the goroutine with a processor, its values and its errno.
 * Method: at one processor a goroutine blocks in a pipe that only another goroutine can write to; what
 * must not be seen is counted by all, under the program's own atomic counters.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct writer {
	int fd;
};

static void writer(struct writer *a)
{
	CHECK_EQ(write(a->fd, "x", 1), 1);
}

static void read_one(int fd)
{
	char byte = 0;

	{
		leat_blocking();
		CHECK_EQ(read(fd, &byte, 1), 1);
	}
	CHECK_EQ(byte, 'x');
}

TEST(line_30_an_announced_read_lets_the_writer_run)
{
	int fds[2], procs = leat_procs(1);

	CHECK_EQ(pipe(fds), 0);
	for (int i = 0; i < 200; i++) {
		go(writer, fds[1]);
		read_one(fds[0]);
	}
	leat_procs(procs);
	for (int i = 0; i < 200; i++) {
		go(writer, fds[1]);
		read_one(fds[0]);
	}
	close(fds[0]);
	close(fds[1]);
}

/* Alone, nobody wants the processor: it stays. */
TEST(calls_that_nobody_waits_for_keep_the_processor)
{
	int procs = leat_procs(1);

	for (int i = 0; i < 10000; i++) {
		leat_blocking();
		{
			leat_blocking();
		}
	}
	leat_procs(procs);
}

struct member {
	atomic_int *in;
	atomic_int *too_many;
	leat_waitgroup *wg;
};

/* Between their calls they compute, so briefly that none loses its processor there. */
static void member(struct member *a)
{
	int procs = leat_procs(0);

	for (int i = 0; i < 50; i++) {
		{
			leat_blocking();
			usleep(i % 5 ? 50 : 500);
		}
		if (atomic_fetch_add(a->in, 1) >= procs)
			atomic_fetch_add(a->too_many, 1);
		for (volatile int n = 0; n < 20000;)
			n++;
		atomic_fetch_sub(a->in, 1);
	}
	leat_waitgroup_done(a->wg);
}

/* A goroutine comes back from an announced call only with a processor, and keeps it then. */
static void as_many_compute_as_there_are_processors(void)
{
	atomic_int in = 0, too_many = 0;
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 20);
	for (int i = 0; i < 20; i++)
		go(member, &in, &too_many, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(in, 0);
	/* The kernel may put a thread to sleep in between for as long as it likes: seldom. */
	CHECK(too_many < 3);
}

TEST(line_12_as_many_compute_as_there_are_processors)
{
	as_many_compute_as_there_are_processors();
}

/* The goroutine parks, yields and computes inside; what it announced is then void, not wrong. */
static void caller(struct member *a)
{
	for (int i = 0; i < 30; i++) {
		leat_blocking();
		leat_yield();
		leat_sleep(10 * LEAT_MICROSECOND);
		usleep(20);
		{
			leat_blocking();
			usleep(100);
			leat_yield();
		}
		usleep(20);
	}
	leat_waitgroup_done(a->wg);
}

TEST(calls_into_leat_inside_an_announced_call)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		go_as(member, caller, .wg = &wg);
	leat_waitgroup_wait(&wg);
	/* What they announced on threads that they left is not the next one's. */
	as_many_compute_as_there_are_processors();
}

static void panics(void *arg)
{
	leat_blocking();
	usleep(200);
	leat_panic("%s", (const char *)arg);
}

static void exits(struct member *a)
{
	leat_waitgroup *wg = a->wg;

	defer(leat_waitgroup_done, wg);
	leat_blocking();
	usleep(200);
	leat_goexit();
}

TEST(panic_and_goexit_leave_an_announced_call)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 20);
	for (int i = 0; i < 20; i++) {
		go_as(member, exits, .wg = &wg);
		CHECK(test_panics(panics, "out", "out"));
		leat_yield();
	}
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

/* A function of its own, so that no address of errno is older than the call. */
__attribute__((noinline)) static void fail_with(int error)
{
	leat_blocking();
	usleep(300);
	errno = error;
}

__attribute__((noinline)) static int errno_now(void)
{
	return errno;
}

static void failer(struct member *a)
{
	for (int i = 1; i < 30; i++) {
		fail_with(i);
		CHECK_EQ(errno_now(), i);
	}
	leat_waitgroup_done(a->wg);
}

TEST(errno_is_kept_over_the_end_of_the_call)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		go_as(member, failer, .wg = &wg);
	leat_waitgroup_wait(&wg);
}

static void *thread(void *arg)
{
	(void)arg;
	leat_blocking();
	leat_yield();
	{
		leat_blocking();
	}
	return NULL;
}

TEST(plain_threads_may_announce_too)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
	pthread_join(t, NULL);
}

TEST_MAIN
