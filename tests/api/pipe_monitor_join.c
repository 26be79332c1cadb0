/* SPDX-License-Identifier: MIT */
/*
 * Goal: the monitor counts what goes through stages that split and join.
 * Method: pipelines whose numbers are known.
 */
#include "pipe_monitor.h"

struct count {
	int next, end;
};

static bool count(int *out, struct count *c)
{
	*out = c->next++;
	return *out < c->end;
}

static void same(const int *in, int *out)
{
	*out = *in;
}

static void add(const int *a, const int *b, int *out)
{
	*out = *a + *b;
}

static leat_pipe_stats found(const leat_pipe_stats *stats, size_t n, const char *kind)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(stats[i].kind, kind) == 0)
			return stats[i];
	fprintf(stderr, "no %s\n", kind);
	CHECK(false);
	return stats[0];
}

TEST(values_are_counted_as_often_as_they_are_sent)
{
	enum { N = 1000 };
	static const struct {
		const char *kind;
		int64_t arrivals, sent;
	} expected[] = {{"tee", N, 3 * N}, {"fan_in", N, N}, {"map_ordered", N, N}, {"zip", 2 * N, N}};
	leat_pipe_stats stats[16];
	leat_pipe_totals all;
	size_t n;
	int sum = 0;
	scope(s, NULL);

	pipe_monitor(s);
	recv_chan(int) *tee = pipe_tee(s, pipe_from(s, int, count, .end = N), 3);
	recv_chan(int) *fan = pipe_fan_out0(s, tee[0], 2, int, same);
	recv_chan(int) in = pipe_fan_in(s, fan, 2);
	recv_chan(int) ordered = pipe_map_ordered0(pipe_at(s, .workers = 2), tee[1], int, same);

	chan_range(v, pipe_zip0(s, pipe_zip0(pipe_at(s, .name = "first"), in, ordered, int, add),
	                        tee[2], int, add))
		sum += v;
	CHECK_EQ(sum, 3 * N * (N - 1) / 2);
	CHECK_EQ(scope_wait(s), 0);
	n = leat_pipe_stats_of(s, stats, 16, &all);
	CHECK(n <= 16);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		leat_pipe_stats of = found(stats, n, expected[i].kind);

		fprintf(stderr, "  %s: %" PRId64 " came, %" PRId64 " sent\n", of.kind, of.arrivals,
		        of.sent);
		CHECK_EQ(of.arrivals, expected[i].arrivals);
		CHECK_EQ(of.sent, expected[i].sent);
		CHECK_EQ(of.inside, 0);
	}
}

/* --- results in order: received by one goroutine, sent by whichever */

struct rest_often {
	int64_t ns;
};

static void rest_often(const int64_t *in, int64_t *out, struct rest_often *a)
{
	if (*in % 4 == 0)
		leat_sleep(a->ns);
	*out = *in;
}

struct rest_each {
	int64_t ns;
};

static void rest_each(const int64_t *in, struct rest_each *a)
{
	(void)in;
	leat_sleep(a->ns);
}

TEST(values_of_an_ordered_map_are_inside_until_they_are_sent)
{
	int n = test_count(50000);
	struct making m = {n};
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	recv_chan(int64_t) c =
	    pipe_map_ordered(pipe_at(s, .workers = 2, .ahead = 8), made(s, &m, 8), int64_t, work, 2000);
	pipe_each0(s, c, forget);
	CHECK_EQ(scope_wait(s), 0);
	seen = look(s);
	CHECK_EQ(seen.n, 3);
	CHECK_EQ(seen.stage[1].arrivals, n);
	CHECK_EQ(seen.stage[1].departures, n);
	CHECK_EQ(seen.stage[1].sent, n);
	CHECK_EQ(seen.stage[2].arrivals, n);
	CHECK_EQ(seen.stage[1].workers, 2);
	check_law("map_ordered", seen.stage[1].mean_inside, seen.stage[1].rate,
	          seen.stage[1].mean_time_ns, 0.05);
	CHECK(seen.stage[1].service_ns >= 2000);
	CHECK(seen.stage[1].mean_inside - seen.stage[1].mean_queued <= 8.01);
}

