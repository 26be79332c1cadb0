/* SPDX-License-Identifier: MIT */
/*
 * Goal: what a coroutine's body does not catch, and misuse, panics in its resumer; goexit goes on there.  On
 * plain threads all is the same.
 */
#include "log_help.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>

struct count {
	int from, to;
};

static void count(coro(int) c, struct count *a)
{
	defer(put, "d");
	for (int i = a->from; i < a->to; i++)
		coro_yield(c, i);
	put("e");
}

static void tens(coro(int) c)
{
	for (int i = 10; i < 40; i += 10)
		coro_yield(c, i);
}

/* --- panics, goexit */

static void bad(coro(int) c)
{
	defer(put, "1");
	coro_yield(c, 1);
	leat_panic("from %s", "inside");
}

static void resumes(void *c)
{
	defer(put, "2");
	leat_coro_next(c, NULL);
	put("never");
}

TEST(a_panic_goes_on_in_the_resumer)
{
	coro(int) c = coro_make0(int, bad);
	leat_panic_info info;

	CHECK(coro_next(c, NULL));
	CHECK(leat_catch(resumes, (void *)c, &info));
	CHECK_STR(info.message, "from inside");
	CHECK(!info.runtime);
	CHECK_EQ(info.goid, leat_goid());
	CHECK_LOG("12");
	CHECK(coro_ended(c));
	CHECK(!coro_next(c, NULL));
	coro_free(c);
}

static void through(coro(int) c)
{
	coro(int) inner = coro_make0(int, bad);

	defer(leat_coro_free, (leat_coro *)(void *)inner);
	defer(put, "t");
	coro_range(v, inner)
		coro_yield(c, v + 1);
}

TEST(a_panic_goes_on_through_several)
{
	coro(int) c = coro_make0(int, through);

	CHECK(coro_next(c, NULL));
	CHECK(test_panics(resumes, (void *)c, "from inside"));
	CHECK_LOG("1t2");
	coro_free(c);
}

static void yields_within(void *c)
{
	defer(put, "w");
	coro_yield((coro(int))c, 1);
	leat_panic("caught");
}

static void careful(coro(int) c)
{
	leat_panic_info info;

	CHECK(leat_catch(yields_within, (void *)c, &info));
	CHECK_STR(info.message, "caught");
	coro_yield(c, 2);
}

static void resumes_within(void *c)
{
	CHECK(leat_coro_next(c, NULL));
	leat_panic("mine");
}

/* Catches of the two sides cross each other. */
TEST(catches_are_a_coroutines_own)
{
	coro(int) c = coro_make0(int, careful);

	CHECK(test_panics(resumes_within, (void *)c, "mine"));
	CHECK_LOG("");
	CHECK(coro_next(c, NULL));
	CHECK_LOG("w");
	CHECK(!coro_next(c, NULL));
	coro_free(c);
}

static void worse(void *unused)
{
	(void)unused;
	leat_panic("worse");
}

static void unclean(coro(int) c)
{
	defer(put, "u");
	defer(worse, NULL);
	coro_yield(c, 1);
}

TEST(a_panic_while_it_stops)
{
	leat_coro *c = (leat_coro *)(void *)coro_make0(int, unclean);

	CHECK(leat_coro_next(c, NULL));
	CHECK(test_panics((void (*)(void *))leat_coro_stop, c, "worse"));
	CHECK(leat_coro_ended(c));
	leat_coro_free(c);
	CHECK_LOG("u");
	/* Freed all the same. */
	c = (leat_coro *)(void *)coro_make0(int, unclean);
	CHECK(leat_coro_next(c, NULL));
	CHECK(test_panics((void (*)(void *))leat_coro_free, c, "worse"));
	CHECK_LOG("u");
}

static void exits(coro(int) c)
{
	defer(put, "g");
	coro_yield(c, 1);
	leat_goexit();
}

struct exiting {
	leat_waitgroup *done;
	bool nested;
};

