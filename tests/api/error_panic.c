/* SPDX-License-Identifier: MIT */
/* Goal: a panic with an error says what that and its causes say, and who catches it has the error. */
#include "test.h"

#include <errno.h>

static LEAT_ERROR_TYPE(module);
static LEAT_ERROR(no_paper, -EIO, "no paper");

static void panic(void *e)
{
	leat_panic_error(e);
}

/* fn panics with what this returns. */
static const leat_error *caught(const leat_error *e, const char *message)
{
	leat_panic_info info;
	const leat_error *got = NULL;

	CHECK(leat_catch(panic, (void *)(uintptr_t)e, &info));
	CHECK_STR(info.message, message);
	CHECK(!info.runtime);
	CHECK(any_as(const leat_error *, info.value, &got));
	return got;
}

static void catch_some(void)
{
	const leat_error *e = leat_error_wrap(&no_paper, &module, "cannot print");
	const leat_error *got = caught(e, "cannot print: no paper");

	CHECK(got == e && leat_error_is(got, &no_paper));
	leat_error_free(got);
	CHECK(caught(&no_paper, "no paper") == &no_paper);
	CHECK(caught(leat_error_errno(-ENOENT), "No such file or directory") ==
	      leat_error_errno(-ENOENT));
}

TEST(the_catcher_has_the_error)
{
	catch_some();
}

struct small {
	char nothing;
};

static void small(struct small *a)
{
	(void)a;
	catch_some();
}

TEST(on_a_small_stack)
{
	leat_go_opts opts = {.stack_bytes = 8192};

	go_with(&opts, small, 0);
	test_goroutines(1);
}

/* What a message of errorf says already is not said again; but what is below that is. */
TEST(causes_are_said_once)
{
	const leat_error *e = leat_errorf(leat_error_wrap(&no_paper, NULL, "b"), "a"), *f, *g;
	const leat_error *two[2];

	CHECK_STR(leat_error_message(e), "a: b");
	leat_error_free(caught(e, "a: b: no paper"));
	e = leat_error_wrap(leat_errorf(leat_errorf(NULL, "d"), "c"), NULL, "b");
	leat_error_free(caught(e, "b: c: d"));
	/* Joined ones are lines, each with its causes; within one another, too. */
	two[0] = leat_error_wrap(&no_paper, NULL, "tray 1");
	two[1] = leat_errorf(&no_paper, "tray 2");
	e = leat_errorf(leat_error_join(two, 2), "printer");
	CHECK_STR(leat_error_message(e), "printer: tray 1\ntray 2: no paper");
	leat_error_retain(e);
	leat_error_free(caught(e, "printer: tray 1: no paper\ntray 2: no paper"));
	two[0] = e;
	two[1] = &leat_canceled;
	f = leat_error_join(two, 2);
	g = leat_error_wrap(f, NULL, "all");
	leat_error_free(
	    caught(g, "all: printer: tray 1: no paper\ntray 2: no paper\ncontext canceled"));
}

TEST(what_does_not_fit_is_cut)
{
	const leat_error *e = leat_errorf(NULL, "%0200d", 1);
	leat_panic_info info;

	e = leat_error_wrap(e, NULL, "%0100d", 2);
	for (int i = 0; i < 1000; i++)
		e = leat_error_wrap_at("f", 1, "g", e, NULL, "%d", i);
	CHECK(leat_catch(panic, (void *)(uintptr_t)e, &info));
	CHECK_EQ(strlen(info.message), sizeof info.message - 1);
	CHECK(strncmp(info.message, "999: 998: 997: ", 15) == 0);
	leat_error_free(e);
	e = leat_errorf(NULL, "%0239d", 1);
	leat_error_free(caught(e, leat_error_message(e)));
}

static void leave(void *unused)
{
	(void)unused;
	leat_goexit();
}

static void free_error(void *e)
{
	leat_error_free(e);
}

/* Of what was made for the report nothing is left: that is the leak sanitizer's to see. */
static void panic_and_leave(void)
{
	const leat_error *e = leat_error_wrap(&no_paper, &module, "nobody sees this");

	defer(free_error, (void *)(uintptr_t)e);
	defer(leave, NULL);
	leat_panic_error(e);
}

TEST(an_uncaught_one_that_a_goexit_ends)
{
	size_t before = 0;

	for (int i = 0; i < 4100; i++) {
		go0(panic_and_leave);
		test_goroutines(1);
		if (i == 100)
			before = test_heap_in_use();
	}
	/* Threads may come meanwhile; an error alone is more than a hundred bytes. */
	CHECK(test_heap_in_use() <= before + 4000 * 50);
}

TEST(line_84_nil)
{
	leat_panic_info info;

	CHECK(leat_catch(panic, NULL, &info));
	CHECK_STR(info.message, "panic called with nil argument (use GODEBUG=panicnil=1 to disable)");
	CHECK(info.runtime && leat_any_is_nil(info.value));
}

TEST_MAIN
