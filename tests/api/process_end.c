/* SPDX-License-Identifier: MIT */
/* CTEST: noemulator */
/*
 * Goal: a process is ended when it should be, with all that belongs to it, and no zombie stays.
 * Method: children that say when they are ready, and pay heed to SIGTERM or do not.
 */
#include "process_help.h"

#include <stdatomic.h>

static leat_process *start_in(leat_ctx *ctx, const leat_command *c)
{
	const leat_error *e = NULL;
	leat_process *p = leat_process_start(c, ctx, &e);

	CHECK_STR(leat_error_message(e), "");
	CHECK(p);
	return p;
}

static leat_process *start(const leat_command *c)
{
	return start_in(NULL, c);
}

TEST(a_signal_and_the_end)
{
	leat_process *p = start(&(leat_command){.args = AS("polite", "7"), .out = {LEAT_STDIO_PIPE}});
	leat_exit x = {0};

	expect(leat_process_stdout(p), "ready");
	CHECK_EQ(leat_process_signal(p, 0), 0);
	CHECK_EQ(leat_process_signal(p, 1000), -EINVAL);
	CHECK_EQ(leat_process_signal(p, SIGTERM), 0);
	CHECK_SAYS(leat_process_wait(p, NULL, &x), "exit status 7");
	CHECK_EQ(x.code, 7);
	CHECK_EQ(leat_process_signal(p, SIGTERM), -ESRCH);
	CHECK_EQ(leat_process_kill(p), -ESRCH);
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "exit status 7");
	leat_process_free(p);
	leat_process_free(NULL);
	leat_process_release(NULL);
}

/* Being stopped is no end. */
TEST(stopped_and_continued)
{
	leat_process *p = start(&(leat_command){.args = AS("polite", "0"), .out = {LEAT_STDIO_PIPE}});
	leat_ctx *soon = leat_ctx_with_timeout(leat_ctx_background(), 5 * LEAT_MILLISECOND);
	siginfo_t info = {0};

	expect(leat_process_stdout(p), "ready");
	CHECK_EQ(leat_process_signal(p, SIGSTOP), 0);
	test_until(waitid(P_PID, (id_t)leat_process_id(p), &info, WSTOPPED | WNOHANG) == 0 &&
	           info.si_pid);
	CHECK_EQ(leat_process_signal(p, SIGTERM), 0);
	CHECK(leat_process_wait(p, soon, NULL) == &leat_deadline_exceeded);
	CHECK_EQ(leat_process_signal(p, SIGCONT), 0);
	CHECK(!leat_process_wait(p, NULL, NULL));
	leat_process_free(p);
	leat_ctx_free(soon);
}

TEST(a_context_kills)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_process *p =
	    start_in(ctx, &(leat_command){.args = AS("stubborn"), .out = {LEAT_STDIO_PIPE}});
	const leat_error *e;

	expect(leat_process_stdout(p), "ready");
	leat_ctx_cancel(ctx);
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "signal: killed");
	leat_process_free(p);
	/* And keeps from starting. */
	CHECK(!leat_process_start(&(leat_command){.args = AS("stubborn")}, ctx, &e));
	CHECK(e == &leat_canceled);
	CHECK(leat_process_run(&(leat_command){.args = AS("stubborn")}, ctx, NULL) == &leat_canceled);
	leat_ctx_free(ctx);
	CHECK(!has_children());
}

/* One that ends well because it was asked to was cancelled all the same. */
TEST(a_context_asks)
{
	static const struct {
		const char *code, *says;
	} ends[] = {{"0", "context canceled"}, {"9", "exit status 9"}};

	for (int i = 0; i < 2; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		leat_process *p = start_in(ctx, &(leat_command){.args = AS("polite", ends[i].code),
		                                                .out = {LEAT_STDIO_PIPE},
		                                                .cancel_signal = SIGTERM,
		                                                .wait_delay_ns = LEAT_HOUR});

		expect(leat_process_stdout(p), "ready");
		leat_ctx_cancel(ctx);
		CHECK_SAYS(leat_process_wait(p, NULL, NULL), ends[i].says);
		leat_process_free(p);
		leat_ctx_free(ctx);
	}
}

