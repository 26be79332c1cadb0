/* SPDX-License-Identifier: MIT */
/* CTEST: nosan noemulator */
/*
 * Goal: processes on a kernel without pidfd_open(2): all is the same, but that each holds a thread while it runs.
 * Method: a filter that has the kernel say so.
 */
#define _GNU_SOURCE
#include "process_help.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static bool forbid(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
	       syscall(SYS_pidfd_open, getpid(), 0) < 0 && errno == ENOSYS;
}

TEST(it_is_forbidden)
{
	if (!forbid()) {
		fprintf(stderr, "no filters of system calls here\n");
		exit(77);
	}
}

TEST(ends)
{
	leat_result r;

	CHECK(!leat_process_output(&(leat_command){.args = AS("both")}, NULL, &r));
	CHECK_STR(r.out, "out");
	leat_result_free(&r);
	CHECK_SAYS(leat_process_run(&(leat_command){.args = AS("exit", "3")}, NULL, NULL),
	           "exit status 3");
	CHECK_SAYS(leat_process_run(&(leat_command){.args = AS("raise", "9")}, NULL, NULL),
	           "signal: killed");
}

static leat_process *start(leat_ctx *ctx, const leat_command *c)
{
	leat_process *p = leat_process_start(c, ctx, NULL);

	CHECK(p);
	return p;
}

TEST(ended_by_whom)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_command c = {.args = AS("polite", "7"), .out = {LEAT_STDIO_PIPE}};
	leat_process *p = start(NULL, &c);

	expect(leat_process_stdout(p), "ready");
	CHECK_EQ(leat_process_signal(p, SIGTERM), 0);
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "exit status 7");
	CHECK_EQ(leat_process_signal(p, SIGTERM), -ESRCH);
	leat_process_free(p);

	p = start(NULL, &c);
	leat_process_free(p);

	c.cancel_signal = SIGTERM;
	c.wait_delay_ns = LEAT_HOUR;
	p = start(ctx, &c);
	expect(leat_process_stdout(p), "ready");
	leat_ctx_cancel(ctx);
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "exit status 7");
	leat_process_free(p);
	leat_ctx_free(ctx);

	ctx = leat_ctx_with_cancel(leat_ctx_background());
	p = start(ctx, &(leat_command){.args = AS("stubborn"),
	                               .out = {LEAT_STDIO_PIPE},
	                               .cancel_signal = SIGTERM,
	                               .wait_delay_ns = 10 * LEAT_MILLISECOND});
	expect(leat_process_stdout(p), "ready");
	leat_ctx_cancel(ctx);
	CHECK_SAYS(leat_process_wait(p, NULL, NULL), "signal: killed");
	leat_process_free(p);
	leat_ctx_free(ctx);
	CHECK(!has_children());
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

PROCESS_MAIN
