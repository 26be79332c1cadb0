/* SPDX-License-Identifier: MIT */
/* CTEST: env:LEAT_DEBUG=deadlock */
/*
 * Goal: who waits for a descriptor costs nothing, keeps the process alive, and is woken whatever the
 * threads are doing: asleep in the poller, busy, or plain threads alone.
 *
 * Method: the kernel's counts of threads, CPU time and context switches; a deadlock that is only
 * suspected is fatal here (LEAT_DEBUG=deadlock), so a wrong verdict ends the program.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

static _Atomic int ended;

static int make_event(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

struct waiter {
	int fd;
};

static void waiter(struct waiter *w)
{
	CHECK_EQ(leat_wait_fd(w->fd, POLLIN, LEAT_FOREVER), POLLIN);
	atomic_fetch_add(&ended, 1);
}

static int threads(void)
{
	char text[4096];
	FILE *f = fopen("/proc/self/status", "r");
	size_t n = fread(text, 1, sizeof text - 1, f);

	fclose(f);
	text[n] = '\0';
	return atoi(strstr(text, "\nThreads:") + 9);
}

/* Runs first: main has not been in main yet. */
static int before_main[2];

__attribute__((constructor)) static void constructor(void)
{
	CHECK_EQ(pipe2(before_main, O_NONBLOCK), 0);
	go(waiter, .fd = before_main[0]);
	test_parked(1);
	CHECK_EQ(write(before_main[1], "x", 1), 1);
	test_until(atomic_load(&ended) == 1);
}

TEST(line_182_waits_before_main)
{
	CHECK_EQ(atomic_load(&ended), 1);
	CHECK_EQ(leat_close_fd(before_main[0]), 0);
	CHECK_EQ(leat_close_fd(before_main[1]), 0);
}

TEST(line_168_waiters_hold_no_thread)
{
	struct rlimit limit;
	int n = test_count(100000), before, extra, *fd;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if ((rlim_t)n + 100 > limit.rlim_cur)
		n = (int)limit.rlim_cur - 100;
	fd = calloc((size_t)n, sizeof *fd);
	atomic_store(&ended, 0);
	before = threads();
	for (int i = 0; i < n; i++) {
		fd[i] = make_event();
		CHECK(fd[i] >= 0);
		go(waiter, .fd = fd[i]);
	}
	test_parked(n);
	/* Each processor's thread, and those that took over from main while it had lost its processor,
	   which on a loaded machine is often. */
	extra = threads() - before;
	fprintf(stderr, "\t%d waiters, %d threads more\n", n, extra);
	CHECK(extra <= 2 * leat_procs(0) + 12);
	for (int i = 0; i < n; i++)
		CHECK_EQ(eventfd_write(fd[i], 1), 0);
	test_until(atomic_load(&ended) == n);
	for (int i = 0; i < n; i++)
		CHECK_EQ(leat_close_fd(fd[i]), 0);
	free(fd);
}

/* Wait as a goroutine for what a thread that leat does not know of does after a second. */
static void *late_writer(void *arg)
{
	nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	CHECK_EQ(eventfd_write((int)(intptr_t)arg, 1), 0);
	return NULL;
}

static int64_t cpu_between(const struct rusage *before, const struct rusage *after)
{
	return (after->ru_utime.tv_sec - before->ru_utime.tv_sec) * 1000000 +
	       (after->ru_stime.tv_sec - before->ru_stime.tv_sec) * 1000000 + after->ru_utime.tv_usec -
	       before->ru_utime.tv_usec + after->ru_stime.tv_usec - before->ru_stime.tv_usec;
}

TEST(line_168_idle_process_uses_no_cpu)
{
	struct rusage before, after;
	int fd = make_event();
	pthread_t thread;

	/* To rest: the pages of stacks that the test before left are given back first, which takes some
	   machines long. */
	for (int i = 0; i < 100; i++) {
		getrusage(RUSAGE_SELF, &before);
		CHECK_EQ(leat_wait_fd(fd, POLLIN, 100 * LEAT_MILLISECOND), -ETIMEDOUT);
		getrusage(RUSAGE_SELF, &after);
		if (cpu_between(&before, &after) < 5000)
			break;
	}
	CHECK_EQ(pthread_create(&thread, NULL, late_writer, (void *)(intptr_t)fd), 0);
	getrusage(RUSAGE_SELF, &before);
	CHECK_EQ(leat_wait_fd(fd, POLLIN, LEAT_FOREVER), POLLIN);
	getrusage(RUSAGE_SELF, &after);
	CHECK(cpu_between(&before, &after) < 100000); /* of 1,000,000 that a busy one would use */
	CHECK(after.ru_nvcsw - before.ru_nvcsw < 200);
	pthread_join(thread, NULL);
	CHECK_EQ(leat_close_fd(fd), 0);
}

