/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: fork keeps the goroutine or thread that calls it, and the child has all of leat; posix_spawn and
 * its kin work as anywhere.  ThreadSanitizer lets no child of several threads start any.
 * Method: children do what they can, and answer by their exit status; around them others are in the
 * middle of everything.
 */
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>

extern char **environ;

enum { FINE = 42 };

static void expect_status(pid_t pid, int expected)
{
	int status;

	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), expected);
}

struct add {
	send_chan(int) out;
	int v;
};

static void add(struct add *a)
{
	leat_yield();
	leat_sleep(LEAT_MICROSECOND);
	chan_send(a->out, a->v);
}

static void *add_in_thread(void *arg)
{
	struct add *a = arg;

	chan_send(a->out, a->v);
	return NULL;
}

/* Goroutines, plain threads, timers, a hog: all of it, from nothing. */
static void use_everything(void)
{
	chan(int) c = chan_make(int, 0);
	struct add from_thread = {chan_sender(c), 1000};
	pthread_t thread;
	int sum = 0;

	for (int i = 0; i < 100; i++)
		go(add, chan_sender(c), i);
	CHECK_EQ(pthread_create(&thread, NULL, add_in_thread, &from_thread), 0);
	for (int i = 0; i < 101; i++)
		sum += chan_recv(c);
	pthread_join(thread, NULL);
	CHECK_EQ(sum, 4950 + 1000);
	chan_select {
		case_recv(c) {
		}
		case_timeout(LEAT_MILLISECOND) {
		}
	}
	{
		scope(s, NULL);
		scope_go(s, add, chan_sender(c), 7);
		CHECK_EQ(chan_recv(c), 7);
	}
	chan_free(c);
}

__attribute__((noreturn)) static void end_child(void)
{
	fflush(NULL);
	_exit(FINE);
}

static void child_uses_everything(uint64_t id, size_t goroutines)
{
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_EQ(leat_num_goroutine(), goroutines);
		CHECK_EQ(leat_num_parked(), 0);
		CHECK_EQ(leat_goid(), id);
		use_everything();
		test_goroutines(goroutines);
		end_child();
	}
	expect_status(pid, FINE);
}

TEST(a_child_of_main_has_all_of_leat)
{
	for (int i = 0; i < 5; i++)
		child_uses_everything(1, 1);
	use_everything();
}

struct forks {
	leat_waitgroup *wg;
	int n;
};

static void forks(struct forks *a)
{
	for (int i = 0; i < a->n; i++)
		child_uses_everything(leat_goid(), 1);
	leat_waitgroup_done(a->wg);
}

TEST(a_child_of_a_goroutine_has_that_one_alone)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(forks, &wg, 2);
	leat_waitgroup_wait(&wg);
	use_everything();
}

/* AddressSanitizer's allocator is locked while a thread is born or ends, and stays so in a child that is made
   meanwhile: all of them have begun before one forks, and have forked before one ends. */
static pthread_barrier_t together;

static void *fork_in_thread(void *arg)
{
	if (arg)
		test_goroutines(1); /* so it has been inside */
	pthread_barrier_wait(&together);
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			/* One that leat knew stays a plain thread; else it is the child's goroutine 1. */
			CHECK_EQ(leat_goid(), arg ? 0 : 1);
			use_everything();
			test_goroutines(arg ? 0 : 1);
			end_child();
		}
		expect_status(pid, FINE);
	}
	pthread_barrier_wait(&together);
	return NULL;
}

TEST(a_child_of_a_plain_thread)
{
	pthread_t threads[2];

	CHECK_EQ(leat_goid(), 1);
	CHECK_EQ(pthread_barrier_init(&together, NULL, 3), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, fork_in_thread, i ? &threads : NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_barrier_wait(&together);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&together);
}

/* --- amid work */

static atomic_bool stop;
static leat_waitgroup busy;

struct ring {
	chan(int) in, out;
};

static void ring(struct ring *a)
{
	while (!atomic_load(&stop)) {
		int got = 0;

		chan_select {
			case_recv(a->in, v)
				got = v + 1;
			case_timeout(LEAT_MILLISECOND) {
			}
		}
		chan_select {
			case_send(a->out, got) {
			}
			case_timeout(LEAT_MILLISECOND) {
			}
		}
	}
	leat_waitgroup_done(&busy);
}

