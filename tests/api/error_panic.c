/* SPDX-License-Identifier: MIT */
/* Goal: a panic with an error says what that says, and who catches it has the error. */
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
	const leat_error *got = caught(e, "cannot print");

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

TEST(line_84_nil)
{
	leat_panic_info info;

	CHECK(leat_catch(panic, NULL, &info));
	CHECK_STR(info.message, "panic called with nil argument (use GODEBUG=panicnil=1 to disable)");
	CHECK(info.runtime && leat_any_is_nil(info.value));
}

TEST_MAIN
