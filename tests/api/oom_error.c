/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nosan nomigrate */
/*
 * Goal: where there is no memory for an error there is another one that serves, nothing is leaked, and nothing that
 * others have is changed.
 * Method: oom.h lets one allocation after the other fail.
 */
#include "test.h"

#include "oom.h"

static LEAT_ERROR_TYPE(lowlevel);
static LEAT_ERROR_TYPE(intermediate);

static char long_text[2000];

/* What was wanted, or what there is instead: it is told more, which does nothing to the latter. */
static int got(leat_error *e, const char *wanted, const leat_error *instead)
{
	if (strcmp(leat_error_message(e), wanted) == 0) {
		CHECK(e != instead);
		leat_error_free(e);
		return 0;
	}
	CHECK(e == instead);
	CHECK(!leat_error_put(e, "more", "x") && !leat_error_set_code(e, -EPERM));
	CHECK(!leat_error_set_help(e, "x") && !leat_error_set_log_id(e, 0));
	leat_error_free(e);
	return OOM_COPED;
}

static int new_one(void *arg)
{
	(void)arg;
	return got(leat_error_new(&lowlevel, "new"), "new", &leat_out_of_memory);
}

static int long_one(void *arg)
{
	(void)arg;
	return got(leat_error_new(&lowlevel, "%s", long_text), long_text, &leat_out_of_memory);
}

static int wrapper_of_nothing(void *arg)
{
	(void)arg;
	return got(leat_error_wrap(NULL, &lowlevel, "wrap"), "wrap", &leat_out_of_memory);
}

static int errorf_of_nothing(void *arg)
{
	(void)arg;
	return got(leat_errorf(NULL, "errorf"), "errorf", &leat_out_of_memory);
}

/* arg is held by the caller, and by the wrapper or what there is instead. */
static int wrapper(void *arg)
{
	const leat_error *cause = leat_error_retain(arg);

	return got(leat_error_wrap(cause, &lowlevel, "wrap"), "wrap", arg);
}

static int wrapper_by_errorf(void *arg)
{
	const leat_error *cause = leat_error_retain(arg);

	return got(leat_errorf(cause, "errorf"), "errorf: held", arg);
}

/* mine is seen to be freed, too, where there is no memory for the joined one. */
static int joined(void *arg)
{
	const leat_error *mine = leat_errorf(NULL, "mine");
	const leat_error *all[] = {NULL, leat_error_retain(arg), mine, leat_error_retain(arg), NULL};
	leat_error *e = leat_error_join(all, 5);

	if (mine != &leat_out_of_memory)
		return got(e, "held\nmine\nheld", arg);
	CHECK_STR(leat_error_message(e), "held\nout of memory\nheld");
	leat_error_free(e);
	return OOM_COPED;
}

/* One that is extended stays as it was. */
static int extended(void *arg)
{
	const leat_error *two[] = {&leat_canceled, &leat_deadline_exceeded};
	leat_error *e = leat_error_join(two, 2), *f;
	const leat_error *all[] = {e, leat_error_retain(arg), leat_error_retain(arg)};
	bool whole = leat_error_cause(e, 1);

	if (!whole)
		CHECK(e == &leat_canceled);
	f = leat_error_join(all, 3);
	if (whole && leat_error_cause(f, 3)) {
		CHECK(f == e);
		CHECK_STR(leat_error_message(f), "context canceled\ncontext deadline exceeded\nheld\nheld");
		leat_error_free(f);
		return 0;
	}
	CHECK(!whole || f == e);
	if (whole) {
		CHECK_STR(leat_error_message(f), "context canceled\ncontext deadline exceeded");
		CHECK(!leat_error_cause(f, 2));
	}
	leat_error_free(f);
	return OOM_COPED;
}

/* A hundred thousand, one by one, take no more allocations than doubling does. */
TEST(joined_one_by_one)
{
	enum { N = 100000 };
	const leat_error *e = NULL;

	oom_skip();
	oom_begin(2 * 20);
	for (int i = 0; i < N; i++) {
		const leat_error *two[] = {e, i % 2 ? &leat_canceled : &leat_deadline_exceeded};

		e = leat_error_join(two, 2);
	}
	oom_end();
	CHECK(leat_error_cause(e, N - 1) == &leat_canceled && !leat_error_cause(e, N));
	CHECK_EQ(strlen(leat_error_message(e)),
	         N / 2 * (strlen("context canceled\ncontext deadline exceeded\n")) - 1);
	leat_error_free(e);
}

