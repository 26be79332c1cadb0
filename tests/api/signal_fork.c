/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: in the child of a fork signals are as before leat was asked, from the first moment on; there it may ask anew.
 * Method: children that are sent a signal at once, or that raise one themselves.
 */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { FINE = 42 };

static int status_of(pid_t child)
{
	int status = 0;

	CHECK_EQ(waitpid(child, &status, 0), child);
	return status;
}

static pid_t start(void (*child)(chan(int) c, leat_scope *s), chan(int) c, leat_scope *s)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		child(c, s);
		_exit(FINE);
	}
	return pid;
}

static void waits(chan(int) c, leat_scope *s)
{
	(void)c;
	(void)s;
	for (;;)
		pause();
}

TEST(a_child_that_is_sent_one_at_once_has_the_old_effect)
{
	chan(int) c = chan_make(int, 1);

	signal_notify(c, SIGTERM);
	for (int i = 0; i < test_count(300); i++) {
		pid_t child = start(waits, c, NULL);
		int status;

		kill(child, SIGTERM);
		status = status_of(child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
	CHECK_EQ(chan_len(c), 0);
	raise(SIGTERM);
	CHECK_EQ(chan_recv(c), SIGTERM);
	signal_stop(c);
	chan_free(c);
}

static _Atomic int handled;

static void count(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
}

static void has_its_handlers_back(chan(int) c, leat_scope *s)
{
	struct sigaction now;

	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == count);
	raise(SIGUSR1);
	CHECK_EQ(atomic_load(&handled), 1);
	CHECK_EQ(scope_err(s), 0);
	CHECK_EQ(chan_len(c), 0);
	signal_stop(c); /* nothing to stop */

	signal_notify(c, SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	scope_on_signal(s, SIGUSR2);
	raise(SIGUSR2);
	chan_recv(scope_done(s));
	CHECK_EQ(leat_signal_of(leat_ctx_cause(s)), SIGUSR2);
	signal_stop(c);
	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == count);
}

TEST(a_child_begins_without_and_may_ask_anew)
{
	chan(int) c = chan_make(int, 1);
	struct sigaction own = {.sa_handler = count, .sa_flags = SA_ONSTACK};
	int status;

	sigaction(SIGUSR1, &own, NULL);
	{
		scope(s, NULL);
		scope_on_signal(s, SIGUSR2);
		signal_notify(c, SIGUSR1);
		status = status_of(start(has_its_handlers_back, c, s));
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == FINE);
		raise(SIGUSR1);
		CHECK_EQ(chan_recv(c), SIGUSR1);
		CHECK_EQ(atomic_load(&handled), 0);
		raise(SIGUSR2);
		chan_recv(scope_done(s));
	}
	signal_stop(c);
	signal(SIGUSR1, SIG_DFL);
	chan_free(c);
}

struct turmoil {
	leat_scope *s;
};

/* Signals come all the time, and are asked for and given up. */
static void turmoil(struct turmoil *a)
{
	chan(int) c = chan_make(int, 1);

	while (!scope_err(a->s)) {
		signal_notify(c, SIGUSR1);
		raise(SIGUSR1);
		signal_stop(c);
		leat_yield();
	}
	chan_free(c);
}

static void asks(chan(int) c, leat_scope *s)
{
	chan(int) own = chan_make(int, 1);

	(void)c;
	(void)s;
	signal_notify(own, SIGUSR2);
	raise(SIGUSR2);
	CHECK_EQ(chan_recv(own), SIGUSR2);
	signal_stop(own);
	chan_free(own);
}

TEST(whatever_goes_on_when_it_is_forked)
{
	signal(SIGUSR1, SIG_IGN);
	{
		scope(s, NULL);
		scope_go(s, turmoil, s);
		scope_go(s, turmoil, s);
		for (int i = 0; i < test_count(300); i++) {
			int status = status_of(start(asks, NULL, NULL));

			CHECK(WIFEXITED(status) && WEXITSTATUS(status) == FINE);
		}
	}
	signal(SIGUSR1, SIG_DFL);
}

TEST_MAIN
