/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 */
/*
 * Goal: each stage that splits or joins ends, in each way in which a pipeline may end: drained, left early by its
 * consumer, fed by a producer that closes early or fails, cancelled while it waits for input, for its consumer, or
 * in its function; and then nothing is left of it, neither goroutines nor memory.
 * Method: each kind of stage is built into a pipeline that gives every int that goes in once, so that all are used
 * alike; the input is a channel of the test's own, or a stage's.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

typedef recv_chan(int) ints;

/* --- pipelines that change nothing */

static void same(const int *in, int *out)
{
	*out = *in;
}

static ints fan(const leat_pipe_opts *at, ints in)
{
	recv_chan(int) *out = pipe_fan_out0(at, in, 3, int, same);

	return pipe_fan_in(at, out, 3);
}

static ints ordered(const leat_pipe_opts *at, ints in)
{
	leat_pipe_opts more = *at;

	more.workers = 3;
	return pipe_map_ordered0(&more, in, int, same);
}

static ints done(const leat_pipe_opts *at, ints in)
{
	return pipe_or_done(at, in);
}

static void both(const int *a, const int *b, int *out)
{
	CHECK_EQ(*a, *b);
	*out = *a;
}

static ints tee_and_zip(const leat_pipe_opts *at, ints in)
{
	recv_chan(int) *out = pipe_tee(at, in, 3);

	return pipe_zip0(at, out[2], pipe_zip0(at, out[0], out[1], int, both), int, both);
}

struct wrap {
	leat_scope *s;
};

static void wrap(const int *in, ints *out, struct wrap *w)
{
	chan(int) c = scope_chan(w->s, int, 1);

	chan_send(c, *in);
	chan_close(c);
	*out = chan_receiver(c);
}

static ints bridge(const leat_pipe_opts *at, ints in)
{
	return pipe_bridge(at, pipe_map(at, in, ints, wrap, at->scope));
}

static bool even(const int *in)
{
	return *in % 2 == 0;
}

static bool odd(const int *in)
{
	return *in % 2 != 0;
}

static int compare(const int *a, const int *b)
{
	return (*a > *b) - (*a < *b);
}

static ints merge(const leat_pipe_opts *at, ints in)
{
	recv_chan(int) *out = pipe_tee(at, in, 2);
	recv_chan(int) halves[] = {pipe_filter0(at, out[0], even), pipe_filter0(at, out[1], odd)};

	return pipe_merge0(at, halves, 2, compare);
}

struct parsed {
	int value;
	const leat_error *error;
};

static const leat_error *parse(const int *in, int *value)
{
	*value = *in;
	return NULL;
}

static void no_error(const leat_error *e)
{
	(void)e;
	CHECK(false);
}

static ints results(const leat_pipe_opts *at, ints in)
{
	return pipe_values0(at, pipe_try_map0(at, in, struct parsed, parse), 1, no_error);
}

