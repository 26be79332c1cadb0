/* SPDX-License-Identifier: MIT */
/*
 * Goal: every stage ends, closes its output once, and says why, when its input is drained, its consumer leaves, and
 * its scope is done.  No goroutine is left.
 * Method: stages are observed as parked where they are to be before the scope is cancelled; whoever is in a function
 * of the program's is held there by a channel.
 */
#include "test.h"

#include <errno.h>
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

static void one(int *out)
{
	*out = 1;
}

static bool always(int *out)
{
	*out = 1;
	return true;
}

/* Each kind of stage that has an output, by number: of in, endless where there is no input. */
enum { KINDS = 9, SOURCES = 4 };

static recv_chan(int) of_kind(leat_scope *s, int kind, recv_chan(int) in)
{
	static const int many[1000];

	switch (kind) {
	case 0:
		return pipe_from_array(s, many, 1000);
	case 1:
		return pipe_repeat(s, int, 1, 2);
	case 2:
		return pipe_repeat_fn0(s, int, one);
	case 3:
		return pipe_from0(pipe_at(s, .workers = 3), int, always);
	case 4:
		return pipe_take(s, in, INT64_MAX);
	case 5:
		return pipe_take_while0(s, in, yes);
	case 6:
		return pipe_filter0(s, in, yes);
	case 7:
		return pipe_map(s, in, int, increment, .by = 1);
	default:
		return pipe_map(pipe_at(s, .workers = 4, .cap = 2), in, int, increment, .by = 1);
	}
}

/* --- the input ends */

TEST(every_stage_ends_with_its_input)
{
	for (int kind = SOURCES; kind < KINDS; kind++) {
		size_t n, goroutines = leat_num_goroutine();
		{
			scope(s, NULL);
			recv_chan(int) c = of_kind(s, kind, pipe_from(s, int, count_up, .end = 100));

			pipe_collect(s, c, &n);
			CHECK_EQ(n, 100);
			CHECK(chan_closed(c));
			CHECK(!chan_reason(c));
			CHECK_EQ(scope_wait(s), 0);
			test_goroutines(goroutines);
		}
	}
}

TEST(every_stage_ends_with_a_foreign_input)
{
	for (int kind = SOURCES; kind < KINDS; kind++) {
		chan(int) in = chan_make(int, 5);
		size_t n;
		{
			scope(s, NULL);
			recv_chan(int) c = of_kind(s, kind, chan_receiver(in));

			for (int i = 0; i < 3; i++)
				chan_send(in, i);
			for (int i = 0; i < 3; i++)
				chan_recv(c);
			chan_close(in);
			pipe_collect(s, c, &n);
			CHECK_EQ(n, 0);
			CHECK_EQ(scope_wait(s), 0);
		}
		chan_free(in);
	}
}

TEST(a_reason_goes_down_the_chain)
{
	for (int kind = SOURCES; kind < KINDS; kind++) {
		chan(int) in = chan_make(int, 5);
		leat_error *why = leat_errorf(NULL, "no more paper");
		size_t n;
		{
			scope(s, NULL);
			recv_chan(int) first = of_kind(s, kind, chan_receiver(in));
			recv_chan(int) c = of_kind(s, 7, of_kind(s, kind, first));

			chan_send(in, 1);
			chan_close_with(in, why);
			leat_error_free(why);
			pipe_collect(s, c, &n);
			CHECK_EQ(n, 1);
			CHECK(chan_reason(c) == chan_reason(in));
			CHECK_STR(leat_error_message(chan_reason(c)), "no more paper");
			CHECK_EQ(scope_err(s), 0); /* a reason is no failure of the scope */
		}
		chan_free(in);
	}
}

static bool below_two(const int *in)
{
	return *in < 2;
}

/* What has all it wanted is complete, however its input ended. */
TEST(take_that_is_complete_has_no_reason)
{
	chan(int) in = chan_make(int, 5);
	size_t n;
	{
		scope(s, NULL);
		recv_chan(int) c;

		for (int i = 0; i < 5; i++)
			chan_send(in, i);
		chan_close_with(in, leat_error_errno(-EIO));
		pipe_collect(s, c = pipe_take(s, in, 1), &n);
		CHECK_EQ(n, 1);
		CHECK(!chan_reason(c));
		pipe_collect(s, c = pipe_take_while0(s, in, below_two), &n);
		CHECK_EQ(n, 1);
		CHECK(!chan_reason(c));
		pipe_collect(s, c = pipe_take(s, in, 10), &n);
		CHECK_EQ(n, 2);
		CHECK(chan_reason(c) == leat_error_errno(-EIO));
	}
	chan_free(in);
}

/* --- the consumer leaves */