static int64_t thread_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Beside one that computes, where nobody has a timer, and one sleeps in the poller. */
TEST(line_168_waiter_costs_nothing_beside_who_computes)
{
	struct rusage before, after;
	int fd = make_event();
	int64_t begun, own;

	atomic_store(&ended, 0);
	go(waiter, .fd = fd);
	test_parked(1);
	getrusage(RUSAGE_SELF, &before);
	begun = thread_cpu();
	do
		own = thread_cpu() - begun;
	while (own < 300 * LEAT_MILLISECOND);
	getrusage(RUSAGE_SELF, &after);
	CHECK(cpu_between(&before, &after) * 1000 - own < own / 2);
	CHECK_EQ(eventfd_write(fd, 1), 0);
	test_until(atomic_load(&ended) == 1);
	CHECK_EQ(leat_close_fd(fd), 0);
}

/* All asleep but for what the kernel is about to do: no deadlock, in many thousand rounds. */
TEST(line_159_line_161_readiness_on_its_way_is_no_deadlock)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	CHECK(fd >= 0);
	for (int i = 0; i < test_count(100000); i++) {
		struct itimerspec soon = {.it_value.tv_nsec = 1 + i % 100 * 500};
		uint64_t times;

		CHECK_EQ(timerfd_settime(fd, 0, &soon, NULL), 0);
		CHECK_EQ(leat_wait_fd(fd, POLLIN, i % 4 ? LEAT_FOREVER : LEAT_MINUTE), POLLIN);
		CHECK_EQ(read(fd, &times, sizeof times), (ssize_t)sizeof times);
	}
	CHECK_EQ(leat_close_fd(fd), 0);
}

/* A goroutine sleeps in the poller behind a far timer; a nearer one comes from a plain thread. */
static void *armer(void *arg)
{
	leat_scope_timeout(arg, 100 * LEAT_MICROSECOND);
	return NULL;
}

TEST(line_181_poller_is_interrupted_by_an_earlier_timer)
{
	int fd = make_event(), far = make_event();

	atomic_store(&ended, 0);
	go(waiter, .fd = fd);
	for (int i = 0; i < test_count(1000); i++) {
		pthread_t thread;

		scope(s, NULL);
		CHECK_EQ(pthread_create(&thread, NULL, armer, s), 0);
		chan_select {
			case_recv(leat_scope_done(s)) {
				CHECK_EQ(leat_scope_err(s), -ETIMEDOUT);
			}
			case_timeout(LEAT_HOUR) {
				CHECK(false);
			}
		}
		pthread_join(thread, NULL);
	}
	CHECK_EQ(eventfd_write(fd, 1), 0);
	test_until(atomic_load(&ended) == 1);
	CHECK_EQ(leat_close_fd(fd), 0);
	CHECK_EQ(leat_close_fd(far), 0);
}

static chan(int) posts;

static void *sender(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++)
		chan_send(posts, i);
	chan_close(posts);
	return NULL;
}

TEST(line_181_poller_is_interrupted_by_work)
{
	int fd = make_event(), next = 0;
	pthread_t thread;

	atomic_store(&ended, 0);
	go(waiter, .fd = fd);
	test_parked(1);
	posts = chan_make(int, 0);
	CHECK_EQ(pthread_create(&thread, NULL, sender, (void *)(intptr_t)test_count(100000)), 0);
	chan_range(v, posts)
		CHECK_EQ(v, next++);
	CHECK_EQ(next, test_count(100000));
	pthread_join(thread, NULL);
	chan_free(posts);
	CHECK_EQ(eventfd_write(fd, 1), 0);
	test_until(atomic_load(&ended) == 1);
	CHECK_EQ(leat_close_fd(fd), 0);
}

/* All processors are held by loops without end: the monitor looks. */
struct hog {
	_Atomic int *stop;
};

static void hog(struct hog *h)
{
	while (!atomic_load_explicit(h->stop, memory_order_relaxed))
		;
}

TEST(line_28_hogs_do_not_keep_a_waiter)
{
	_Atomic int stop = 0;
	int fd[2];

	CHECK_EQ(pipe2(fd, O_NONBLOCK), 0);
	for (int i = 0; i < leat_procs(0); i++)
		go(hog, .stop = &stop);
	for (int i = 0; i < 20; i++) {
		char c;

		atomic_store(&ended, 0);
		go(waiter, .fd = fd[0]);
		test_until(leat_num_parked() >= 1);
		CHECK_EQ(write(fd[1], "x", 1), 1);
		test_until(atomic_load(&ended) == 1);
		CHECK_EQ(read(fd[0], &c, 1), 1);
	}
	atomic_store(&stop, 1);
	test_goroutines(1);
	CHECK_EQ(leat_close_fd(fd[0]), 0);
	CHECK_EQ(leat_close_fd(fd[1]), 0);
}

TEST_MAIN
