/* SPDX-License-Identifier: MIT */
/* CTEST: env:ASAN_OPTIONS=intercept_tls_get_addr=0 */
/*
 * Goal: one error in many hands: each holds it, wraps it, reads it and lets go of it in its own time.
 * Method: goroutines and threads that are ordered by nothing but what gave them the error.  ThreadSanitizer sees an
 * end that does not come after all else, ASan one that comes too early.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>

static LEAT_ERROR_TYPE(shared);

struct user {
	const leat_error *e; /* held */
	leat_waitgroup *done;
};

static void use(const leat_error *e)
{
	const leat_error *wrapped = leat_errorf(leat_error_retain(e), "mine"), *both[2];
	char *text;

	CHECK_STR(leat_error_message(e), "for all");
	CHECK_STR(leat_error_message(wrapped), "mine: for all");
	CHECK_STR(leat_error_get(wrapped, "key"), "value");
	both[0] = wrapped;
	both[1] = leat_error_retain(e);
	wrapped = leat_error_join(both, 2);
	CHECK(leat_error_is(wrapped, e) && leat_error_as(wrapped, &shared) == e);
	text = leat_error_text(wrapped, NULL, 1);
	CHECK_STR(text, "[1] mine: for all\nfor all\n");
	free(text);
	leat_error_free(wrapped);
}

static void user(struct user *a)
{
	leat_waitgroup *done = a->done;

	use(a->e);
	leat_yield();
	leat_error_free(a->e);
	if (done)
		leat_waitgroup_done(done);
}

static leat_error *make(void)
{
	leat_error *e = leat_error_new(&shared, "for all");

	CHECK(leat_error_put(e, "key", "value"));
	return e;
}

/* The maker is not the last, nor waits for who is. */
TEST(goroutines)
{
	int rounds = test_count(2000);

	for (int i = 0; i < rounds; i++) {
		const leat_error *e = make();

		for (int j = 0; j < 8; j++)
			go(user, leat_error_retain(e), NULL);
		leat_error_free(e);
		if (i % 16 == 0)
			test_goroutines(1);
	}
	test_goroutines(1);
}

static void *in_a_thread(void *arg)
{
	const leat_error *e = arg;

	for (int i = 0; i < 100; i++) {
		leat_error_retain(e);
		use(e);
		leat_error_free(e);
	}
	leat_error_free(e);
	return NULL;
}

TEST(threads)
{
	pthread_t threads[4];
	const leat_error *e = make();

	for (int i = 0; i < 4; i++)
		CHECK_EQ(
		    pthread_create(&threads[i], NULL, in_a_thread, (void *)(uintptr_t)leat_error_retain(e)),
		    0);
	leat_error_free(e);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static void *in_a_hurry(void *arg)
{
	const leat_error *e = arg;

	for (int i = 0, n = test_count(2000000); i < n; i++) {
		leat_error_retain(e);
		leat_error_free(e);
	}
	return NULL;
}

/* A hold that was lost would be an end before its time, one that was not let go of a leak. */
TEST(no_hold_is_lost)
{
	size_t before = test_heap_in_use();
	const leat_error *e = leat_errorf(NULL, "%100000s", "x");
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, in_a_hurry, (void *)(uintptr_t)e), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(strlen(leat_error_message(e)), 100000);
	leat_error_free(e);
	CHECK(test_heap_in_use() < before + 100000);
}

/* Each asks why, and keeps the answer beyond the context. */
struct asker {
	leat_ctx *ctx;
	leat_waitgroup *asked;
};

static void asker(struct asker *a)
{
	leat_waitgroup *asked = a->asked;
	const leat_error *why;

	chan_recv(leat_ctx_done(a->ctx));
	why = leat_error_retain(leat_ctx_cause(a->ctx));
	leat_waitgroup_done(asked);
	use(why);
	leat_error_free(why);
}

TEST(line_138_why_a_context_is_done)
{
	int rounds = test_count(1000);

	for (int i = 0; i < rounds; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		leat_waitgroup asked = {0};
		const leat_error *e = make();

		leat_waitgroup_add(&asked, 4);
		for (int j = 0; j < 4; j++)
			go(asker, ctx, &asked);
		leat_ctx_cancel_cause(ctx, e);
		leat_error_free(e);
		leat_waitgroup_wait(&asked);
		leat_ctx_free(ctx);
	}
	test_goroutines(1);
}

/* Log renderings take turns, with each other and with dumps. */
struct logger {
	const leat_error *e; /* held */
	leat_waitgroup *done;
};

static void logger(struct logger *a)
{
	leat_waitgroup *done = a->done;
	char *text = leat_error_log_text(a->e, 3);

	CHECK(strncmp(text, "[logID: 3] ", 11) == 0);
	CHECK(strstr(text, "shared: for all\n\tkey: value\n\tat make (") != NULL);
	free(text);
	leat_error_free(a->e);
	leat_waitgroup_done(done);
}

TEST(logs_at_once)
{
	leat_waitgroup done = {0};
	const leat_error *e = make();
	FILE *nowhere = fopen("/dev/null", "w");

	CHECK(nowhere != NULL);
	leat_waitgroup_add(&done, 8);
	for (int i = 0; i < 8; i++)
		go(logger, leat_error_retain(e), &done);
	leat_error_free(e);
	leat_dump(nowhere);
	leat_waitgroup_wait(&done);
	fclose(nowhere);
	test_goroutines(1);
}

TEST_MAIN