TEST(every_stage_is_left_by_its_consumer)
{
	for (int kind = 0; kind < KINDS; kind++)
		for (int k = 0; k < 4; k++) {
			size_t goroutines = leat_num_goroutine();
			{
				scope(s, NULL);
				recv_chan(int) c = of_kind(s, kind, pipe_repeat(s, int, 1));

				for (int i = 0; i < k; i++)
					chan_recv(c);
			}
			test_goroutines(goroutines);
		}
}

TEST(a_consumer_that_takes_one_of_a_million)
{
	size_t goroutines = leat_num_goroutine(), n;
	{
		scope(s, NULL);
		recv_chan(int) all = pipe_from(s, int, count_up, .end = 1000000);
		recv_chan(int) c = pipe_take(s, pipe_map(s, all, int, increment, .by = 1), 1);

		pipe_collect(s, c, &n);
		CHECK_EQ(n, 1);
	}
	test_goroutines(goroutines);
}

/* --- the scope is done */

/* All that wait when s is cancelled end, with the cause. */
static void cancelled_while(leat_scope *s, recv_chan(int) c, int parked, size_t before)
{
	leat_error *why = leat_errorf(NULL, "enough");
	int v;

	test_parked(parked);
	leat_ctx_cancel_cause(s, why);
	CHECK_EQ(scope_err(s), -ECANCELED);
	while (chan_recv_ok(c, &v)) /* what was buffered */
		;
	CHECK(chan_reason(c) == why);
	leat_error_free(why);
	scope_wait(s);
	test_goroutines(before);
}

TEST(cancelled_while_sending)
{
	for (int kind = 0; kind < KINDS; kind++) {
		size_t before = leat_num_goroutine();
		scope(s, NULL);
		recv_chan(int) c = of_kind(s, kind, kind < SOURCES ? NULL : pipe_repeat(s, int, 1));

		cancelled_while(s, c, (int)(leat_num_goroutine() - before), before);
	}
}

TEST(cancelled_while_receiving)
{
	for (int kind = SOURCES; kind < KINDS; kind++) {
		chan(int) never = chan_make(int, 0);
		size_t before = leat_num_goroutine();
		{
			scope(s, NULL);
			recv_chan(int) c = of_kind(s, kind, of_kind(s, kind, chan_receiver(never)));

			cancelled_while(s, c, (int)(leat_num_goroutine() - before), before);
		}
		{
			scope(s, NULL);
			recv_chan(int) c = of_kind(s, kind, NULL);

			cancelled_while(s, c, (int)(leat_num_goroutine() - before), before);
		}
		chan_free(never); /* nobody waits on it */
	}
}

/* The input is a channel of the scope's own, but no stage's. */
TEST(cancelled_while_receiving_from_a_channel_of_the_scope)
{
	size_t before = leat_num_goroutine();
	scope(s, NULL);
	chan(int) mine = scope_chan(s, int, 0);

	cancelled_while(s, pipe_filter0(s, mine, yes), 1, before);
	CHECK(!chan_closed(mine));
}

/* A function that waits until it is let go, and says that it is there. */
struct held {
	atomic_int *inside, *calls;
	recv_chan(leat_empty) go;
};

static void held(const int *in, int *out, struct held *a)
{
	atomic_fetch_add(a->calls, 1);
	atomic_fetch_add(a->inside, 1);
	chan_recv(a->go);
	*out = *in;
	atomic_fetch_sub(a->inside, 1);
}

TEST(cancelled_in_a_function)
{
	for (int workers = 1; workers <= 4; workers += 3) {
		size_t before = leat_num_goroutine();
		atomic_int inside = 0, calls = 0;
		chan(leat_empty) go = chan_make(leat_empty, 0);
		{
			scope(s, NULL);
			recv_chan(int) c =
			    pipe_map(pipe_at(s, .workers = workers), pipe_repeat(s, int, 1), int, held,
			             .inside = &inside, .calls = &calls, .go = chan_receiver(go));

			test_until(inside == workers);
			scope_cancel(s);
			CHECK(!chan_recv_ok(c, &(int){0})); /* before the functions return */
			CHECK(chan_reason(c) == &leat_canceled);
			CHECK_EQ(inside, workers);
			chan_close(go);
		}
		CHECK_EQ(inside, 0);
		CHECK_EQ(calls, workers); /* nobody was called again */
		test_goroutines(before);
		chan_free(go);
	}
}

struct held_each {
	struct held held;
};

static void held_each(const int *in, struct held_each *a)
{
	int out;

	held(in, &out, &a->held);
}

