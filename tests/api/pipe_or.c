/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 */
/*
 * Goal: or fires with the first of any number of channels, and leaves nothing on the others; or_done and scope_range
 * end with their input and with the scope.
 * Method: each input fires in turn, by a value and by its close; what is left behind shows as a waiter on a channel,
 * which may then not be freed, as a goroutine, or as memory.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

typedef recv_chan(int) ints;

static bool fired(recv_chan(leat_empty) c)
{
	return chan_closed(c);
}

TEST(or_of_none_is_null)
{
	size_t goroutines = leat_num_goroutine();
	scope(s, NULL);

	CHECK(pipe_or_all(s, (ints *)NULL, 0) == NULL);
	CHECK_EQ(leat_num_goroutine(), goroutines);
}

/* PATTERNS 4.  The others never fire: their channels can be freed while the scope lives, so nobody waits on them; and one
   goroutine serves them all. */
static void of_so_many(int n, int which, bool by_value)
{
	chan(int) *in = calloc((size_t)n, sizeof *in);
	size_t goroutines = leat_num_goroutine(), parked = leat_num_parked();
	scope(s, NULL);
	recv_chan(leat_empty) first;

	for (int i = 0; i < n; i++)
		in[i] = chan_make(int, 0);
	first = pipe_or_all(s, in, n);
	CHECK_EQ(leat_num_goroutine(), goroutines + 1);
	test_until(leat_num_parked() == parked + 1);
	CHECK(!fired(first));
	if (by_value)
		chan_send(in[which], 7);
	else
		chan_close(in[which]);
	CHECK(!chan_recv_ok(first, &(leat_empty){}));
	test_goroutines(goroutines);
	for (int i = 0; i < n; i++)
		chan_free(in[i]);
	free(in);
	CHECK_EQ(scope_err(s), 0);
}

TEST(or_of_a_few)
{
	for (int n = 1; n <= 12; n++)
		for (int which = 0; which < n; which++)
			for (int by_value = 0; by_value < 2; by_value++)
				of_so_many(n, which, by_value);
}

TEST(or_of_many)
{
	for (int by_value = 0; by_value < 2; by_value++) {
		of_so_many(64, 63, by_value);
		of_so_many(100, 50, by_value);
		of_so_many(10000, 0, by_value);
		of_so_many(10000, 9999, by_value);
		of_so_many(10000, 5000, by_value);
	}
}

/* Where none fires the scope's end frees it, and leaves nothing on the inputs. */
TEST(or_ends_with_the_scope)
{
	static const int sizes[] = {1, 2, 3, 4, 100, 10000};

	for (int i = 0; i < 6; i++) {
		int n = sizes[i];
		chan(int) *in = calloc((size_t)n, sizeof *in);
		size_t goroutines = leat_num_goroutine(), parked = leat_num_parked();

		for (int k = 0; k < n; k++)
			in[k] = chan_make(int, 0);
		{
			scope(s, NULL);
			recv_chan(leat_empty) first = pipe_or_all(s, in, n);

			test_until(leat_num_parked() == parked + 1);
			if (i % 2)
				scope_cancel(s);
			if (i % 2)
				CHECK(!chan_recv_ok(first, &(leat_empty){}));
		}
		test_goroutines(goroutines);
		for (int k = 0; k < n; k++)
			chan_free(in[k]);
		free(in);
	}
}

LEAT_ERROR(stopped, -EIO, "stopped");

/* Channels of different types; NULL among them; one that has fired before; and the reason comes along. */
TEST(or_of_several_types)
{
	scope(s, NULL);
	chan(int) a = scope_chan(s, int, 0);
	chan(double) b = scope_chan(s, double, 1);
	chan(leat_empty) c = scope_chan(s, leat_empty, 0);
	recv_chan(leat_empty) first =
	    pipe_or(s, a, (chan(char))NULL, chan_receiver(b), c, a, a, a, pipe_or(s, (chan(int))NULL));

	CHECK(!fired(first));
	chan_close_with(c, &stopped);
	CHECK(!chan_recv_ok(first, &(leat_empty){}));
	CHECK(chan_reason(first) == &stopped);
	first = pipe_or(s, a, b);
	chan_send(b, 1.5);
	CHECK(!chan_recv_ok(first, &(leat_empty){}));
	CHECK(chan_reason(first) == NULL);
	CHECK_EQ(chan_len(b), 0);
	CHECK(!chan_recv_ok(pipe_or(s, c), &(leat_empty){}));
}

