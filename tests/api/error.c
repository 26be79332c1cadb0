/* SPDX-License-Identifier: MIT */
/* Goal: errors are known by their address, those of the system too, and say what they are. */
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>

LEAT_ERROR_DECLARE(out_of_paper); /* as if in a header */
LEAT_ERROR(out_of_paper, -EIO, "printer: out of paper");
static LEAT_ERROR(no_answer, -ETIMEDOUT, "printer: no answer");
static LEAT_ERROR(wordless, -ENOENT, NULL);

TEST(a_programs_own)
{
	CHECK_STR(leat_error_message(&out_of_paper), "printer: out of paper");
	CHECK_EQ(leat_error_code(&out_of_paper), -EIO);
	CHECK(!leat_error_timeout(&out_of_paper));
	CHECK(leat_error_timeout(&no_answer));
	CHECK_STR(leat_error_message(&wordless), "No such file or directory");
	CHECK(&wordless != leat_error_errno(-ENOENT));
}

TEST(none)
{
	CHECK_STR(leat_error_message(NULL), "");
	CHECK_EQ(leat_error_code(NULL), 0);
	CHECK(!leat_error_timeout(NULL));
	CHECK(leat_error_errno(0) == NULL);
}

TEST(line_126_line_138_those_of_contexts)
{
	CHECK_STR(leat_error_message(&leat_canceled), "context canceled");
	CHECK_EQ(leat_error_code(&leat_canceled), -ECANCELED);
	CHECK(!leat_error_timeout(&leat_canceled));
	CHECK_STR(leat_error_message(&leat_deadline_exceeded), "context deadline exceeded");
	CHECK_EQ(leat_error_code(&leat_deadline_exceeded), -ETIMEDOUT);
	CHECK(leat_error_timeout(&leat_deadline_exceeded));
	CHECK(leat_error_errno(-ECANCELED) != &leat_canceled);
}

TEST(the_systems_are_the_same_each_time)
{
	for (int code = 1; code <= 4096; code++) {
		const leat_error *e = leat_error_errno(-code);
		const char *message = leat_error_message(e);

		CHECK(e != NULL && e == leat_error_errno(-code));
		CHECK(leat_error_code(e) == -code || leat_error_code(e) == -EINVAL);
		CHECK_EQ(leat_error_timeout(e), code == ETIMEDOUT);
		CHECK(message == leat_error_message(e)); /* nothing that another call makes anew */
		CHECK(*message != '\0');
		CHECK(strncmp(message, "Unknown error", 13) != 0);
	}
	CHECK_EQ(leat_error_code(leat_error_errno(-EHWPOISON)), -EHWPOISON);
	CHECK_EQ(leat_error_code(leat_error_errno(-EPERM)), -EPERM);
	CHECK(leat_error_errno(-EPERM) != leat_error_errno(-ENOENT));
	CHECK_STR(leat_error_message(leat_error_errno(-ECONNREFUSED)), "Connection refused");
}

TEST(what_is_no_code)
{
	int codes[] = {1, EIO, INT_MAX, -41, -58, -134, -200, -4096, INT_MIN + 1, INT_MIN};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		CHECK(leat_error_errno(codes[i]) == leat_error_errno(-EINVAL));
}

static LEAT_ERROR_TYPE(printing);
static LEAT_ERROR_OF(printing, jammed, -EIO, "printer: jammed");

/* Whatever may be said of errors on the heap may be said of these, and of NULL. */
TEST(those_that_there_are_always_take_no_part_in_ownership)
{
	leat_error *all[] = {NULL, (leat_error *)(uintptr_t)&jammed, /* as where memory is out */
	                     (leat_error *)(uintptr_t)leat_error_errno(-EIO)};
	size_t n;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const leat_error *e = all[i];
		leat_error_place place = leat_error_where(e);
		const char *key, *value;

		CHECK(leat_error_retain(e) == e);
		leat_error_free(e);
		leat_error_free(e);
		leat_error_free(e);
		CHECK(!leat_error_put(all[i], "key", "value"));
		CHECK(!leat_error_set_help(all[i], "link"));
		CHECK(!leat_error_set_log_id(all[i], 7));
		CHECK(!leat_error_set_code(all[i], -EPERM));
		CHECK(!leat_error_extra(e, 0, &key, &value));
		CHECK(!leat_error_get(e, "key") && !leat_error_help(e) && !leat_error_log_id(e));
		CHECK(!leat_error_unwrap(e) && !leat_error_cause(e, 0));
		CHECK_EQ(leat_error_time(e), 0);
		CHECK(!place.file && !place.function && !place.line);
		leat_error_trace(e, &n);
		CHECK_EQ(n, 0);
	}
	CHECK(leat_error_type_of(&jammed) == &printing);
	CHECK(!leat_error_type_of(&out_of_paper) && !leat_error_type_of(NULL));
	CHECK(leat_error_as(&jammed, &printing) == &jammed);
	CHECK(!leat_error_as(&out_of_paper, &printing) && !leat_error_as(&out_of_paper, NULL));
	CHECK_EQ(leat_error_code(&leat_out_of_memory), -ENOMEM);
	CHECK_STR(leat_error_message(&leat_out_of_memory), "out of memory");
}

TEST(is_of_one_alone)
{
	CHECK(leat_error_is(&jammed, &jammed));
	CHECK(!leat_error_is(&jammed, &out_of_paper));
	CHECK(!leat_error_is(&jammed, leat_error_errno(-EIO)));
	CHECK(leat_error_is(NULL, NULL));
	CHECK(!leat_error_is(&jammed, NULL));
	CHECK(!leat_error_is(NULL, &jammed));
}

static void *ask(void *arg)
{
	for (int code = 1; code < 134; code++)
		((const leat_error **)arg)[code] = leat_error_errno(-code);
	return NULL;
}

TEST(asked_by_threads_at_once)
{
	static const leat_error *got[4][134];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, ask, got[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int code = 1; code < 134; code++)
		for (int i = 0; i < 4; i++)
			CHECK(got[i][code] == leat_error_errno(-code));
}

TEST_MAIN
