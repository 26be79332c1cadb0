/* SPDX-License-Identifier: MIT */
/* CTEST: notsan env:ASAN_OPTIONS=intercept_tls_get_addr=0 */
/*
 * Goal: what the runtime has beside goroutines is right in the child of a fork, too: the poller, timers,
 * tickers, locked goroutines, hogs, the limit of threads.
 * Method: as fork.c.
 */
#define _GNU_SOURCE
#include "descriptors.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FINE = 42 };

static void expect_fine(pid_t pid)
{
	int status;

	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), FINE);
}

__attribute__((noreturn)) static void end_child(void)
{
	fflush(NULL);
	_exit(FINE);
}

struct pipes {
	int in, out;
	leat_waitgroup *wg;
};

static struct pipes make_pipe(void)
{
	int fd[2];

	CHECK_EQ(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	return (struct pipes){fd[0], fd[1], NULL};
}

static void wait_and_read(struct pipes *p)
{
	char c;

	CHECK_EQ(leat_wait_fd(p->in, POLLIN, LEAT_MINUTE), POLLIN);
	CHECK_EQ(read(p->in, &c, 1), 1);
	if (p->wg)
		leat_waitgroup_done(p->wg);
}

static void *wait_in_thread(void *arg)
{
	wait_and_read(arg);
	return NULL;
}

/* One goroutine and one plain thread wait for descriptors, and main wakes them. */
static void use_poller(void)
{
	struct pipes a = make_pipe(), b = make_pipe();
	leat_waitgroup wg = {0};
	pthread_t thread;

	CHECK_EQ(leat_wait_fd(a.in, POLLIN, LEAT_MILLISECOND), -ETIMEDOUT);
	leat_waitgroup_add(&wg, 1);
	go_as(pipes, wait_and_read, a.in, a.out, &wg);
	CHECK_EQ(pthread_create(&thread, NULL, wait_in_thread, &b), 0);
	test_parked(2);
	CHECK_EQ(write(a.out, "x", 1), 1);
	CHECK_EQ(write(b.out, "x", 1), 1);
	leat_waitgroup_wait(&wg);
	pthread_join(thread, NULL);
	CHECK_EQ(leat_close_fd(a.in), 0);
	CHECK_EQ(leat_close_fd(a.out), 0);
	CHECK_EQ(leat_close_fd(b.in), 0);
	CHECK_EQ(leat_close_fd(b.out), 0);
}

TEST(descriptors_are_waited_for_in_the_child)
{
	struct pipes p = make_pipe(), q = make_pipe();
	leat_waitgroup wg = {0};
	pthread_t thread;
	pid_t pid;

	use_poller();
	leat_waitgroup_add(&wg, 1);
	go_as(pipes, wait_and_read, p.in, p.out, &wg);
	CHECK_EQ(pthread_create(&thread, NULL, wait_in_thread, &q), 0);
	test_parked(2);
	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (pid == 0) {
			/* The parent's waiters are not here, the parent's poller neither. */
			use_poller();
			CHECK_EQ(leat_num_parked(), 0);
			CHECK_EQ(leat_wait_fd(p.in, POLLIN, LEAT_MILLISECOND), -ETIMEDOUT);
			CHECK_EQ(leat_wait_fd(p.out, POLLOUT, LEAT_MINUTE), POLLOUT);
			CHECK_EQ(leat_close_fd(p.in), 0);
			end_child();
		}
		expect_fine(pid);
	}
	CHECK_EQ(write(p.out, "x", 1), 1);
	CHECK_EQ(write(q.out, "x", 1), 1);
	leat_waitgroup_wait(&wg);
	pthread_join(thread, NULL);
	use_poller();
}

TEST(a_child_has_no_descriptor_of_the_poller)
{
	int before;
	pid_t pid;

	use_poller();
	before = test_descriptors();
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(test_descriptors(), before - 2);
		use_poller();
		CHECK_EQ(test_descriptors(), before);
		end_child();
	}
	expect_fine(pid);
	CHECK_EQ(test_descriptors(), before);
}

/* --- timers */

static atomic_int calls;

static void call(void *arg)
{
	(void)arg;
	atomic_fetch_add(&calls, 1);
}

struct wait_for {
	recv_chan(int64_t) c;
};

static void wait_for(struct wait_for *a)
{
	chan_recv(a->c);
}