static void churn(void)
{
	while (!atomic_load(&stop)) {
		chan(int) c = chan_make(int, 0);

		go(add, chan_sender(c), 1);
		CHECK_EQ(chan_recv(c), 1);
		chan_free(c);
	}
	leat_waitgroup_done(&busy);
}

static void hog(void)
{
	while (!atomic_load(&stop))
		;
	leat_waitgroup_done(&busy);
}

static void *churn_in_thread(void *arg)
{
	(void)arg;
	churn();
	return NULL;
}

TEST(a_fork_amid_work_of_others_leaves_no_lock_held)
{
	chan(int) c[4];
	pthread_t threads[2];
	int forks = test_count(300);

	leat_waitgroup_add(&busy, 4 + 4 + 1 + 2);
	for (int i = 0; i < 4; i++)
		c[i] = chan_make(int, 1);
	for (int i = 0; i < 4; i++) {
		go(ring, c[i], c[(i + 1) % 4]);
		go0(churn);
	}
	go0(hog);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, churn_in_thread, NULL), 0);
	chan_send(c[0], 1);
	for (int i = 0; i < forks; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (i % 4 == 0)
				use_everything();
			else
				CHECK_EQ(leat_num_goroutine(), 1);
			end_child();
		}
		expect_status(pid, FINE);
		leat_sleep(LEAT_MICROSECOND * (i % 50));
	}
	atomic_store(&stop, true);
	leat_waitgroup_wait(&busy);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		chan_free(c[i]);
	test_goroutines(1);
}

/* --- what others waited for */

struct wait {
	chan(int) c, other;
	leat_mutex *m;
};

static void wait_to_receive(struct wait *a)
{
	chan_recv(a->c);
}

static void wait_to_send(struct wait *a)
{
	chan_send(a->other, 1);
}

static void wait_in_select(struct wait *a)
{
	chan_select {
		case_recv(a->c) {
		}
		case_send(a->other, 2) {
		}
	}
}

static void wait_for_lock(struct wait *a)
{
	leat_mutex_lock(a->m);
	leat_mutex_unlock(a->m);
}

/* One was woken, and had not got the lock by the time of the fork: in the child nobody waits for what he
   makes of it. */
TEST(who_was_woken_for_a_lock_is_gone)
{
	int procs = leat_procs(1);
	chan(int) none = NULL;
	leat_mutex m = {0};
	pid_t pid;

	leat_mutex_lock(&m);
	go_as(wait, wait_for_lock, none, none, &m);
	go_as(wait, wait_for_lock, none, none, &m);
	test_parked(2);
	leat_mutex_unlock(&m);
	leat_mutex_lock(&m);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 3; i++)
			go_as(wait, wait_for_lock, none, none, &m);
		test_parked(3);
		leat_mutex_unlock(&m);
		test_goroutines(1);
		end_child();
	}
	expect_status(pid, FINE);
	leat_mutex_unlock(&m);
	test_goroutines(1);
	leat_procs(procs);
}

TEST(those_left_behind_neither_take_nor_give)
{
	chan(int) c = chan_make(int, 0), other = chan_make(int, 0);
	leat_mutex m = {0};
	pid_t pid;

	leat_mutex_lock(&m);
	go_as(wait, wait_to_receive, c, other, &m);
	go_as(wait, wait_to_send, c, other, &m);
	go_as(wait, wait_in_select, c, other, &m);
	for (int i = 0; i < 3; i++)
		go_as(wait, wait_for_lock, c, other, &m);
	test_parked(6);
	pid = fork();
	if (pid == 0) {
		CHECK(!chan_try_send(c, 3));
		CHECK(!chan_try_recv(other, &(int){0}, NULL));
		/* The lock is the caller's; who comes for it now gets it. */
		go_as(wait, wait_for_lock, c, other, &m);
		test_parked(1);
		leat_mutex_unlock(&m);
		test_goroutines(1);
		go_as(wait, wait_to_receive, c, other, &m);
		chan_send(c, 4);
		test_goroutines(1);
		end_child();
	}
	expect_status(pid, FINE);
	leat_mutex_unlock(&m);
	chan_close(c);
	CHECK(chan_recv(other) > 0);
	test_goroutines(1);
	chan_free(c);
	chan_free(other);
}

struct until_done {
	chan(int) c;
};