static void passes_on(coro(int) c)
{
	defer(put, "p");
	coro_own(inner, int, count, .to = 1);
	coro(int) bad = coro_make0(int, exits);

	defer(leat_coro_free, (leat_coro *)(void *)bad);
	CHECK(coro_next(inner, NULL));
	coro_range(v, bad)
		coro_yield(c, v);
	put("never");
}

static void exiting(struct exiting *a)
{
	leat_waitgroup *done = a->done;
	coro(int) c = a->nested ? coro_make0(int, passes_on) : coro_make0(int, exits);
	leat_panic_info info;

	defer(leat_waitgroup_done, done);
	defer(leat_coro_free, (leat_coro *)(void *)c);
	defer(put, "r");
	CHECK(coro_next(c, NULL));
	leat_catch(resumes, (void *)c, &info);
	put("never");
}

static void *exiting_thread(void *done)
{
	exiting(&(struct exiting){.done = done});
	CHECK(false);
	return NULL;
}

TEST(goexit_goes_on_in_the_resumer)
{
	leat_waitgroup done = {0};
	pthread_t t;

	leat_waitgroup_add(&done, 1);
	go(exiting, .done = &done);
	leat_waitgroup_wait(&done);
	CHECK_LOG("g2r");
	leat_waitgroup_add(&done, 1);
	go(exiting, .done = &done, .nested = true);
	leat_waitgroup_wait(&done);
	CHECK_LOG("gdp2r");
	leat_waitgroup_add(&done, 1);
	CHECK(pthread_create(&t, NULL, exiting_thread, &done) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	leat_waitgroup_wait(&done);
	CHECK_LOG("g2r");
	test_goroutines(1);
}

/* Not where it runs because of a stop. */
static void exits_again(void *unused)
{
	(void)unused;
	leat_goexit();
}

static void exits_when_stopped(coro(int) c)
{
	defer(exits_again, NULL);
	coro_yield(c, 1);
}

TEST(a_stop_ends_the_coroutine_alone)
{
	coro(int) c = coro_make0(int, exits_when_stopped);

	CHECK(coro_next(c, NULL));
	coro_stop(c);
	CHECK(coro_ended(c));
	coro_free(c);
}

/* --- misuse */

static coro(int) self;

static void resumes_itself(coro(int) c)
{
	int v;

	coro_yield(c, 1);
	coro_next(self, &v);
}

static void stops_itself(coro(int) c)
{
	coro_yield(c, 1);
	coro_stop(c);
}

static void frees_itself(coro(int) c)
{
	coro_yield(c, 1);
	coro_free(c);
}

static void misuse(void (*body)(coro(int)), const char *message)
{
	self = coro_make0(int, body);
	CHECK(coro_next(self, NULL));
	CHECK(test_panics(resumes, (void *)self, message));
	CHECK(coro_ended(self));
	coro_free(self);
	CHECK_LOG("2");
}

static void resumes_its_resumer(coro(int) c)
{
	coro_yield(c, 0);
	coro_next(self, NULL);
}

static void resumed_by_another(coro(int) c)
{
	coro_own(other, int, count, .to = 1);
	coro(int) inner = coro_make0(int, resumes_its_resumer);

	defer(leat_coro_free, (leat_coro *)(void *)inner);
	coro_yield(c, 1);
	coro_range(v, inner)
		CHECK_EQ(v, 0);
}

static void yields_for_another(coro(int) c)
{
	coro_yield(c, 0);
	coro_yield(self, 0);
}

static void yields_across(coro(int) c)
{
	coro(int) inner = coro_make0(int, yields_for_another);

	defer(leat_coro_free, (leat_coro *)(void *)inner);
	coro_yield(c, 1);
	coro_range(v, inner)
		CHECK_EQ(v, 0);
}

static void yields_once_more(void *c)
{
	leat_coro_yield(c, &(int){1});
}

static void yields_in_a_panic(coro(int) c)
{
	defer(yields_once_more, (void *)c);
	coro_yield(c, 1);
	leat_panic("first");
}

static void asks_outside(void *c)
{
	leat_coro_sent(c);
}

static void makes_nothing(void *unused)
{
	(void)unused;
	leat_coro_free(leat_coro_make(NULL, 4, NULL, NULL, 0));
}

TEST(misuse_panics)
{
	leat_coro *c;

	misuse(resumes_itself, "coro: resume of a running coroutine");
	misuse(stops_itself, "coro: stop of a running coroutine");
	misuse(frees_itself, "coro: free of a running coroutine");
	misuse(resumed_by_another, "coro: resume of a running coroutine");
	misuse(yields_across, "coro: yield outside of the coroutine");
	misuse(yields_in_a_panic, "coro: yield in a deferred function");
	c = (leat_coro *)(void *)coro_make0(int, tens);
	CHECK(test_panics(yields_once_more, c, "coro: yield outside of the coroutine"));
	CHECK(test_panics(asks_outside, c, "coro: yield outside of the coroutine"));
	leat_coro_stop(c);
	CHECK(test_panics(yields_once_more, c, "coro: yield outside of the coroutine"));
	leat_coro_free(c);
	CHECK(test_panics(makes_nothing, NULL, "coro of nil func value"));
}

static void yields_when_stopped(coro(int) c)
{
	defer(yields_once_more, (void *)c);
	coro_yield(c, 1);
}

TEST(no_yield_while_it_stops)
{
	leat_coro *c = (leat_coro *)(void *)coro_make0(int, yields_when_stopped);

	CHECK(leat_coro_next(c, NULL));
	CHECK(test_panics((void (*)(void *))leat_coro_free, c, "coro: yield in a deferred function"));
}

/* --- what passes as through a call */

static void rounds(coro(int) c)
{
	CHECK_EQ(errno, 5);
	errno = 6;
	fesetround(FE_UPWARD);
	coro_yield(c, 1);
	CHECK_EQ(errno, 7);
	CHECK_EQ(fegetround(), FE_DOWNWARD);
	errno = 8;
}

TEST(errno_and_rounding_pass_as_through_a_call)
{
	coro(int) c = coro_make0(int, rounds);

	errno = 5;
	CHECK(coro_next(c, NULL));
	CHECK_EQ(errno, 6);
	CHECK_EQ(fegetround(), FE_UPWARD);
	fesetround(FE_DOWNWARD);
	errno = 7;
	CHECK(!coro_next(c, NULL));
	CHECK_EQ(errno, 8);
	CHECK_EQ(fegetround(), FE_DOWNWARD);
	fesetround(FE_TONEAREST);
	coro_free(c);
}

/* --- plain threads */

struct nested {
	int left;
};

static void nested(coro(int) c, struct nested *a)
{
	if (a->left) {
		coro_own(inner, int, nested, .left = a->left - 1);

		coro_range(v, inner)
			coro_yield(c, v);
	} else {
		coro_own(inner, int, count, .to = 100);

		coro_range(v, inner)
			coro_yield(c, v);
	}
}

static void *all_of_it(void *unused)
{
	int next = 0;
	coro_own(c, int, nested, .left = 20);

	coro_range(v, c) {
		CHECK_EQ(v, next++);
		if (v == 40)
			break;
	}
	CHECK_EQ(next, 41);
	return unused;
}

static void *panics_there(void *unused)
{
	coro(int) c = coro_make0(int, through);

	CHECK(coro_next(c, NULL));
	CHECK(test_panics(resumes, (void *)c, "from inside"));
	coro_free(c);
	return unused;
}

static void *resumes_foreign(void *c)
{
	int v;

	CHECK(coro_next((coro(int))c, &v));
	CHECK_EQ(v, 1);
	return NULL;
}

static void on_a_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, fn, arg) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

TEST(on_a_plain_thread)
{
	on_a_thread(all_of_it, NULL);
	on_a_thread(panics_there, NULL);
	log_clear();
}

TEST(by_a_thread_and_by_goroutines)
{
	coro(int) c = coro_make(int, count, .to = 3);
	int v;

	CHECK(coro_next(c, NULL));
	on_a_thread(resumes_foreign, (void *)c);
	CHECK(coro_next(c, &v));
	CHECK_EQ(v, 2);
	coro_free(c);
	CHECK_LOG("d");
}

TEST_MAIN