/* What is in the buffer before it is not for a stage whose scope is done. */
TEST(cancelled_in_a_function_with_values_to_come)
{
	atomic_int inside = 0, calls = 0;
	chan(leat_empty) go = chan_make(leat_empty, 0);
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_from(pipe_at(s, .cap = 10), int, count_up, .end = 10);

		test_until(chan_closed(c));
		pipe_each(s, c, held_each, {&inside, &calls, chan_receiver(go)});
		test_until(inside == 1);
		scope_cancel(s);
		chan_close(go);
		scope_wait(s);
		CHECK_EQ(calls, 1);
		CHECK_EQ(chan_len(c), 8); /* one more was received, perhaps, and dropped */
	}
	chan_free(go);
}

TEST(a_deadline)
{
	size_t before = leat_num_goroutine();
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_map(s, of_kind(s, 6, NULL), int, increment, .by = 1);

		scope_timeout(s, LEAT_MILLISECOND);
		CHECK(!chan_recv_ok(c, &(int){0}));
		CHECK(chan_reason(c) == &leat_deadline_exceeded);
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
	}
	test_goroutines(before);
}

TEST(a_parent_is_cancelled)
{
	size_t before = leat_num_goroutine();
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	{
		scope(outer, top);
		recv_chan(int) above = pipe_repeat(outer, int, 1);
		{
			scope(s, outer);
			recv_chan(int) c = pipe_map(s, above, int, increment, .by = 1);

			CHECK_EQ(chan_recv(c), 2);
			test_parked(2);
			leat_ctx_cancel(top);
			CHECK(!chan_recv_ok(c, &(int){0}));
			CHECK(chan_reason(c) == &leat_canceled);
		}
	}
	leat_ctx_free(top);
	test_goroutines(before);
}

/* The scope above outlives it: its stage goes on with whoever receives next. */
TEST(an_input_of_a_scope_above)
{
	scope(outer, NULL);
	recv_chan(int) above = pipe_from(outer, int, count_up, .end = 100);
	int sum = 0;

	for (int round = 0; round < 5; round++) {
		scope(s, outer);
		recv_chan(int) c = pipe_take(s, pipe_filter0(s, above, yes), 10);

		chan_range(v, c)
			sum += v >= 0;
	}
	CHECK_EQ(sum, 50);
	CHECK_EQ(scope_err(outer), 0);
	chan_range(v, above)
		sum += v >= 0;
	/* Each filter may have dropped the value that it had in hand, and no more. */
	CHECK(sum >= 95 && sum <= 100);
}

/* A context of the program's own, which says by a channel that it is done. */
struct mine {
	chan(leat_empty) done;
	atomic_int err;
};

static int mine_err(void *self)
{
	struct mine *m = self;

	return m->err;
}

static recv_chan(leat_empty) mine_done(void *self)
{
	return chan_receiver(((struct mine *)self)->done);
}

static const leat_ctx_ops mine_ops = {.name = "mine", .err = mine_err, .done = mine_done};

TEST(a_context_of_the_programs_own)
{
	size_t before = leat_num_goroutine();
	struct mine m = {.done = chan_make(leat_empty, 0)};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &mine_ops, &m);
	{
		scope(s, ctx);
		recv_chan(int) c = pipe_map(s, pipe_repeat(s, int, 1), int, increment, .by = 1);

		for (int i = 0; i < 3; i++)
			CHECK_EQ(chan_recv(c), 2);
		m.err = -ECANCELED;
		chan_close(m.done);
		while (chan_recv_ok(c, &(int){0}))
			;
		CHECK(chan_reason(c) == &leat_canceled);
		scope_wait(s);
	}
	leat_ctx_free(ctx);
	chan_free(m.done);
	test_goroutines(before);
}

TEST(a_stage_made_in_a_scope_that_is_done)
{
	for (int kind = 0; kind < KINDS; kind++)
		for (int first = 0; first < 2; first++) {
			size_t before = leat_num_goroutine();
			{
				scope(s, NULL);
				recv_chan(int) c;

				if (first) /* the pipe is there already */
					chan_recv(pipe_repeat(s, int, 1));
				scope_cancel(s);
				c = of_kind(s, kind, of_kind(s, 1, NULL));
				CHECK(!chan_recv_ok(c, &(int){0}));
				CHECK(chan_reason(c) == &leat_canceled);
			}
			test_goroutines(before);
		}
}

static atomic_int calls;

static bool counts(int *out)
{
	*out = atomic_fetch_add(&calls, 1);
	return true;
}

static void counts_too(int *out)
{
	*out = atomic_fetch_add(&calls, 1);
}

TEST(a_source_of_a_scope_that_is_done_calls_nothing)
{
	scope(s, NULL);

	scope_cancel(s);
	CHECK(!chan_recv_ok(pipe_from0(pipe_at(s, .workers = 3), int, counts), &(int){0}));
	CHECK(!chan_recv_ok(pipe_repeat_fn0(pipe_at(s, .workers = 3), int, counts_too), &(int){0}));
	scope_wait(s);
	CHECK_EQ(calls, 0);
}

TEST_MAIN
