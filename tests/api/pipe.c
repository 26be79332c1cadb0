/* SPDX-License-Identifier: MIT */
/*
 * Goal: sources, map, filter, take, take_while, each and collect give what their descriptions say, for elements of
 * every size; fn is called and the input received from no more often than is said; options that make no sense panic.
 * Method: small pipelines whose values are known.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

struct multiply {
	int by;
};

static void multiply(const int *in, int *out, struct multiply *a)
{
	*out = *in * a->by;
}

static void increment(const int *in, int *out)
{
	*out = *in + 1;
}

struct below {
	int limit;
};

static bool below(const int *in, struct below *a)
{
	return *in < a->limit;
}

static bool even(const int *in)
{
	return *in % 2 == 0;
}

/* PATTERNS 6. */
TEST(stages_compose)
{
	static const int numbers[] = {1, 2, 3, 4};
	int expected[] = {6, 10, 14, 18};
	size_t n, goroutines = leat_num_goroutine();
	int *got;

	{
		scope(s, NULL);
		recv_chan(int) all = pipe_from_array(s, numbers, 4);

		got = pipe_collect(
		    s,
		    pipe_map(s, pipe_map0(s, pipe_map(s, all, int, multiply, .by = 2), int, increment), int,
		             multiply, 2),
		    &n);
		CHECK_EQ(n, 4);
		for (int i = 0; i < 4; i++)
			CHECK_EQ(got[i], expected[i]);
	}
	test_until(leat_num_goroutine() == goroutines);
}

/* --- sources */

struct count_up {
	int next, end;
};

static bool count_up(int *out, struct count_up *a)
{
	*out = a->next++;
	return *out < a->end;
}

static atomic_int calls;

static bool three(int *out)
{
	*out = atomic_fetch_add(&calls, 1);
	return *out < 3;
}

static void count_calls(int *out)
{
	*out = atomic_fetch_add(&calls, 1);
}

struct from_ten {
	int next;
};

static void from_ten(int *out, struct from_ten *a)
{
	*out = 10 + a->next++;
}

TEST(a_source_without_an_end_and_take)
{
	size_t n;
	int *got;
	scope(s, NULL);

	/* PATTERNS 7. */
	got = pipe_collect(s, pipe_take(s, pipe_repeat(s, int, 1), 10), &n);
	CHECK_EQ(n, 10);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(got[i], 1);
	got = pipe_collect(s, pipe_take(s, pipe_repeat(s, int, 1, 2, 3), 7), &n);
	CHECK_EQ(n, 7);
	for (int i = 0; i < 7; i++)
		CHECK_EQ(got[i], i % 3 + 1);
	got = pipe_collect(s, pipe_take(s, pipe_repeat_fn(s, int, from_ten, .next = 5), 3), &n);
	CHECK_EQ(n, 3);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(got[i], 15 + i);
}

TEST(sources_that_end)
{
	size_t n;
	int *got;
	scope(s, NULL);

	got = pipe_collect(s, pipe_from(s, int, count_up, .end = 40), &n);
	CHECK_EQ(n, 40); /* collect's array grew twice */
	for (int i = 0; i < 40; i++)
		CHECK_EQ(got[i], i);
	atomic_store(&calls, 0);
	pipe_collect(s, pipe_from0(s, int, three), &n);
	CHECK_EQ(n, 3);
	CHECK_EQ(calls, 4);
	pipe_collect(s, pipe_from_array(s, got, 0), &n);
	CHECK_EQ(n, 0);
	CHECK(!chan_recv_ok((recv_chan(int))leat_pipe_repeat((leat_pipe_opts){.scope = s}, NULL, 0, 4),
	                    &(int){0}));
}

/* fn has side effects: it must not run ahead. */
TEST(repeat_fn_calls_once_more_than_it_sends)
{
	atomic_store(&calls, 0);
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_repeat_fn0(s, int, count_calls);

		for (int i = 0; i < 5; i++)
			CHECK_EQ(chan_recv(c), i);
	}
	CHECK(calls == 5 || calls == 6);

	/* The stage waits with its sixth value: that it is dropped makes it call no seventh time. */
	atomic_store(&calls, 0);
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_repeat_fn0(s, int, count_calls);

		for (int i = 0; i < 5; i++)
			CHECK_EQ(chan_recv(c), i);
		test_until(calls == 6);
	}
	CHECK_EQ(calls, 6);
}

/* --- stages */

