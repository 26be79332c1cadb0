/* SPDX-License-Identifier: MIT */
/*
 * Goal: signals are notified although all threads of the program and of leat block them, and only as long as they are.
 * Method: block them before leat begins, as a program does that waits for them with sigwait.
 */
#include "test.h"

#include <errno.h>
#include <signal.h>

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

TEST_MAIN