TEST(a_context_asks_and_then_kills)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_process *p = start_in(ctx, &(leat_command){.args = AS("stubborn"),
	                                                .out = {LEAT_STDIO_PIPE},
	                                                .cancel_signal = SIGTERM,
	                                                .wait_delay_ns = 20 * LEAT_MILLISECOND});

	expect(leat_process_stdout(p), "ready");
	leat_ctx_cancel(ctx);
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "signal: killed");
	leat_process_free(p);
	leat_ctx_free(ctx);
}

/* A grandchild has the pipe; it goes when descriptor 3 ends. */
TEST(pipes_that_others_hold_open)
{
	int end[2];
	leat_process *p;
	size_t n;

	CHECK(pipe(end) == 0);
	p = start(&(leat_command){.args = AS("leave"),
	                          .out = {LEAT_STDIO_CAPTURE},
	                          .fds = end,
	                          .fds_n = 1,
	                          .wait_delay_ns = 20 * LEAT_MILLISECOND});
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "exec: WaitDelay expired before I/O complete");
	CHECK_STR(leat_process_captured_out(p, &n, NULL), "left");
	CHECK_EQ(n, 4);
	leat_process_free(p);

	/* Without a delay only a free does not wait for it. */
	p = start(
	    &(leat_command){.args = AS("leave"), .out = {LEAT_STDIO_CAPTURE}, .fds = end, .fds_n = 1});
	test_until(leat_process_signal(p, 0) == -ESRCH);
	leat_process_free(p);

	/* Nor does a wait when it goes. */
	p = start(
	    &(leat_command){.args = AS("leave"), .out = {LEAT_STDIO_CAPTURE}, .fds = end, .fds_n = 1});
	test_until(leat_process_signal(p, 0) == -ESRCH);
	close(end[1]);
	CHECK(!leat_process_wait(p, NULL, NULL));
	CHECK_STR(leat_process_captured_out(p, NULL, NULL), "left");
	leat_process_free(p);
	close(end[0]);
}

/* All who have the pipe are of the group: its end tells that they are gone. */
TEST(a_group_goes_as_a_whole)
{
	int end[2], out[2];
	leat_process *p;
	char c;

	CHECK(pipe(end) == 0);
	for (int how = 0; how < 3; how++) {
		leat_command hold = {
		    .args = AS("hold"), .fds = end, .fds_n = 1, .group = true, .wait_delay_ns = LEAT_HOUR};
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		leat_conn *in;

		CHECK(pipe(out) == 0);
		hold.out = (leat_stdio){LEAT_STDIO_FD, .fd = out[1]};
		p = start_in(ctx, &hold);
		close(out[1]);
		in = leat_conn_from_fd(out[0], NULL);
		expect(in, "ready");
		if (how == 0)
			leat_ctx_cancel(ctx);
		else if (how == 1)
			CHECK_EQ(leat_process_kill(p), 0);
		else
			leat_process_free(p);
		CHECK_EQ(leat_conn_read(in, &c, 1), 0);
		if (how < 2) {
			CHECK_SAYS(leat_process_wait(p, NULL, NULL), "signal: killed");
			leat_process_free(p);
		}
		leat_conn_free(in);
		leat_ctx_free(ctx);
	}
	close(end[0]);
	close(end[1]);
	CHECK(!has_children());
}

TEST(a_group_is_killed_for_its_pipes)
{
	int end[2];
	leat_process *p;

	CHECK(pipe(end) == 0);
	p = start(&(leat_command){.args = AS("leave"),
	                          .out = {LEAT_STDIO_CAPTURE},
	                          .fds = end,
	                          .fds_n = 1,
	                          .group = true,
	                          .wait_delay_ns = 20 * LEAT_MILLISECOND});
	close(end[0]);
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "exec: WaitDelay expired before I/O complete");
	leat_process_free(p);
	/* Nobody has the other end: neither the child nor its child. */
	signal_ignore(SIGPIPE);
	test_until(write(end[1], "x", 1) < 0 && errno == EPIPE);
	signal_reset(SIGPIPE);
	close(end[1]);
}