/* The first of four rests; the others are done at once, and wait for it. */
TEST(values_that_wait_for_their_turn_are_inside)
{
	static int64_t numbers[100];
	struct seen seen;
	scope(s, NULL);

	for (int i = 0; i < 100; i++)
		numbers[i] = i;
	pipe_monitor(s);
	recv_chan(int64_t) c =
	    pipe_map_ordered(pipe_at(s, .workers = 4, .ahead = 4), pipe_from_array(s, numbers, 100),
	                     int64_t, rest_often, 4 * LEAT_MILLISECOND);
	pipe_each0(s, c, forget);
	CHECK_EQ(scope_wait(s), 0);
	seen = look(s);
	CHECK_EQ(seen.stage[1].departures, 100);
	check_law("map_ordered", seen.stage[1].mean_inside, seen.stage[1].rate,
	          seen.stage[1].mean_time_ns, 0.05);
	CHECK(seen.stage[1].mean_inside - seen.stage[1].mean_queued > 2);
	/* One of four works; the others have no place to go on. */
	CHECK(seen.stage[1].utilization < 0.5);
	CHECK(seen.stage[1].blocked_out > seen.stage[1].blocked_in);
}

struct make_slowly {
	int64_t ns;
};

static bool make_slowly(int64_t *out, struct make_slowly *a)
{
	leat_sleep(a->ns);
	*out = 1;
	return true;
}

TEST(what_an_ordered_map_waits_for_is_known)
{
	/* And the time of both workers that they must spend waiting for that, or working, even where they are kept from
	   their processors for half of it.  (Of the share of all time there is no telling: who looks late finds less.) */
	static const struct {
		int64_t source_ns, own_ns, sink_ns;
		double least_ns;
	} rests[] = {{LEAT_MILLISECOND, 1, 1, 50e6},
	             {1, 2 * LEAT_MILLISECOND, 1, 198e6},
	             {1, 1, LEAT_MILLISECOND, 50e6}};

	for (int i = 0; i < 3; i++) {
		struct seen seen;
		double shares[3];
		scope(s, NULL);

		pipe_monitor(s);
		recv_chan(int64_t) all = pipe_from(s, int64_t, make_slowly, rests[i].source_ns);
		recv_chan(int64_t) c = pipe_map_ordered(pipe_at(s, .workers = 2), pipe_take(s, all, 100),
		                                        int64_t, rest, rests[i].own_ns);
		pipe_each(pipe_at(s, .name = "sink"), c, rest_each, rests[i].sink_ns);
		test_until(chan_closed(c));
		seen = look(s);
		fprintf(stderr, "  in %g, busy %g, out %g\n", seen.stage[2].blocked_in,
		        seen.stage[2].utilization, seen.stage[2].blocked_out);
		CHECK_EQ(seen.stage[2].departures, 100);
		shares[0] = seen.stage[2].blocked_in;
		shares[1] = seen.stage[2].utilization;
		shares[2] = seen.stage[2].blocked_out;
		CHECK(shares[i] * seen.all.elapsed_ns * 2 > rests[i].least_ns);
		scope_cancel(s);
	}
}

TEST(ordered_map_that_is_cancelled_holds_nothing)
{
	for (int i = 0; i < 50; i++) {
		struct making m = {INT64_MAX};
		struct seen seen;
		scope(s, NULL);

		pipe_monitor(s);
		recv_chan(int64_t) a = made(s, &m, i % 8);
		recv_chan(int64_t) b =
		    pipe_map_ordered(pipe_at(s, .cap = 4, .workers = 2), a, int64_t, work, 100);
		pipe_each0(s, b, forget);
		for (int k = 0; k < 20; k++) {
			leat_yield();
			look(s);
		}
		scope_cancel(s);
		scope_wait(s);
		seen = look(s);
		CHECK_EQ(seen.stage[1].arrivals, seen.stage[0].sent);
		CHECK_EQ(seen.stage[2].arrivals, seen.stage[1].sent);
		CHECK_EQ(seen.stage[1].inside, chan_len(a));
		CHECK_EQ(seen.stage[2].inside, chan_len(b));
	}
}

/* --- a bridge: the values of channels */

typedef recv_chan(int64_t) numbers_t;

