/* SPDX-License-Identifier: MIT */
/*
 * Goal: signals are notified although all threads of the program and of leat block them, and only as long as they are.
 * Method: block them before leat begins, as a program does that waits for them with sigwait.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

static sigset_t blocked;

__attribute__((constructor(101))) static void block(void)
{
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

TEST(what_all_threads_block_comes_all_the_same)
{
	chan(int) c = chan_make(int, 8);

	signal_notify(c, SIGUSR1, SIGUSR2);
	for (int i = 0; i < test_count(200); i++) {
		kill(getpid(), SIGUSR1);
		CHECK_EQ(chan_recv(c), SIGUSR1);
		kill(getpid(), SIGUSR2);
		CHECK_EQ(chan_recv(c), SIGUSR2);
	}
	signal_stop(c);
	chan_free(c);
}

/* SIGUSR1 would end the process if any thread took it after the stop. */
TEST(after_a_stop_it_is_blocked_everywhere_again)
{
	chan(int) c = chan_make(int, 1);
	int got;

	for (int i = 0; i < test_count(200); i++) {
		signal_notify(c, SIGUSR1);
		signal_stop(c);
		kill(getpid(), SIGUSR1);
		CHECK(sigwait(&blocked, &got) == 0 && got == SIGUSR1);
	}
	CHECK_EQ(chan_len(c), 0);
	chan_free(c);
}

/* The second would end the process if the monitor, which took the first, had it: nobody wants that one any more. */
TEST(what_was_wanted_once_is_blocked_everywhere_again)
{
	int got, none = 0;

	for (int i = 0; i < test_count(200); i++) {
		leat_ctx *c = leat_signal_ctx(leat_ctx_background(), (int[]){SIGUSR1}, 1);

		kill(getpid(), SIGUSR1);
		if (i & 1)
			chan_recv(leat_ctx_done(c));
		else
			while (!leat_ctx_err(c))
				;
		for (int k = i * 100; k > 0; k--)
			__atomic_load_n(&none, __ATOMIC_SEQ_CST);
		kill(getpid(), SIGUSR1);
		CHECK(sigwait(&blocked, &got) == 0 && got == SIGUSR1);
		leat_ctx_free(c);
	}
}

struct flipper {
	atomic_bool *enough;
};

static void *flip(void *arg)
{
	struct flipper *a = arg;
	chan(int) c = chan_make(int, 4);

	while (!atomic_load(a->enough)) {
		signal_notify(c, SIGUSR1);
		signal_stop(c);
		while (chan_len(c))
			chan_recv(c);
	}
	chan_free(c);
	return NULL;
}

/* Who stops, and is the last to want it, waits for the monitor though others have wanted it and stopped meanwhile. */
TEST(stops_of_several_at_once_end_nobody)
{
	struct timespec at_once = {0};
	atomic_bool enough = false;
	struct flipper a = {&enough};
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, flip, &a), 0);
	for (int i = 0; i < test_count(10000); i++) {
		usleep(200);
		kill(getpid(), SIGUSR1);
	}
	atomic_store(&enough, true);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	while (sigtimedwait(&blocked, NULL, &at_once) > 0)
		;
}

TEST_MAIN
