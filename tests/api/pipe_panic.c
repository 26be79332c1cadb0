/* SPDX-License-Identifier: MIT */
/*
 * Goal: a stage whose function panics or leaves closes its output and says why; a limit counts stages, and several
 * goroutines and threads may make them at once.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct increment {
	int by;
};

static void increment(const int *in, int *out, struct increment *a)
{
	*out = *in + a->by;
}

static bool yes(const int *in)
{
	(void)in;
	return true;
}

struct count_up {
	int next, end;
};

static bool count_up(int *out, struct count_up *a)
{
	*out = a->next++;
	return *out < a->end;
}

/* --- the function leaves, or panics */

struct strange {
	int at;
	void (*what)(void);
};

static void strange(const int *in, int *out, struct strange *a)
{
	if (*in == a->at)
		a->what();
	*out = *in;
}

static void panics(void)
{
	leat_panic("no such number: %d", 5);
}

TEST(goexit_in_a_function_ends_the_stage)
{
	for (int treatment = LEAT_PIPE_CRASH; treatment <= LEAT_PIPE_FAIL; treatment++) {
		size_t n;
		scope(s, NULL);
		recv_chan(int) c =
		    pipe_map(pipe_at(s, .panics = (leat_pipe_panics)treatment),
		             pipe_from(s, int, count_up, .end = 100), int, strange, 5, leat_goexit);

		pipe_collect(s, pipe_filter0(s, c, yes), &n);
		CHECK_EQ(n, 5);
		CHECK(!chan_reason(c));
		CHECK_EQ(scope_err(s), 0);
	}
}

/* Of several workers it ends that one. */
TEST(goexit_in_one_of_four_workers)
{
	size_t n;
	scope(s, NULL);

	pipe_collect(s,
	             pipe_map(pipe_at(s, .workers = 4), pipe_from(s, int, count_up, .end = 100), int,
	                      strange, 5, leat_goexit),
	             &n);
	CHECK_EQ(n, 99);
}

TEST(a_panic_fails_the_scope)
{
	for (int workers = 1; workers <= 4; workers += 3) {
		size_t before = leat_num_goroutine(), n;
		{
			scope(s, NULL);
			recv_chan(int) c =
			    pipe_map(pipe_at(s, .panics = LEAT_PIPE_FAIL, .name = "parse", .workers = workers),
			             pipe_from(s, int, count_up, .end = 1000000), int, strange, 5, panics);
			recv_chan(int) last = pipe_map(s, pipe_filter0(s, c, yes), int, increment, .by = 1);
			int *got = pipe_collect(s, last, &n);

			CHECK(n <= 1000);
			for (size_t i = 0; i < n && workers == 1; i++)
				CHECK_EQ(got[i], i + 1);
			CHECK(chan_closed(c) && chan_closed(last));
			CHECK_STR(leat_error_message(chan_reason(c)), "parse: panic: no such number: 5");
			CHECK_EQ(leat_error_code(chan_reason(c)), -EIO);
			CHECK(chan_reason(last) == chan_reason(c));
			CHECK(leat_ctx_cause(s) == chan_reason(c));
			CHECK_EQ(scope_wait(s), -EIO);
		}
		test_goroutines(before);
	}
}

static bool panics_at_once(int *out)
{
	*out = 0;
	leat_panic("at once");
}

static void panics_repeating(int *out)
{
	*out = 0;
	leat_panic("at once");
}

static bool panics_testing(const int *in)
{
	(void)in;
	leat_panic("at once");
}

static void panics_at_each(const int *in)
{
	(void)in;
	leat_panic("at once");
}

static void panics_mapping(const int *in, int *out)
{
	(void)in;
	*out = 0;
	leat_panic("at once");
}