TEST(made)
{
	leat_error *e = leat_error_new(&intermediate, "held");

	oom_skip();
	memset(long_text, 'x', sizeof long_text - 1);
	CHECK_EQ(oom_each(new_one, NULL), 1);
	CHECK_EQ(oom_each(long_one, NULL), 1);
	CHECK_EQ(oom_each(wrapper_of_nothing, NULL), 1);
	CHECK_EQ(oom_each(errorf_of_nothing, NULL), 1);
	CHECK_EQ(oom_each(wrapper, e), 1);
	CHECK_EQ(oom_each(wrapper_by_errorf, e), 1);
	CHECK_EQ(oom_each(joined, e), 2);
	CHECK_EQ(oom_each(extended, e), 3);
	CHECK_STR(leat_error_message(e), "held");
	CHECK(!leat_error_get(e, "more") && !leat_error_code(e));
	leat_error_free(e);
}

/* Each of the three errors and of the things that are told may be missing. */
static int chain(void *arg)
{
	leat_error *e = leat_error_new(&lowlevel, "low"), *f;
	bool all = leat_error_put(e, "key", "%d", 7);

	(void)arg;
	all &= leat_error_set_help(e, "help");
	f = leat_error_wrap(e, &intermediate, "mid");
	if (f == e)
		CHECK(!leat_error_put(f, "late", "x")); /* it is not the wrapper */
	all &= leat_error_put(f, "long", "%s", long_text);
	all &= leat_error_set_help(f, "more help");
	all &= leat_error_set_help(f, "other help");
	f = leat_errorf(f, "top");
	all &= leat_error_is(f, e) && leat_error_as(f, &intermediate) != NULL;
	all &= strcmp(leat_error_message(f), "top: mid") == 0;
	leat_error_free(f);
	return all ? 0 : OOM_COPED;
}

TEST(a_chain)
{
	CHECK_EQ(oom_each(chain, NULL), 8);
}

static int text(void *arg)
{
	char *text = leat_error_text(arg, NULL, 1);

	if (!text)
		return OOM_COPED;
	CHECK(strstr(text, "[1] top: held\nSee help") == text);
	free(text);
	return 0;
}

static int log_text(void *arg)
{
	char *text = leat_error_log_text(arg, 1);

	if (!text)
		return OOM_COPED;
	CHECK(strstr(text, "[logID: 1] top: held\n\thelp: help\n\tlong: x") == text);
	CHECK(strstr(text, "\n[logID: 1] caused by: held\n") != NULL);
	free(text);
	return 0;
}

static FILE *nowhere;

static int report(void *arg)
{
	leat_error_report(arg, NULL, nowhere, nowhere);
	return OOM_COPED;
}

TEST(shown)
{
	leat_error *e = leat_errorf(leat_errorf(NULL, "held"), "top");

	CHECK(leat_error_set_help(e, "help") && leat_error_put(e, "long", "%s", long_text));
	CHECK(oom_each(text, e) >= 1);
	CHECK(oom_each(log_text, e) >= 2);
	nowhere = fopen("/dev/null", "w");
	CHECK(nowhere && setvbuf(nowhere, NULL, _IONBF, 0) == 0);
	CHECK_EQ(oom_each(report, e), 0);
	fclose(nowhere);
	leat_error_free(e);
}

/* A small goroutine that cannot borrow a stack. */
struct small {
	leat_waitgroup *done;
};

static void small(struct small *a)
{
	oom_maps = true;
	oom_arm(1);
	leat_error *e = leat_error_new(&lowlevel, "new");
	bool hit = oom_disarm();

	CHECK(hit && e == (leat_error *)(uintptr_t)&leat_out_of_memory);
	e = leat_error_new(&lowlevel, "held");
	oom_arm(1);
	CHECK(!leat_error_put(e, "key", "value"));
	CHECK(oom_disarm());
	oom_arm(1);
	CHECK(leat_errorf(e, "top") == e);
	CHECK(oom_disarm());
	oom_arm(1);
	CHECK(!leat_error_text(e, NULL, 1));
	CHECK(oom_disarm());
	leat_error_free(e);
	oom_maps = false;
	leat_waitgroup_done(a->done);
}

TEST(without_a_stack_to_borrow)
{
	leat_waitgroup done = {0};
	leat_go_opts opts = {.stack_bytes = 8192};

	leat_waitgroup_add(&done, 1);
	go_with(&opts, small, &done);
	leat_waitgroup_wait(&done);
	test_goroutines(1);
}

TEST_MAIN