TEST(values_that_cross_a_bridge_are_counted)
{
	enum { CHANNELS = 10, EACH = 100 };
	static numbers_t inner[CHANNELS];
	struct seen seen;
	scope(s, NULL);

	for (int i = 0; i < CHANNELS; i++) {
		chan(int64_t) c = scope_chan(s, int64_t, EACH);

		for (int64_t k = 0; k < EACH; k++)
			chan_send(c, k);
		chan_close(c);
		inner[i] = chan_receiver(c);
	}
	pipe_monitor(s);
	numbers_t all = pipe_bridge(s, pipe_from_array(pipe_at(s, .cap = 2), inner, CHANNELS));
	pipe_each(s, all, rest_each, 10 * LEAT_MICROSECOND);
	CHECK_EQ(scope_wait(s), 0);
	seen = look(s);
	CHECK_EQ(seen.stage[0].sent, CHANNELS);
	CHECK_EQ(seen.stage[1].arrivals, CHANNELS * EACH);
	CHECK_EQ(seen.stage[1].departures, CHANNELS * EACH);
	CHECK_EQ(seen.stage[1].sent, CHANNELS * EACH);
	CHECK_EQ(seen.stage[1].inside, 0);
	CHECK_EQ(seen.stage[2].arrivals, CHANNELS * EACH);
	CHECK(!seen.stage[1].queue_known);
	CHECK(seen.stage[1].blocked_out > 0.6);
	check_law("bridge", seen.stage[1].mean_inside, seen.stage[1].rate, seen.stage[1].mean_time_ns,
	          0.05);
}

/* It waits for an inner one, which is input as well. */
TEST(bridge_that_waits_is_seen)
{
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) in = scope_chan(s, int64_t, 0);
	static numbers_t inner[1];

	inner[0] = chan_receiver(in);
	pipe_monitor(s);
	numbers_t all = pipe_bridge(s, pipe_from_array(s, inner, 1));
	pipe_each0(s, all, forget);
	for (int64_t i = 0; i < 100; i++) {
		chan_send(in, i);
		leat_sleep(LEAT_MILLISECOND);
	}
	seen = look(s);
	CHECK(seen.stage[1].blocked_in > 0.8);
	CHECK_EQ(seen.stage[1].arrivals, 100);
	chan_close(in);
	CHECK_EQ(scope_wait(s), 0);
	CHECK_EQ(look(s).stage[1].departures, 100);
}

/* --- or: one select over all, which ends it */

TEST(or_waits_for_input)
{
	enum { BY_VALUE, BY_CLOSE, BY_CANCEL, WAYS };

	for (int way = 0; way < WAYS; way++) {
		leat_pipe_stats seen;
		scope(s, NULL);
		chan(int) silent = scope_chan(s, int, 0);
		chan(int) first = scope_chan(s, int, 0);

		pipe_monitor(s);
		recv_chan(leat_empty) any = pipe_or(s, silent, first);
		test_parked(1);
		leat_sleep(5 * LEAT_MILLISECOND);
		CHECK_EQ(leat_pipe_stats_of(s, &seen, 1, NULL), 1);
		CHECK_STR(seen.kind, "or");
		CHECK_EQ(seen.arrivals, 0);
		CHECK(seen.blocked_in > 0);
		if (way == BY_VALUE)
			chan_send(first, 1);
		else if (way == BY_CLOSE)
			chan_close(first);
		else
			scope_cancel(s);
		chan_range(v, any)
			(void)v;
		scope_wait(s);
		CHECK_EQ(leat_pipe_stats_of(s, &seen, 1, NULL), 1);
		CHECK_EQ(seen.arrivals, way == BY_VALUE);
		CHECK_EQ(seen.departures, way == BY_VALUE);
		CHECK_EQ(seen.inside, 0);
		CHECK_EQ(seen.sent, 0);
		CHECK(seen.blocked_in > 0);
	}
}

/* Each channel has a count, and what comes on one of many is one. */
TEST(or_of_many)
{
	enum { MANY = 1000 };
	chan(leat_empty) c[MANY];
	leat_pipe_stats seen;
	scope(s, NULL);

	for (int i = 0; i < MANY; i++)
		c[i] = scope_chan(s, leat_empty, 0);
	pipe_monitor(s);
	recv_chan(leat_empty) any = pipe_or_all(s, c, MANY);
	chan_send(c[MANY / 2], (leat_empty){});
	chan_range(v, any)
		(void)v;
	scope_wait(s);
	CHECK_EQ(leat_pipe_stats_of(s, &seen, 1, NULL), 1);
	CHECK_EQ(seen.arrivals, 1);
	CHECK_EQ(seen.departures, 1);
}

TEST_MAIN