TEST(take_leaves_the_next_value)
{
	chan(int) in = chan_make(int, 10);
	size_t n;

	for (int i = 0; i < 10; i++)
		chan_send(in, i);
	{
		scope(s, NULL);

		pipe_collect(s, pipe_take(s, in, 4), &n);
		CHECK_EQ(n, 4);
		CHECK_EQ(chan_len(in), 6);
		CHECK_EQ(chan_recv(in), 4);
		pipe_collect(s, pipe_take(s, in, 0), &n);
		CHECK_EQ(n, 0);
		pipe_collect(s, pipe_take(s, in, -3), &n);
		CHECK_EQ(n, 0);
		CHECK_EQ(chan_len(in), 5);
		chan_close(in);
		pipe_collect(s, pipe_take(s, in, INT64_MAX), &n);
		CHECK_EQ(n, 5);
	}
	chan_free(in);
}

TEST(take_while_and_filter)
{
	static const int numbers[] = {2, 3, 4, 9, 1, 6};
	size_t n;
	int *got;
	scope(s, NULL);

	got =
	    pipe_collect(s, pipe_take_while(s, pipe_from_array(s, numbers, 6), below, .limit = 5), &n);
	CHECK_EQ(n, 3);
	CHECK(got[0] == 2 && got[1] == 3 && got[2] == 4);
	got = pipe_collect(s, pipe_take_while0(s, pipe_from_array(s, numbers, 6), even), &n);
	CHECK_EQ(n, 1);
	got = pipe_collect(s, pipe_filter(s, pipe_from_array(s, numbers, 6), below, 5), &n);
	CHECK_EQ(n, 4);
	CHECK(got[2] == 4 && got[3] == 1);
	got = pipe_collect(s, pipe_filter0(s, pipe_from_array(s, numbers, 6), even), &n);
	CHECK_EQ(n, 3);
	CHECK(got[0] == 2 && got[1] == 4 && got[2] == 6);
}

struct add_to {
	atomic_int *sum;
};

static void add_to(const int *in, struct add_to *a)
{
	atomic_fetch_add(a->sum, *in);
}

static void add_to_calls(const int *in)
{
	atomic_fetch_add(&calls, *in);
}