static const struct kind {
	const char *name;
	ints (*make)(const leat_pipe_opts *at, ints in);
	bool keeps_order;
} kinds[] = {
    {"fan_out, fan_in", fan, false}, {"map_ordered", ordered, true}, {"or_done", done, true},
    {"tee, zip", tee_and_zip, true}, {"bridge", bridge, true},       {"merge", merge, true},
    {"results", results, true},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* --- each ending, for each kind */

struct count {
	int next, end;
};

static bool count(int *out, struct count *c)
{
	*out = c->next++;
	return *out < c->end;
}

struct feed {
	send_chan(int) out;
	int n;
};

static void feed(struct feed *f)
{
	for (int i = 0; i < f->n; i++)
		chan_send(f->out, i);
	chan_close(f->out);
}

static void check_all(const struct kind *k, ints out, int n)
{
	long long sum = 0;
	int received = 0;

	chan_range(v, out) {
		if (k->keeps_order)
			CHECK_EQ(v, received);
		sum += v;
		received++;
	}
	CHECK_EQ(received, n);
	CHECK_EQ(sum, (long long)n * (n - 1) / 2);
	CHECK(chan_reason(out) == NULL);
}

static void drained(const struct kind *k, ptrdiff_t cap)
{
	scope(s, NULL);

	check_all(k, k->make(pipe_at(s, .cap = cap), pipe_from(s, int, count, .end = 200)), 200);
	check_all(k, k->make(pipe_at(s, .cap = cap), pipe_from(s, int, count, .end = 0)), 0);
	CHECK_EQ(scope_wait(s), 0);
}

static void foreign(const struct kind *k)
{
	scope(feeders, NULL);
	chan(int) c = scope_chan(feeders, int, 0);

	scope_go(feeders, feed, chan_sender(c), 100);
	{
		scope(s, NULL);

		check_all(k, k->make(pipe_at(s, 0), chan_receiver(c)), 100);
	}
}

static void left_early(const struct kind *k, ptrdiff_t cap)
{
	scope(s, NULL);
	ints out = k->make(pipe_at(s, .cap = cap), pipe_from(s, int, count, .end = INT32_MAX));

	for (int i = 0; i < 10; i++) {
		int v;

		CHECK(chan_recv_ok(out, &v));
	}
}

LEAT_ERROR(ran_dry, -EIO, "the well ran dry");

/* The producer closes early, for a reason, which comes out at the end. */
static void closed_for_a_reason(const struct kind *k)
{
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, 8);
	ints out = k->make(pipe_at(s, 0), chan_receiver(c));
	int n = 0;

	for (int i = 0; i < 8; i++)
		chan_send(c, i);
	chan_close_with(c, &ran_dry);
	chan_range(v, out)
		n++;
	CHECK_EQ(n, 8);
	CHECK(chan_reason(out) == &ran_dry);
	CHECK_EQ(scope_err(s), 0);
}

/* Everything is parked for want of input; then the scope is done. */
static void cancelled_waiting_for_input(const struct kind *k, bool ours)
{
	size_t parked = leat_num_parked(), started = leat_num_goroutine();
	chan(int) silent = chan_make(int, 0);
	chan(ints) silent_too = chan_make(ints, 0);

	{
		scope(s, NULL);
		ints in = chan_receiver(silent), out;
		int v;

		if (ours)
			in = pipe_or_done(s, in);
		out = k->make(pipe_at(s, 0), in);
		test_until(leat_num_parked() - parked == leat_num_goroutine() - started);
		scope_cancel(s);
		CHECK(!chan_recv_ok(out, &v));
		CHECK(chan_reason(out) == &leat_canceled);
	}
	chan_free(silent);
	chan_free(silent_too);
}

/* Everything is parked because nobody receives. */
static void cancelled_waiting_for_its_consumer(const struct kind *k, ptrdiff_t cap)
{
	size_t parked = leat_num_parked(), started = leat_num_goroutine();
	scope(s, NULL);
	ints out = k->make(pipe_at(s, .cap = cap), pipe_from(s, int, count, .end = INT32_MAX));
	ptrdiff_t n = 0;

	test_until(leat_num_parked() - parked == leat_num_goroutine() - started);
	scope_fail(s, -ENOSPC);
	chan_range(v, out)
		n++;
	CHECK(n <= cap);
	CHECK(chan_reason(out) == leat_error_errno(-ENOSPC));
	CHECK_EQ(scope_wait(s), -ENOSPC);
}

static void explode(const int *in, int *out)
{
	if (*in == 20)
		leat_panic("twenty");
	*out = *in;
}

/* The stage before panics. */
static void fed_by_one_that_fails(const struct kind *k)
{
	scope(s, NULL);
	ints in = pipe_map0(pipe_at(s, .panics = LEAT_PIPE_FAIL),
	                    pipe_from(s, int, count, .end = INT32_MAX), int, explode);
	ints out = k->make(pipe_at(s, 0), in);
	int n = 0;

	chan_range(v, out)
		n++;
	CHECK(n <= 20);
	CHECK_EQ(scope_wait(s), -EIO);
	CHECK_STR(leat_error_message(chan_reason(out)), "explode: panic: twenty");
	CHECK(leat_ctx_cause(s) != NULL);
}

