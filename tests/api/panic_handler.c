/* SPDX-License-Identifier: MIT */
/*
 * Goal: a handler of leat_catch_with runs where a recovering deferred function of Go's runs: after what the
 * panicking frames deferred, while they are still there, and outside its own catch.
 * Method: handlers that look, that panic, that raise again and that leave, with logs compared whole.
 */
#include "log_help.h"

#include <pthread.h>

static void fail(void *message)
{
	defer(put, "d");
	leat_panic("%s", (const char *)message);
}

static void note(const leat_panic_info *info, void *arg)
{
	CHECK(!info->runtime);
	CHECK(leat_any_is_nil(info->value));
	CHECK_EQ(info->goid, leat_goid());
	put(arg);
	put(info->message);
}

static void fine(void *arg)
{
	put(arg);
}

TEST(line_78_the_handler_runs_once_after_what_was_deferred)
{
	CHECK(leat_catch_with(fail, "one", note, "h:"));
	CHECK_LOG("dh:one");
	CHECK(!leat_catch_with(fine, "f", note, "h:"));
	CHECK_LOG("f");
}

/* Its frame is abandoned only afterwards. */
static void keep_local(void *seen)
{
	char local[16] = "alive";

	*(const char **)seen = local;
	leat_panic("x");
}

static void look(const leat_panic_info *info, void *seen)
{
	(void)info;
	CHECK_STR(*(const char **)seen, "alive");
	put("seen");
}

TEST(the_handler_runs_on_top_of_the_frames_that_panicked)
{
	const char *seen = NULL;

	CHECK(leat_catch_with(keep_local, &seen, look, &seen));
	CHECK_LOG("seen");
}

static void panic_in_handler(const leat_panic_info *info, void *message)
{
	defer(put, "H");
	put(info->message);
	leat_panic("%s", (const char *)message);
}

static void inner_panics(void *arg)
{
	defer(put, "o");
	leat_catch_with(fail, arg, panic_in_handler, "second");
	put("never");
}

TEST(line_79_a_panic_of_the_handler_goes_to_the_next_catch)
{
	CHECK(test_panics(inner_panics, (void *)"first", "second"));
	CHECK_LOG("dfirstHo");
	CHECK(leat_catch_with(inner_panics, (void *)"first", note, "h:"));
	CHECK_LOG("dfirstHoh:second");
}

static void again(const leat_panic_info *info, void *arg)
{
	put(arg);
	leat_repanic(info);
}

static void raise_again(void *arg)
{
	leat_catch_with(fail, arg, again, "a");
	put("never");
}

static void raise_again_twice(void *arg)
{
	leat_catch_with(raise_again, arg, again, "b");
}

TEST(line_83_a_panic_raised_again_is_the_same_for_who_catches_it)
{
	leat_panic_info info;

	CHECK(test_panics(raise_again_twice, (void *)"message", "message"));
	CHECK_LOG("dab");
	/* What was caught may be raised again later, and elsewhere. */
	CHECK(leat_catch(raise_again, (void *)"message", &info));
	log_clear();
	CHECK(leat_catch((void (*)(void *))leat_repanic, &info, NULL));
}

static void misuse(void *arg)
{
	(void)arg;
	leat_chan_close(NULL);
}

static void misuse_again(void *arg)
{
	leat_catch_with(misuse, arg, again, "a");
}

TEST(line_89_raised_again_a_misuse_is_still_one)
{
	leat_panic_info info;

	CHECK(leat_catch(misuse_again, NULL, &info));
	CHECK_STR(info.message, "close of nil channel");
	CHECK(info.runtime);
	CHECK_LOG("a");
}

static void catch_inside(const leat_panic_info *info, void *arg)
{
	CHECK(test_panics(fail, (void *)"private", "private"));
	CHECK(leat_catch_with(fail, "own", note, "n:"));
	note(info, arg);
}

TEST(line_80_a_handler_may_catch)
{
	for (int i = 0; i < 3; i++) {
		CHECK(leat_catch_with(fail, "outer", catch_inside, "h:"));
		CHECK_LOG("dddn:ownh:outer");
	}
}

static void defer_in_handler(const leat_panic_info *info, void *arg)
{
	defer(put, "3");
	(void)info;
	{
		defer(put, "1");
	}
	leat_yield();
	leat_sleep(1000);
	put(arg);
}

TEST(a_handler_may_defer_and_park)
{
	CHECK(leat_catch_with(fail, "x", defer_in_handler, "2"));
	CHECK_LOG("d123");
}

struct ends {
	void (*fn)(void *);
	leat_waitgroup *wg;
};

static void ends(struct ends *a)
{
	defer(leat_waitgroup_done, a->wg);
	a->fn(NULL);
	put("never");
}

static void run_to_its_end(void (*fn)(void *))
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go(ends, fn, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

static void leave(const leat_panic_info *info, void *arg)
{
	(void)info;
	put(arg);
	leat_goexit();
}

static void left_by_its_handler(void *arg)
{
	(void)arg;
	defer(put, "o");
	leat_catch_with(fail, "x", leave, "h");
}

TEST(line_92_goexit_in_a_handler_ends_the_goroutine)
{
	run_to_its_end(left_by_its_handler);
	CHECK_LOG("dho");
}

static void panic_deferred(const char *message)
{
	leat_panic("%s", message);
}

static void goexit_then_panic(void *arg)
{
	(void)arg;
	defer(panic_deferred, "late");
	leat_goexit();
}

static void handled_goexit(void *arg)
{
	(void)arg;
	defer(put, "o");
	leat_catch_with(goexit_then_panic, NULL, note, "h:");
}

TEST(line_91_a_panic_during_goexit_has_its_handler_and_the_goroutine_ends)
{
	run_to_its_end(handled_goexit);
	CHECK_LOG("h:lateo");
}

static leat_mutex mutex;

static void fail_locked(void *arg)
{
	(void)arg;
	with_lock(&mutex);
	leat_panic("locked");
}

static void try_lock(const leat_panic_info *info, void *arg)
{
	(void)info;
	(void)arg;
	CHECK(leat_mutex_trylock(&mutex));
	leat_mutex_unlock(&mutex);
	put("free");
}

TEST(the_handler_finds_locks_free)
{
	CHECK(leat_catch_with(fail_locked, NULL, try_lock, NULL));
	CHECK_LOG("free");
}

static void *in_thread(void *arg)
{
	CHECK(leat_catch_with(fail, arg, note, "h:"));
	CHECK(test_panics(inner_panics, arg, "second"));
	return NULL;
}

TEST(plain_threads_have_handlers_too)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, in_thread, "t"), 0);
	pthread_join(thread, NULL);
	CHECK_LOG("dh:tdtHo");
}

TEST_MAIN