/* Of those that are ready each is taken at some time. */
TEST(or_takes_any_that_is_ready)
{
	scope(s, NULL);
	chan(int) a = scope_chan(s, int, 1), b = scope_chan(s, int, 1);
	int taken[2] = {0};

	for (int round = 0; round < 200; round++) {
		chan_try_send(a, 1);
		chan_try_send(b, 1);
		CHECK(!chan_recv_ok(pipe_or(s, a, b), &(leat_empty){}));
		CHECK_EQ(chan_len(a) + chan_len(b), 1);
		taken[chan_len(a)]++;
	}
	CHECK(taken[0] > 20 && taken[1] > 20);
}

LEAT_ERROR(stopped_too, -EIO, "stopped, too");

/* The reason is that of the one that was taken, not another's. */
TEST(or_tells_the_reason_of_the_one_it_took)
{
	int told[2] = {0};

	for (int round = 0; round < 200; round++) {
		scope(s, NULL);
		chan(int) a = scope_chan(s, int, 0), b = scope_chan(s, int, 0);
		recv_chan(leat_empty) first;

		chan_close_with(a, &stopped);
		chan_close_with(b, &stopped_too);
		first = pipe_or(s, a, b);
		CHECK(!chan_recv_ok(first, &(leat_empty){}));
		CHECK(chan_reason(first) == &stopped || chan_reason(first) == &stopped_too);
		told[chan_reason(first) == &stopped]++;
	}
	CHECK(told[0] > 20 && told[1] > 20);
}

/* PATTERNS 4, with 10 ms for the shortest: it is over long before the others. */
TEST(or_of_timers)
{
	int64_t in_ns[] = {7200 * LEAT_SECOND, 300 * LEAT_SECOND, LEAT_SECOND / 100,
	                   3600 * LEAT_SECOND};
	recv_chan(int64_t) in[4];
	size_t goroutines = leat_num_goroutine();
	scope(s, NULL);

	for (int i = 0; i < 4; i++)
		in[i] = leat_after(in_ns[i]);
	CHECK(!chan_recv_ok(pipe_or_all(s, in, 4), &(leat_empty){}));
	test_goroutines(goroutines);
	for (int i = 0; i < 4; i++)
		chan_free(in[i]);
}

/* --- or_done, scope_range */

struct feed {
	send_chan(int) out;
	int n;
	bool close;
};

static void feed(struct feed *f)
{
	for (int i = 0; i < f->n; i++)
		chan_send(f->out, i);
	if (f->close)
		chan_close(f->out);
}

TEST(range_until_the_input_is_closed)
{
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, 0);
	int expected = 0;

	scope_go(s, feed, chan_sender(c), 1000, true);
	scope_range(v, c, s) CHECK_EQ(v, expected++);
	CHECK_EQ(expected, 1000);
}

/* PATTERNS 9: the values before it, in order; then the end, though nobody closes. */
TEST(range_until_the_scope_is_done)
{
	scope(feeders, NULL);
	chan(int) c = scope_chan(feeders, int, 0);
	scope(s, NULL);
	int expected = 0, after = 0;

	scope_go(feeders, feed, chan_sender(c), 5, false);
	scope_range(v, c, s)
	{
		CHECK_EQ(v, expected++);
		if (expected == 5)
			scope_timeout(s, LEAT_SECOND / 100);
	}
	CHECK_EQ(expected, 5);
	scope_range(v, c, s) after += v + 1;
	CHECK_EQ(after, 0);
}

static int once(int *calls)
{
	return (*calls)++;
}

TEST(range_evaluates_once_and_can_be_left)
{
	scope(s, NULL);
	chan(int) all[] = {scope_chan(s, int, 4), NULL};
	leat_scope *scopes[] = {s, NULL};
	int chans_asked = 0, scopes_asked = 0, got = 0;

	for (int i = 0; i < 4; i++)
		chan_send(all[0], i);
	scope_range(v, all[once(&chans_asked)], scopes[once(&scopes_asked)])
	{
		got++;
		if (v == 1)
			continue;
		if (v == 2)
			break;
	}
	CHECK_EQ(got, 3);
	CHECK_EQ(chans_asked, 1);
	CHECK_EQ(scopes_asked, 1);
	CHECK_EQ(chan_len(all[0]), 1);
}

TEST(or_done_of_a_channel_that_nobody_closes)
{
	size_t goroutines = leat_num_goroutine();

	{
		scope(feeders, NULL);
		chan(int) c = scope_chan(feeders, int, 0);
		scope(s, NULL);
		int expected = 0;

		scope_go(feeders, feed, chan_sender(c), 100, false);
		chan_range(v, pipe_or_done(s, c)) {
			CHECK_EQ(v, expected++);
			if (expected == 100)
				scope_cancel(s);
		}
		CHECK_EQ(expected, 100);
	}
	test_goroutines(goroutines);
}

TEST_MAIN