static void until_done(struct until_done *a)
{
	chan_recv(a->c);
}

TEST(a_scope_does_not_wait_for_those_left_behind)
{
	chan(int) never = chan_make(int, 0);
	pid_t pid;

	{
		scope(s, NULL);
		scope_timeout(s, LEAT_HOUR);
		for (int i = 0; i < 10; i++)
			scope_go(s, until_done, never);
		test_parked(10);
		pid = fork();
		if (pid == 0) {
			CHECK_EQ(scope_wait(s), 0);
			scope_go(s, until_done, never);
			chan_send(never, 1);
			CHECK_EQ(scope_wait(s), 0);
		} else {
			chan_close(never);
		}
	}
	if (pid == 0)
		end_child();
	expect_status(pid, FINE);
	chan_free(never);
}

static atomic_int woken;

static void sleeper(void)
{
	leat_sleep(50 * LEAT_MILLISECOND);
	atomic_fetch_add(&woken, 1);
}

TEST(timers_do_not_survive)
{
	recv_chan(int64_t) after = leat_after(50 * LEAT_MILLISECOND);
	pid_t pid;

	go0(sleeper);
	test_parked(1);
	pid = fork();
	if (pid == 0) {
		int before = woken; /* 1 where it took long to come here */

		leat_sleep(100 * LEAT_MILLISECOND);
		CHECK_EQ(woken, before);
		CHECK(!chan_try_recv(after, &(int64_t){0}, NULL));
		chan_free(after);
		end_child();
	}
	expect_status(pid, FINE);
	chan_recv(after);
	chan_free(after);
	test_goroutines(1);
}

TEST(a_child_may_fork_again)
{
	pid_t pid;

	use_everything();
	pid = fork();
	if (pid == 0) {
		/* One that has not entered leat yet, then one that has. */
		child_uses_everything(1, 1);
		use_everything();
		child_uses_everything(1, 1);
		end_child();
	}
	expect_status(pid, FINE);
}

static void forks_and_ends(struct forks *a)
{
	pid_t pid = fork();

	if (pid == 0)
		exit(FINE); /* atexit handlers, in a child that never entered leat */
	expect_status(pid, FINE);
	leat_waitgroup_done(a->wg);
}

struct blocks {
	leat_waitgroup *wg;
	int n;
};

static void blocks(struct blocks *a)
{
	pid_t pid = fork();

	if (pid == 0) {
		chan(int) never = NULL;

		CHECK(freopen("/dev/null", "w", stderr) != NULL); /* the report */
		for (int i = 0; i < a->n; i++)
			go_as(until_done, until_done, chan_make(int, 0));
		chan_recv(never);
		end_child();
	}
	expect_status(pid, 2);
	leat_waitgroup_done(a->wg);
}

TEST(line_156_a_deadlock_in_the_child_is_seen)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 4);
	go(blocks, &wg, 0);
	go(blocks, &wg, 5);
	blocks(&(struct blocks){&wg, 0});
	blocks(&(struct blocks){&wg, 5});
	leat_waitgroup_wait(&wg);
}

TEST(a_child_may_exit_at_once)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go_as(forks, forks_and_ends, &wg, 0);
	leat_waitgroup_wait(&wg);
}

/* --- processes that only exec */

static void spawns(struct forks *a)
{
	char *const arguments[] = {(char *)"sh", (char *)"-c", (char *)"exit 42", NULL};
	FILE *f;
	char text[16];
	pid_t pid;

	CHECK_EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ), 0);
	expect_status(pid, FINE);
	CHECK_EQ(WEXITSTATUS(system("exit 42")), FINE);
	f = popen("echo hello", "r");
	CHECK(f && fgets(text, sizeof text, f));
	CHECK_STR(text, "hello\n");
	CHECK_EQ(pclose(f), 0);
	pid = fork();
	if (pid == 0) {
		execv("/bin/sh", arguments);
		_exit(1);
	}
	expect_status(pid, FINE);
	pid = vfork();
	if (pid == 0) {
		execv("/bin/sh", arguments);
		_exit(1);
	}
	expect_status(pid, FINE);
	leat_waitgroup_done(a->wg);
}

TEST(programs_are_started_by_every_means)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		go_as(forks, spawns, &wg, 0);
	leat_waitgroup_wait(&wg);
}

TEST_MAIN