TEST(timers_are_unset_and_can_be_set_anew)
{
	leat_timer *t = leat_timer_new(LEAT_SECOND), *f;
	leat_ticker *ticker = leat_ticker_new(LEAT_SECOND);
	pid_t pid;

	f = leat_after_func(LEAT_SECOND, call, NULL);
	go(wait_for, leat_timer_chan(t));
	pid = fork();
	if (pid == 0) {
		leat_sleep(1200 * LEAT_MILLISECOND);
		CHECK_EQ(calls, 0);
		CHECK(!chan_try_recv(leat_timer_chan(t), &(int64_t){0}, NULL));
		CHECK(!chan_try_recv(leat_ticker_chan(ticker), &(int64_t){0}, NULL));
		CHECK(!leat_timer_stop(t));
		CHECK(!leat_timer_reset(f, LEAT_MILLISECOND));
		CHECK(!leat_timer_reset(t, LEAT_MILLISECOND));
		leat_ticker_reset(ticker, LEAT_MILLISECOND);
		chan_recv(leat_timer_chan(t));
		chan_recv(leat_ticker_chan(ticker));
		chan_recv(leat_ticker_chan(ticker));
		test_until(atomic_load(&calls) == 1);
		leat_timer_free(t);
		leat_timer_free(f);
		leat_ticker_free(ticker);
		end_child();
	}
	expect_fine(pid);
	test_goroutines(1);
	test_until(atomic_load(&calls) == 1);
	leat_timer_free(t);
	leat_timer_free(f);
	leat_ticker_free(ticker);
}

struct sleeper {
	recv_chan(int) stop;
	int64_t most_ns;
};

static void sleeper(struct sleeper *a)
{
	chan_select {
		case_recv(a->stop) {
		}
		case_timeout(a->most_ns) {
		}
	}
}

/* Many slots of the heaps are free again, and used again. */
TEST(many_timers_are_forgotten)
{
	chan(int) stop_all = chan_make(int, 0);
	pid_t pid;

	for (int i = 0; i < 300; i++)
		go(sleeper, chan_receiver(stop_all), LEAT_HOUR);
	test_parked(300);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 300; i++)
			go(sleeper, chan_receiver(stop_all), 50 * LEAT_MILLISECOND);
		test_goroutines(1);
		end_child();
	}
	expect_fine(pid);
	chan_close(stop_all);
	test_goroutines(1);
	chan_free(stop_all);
}

/* --- threads */

static void yields(void)
{
	for (int i = 0; i < 100; i++)
		leat_yield();
}

static void fork_locked(leat_waitgroup *wg)
{
	pid_t pid;

	leat_lock_thread();
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 50; i++) {
			go0(yields);
			leat_yield();
			leat_sleep(LEAT_MICROSECOND);
			CHECK_EQ(gettid(), getpid());
		}
		leat_unlock_thread();
		test_goroutines(1);
		end_child();
	}
	expect_fine(pid);
	leat_unlock_thread();
	leat_waitgroup_done(wg);
}

struct locked {
	leat_waitgroup *wg;
	chan(int) c;
};

static void locked(struct locked *a)
{
	fork_locked(a->wg);
}

static void parked_locked(struct locked *a)
{
	leat_lock_thread();
	chan_recv(a->c);
	leat_unlock_thread();
	leat_waitgroup_done(a->wg);
}

TEST(the_caller_stays_locked_to_its_thread_and_others_may_be_parked_on_theirs)
{
	leat_waitgroup wg = {0};
	chan(int) c = chan_make(int, 0);

	leat_waitgroup_add(&wg, 5);
	for (int i = 0; i < 3; i++)
		go_as(locked, parked_locked, &wg, c);
	test_parked(3);
	go_as(locked, locked, &wg, c);
	fork_locked(&wg);
	chan_close(c);
	leat_waitgroup_wait(&wg);
	chan_free(c);
}

static atomic_bool stop;

struct hog {
	leat_waitgroup *wg;
};

static void hog(struct hog *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	leat_waitgroup_done(a->wg);
}

TEST(hogs_that_are_stopped_where_they_are)
{
	leat_waitgroup wg = {0};
	int before = leat_max_threads(leat_procs(0) + 3);

	leat_waitgroup_add(&wg, 12);
	for (int i = 0; i < 12; i++)
		go(hog, &wg);
	/* main computes between forks, so it is stopped, too, and may be while it forks. */
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			CHECK_EQ(leat_num_goroutine(), 1);
			go0(yields);
			leat_yield();
			test_goroutines(1);
			use_poller();
			end_child();
		}
		expect_fine(pid);
		for (volatile int k = 0; k < 5000000; k++)
			;
		leat_yield();
	}
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	leat_max_threads(before);
	use_poller();
}

/* --- reports */

struct reporter {
	_Atomic bool *stop;
	leat_waitgroup *wg;
};

static void reporter(struct reporter *a)
{
	FILE *nowhere = fopen("/dev/null", "w");

	CHECK(nowhere != NULL);
	while (!atomic_load(a->stop)) {
		leat_dump(nowhere);
		leat_yield();
	}
	fclose(nowhere);
	leat_waitgroup_done(a->wg);
}

/* Who had the turn to report, or read stacks, in the parent is not in the child. */
TEST(a_dump_that_was_under_way)
{
	int rounds = test_count(300);
	_Atomic bool enough = false;
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go(reporter, &enough, &wg);
	for (int i = 0; i < rounds; i++) {
		pid_t pid;

		leat_sleep(LEAT_MILLISECOND);
		pid = fork();
		if (pid == 0) {
			FILE *nowhere = fopen("/dev/null", "w");

			alarm(20);
			leat_dump(nowhere);
			go0(leat_yield);
			test_goroutines(1);
			end_child();
		}
		expect_fine(pid);
	}
	atomic_store(&enough, true);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

TEST_MAIN
