/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where memory is out the calls of leat/signal.h panic, and signals are as before. */
#include "oom.h"

#include <signal.h>

static bool is_default(int sig)
{
	struct sigaction now;

	return sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

static int notifies(void *arg)
{
	chan(int) c = arg;

	CHECK(is_default(SIGUSR1));
	signal_notify(c, SIGUSR1);
	signal_stop(c);
	return 0;
}

static int makes_a_context(void *arg)
{
	CHECK(is_default(SIGUSR1));
	leat_ctx_free(signal_ctx((leat_ctx *)arg, SIGUSR1));
	return 0;
}

static int ends_a_scope(void *arg)
{
	CHECK(is_default(SIGUSR1));
	scope(s, (leat_ctx *)arg);
	scope_on_signal(s, SIGUSR1);
	return 0;
}

TEST(out_of_memory)
{
	chan(int) c = chan_make(int, 1);

	if (!OOM_WORKS)
		oom_skip();
	CHECK_EQ(oom_each(notifies, c), 1);
	CHECK_EQ(oom_each(makes_a_context, leat_ctx_background()), 2);
	CHECK_EQ(oom_each(ends_a_scope, leat_ctx_background()), 1);
	chan_free(c);
}

TEST_MAIN
