/* SPDX-License-Identifier: MIT */
/*
 * Goal: a function made once is called once, however it ends, and each call says how; a value made once is
 * the same for all.
 * Method: functions that count their calls and panic, exit, or are held up.
 */
#include "chan_help.h"

#include <errno.h>

static int calls;

static void count(void *arg)
{
	++*(int *)arg;
}

static leat_once_func in_static_memory = LEAT_ONCE_FUNC(count, &calls);

TEST(line_118_a_function_is_called_once)
{
	int n = 0;
	leat_once_func f = LEAT_ONCE_FUNC(count, &n);

	for (int i = 0; i < 5; i++) {
		leat_once_func_call(&f);
		leat_once_func_call(&in_static_memory);
		CHECK_EQ(leat_once_func_call_ctx(&f, NULL), 0);
	}
	CHECK_EQ(n, 1);
	CHECK_EQ(calls, 1);
}

static void panic_with(void *arg)
{
	++*(int *)arg;
	leat_panic("it is %d%%", 100);
}

static void call(void *f)
{
	leat_once_func_call(f);
}

static void call_ctx(void *f)
{
	CHECK(leat_once_func_call_ctx(f, leat_ctx_background()));
}

TEST(line_118_each_call_panics_with_the_same_message)
{
	int n = 0;
	leat_once_func f = LEAT_ONCE_FUNC(panic_with, &n);

	for (int i = 0; i < 3; i++) {
		CHECK(test_panics(call, &f, "it is 100%"));
		CHECK(test_panics(call_ctx, &f, "it is 100%"));
	}
	CHECK_EQ(n, 1);
}

static void close_nil(void *arg)
{
	++*(int *)arg;
	leat_chan_close(NULL);
}

TEST(line_118_a_panic_of_leat_stays_one)
{
	int n = 0;
	leat_once_func f = LEAT_ONCE_FUNC(close_nil, &n), g = LEAT_ONCE_FUNC(panic_with, &n);
	leat_panic_info info;

	for (int i = 0; i < 3; i++) {
		CHECK(leat_catch(call, &f, &info));
		CHECK(info.runtime);
		CHECK_STR(info.message, "close of nil channel");
		CHECK(leat_catch(call, &g, &info));
		CHECK(!info.runtime);
	}
	CHECK_EQ(n, 2);
}

/* Panics that the function has caught, and one that was under way when it was called, are none of its own. */
static void catches_its_own(void *arg)
{
	int other = 0;

	CHECK(leat_catch(panic_with, &other, NULL));
	++*(int *)arg;
}

static void call_deferred(leat_once_func *f)
{
	leat_once_func_call(f);
}

static void panic_beside(void *f)
{
	defer(call_deferred, (leat_once_func *)f);
	leat_panic("another");
}

TEST(line_118_panics_of_others_are_none_of_the_function)
{
	int n = 0;
	leat_once_func f = LEAT_ONCE_FUNC(catches_its_own, &n), g = f,
	               h = LEAT_ONCE_FUNC(panic_with, &n);

	leat_once_func_call(&f);
	leat_once_func_call(&f);
	CHECK(test_panics(panic_beside, &g, "another"));
	leat_once_func_call(&g);
	CHECK_EQ(n, 2);
	CHECK(test_panics(panic_beside, &h, "it is 100%")); /* the newest */
	CHECK(test_panics(call, &h, "it is 100%"));
	CHECK_EQ(n, 3);
}

static void goexit_after(void *arg)
{
	++*(int *)arg;
	leat_goexit();
}

static void leave(int *n)
{
	++*n;
	leat_goexit();
}

static void panic_then_goexit(void *arg)
{
	int left = 0;

	++*(int *)arg;
	defer(leave, &left);
	leat_panic("dropped");
}

TEST(line_118_after_a_goexit_it_is_not_called_again)
{
	for (int way = 0; way < 2; way++) {
		int n = 0;
		leat_once_func f = LEAT_ONCE_FUNC(way ? panic_then_goexit : goexit_after, &n);

		start(GOROUTINE, call, &f);
		test_goroutines(1);
		leat_once_func_call(&f);
		leat_once_func_call(&f);
		CHECK_EQ(n, 1);
	}
}

/* --- values */

struct made {
	int calls;
	chan(int) gate;
	int value;
};

static void *make(void *arg)
{
	struct made *m = arg;

	if (m->gate)
		chan_recv(m->gate);
	m->calls++;
	m->value = 42;
	return &m->value;
}

static void *make_null(void *arg)
{
	++*(int *)arg;
	return NULL;
}

TEST(line_118_a_value_is_made_once)
{
	struct made m = {0};
	int n = 0;
	leat_once_value v = LEAT_ONCE_VALUE(make, &m), null = LEAT_ONCE_VALUE(make_null, &n);
	void *got = &n;

	for (int i = 0; i < 3; i++) {
		CHECK(leat_once_value_get(&v) == &m.value);
		CHECK(leat_once_value_get(&null) == NULL);
	}
	CHECK_EQ(leat_once_value_get_ctx(&v, &got, NULL), 0);
	CHECK(got == &m.value);
	CHECK_EQ(m.calls, 1);
	CHECK_EQ(n, 1);
}

static leat_once_value *shared_value;
static int got_it;

static void get_it(void *arg)
{
	struct made *m = arg;
	int *value = leat_once_value_get(shared_value);

	CHECK(value == &m->value);
	CHECK_EQ(*value, 42); /* what was written before it was returned is seen */
	__atomic_fetch_add(&got_it, 1, __ATOMIC_ACQ_REL);
}

TEST(line_118_all_who_wait_get_the_same_value_and_see_what_it_points_to)
{
	struct made m = {.gate = chan_make(int, 0)};
	leat_once_value v = LEAT_ONCE_VALUE(make, &m);

	shared_value = &v;
	for (int i = 0; i < 8; i++)
		start(i % KINDS, get_it, &m);
	test_parked(8);
	chan_send(m.gate, 1);
	test_until(__atomic_load_n(&got_it, __ATOMIC_ACQUIRE) == 8);
	CHECK_EQ(m.calls, 1);
	chan_free(m.gate);
}

static void *panic_making(void *arg)
{
	++*(int *)arg;
	leat_panic("no value");
}

static void *exit_making(void *arg)
{
	++*(int *)arg;
	leat_goexit();
}

static void get(void *v)
{
	(void)leat_once_value_get(v);
}

TEST(line_118_a_value_whose_making_failed)
{
	int n = 0;
	leat_once_value v = LEAT_ONCE_VALUE(panic_making, &n), w = LEAT_ONCE_VALUE(exit_making, &n);

	CHECK(test_panics(get, &v, "no value"));
	CHECK(test_panics(get, &v, "no value"));
	CHECK_EQ(n, 1);
	start(GOROUTINE, get, &w);
	test_goroutines(1);
	CHECK(leat_once_value_get(&w) == NULL);
	CHECK_EQ(n, 2);
}

TEST(a_context_that_is_done_leaves_the_value_alone)
{
	struct made m = {0};
	leat_once_value v = LEAT_ONCE_VALUE(make, &m);
	leat_once_func f = LEAT_ONCE_FUNC(count, &m.calls);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	void *got = &m;

	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_once_value_get_ctx(&v, &got, ctx), -ECANCELED);
	CHECK(got == &m);
	CHECK_EQ(leat_once_func_call_ctx(&f, ctx), -ECANCELED);
	CHECK_EQ(m.calls, 0);
	leat_ctx_free(ctx);
}

TEST_MAIN
