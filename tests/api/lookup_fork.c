/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/* Goal: the child of a fork looks names up, also one that the parent was looking up as it forked. */
#include "dns_help.h"

#include <sys/wait.h>

static leat_resolver r = {.servers = dns_address, .hosts = "/dev/null", .timeout_ns = LEAT_MINUTE};
static _Atomic bool ended;

struct look_for {
	leat_ctx *ctx;
};

static void look_for(struct look_for *a)
{
	CHECK(!leat_lookup_host(&r, "silent.test", a->ctx, NULL));
	atomic_store(&ended, true);
}

TEST(the_child_of_a_fork_looks_up)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	const leat_error *e = NULL;
	char **all;
	int status;
	pid_t child;

	dns_start();
	all = leat_lookup_host(&r, "one.test", NULL, &e);
	if (!all && leat_error_code(e) == -ENOSYS)
		_exit(77);
	CHECK(all);
	free(all);
	go(look_for, .ctx = ctx);
	test_parked(2 + 1 + 1);
	child = fork();
	if (!child) {
		leat_ctx *brief = leat_ctx_with_timeout(leat_ctx_background(), 10 * LEAT_MILLISECOND);

		/* The server is the parent's. */
		CHECK(!leat_lookup_host(&r, "silent.test", brief, &e));
		CHECK_EQ(leat_error_code(e), -ETIMEDOUT);
		all = leat_lookup_host(&r, "four.test", NULL, NULL);
		CHECK(all);
		CHECK_STR(all[0], "192.0.2.4");
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK(!atomic_load(&ended));
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&ended));
	leat_ctx_free(ctx);
}

TEST_MAIN