TEST(each_calls_for_every_value)
{
	static const int numbers[] = {1, 2, 3, 4, 5};
	atomic_int sum = 0;
	{
		scope(s, NULL);

		pipe_each(s, pipe_from_array(s, numbers, 5), add_to, .sum = &sum);
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(sum, 15);
		atomic_store(&calls, 0);
		pipe_each0(pipe_at(s, .workers = 3), pipe_from_array(s, numbers, 5), add_to_calls);
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(calls, 15);
	}
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

TEST(workers_share_the_work)
{
	int count = test_count(100000);
	size_t n;
	int *got;
	scope(s, NULL);

	got = pipe_collect(s,
	                   pipe_map(pipe_at(s, .workers = 4, .cap = 8, .name = "double"),
	                            pipe_from(s, int, count_up, .end = count), int, multiply, .by = 2),
	                   &n);
	CHECK_EQ(n, count);
	qsort(got, n, sizeof *got, by_value);
	for (int i = 0; i < count; i++)
		CHECK_EQ(got[i], 2 * i);
	atomic_store(&calls, 0);
	pipe_collect(s, pipe_from0(pipe_at(s, .workers = 8), int, three), &n);
	CHECK_EQ(n, 3);
	CHECK_EQ(calls, 3 + 8);
	got = pipe_collect(
	    s, pipe_filter0(pipe_at(s, .workers = 4), pipe_from(s, int, count_up, .end = count), even),
	    &n);
	CHECK_EQ(n, (count + 1) / 2);
	qsort(got, n, sizeof *got, by_value);
	for (int i = 0; i < (int)n; i++)
		CHECK_EQ(got[i], 2 * i);
}

TEST(the_output_has_the_room_asked_for)
{
	static const int numbers[] = {1, 2, 3, 4, 5};
	scope(s, NULL);
	recv_chan(int) c = pipe_from_array(pipe_at(s, .cap = 3), numbers, 5);

	CHECK_EQ(chan_cap(c), 3);
	test_until(chan_len(c) == 3);
	for (int i = 1; i <= 5; i++)
		CHECK_EQ(chan_recv(c), i);
	CHECK(!chan_recv_ok(c, &(int){0}));
}

/* --- elements */

struct large {
	unsigned char bytes[300];
};

struct grow {
	int unused;
};

static void grow(const unsigned char *in, struct large *out, struct grow *a)
{
	(void)a;
	memset(out, *in, sizeof *out);
}

static void shrink(const struct large *in, unsigned char *out)
{
	*out = in->bytes[0];
	for (size_t i = 1; i < sizeof in->bytes; i++)
		CHECK_EQ(in->bytes[i], *out);
}

TEST(elements_of_300_bytes)
{
	size_t n;
	unsigned char in[50], *out;
	scope(s, NULL);

	for (int i = 0; i < 50; i++)
		in[i] = (unsigned char)(i * 5);
	out = pipe_collect(
	    s,
	    pipe_map0(s, pipe_map(pipe_at(s, .cap = 4), pipe_from_array(s, in, 50), struct large, grow),
	              unsigned char, shrink),
	    &n);
	CHECK_EQ(n, 50);
	CHECK(memcmp(in, out, 50) == 0);
}

static bool ten_events(leat_empty *out)
{
	(void)out;
	return atomic_fetch_add(&calls, 1) < 10;
}

static void event_to_event(const leat_empty *in, leat_empty *out)
{
	(void)in;
	(void)out;
}

static bool any_event(const leat_empty *in)
{
	(void)in;
	return true;
}

TEST(elements_without_a_size)
{
	size_t n;
	scope(s, NULL);

	atomic_store(&calls, 0);
	pipe_collect(s, pipe_map0(s, pipe_from0(s, leat_empty, ten_events), leat_empty, event_to_event),
	             &n);
	CHECK_EQ(n, 10);
	pipe_collect(
	    s, pipe_filter0(s, pipe_take(s, pipe_repeat(s, leat_empty, {}, {}), 40), any_event), &n);
	CHECK_EQ(n, 40);
}

TEST(elements_that_are_pointers_to_const)
{
	static const char *const words[] = {"a", "b", "c"};
	size_t n;
	const char **got;
	scope(s, NULL);
	recv_chan(const char *) c = pipe_from_array(s, words, 3);

	got = pipe_collect(s, c, &n);
	CHECK_EQ(n, 3);
	CHECK_STR(got[2], "c");
}

/* Operands are evaluated once, and the args of a call are its own. */
TEST(macros_evaluate_once)
{
	int scopes = 0, inputs = 0, counts = 0;
	size_t n;
	int *got;
	scope(s, NULL);
	recv_chan(int) ones = pipe_repeat(s, int, 1);
	struct leat_scope *all[] = {s, s, s, s};
	recv_chan(int) ins[] = {ones, ones, ones, ones};

	got = pipe_collect(all[scopes++],
	                   pipe_take(all[scopes++],
	                             pipe_map(all[scopes++], ins[inputs++], int, multiply, ++counts),
	                             ++counts),
	                   &n);
	CHECK_EQ(scopes, 3);
	CHECK_EQ(inputs, 1);
	CHECK_EQ(counts, 2);
	CHECK(n == 1 || n == 2);
	CHECK(got[0] == 1 || got[0] == 2);
	pipe_each0(pipe_at(all[scopes++]), pipe_take(s, ins[inputs++], counts++), add_to_calls);
	CHECK_EQ(scopes, 4);
	CHECK_EQ(inputs, 2);
	CHECK_EQ(counts, 3);
}

/* --- misuse */

static const leat_pipe_opts *wrong_at;

static void with_wrong_options(void *arg)
{
	*(recv_chan(int) *)arg = pipe_repeat(wrong_at, int, 1);
}

static void collect_without_scope(void *arg)
{
	(void)leat_pipe_collect((leat_pipe_opts){.scope = NULL}, NULL, 4, arg);
}

/* Bytes that a size_t cannot count, and bytes that it just can. */
static void repeat_far_too_much(void *arg)
{
	leat_chan *c = leat_pipe_repeat((leat_pipe_opts){.scope = arg}, &(int){1}, INT64_MAX, 4);

	(void)c;
}

static void repeat_too_much(void *arg)
{
	leat_chan *c = leat_pipe_repeat((leat_pipe_opts){.scope = arg}, &(int){1}, INT64_MAX, 2);

	(void)c;
}

TEST(more_values_than_memory)
{
	scope(s, NULL);

	CHECK(test_panics(repeat_far_too_much, s, "out of memory"));
	CHECK(test_panics(repeat_too_much, s, "out of memory"));
}

TEST(options_that_make_no_sense_panic)
{
	size_t goroutines = leat_num_goroutine(), n;
	recv_chan(int) c;
	{
		scope(s, NULL);

		wrong_at = pipe_at(NULL, .cap = 1);
		CHECK(test_panics(with_wrong_options, &c, "pipe of nil scope"));
		wrong_at = pipe_at(s, .cap = -1);
		CHECK(test_panics(with_wrong_options, &c, "pipe: negative capacity"));
		wrong_at = pipe_at(s, .workers = -1);
		CHECK(test_panics(with_wrong_options, &c, "pipe: number of workers out of range"));
		wrong_at = pipe_at(s, .workers = 100001);
		CHECK(test_panics(with_wrong_options, &c, "pipe: number of workers out of range"));
		wrong_at = pipe_at(s, .panics = (leat_pipe_panics)2);
		CHECK(test_panics(with_wrong_options, &c, "pipe: no such treatment of panics"));
		wrong_at = pipe_at(s, .cap = PTRDIFF_MAX);
		CHECK(test_panics(with_wrong_options, &c, "makechan: size out of range"));
		CHECK(test_panics(collect_without_scope, &n, "pipe of nil scope"));
		test_goroutines(goroutines);
	}
}

TEST_MAIN