/* In whichever kind of function; the stage is named after it. */
TEST(a_panic_in_each_kind_of_function)
{
	static const char *const names[] = {"panics_at_once", "panics_repeating", "panics_testing",
	                                    "panics_testing", "panics_mapping",   "panics_at_each"};

	for (int kind = 0; kind < 6; kind++) {
		char message[100];
		scope(s, NULL);
		recv_chan(int) c = NULL, ones = pipe_repeat(s, int, 1);
		const leat_pipe_opts *at = pipe_at(s, .panics = LEAT_PIPE_FAIL, .workers = 2);

		switch (kind) {
		case 0:
			c = pipe_from0(at, int, panics_at_once);
			break;
		case 1:
			c = pipe_repeat_fn0(at, int, panics_repeating);
			break;
		case 2:
			c = pipe_take_while0(at, ones, panics_testing);
			break;
		case 3:
			c = pipe_filter0(at, ones, panics_testing);
			break;
		case 4:
			c = pipe_map0(at, ones, int, panics_mapping);
			break;
		default:
			pipe_each0(at, ones, panics_at_each);
		}
		if (c)
			CHECK(!chan_recv_ok(c, &(int){0}));
		CHECK_EQ(scope_wait(s), -EIO);
		snprintf(message, sizeof message, "%s: panic: at once", names[kind]);
		CHECK_STR(leat_error_message(leat_ctx_cause(s)), message);
		CHECK(!c || chan_reason(c) == leat_ctx_cause(s));
	}
}

/* --- limits, many makers */

static void nothing(void *arg)
{
	(void)arg;
}

TEST(a_limit_counts_stages)
{
	size_t n, before = leat_num_goroutine();
	{
		scope(s, NULL);
		recv_chan(int) c;

		scope_limit(s, 2);
		c = pipe_filter0(s, pipe_from(s, int, count_up, .end = 50), yes);
		CHECK(!leat_scope_try_go(s, nothing, NULL, 0));
		pipe_collect(s, c, &n);
		CHECK_EQ(n, 50);
		c = pipe_filter0(s, pipe_from(s, int, count_up, .end = 50), yes); /* waits for room */
		pipe_collect(s, c, &n);
		CHECK_EQ(n, 50);
	}
	test_goroutines(before);
}

struct make_and_sum {
	leat_scope *s;
	atomic_int *sum;
	int end;
};

static void make_and_sum(struct make_and_sum *a)
{
	recv_chan(int) c = pipe_from(a->s, int, count_up, .end = a->end);
	int sum = 0;

	for (int i = 0; i < 3; i++)
		c = pipe_map(a->s, c, int, increment, .by = 1);
	chan_range(v, c)
		sum += v;
	atomic_fetch_add(a->sum, sum);
}

TEST(goroutines_make_stages_at_once)
{
	for (int round = 0; round < test_count(100) + 1; round++) {
		atomic_int sum = 0;
		{
			scope(s, NULL);

			for (int i = 0; i < 20; i++)
				scope_go(s, make_and_sum, .s = s, .sum = &sum, .end = 10);
			scope_wait(s);
		}
		CHECK_EQ(sum, 20 * (45 + 30));
	}
}

struct eight {
	size_t n;
	int items[8];
};

struct in_thread {
	leat_scope *s;
	atomic_int *sum;
};

static void *make_and_drain(void *arg)
{
	struct in_thread *a = arg;
	size_t n;
	int *got;
	recv_chan(int) c =
	    pipe_map(a->s, pipe_from(a->s, int, count_up, .end = 100), int, increment, 1);

	got = pipe_collect(a->s, pipe_unbatch(a->s, pipe_batch(a->s, c, struct eight, LEAT_HOUR)), &n);
	for (size_t i = 0; i < n; i++)
		atomic_fetch_add(a->sum, got[i]);
	return NULL;
}

/* They wait on futexes where goroutines park. */
TEST(plain_threads_make_and_drain_stages)
{
	for (int round = 0; round < test_count(100) + 1; round++) {
		atomic_int sum = 0;
		pthread_t thread[3];
		scope(s, NULL);
		struct in_thread a = {s, &sum};

		for (int i = 0; i < 3; i++)
			CHECK(pthread_create(&thread[i], NULL, make_and_drain, &a) == 0);
		for (int i = 0; i < 3; i++)
			CHECK(pthread_join(thread[i], NULL) == 0);
		CHECK_EQ(sum, 3 * 5050);
	}
}

TEST_MAIN
