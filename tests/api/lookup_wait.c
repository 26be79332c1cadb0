/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: a lookup that is not answered ends when its context does, or its time is over; of those who share one nobody loses
 * anything when others leave; nothing of it is left, and nothing spins.
 * Method: questions that the server does not answer, or when it is told to; counts of questions, goroutines, descriptors, and
 * the kernel's of CPU time.
 */
#include "descriptors.h"
#include "dns_help.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

static leat_resolver patient = {
    .servers = dns_address, .hosts = "/dev/null", .timeout_ns = LEAT_MINUTE};
static size_t idle; /* goroutines */
static int descriptors;
static char wanted[400];

static void nothing_is_left(void)
{
	test_goroutines(idle);
	test_until(test_descriptors() == descriptors);
}

static void start(void)
{
	const leat_error *e = NULL;
	char **all;

	if (dns_udp)
		return;
	dns_start();
	all = leat_lookup_host(&patient, "one.test", NULL, &e);
	if (!all && leat_error_code(e) == -ENOSYS)
		_exit(77);
	CHECK(all);
	free(all);
	test_goroutines(3); /* main and the server's two */
	idle = 3;
	descriptors = test_descriptors();
}

static void check_error(const leat_error *e, int code, const char *words)
{
	CHECK_EQ(leat_error_code(e), code);
	snprintf(wanted, sizeof wanted, "lookup silent.test on %s: %s", dns_address, words);
	if (strcmp(leat_error_message(e), wanted) != 0)
		/* It was left before it had a server. */
		snprintf(wanted, sizeof wanted, "lookup silent.test: %s", words);
	CHECK_STR(leat_error_message(e), wanted);
	leat_error_free(e);
}

TEST(no_answer)
{
	leat_resolver hasty = {.servers = dns_address,
	                       .hosts = "/dev/null",
	                       .timeout_ns = 10 * LEAT_MILLISECOND,
	                       .attempts = 2};
	const leat_error *e = NULL;

	start();
	CHECK(!leat_lookup_host(&hasty, "silent.test", NULL, &e));
	snprintf(wanted, sizeof wanted, "lookup silent.test on %s: i/o timeout", dns_address);
	CHECK_STR(leat_error_message(e), wanted);
	CHECK(leat_error_timeout(e));
	leat_error_free(e);
	CHECK(!leat_lookup_addr(&hasty, "192.0.2.200", NULL, NULL));
	nothing_is_left();
}

TEST(the_deadline_of_a_context)
{
	start();
	for (int i = 0; i < 5; i++) {
		leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), i * 5 * LEAT_MILLISECOND);
		const leat_error *e = NULL;
		size_t n;

		CHECK(!leat_lookup_ip(&patient, "ip", "silent.test", ctx, &n, &e));
		check_error(e, -ETIMEDOUT, "i/o timeout");
		CHECK(!leat_lookup_mx(&patient, "silent.test", ctx, &n, &e));
		check_error(e, -ETIMEDOUT, "i/o timeout");
		leat_ctx_free(ctx);
	}
	nothing_is_left();
}

struct cancel_when_asked {
	leat_ctx *ctx;
	int asked;
};

static void cancel_when_asked(struct cancel_when_asked *a)
{
	test_until(atomic_load(&dns_asked) >= a->asked);
	leat_ctx_cancel(a->ctx);
}

TEST(cancelled)
{
	start();
	for (int i = 0; i < 5; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		int asked = atomic_load(&dns_asked);
		const leat_error *e = NULL;

		go(cancel_when_asked, .ctx = ctx, .asked = asked + i % 3);
		CHECK(!leat_lookup_host(&patient, "silent.test", ctx, &e));
		CHECK_EQ(leat_error_code(e), -ECANCELED);
		CHECK_STR(leat_error_message(e), "lookup silent.test: operation was canceled");
		leat_error_free(e);
		test_goroutines(idle);
		CHECK(!leat_lookup_host(&patient, "held.test", ctx, NULL)); /* it is done */
		CHECK_EQ(atomic_load(&dns_held), 0);
		leat_ctx_free(ctx);
	}
	nothing_is_left();
}

/* --- shared */

static _Atomic int found, gone;

struct look_for {
	const char *host;
	leat_ctx *ctx;
};

static void look_for(struct look_for *a)
{
	char **all = leat_lookup_host(&patient, a->host, a->ctx, NULL);

	if (all) {
		CHECK(strcmp(all[0], "192.0.2.1") == 0 || strcmp(all[0], "2001:db8::1") == 0);
		CHECK(all[1] && !all[2]);
		free(all);
		atomic_fetch_add(&found, 1);
	} else {
		atomic_fetch_add(&gone, 1);
	}
}

/* Each with an answer of his own; two questions, of A and AAAA, for all of them. */
TEST(one_lookup_for_all_who_want_the_same)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	start();
	for (int i = 0; i < 20; i++)
		go(look_for, "held.test", i < 10 ? ctx : NULL);
	test_parked(2 + 20 + 1 + 2); /* the server, those who wait, who asks, what is held back */
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&gone) == 10);
	CHECK_EQ(atomic_load(&found), 0);
	dns_let();
	test_until(atomic_load(&found) == 10);
	CHECK_EQ(atomic_load(&dns_held), 2);
	leat_ctx_free(ctx);
	nothing_is_left();
}

TEST(the_last_who_leaves_ends_it)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	start();
	atomic_store(&gone, 0);
	for (int i = 0; i < 5; i++)
		go(look_for, "silent.test", ctx);
	test_parked(2 + 5 + 1);
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&gone) == 5);
	leat_ctx_free(ctx);
	nothing_is_left();
}

/* --- what it costs */

static int64_t cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * LEAT_SECOND + t.tv_nsec;
}

/* Ten wait for half a second; if one spun that would be half a second of CPU time. */
TEST(nothing_spins)
{
	static const char *const hosts[] = {
	    "silent.test",   "silent.a.test", "silent.b.test", "silent.c.test", "silent.d.test",
	    "silent.e.test", "silent.f.test", "silent.g.test", "silent.h.test", "silent.i.test"};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int64_t before;

	start();
	atomic_store(&gone, 0);
	for (int i = 0; i < 10; i++)
		go(look_for, hosts[i], ctx);
	test_parked(2 + 10 + 10);
	before = cpu_time();
	leat_sleep(LEAT_SECOND / 2);
	CHECK(cpu_time() - before < LEAT_SECOND / 4);
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&gone) == 10);
	leat_ctx_free(ctx);
	nothing_is_left();
}

TEST(descriptors_run_out)
{
	leat_resolver no_files = {.servers = dns_address};
	struct rlimit limit, none;
	const leat_error *e = NULL;

	start();
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
	CHECK(!leat_lookup_host(&no_files, "one.test", NULL, &e));
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_STR(leat_error_message(e), "lookup one.test: too many open files");
	CHECK_EQ(leat_error_code(e), -EMFILE);
	leat_error_free(e);
	nothing_is_left();
}

TEST_MAIN
