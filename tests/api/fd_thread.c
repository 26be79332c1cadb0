/* SPDX-License-Identifier: MIT */
/*
 * Goal: plain threads wait for descriptors as goroutines do, also in a process without any goroutine.
 *
 * Method: nothing of leat is called before the first thread waits, and main calls it last; then threads
 * and goroutines pass a token round through pipes.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4 };

static int pipes[THREADS][2];

/* Take from one pipe, give to the next. */
struct member {
	int n, rounds;
};

static void pass(const struct member *p)
{
	for (int i = 0; i < p->rounds; i++) {
		int token;

		while (read(pipes[p->n][0], &token, sizeof token) < 0) {
			CHECK_EQ(errno, EAGAIN);
			CHECK_EQ(leat_wait_fd(pipes[p->n][0], POLLIN, LEAT_MINUTE), POLLIN);
		}
		token++;
		CHECK_EQ(write(pipes[(p->n + 1) % THREADS][1], &token, sizeof token),
		         (ssize_t)sizeof token);
	}
}

static void *member_thread(void *arg)
{
	pass(arg);
	return NULL;
}

static leat_waitgroup members;

static void member(struct member *m)
{
	pass(m);
	leat_waitgroup_done(&members);
}

static void open_pipes(void)
{
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pipe2(pipes[i], O_NONBLOCK | O_CLOEXEC), 0);
}

static void begin_round(void)
{
	CHECK_EQ(write(pipes[0][1], &(int){0}, sizeof(int)), (ssize_t)sizeof(int));
}

static void end_round(int passes)
{
	int token;

	CHECK_EQ(read(pipes[0][0], &token, sizeof token), (ssize_t)sizeof token);
	CHECK_EQ(token, passes);
	for (int i = 0; i < THREADS; i++) {
		CHECK_EQ(leat_close_fd(pipes[i][0]), 0);
		CHECK_EQ(leat_close_fd(pipes[i][1]), 0);
	}
}

TEST(threads_wait_in_a_process_without_goroutines)
{
	struct member m[THREADS];
	pthread_t threads[THREADS];
	int rounds = test_count(2000);

	open_pipes();
	for (int i = 0; i < THREADS; i++) {
		m[i] = (struct member){.n = i, .rounds = rounds};
		CHECK_EQ(pthread_create(&threads[i], NULL, member_thread, &m[i]), 0);
	}
	begin_round();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	end_round(rounds * THREADS);
}

static void *time_out(void *arg)
{
	int64_t begin = leat_now();

	CHECK_EQ(leat_wait_fd(*(int *)arg, POLLIN, 5 * LEAT_MILLISECOND), -ETIMEDOUT);
	CHECK(leat_now() - begin >= 5 * LEAT_MILLISECOND);
	return NULL;
}

TEST(thread_times_out)
{
	pthread_t thread;

	open_pipes();
	CHECK_EQ(pthread_create(&thread, NULL, time_out, &pipes[0][0]), 0);
	pthread_join(thread, NULL);
	begin_round();
	end_round(0);
}

TEST(threads_and_goroutines_pass_a_token)
{
	struct member m[THREADS];
	pthread_t threads[THREADS / 2];
	int rounds = test_count(5000);

	open_pipes();
	leat_waitgroup_add(&members, THREADS / 2);
	for (int i = 0; i < THREADS / 2; i++) {
		m[i] = (struct member){.n = 2 * i, .rounds = rounds};
		CHECK_EQ(pthread_create(&threads[i], NULL, member_thread, &m[i]), 0);
		go(member, .n = 2 * i + 1, .rounds = rounds);
	}
	begin_round();
	leat_waitgroup_wait(&members);
	for (int i = 0; i < THREADS / 2; i++)
		pthread_join(threads[i], NULL);
	end_round(rounds * THREADS);
}

TEST_MAIN