static bool exists(int pid)
{
	return kill(pid, 0) == 0;
}

/* Nobody waits: it is cleared away all the same. */
TEST(no_zombie_of_one_that_is_forgotten)
{
	leat_process *p = start(&(leat_command){.args = AS("exit", "5")});
	int pid = leat_process_id(p);

	test_until(!exists(pid));
	CHECK(!has_children());
	leat_process_free(p);
}

TEST(free_kills)
{
	leat_process *p = start(&(leat_command){.args = AS("stubborn"),
	                                        .in = {LEAT_STDIO_PIPE},
	                                        .out = {LEAT_STDIO_PIPE},
	                                        .err = {LEAT_STDIO_CAPTURE}});
	int pid = leat_process_id(p);

	expect(leat_process_stdout(p), "ready");
	leat_process_free(p);
	CHECK(!exists(pid) && !has_children());
	test_goroutines(1);
}

TEST(release_lets_it_go_on)
{
	int end[2], ours;
	leat_process *p;
	int pid;

	CHECK(pipe(end) == 0);
	ours = end[1];
	fcntl(ours, F_SETFD, FD_CLOEXEC);
	p = start(&(leat_command){
	    .args = AS("cat"), .in = {LEAT_STDIO_FD, .fd = end[0]}, .out = {LEAT_STDIO_CAPTURE}});
	pid = leat_process_id(p);
	leat_process_release(p);
	CHECK(exists(pid));
	close(end[0]);
	close(ours);
	test_until(!exists(pid));
	test_goroutines(1);
}

TEST(release_lets_go_of_its_context)
{
	for (int at_once = 0; at_once < 2; at_once++) {
		check_released(at_once, cancel_then_free);
		check_released(at_once, free_and_reuse);
	}
}

TEST(release_of_one_that_ends)
{
	for (int i = 0; i < 20; i++)
		check_ends_released(i % 2);
}

struct waiter {
	leat_process *p;
	leat_waitgroup *wg;
	_Atomic int *codes;
};

static void waiter(struct waiter *a)
{
	leat_exit x = {0};

	CHECK_SAYS(leat_process_wait(a->p, NULL, &x), "exit status 6");
	atomic_fetch_add(a->codes, x.code);
	leat_waitgroup_done(a->wg);
}

TEST(all_who_wait_are_told)
{
	leat_process *p = start(&(leat_command){.args = AS("polite", "6"), .out = {LEAT_STDIO_PIPE}});
	leat_waitgroup wg = {0};
	_Atomic int codes = 0;

	for (int i = 0; i < 5; i++) {
		leat_waitgroup_add(&wg, 1);
		go(waiter, p, &wg, &codes);
	}
	expect(leat_process_stdout(p), "ready");
	CHECK_EQ(leat_process_signal(p, SIGTERM), 0);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(atomic_load(&codes), 30);
	leat_process_free(p);
}

/* Somebody else takes the exit: that is said, and hangs nobody. */
TEST(an_exit_that_is_lost)
{
	leat_exit x = {.code = 77};
	leat_process *p;
	const leat_error *e;

	signal_ignore(SIGCHLD);
	p = start(&(leat_command){.args = AS("exit", "3")});
	e = leat_process_wait(p, NULL, &x);
	CHECK_EQ(leat_error_code(e), -ECHILD);
	CHECK_SAYS(e, "wait: no child processes");
	CHECK_EQ(x.code, 77);
	leat_process_free(p);
	signal_reset(SIGCHLD);
}

/* SIGCHLD is the program's: it may be told of it. */
TEST(beside_sigchld)
{
	chan(int) c = chan_make(int, 1);

	signal_notify(c, SIGCHLD);
	CHECK_SAYS(leat_process_run(&(leat_command){.args = AS("exit", "3")}, NULL, NULL),
	           "exit status 3");
	CHECK_EQ(chan_recv(c), SIGCHLD);
	signal_stop(c);
	chan_free(c);
}

PROCESS_MAIN