static void each_ending(const struct kind *k)
{
	for (ptrdiff_t cap = 0; cap <= 3; cap += 3) {
		drained(k, cap);
		left_early(k, cap);
		cancelled_waiting_for_its_consumer(k, cap);
	}
	foreign(k);
	closed_for_a_reason(k);
	cancelled_waiting_for_input(k, true);
	cancelled_waiting_for_input(k, false);
	fed_by_one_that_fails(k);
}

/* Of several times ten rounds one leaves as much memory in use as there was before: what is lost each time, unlike the
   caches that the runtime fills, shows in all.  Migrating, malloc's own caches, one for each of many threads, hold
   what others freed. */
TEST(each_stage_ends_in_each_way)
{
	enum { TIMES = 8 };
	size_t goroutines = leat_num_goroutine();

	for (int i = 0; i < KINDS; i++) {
		int time = 0;
		size_t before;

		do {
			CHECK(time++ < TIMES);
			before = test_heap_in_use();
			for (int round = 0; round < 10; round++)
				each_ending(&kinds[i]);
			test_until(leat_num_goroutine() == goroutines);
		} while (test_heap_in_use() > before + 512 && !getenv("LEAT_MIGRATE"));
	}
}

/* --- a function that panics or leaves in the stage itself */

struct leave {
	int at;
};

static void leave(const int *in, int *out, struct leave *l)
{
	*out = *in;
	if (*in == l->at)
		leat_goexit();
}

static const leat_error *explode_parsing(const int *in, int *value)
{
	explode(in, value);
	return NULL;
}

static int explode_comparing(const int *a, const int *b)
{
	if (*a > 20)
		leat_panic("twenty");
	return compare(a, b);
}

static void explode_zipping(const int *a, const int *b, int *out)
{
	explode(a, out);
	*out = *b;
}

static ints exploding(const leat_pipe_opts *at, ints in, int which)
{
	recv_chan(int) *two, *four;

	switch (which) {
	case 0:
		four = pipe_fan_out0(at, in, 4, int, explode);
		return pipe_fan_in(at, four, 4);
	case 1:
		return pipe_map_ordered0(at, in, int, explode);
	case 2:
		return pipe_values0(at, pipe_try_map0(at, in, struct parsed, explode_parsing), 1, no_error);
	case 3:
		two = pipe_tee(at, in, 2);
		return pipe_merge0(at, two, 2, explode_comparing);
	default:
		two = pipe_tee(at, in, 2);
		return pipe_zip0(at, two[0], two[1], int, explode_zipping);
	}
}

TEST(a_function_panics)
{
	size_t goroutines = leat_num_goroutine();

	for (int which = 0; which < 5; which++) {
		for (int round = 0; round < 20; round++) {
			scope(s, NULL);
			ints out = exploding(pipe_at(s, .panics = LEAT_PIPE_FAIL, .workers = 3),
			                     pipe_from(s, int, count, .end = INT32_MAX), which);

			chan_range(v, out)
				;
			CHECK_EQ(scope_wait(s), -EIO);
			CHECK(strstr(leat_error_message(chan_reason(out)), ": panic: twenty") != NULL);
		}
		test_until(leat_num_goroutine() == goroutines);
	}
}

/* The results before the one that is missing are sent, in order; none after it. */
TEST(a_function_leaves_an_ordered_map)
{
	size_t goroutines = leat_num_goroutine();

	for (int round = 0; round < 200; round++) {
		scope(s, NULL);
		int expected = 0;
		ints out =
		    pipe_map_ordered(pipe_at(s, .workers = 4, .ahead = 3),
		                     pipe_from(s, int, count, .end = INT32_MAX), int, leave, .at = 50);

		chan_range(v, out)
			CHECK_EQ(v, expected++);
		CHECK_EQ(expected, 50);
		CHECK_EQ(scope_err(s), 0);
	}
	test_until(leat_num_goroutine() == goroutines);
}

TEST_MAIN
