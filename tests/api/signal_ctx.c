/* SPDX-License-Identifier: MIT */
/*
 * Goal: a signal ends a context or a scope, says which it was, and lets go of its signals.
 * Method: raise, with a handler of the program's below that counts what is not taken.
 */
#include "signal_help.h"
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

TEST(a_signal_is_the_end_and_the_cause)
{
	leat_ctx *ctx = signal_ctx(leat_ctx_background(), SIGINT, SIGUSR1);
	char text[100];

	CHECK_EQ(leat_ctx_err(ctx), 0);
	raise(SIGINT);
	CHECK(!chan_recv_ok(leat_ctx_done(ctx), NULL));
	CHECK_EQ(leat_ctx_err(ctx), -ECANCELED);
	CHECK_STR(leat_error_message(leat_ctx_cause(ctx)), "signal: interrupt");
	CHECK_EQ(leat_signal_of(leat_ctx_cause(ctx)), SIGINT);
	leat_ctx_string(ctx, text, sizeof text);
	CHECK_STR(text, "context.Background.WithSignal");
	leat_ctx_free(ctx);
	CHECK(handler_of(SIGINT) == SIG_DFL && handler_of(SIGUSR1) == SIG_DFL);
}

TEST(other_ends_have_other_causes)
{
	leat_ctx *ctx = signal_ctx(leat_ctx_background(), SIGINT);

	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_signal_of(leat_ctx_cause(ctx)), 0);
	CHECK_EQ(leat_signal_of(NULL), 0);
	leat_ctx_free(ctx);
	CHECK(handler_of(SIGINT) == SIG_DFL);
}

TEST(the_cause_is_found_in_what_wraps_it)
{
	leat_ctx *ctx = signal_ctx(leat_ctx_background(), SIGTERM);
	leat_error *e;

	raise(SIGTERM);
	chan_recv(leat_ctx_done(ctx));
	e = leat_errorf(leat_ctx_cause(ctx), "stopped");
	leat_ctx_free(ctx);
	CHECK_STR(leat_error_message(e), "stopped: signal: terminated");
	CHECK_EQ(leat_signal_of(e), SIGTERM);
	leat_error_free(e);
}

TEST(the_second_has_its_old_effect)
{
	leat_ctx *ctx;

	set_handler(SIGUSR1, count);
	set_handler(SIGUSR2, count);
	atomic_store(&handled, 0);
	ctx = signal_ctx(leat_ctx_background(), SIGUSR1, SIGUSR2);
	raise(SIGUSR1);
	chan_recv(leat_ctx_done(ctx));
	CHECK_EQ(atomic_load(&handled), 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	CHECK_EQ(atomic_load(&handled), 2);
	leat_ctx_free(ctx);
	CHECK(handler_of(SIGUSR1) == count && handler_of(SIGUSR2) == count);
	set_handler(SIGUSR1, SIG_DFL);
	set_handler(SIGUSR2, SIG_DFL);
}

TEST(a_channel_beside_it_goes_on)
{
	leat_ctx *ctx = signal_ctx(leat_ctx_background(), SIGUSR1);
	chan(int) c = chan_make(int, 4);

	signal_notify(c, SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	chan_recv(leat_ctx_done(ctx));
	raise(SIGUSR1);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	leat_ctx_free(ctx);
	raise(SIGUSR1);
	CHECK_EQ(chan_recv(c), SIGUSR1);
	signal_stop(c);
	chan_free(c);
}

struct sleeper {
	leat_scope *s;
	int *err;
};

static void sleeper(struct sleeper *a)
{
	*a->err = leat_sleep_ctx(LEAT_FOREVER, a->s);
}

TEST(a_scope_ends_with_its_goroutines)
{
	int err = 0;

	{
		scope(s, NULL);
		scope_on_signal(s, SIGINT);
		scope_on_signal(s, SIGTERM); /* besides */
		scope_go(s, sleeper, s, &err);
		test_parked(1);
		raise(SIGTERM);
		scope_wait(s);
		CHECK_EQ(scope_err(s), -ECANCELED);
		CHECK_EQ(leat_signal_of(leat_ctx_cause(s)), SIGTERM);
	}
	CHECK_EQ(err, -ECANCELED);
	CHECK(handler_of(SIGINT) == SIG_DFL && handler_of(SIGTERM) == SIG_DFL);
}

TEST(none_are_the_two_that_end_programs_unless_ignored)
{
	{
		scope(s, NULL);
		scope_on_signal(s);
		CHECK(handler_of(SIGINT) != SIG_DFL && handler_of(SIGTERM) != SIG_DFL);
		CHECK(handler_of(SIGHUP) == SIG_DFL);
		raise(SIGINT);
		chan_recv(scope_done(s));
	}
	signal(SIGINT, SIG_IGN); /* a job in the background */
	{
		scope(s, NULL);
		scope_on_signal(s);
		CHECK(signal_ignored(SIGINT) && !signal_ignored(SIGTERM));
		raise(SIGINT);
		raise(SIGTERM);
		chan_recv(scope_done(s));
		CHECK_EQ(leat_signal_of(leat_ctx_cause(s)), SIGTERM);
	}
	CHECK(signal_ignored(SIGINT));
	signal(SIGINT, SIG_DFL);
}

TEST(what_is_below_is_done_too_and_deadlines_are_stopped)
{
	leat_ctx *ctx = signal_ctx(leat_ctx_background(), SIGUSR1), *below, *timed;

	below = leat_ctx_with_cancel(ctx);
	timed = leat_ctx_with_timeout(below, LEAT_MINUTE);
	raise(SIGUSR1);
	chan_recv(leat_ctx_done(timed));
	CHECK_EQ(leat_ctx_err(timed), -ECANCELED);
	CHECK_EQ(leat_signal_of(leat_ctx_cause(timed)), SIGUSR1);
	leat_ctx_free(timed);
	leat_ctx_free(below);
	leat_ctx_free(ctx);
}

TEST(below_a_parent_that_is_done_it_is_done)
{
	leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background()), *ctx;

	leat_ctx_cancel(parent);
	ctx = signal_ctx(parent, SIGUSR1);
	CHECK_EQ(leat_ctx_err(ctx), -ECANCELED);
	CHECK_EQ(leat_signal_of(leat_ctx_cause(ctx)), 0);
	leat_ctx_free(ctx);
	CHECK(handler_of(SIGUSR1) == SIG_DFL);
	leat_ctx_free(parent);
}

TEST(one_of_a_scope_goes_with_the_scope)
{
	{
		scope(s, NULL);
		leat_ctx *ctx = signal_ctx(s, SIGUSR1);

		CHECK(handler_of(SIGUSR1) != SIG_DFL);
		CHECK_EQ(leat_ctx_err(ctx), 0);
	}
	CHECK(handler_of(SIGUSR1) == SIG_DFL);
}

static void of_kill(void *arg)
{
	static const int sig = SIGKILL;

	leat_scope_on_signal(arg, &sig, 1);
}

static void ctx_of_kill(void *arg)
{
	leat_ctx *ctx = signal_ctx((leat_ctx *)arg, SIGKILL);

	leat_ctx_free(ctx);
}

TEST(what_is_refused)
{
	scope(s, NULL);
	CHECK(test_panics(of_kill, s, "signal: SIGKILL cannot be caught"));
	CHECK(test_panics(ctx_of_kill, leat_ctx_background(), "signal: SIGKILL cannot be caught"));
}

TEST_MAIN
