/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 */
/*
 * Goal: a monitor's counts are exact, L = lambda * W in a stable run, what it says of a pipeline's bottleneck and of its
 * unstable stage is so; it may be switched on at any time, and costs no goroutine and no memory beyond the scope.
 * Method: pipelines whose numbers are known; W is compared with what the values themselves tell, which carry
 * the instant of their making.  Slow stages sleep: a busy machine makes these slower, and nothing else.
 */
#include "pipe_monitor.h"

#include <errno.h>

/* --- PATTERNS 12: measured L within 5 % of lambda * W over 10^5 values in a stable run */

TEST(little_holds_and_counts_are_exact)
{
	int n = test_count(1000000);
	struct making m = {n};
	_Atomic int64_t ages = 0;
	size_t goroutines = leat_num_goroutine();

	{
		struct seen seen;
		scope(s, NULL);

		pipe_monitor(s);
		recv_chan(int64_t) a = made(s, &m, 8);
		recv_chan(int64_t) b = pipe_map(pipe_at(s, .name = "b", .cap = 32), a, int64_t, work, 200);
		recv_chan(int64_t) c =
		    pipe_map(pipe_at(s, .name = "c", .cap = 4, .workers = 3), b, int64_t, work, 2000);
		pipe_each(pipe_at(s, .name = "d"), c, add_age, &ages);
		CHECK_EQ(scope_wait(s), 0);
		seen = look(s);
		CHECK_EQ(seen.n, 4);
		for (size_t i = 0; i < 4; i++) {
			CHECK_EQ(seen.stage[i].arrivals, n);
			CHECK_EQ(seen.stage[i].departures, n);
			CHECK_EQ(seen.stage[i].sent, i < 3 ? n : 0);
			CHECK_EQ(seen.stage[i].queued, 0);
			CHECK_EQ(seen.stage[i].source, i == 0);
			CHECK(!seen.stage[i].unstable);
		}
		for (size_t i = 1; i < 4; i++)
			check_law(seen.stage[i].name, seen.stage[i].mean_inside, seen.stage[i].rate,
			          seen.stage[i].mean_time_ns, 0.05);
		check_law("all", seen.all.mean_inside, seen.all.rate, seen.all.mean_time_ns, 0.05);
		CHECK_EQ(seen.all.arrivals, n);
		CHECK_EQ(seen.all.inside, 0);
		CHECK_EQ(seen.stage[2].workers, 3);
		CHECK_EQ(seen.stage[1].cap, 8);
		CHECK_EQ(seen.stage[2].cap, 32);
		/* What the values say: from their making to the sink's function. */
		CHECK(close_to(seen.all.mean_time_ns, (double)ages / n, 0.2));
		/* Own work is what it is told to be, at least; and no one waits for less than no time. */
		CHECK(seen.stage[1].service_ns >= 200 && seen.stage[2].service_ns >= 2000);
		CHECK(seen.stage[1].mean_wait_ns >= 0);
		CHECK(seen.stage[1].mean_queued <= seen.stage[1].mean_inside);
		CHECK(seen.stage[2].utilization > 0 && seen.stage[2].utilization <= 1);
	}
	test_goroutines(goroutines);
}

TEST(counts_are_exact_where_the_scope_is_cancelled)
{
	for (int i = 0; i < 50; i++) {
		struct making m = {INT64_MAX};
		struct seen seen;
		scope(s, NULL);

		pipe_monitor(s);
		recv_chan(int64_t) a = made(s, &m, i % 8);
		recv_chan(int64_t) b = pipe_map(pipe_at(s, .cap = 4, .workers = 2), a, int64_t, work, 100);
		pipe_each0(s, b, forget);
		for (int k = 0; k < 20; k++)
			leat_yield();
		scope_cancel(s);
		scope_wait(s);
		seen = look(s);
		CHECK_EQ(seen.stage[1].arrivals, seen.stage[0].sent);
		CHECK_EQ(seen.stage[2].arrivals, seen.stage[1].sent);
		/* Nobody holds any; the rest lies in the channels. */
		CHECK_EQ(seen.stage[1].inside, chan_len(a));
		CHECK_EQ(seen.stage[2].inside, chan_len(b));
	}
}

/* --- what is wrong with a pipeline */

TEST(bottleneck_is_named)
{
	struct making m = {200};
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	recv_chan(int64_t) a = made(s, &m, 0);
	recv_chan(int64_t) b =
	    pipe_map(pipe_at(s, .name = "b", .cap = 2), a, int64_t, rest, 2 * LEAT_MILLISECOND);
	recv_chan(int64_t) c =
	    pipe_map(pipe_at(s, .name = "c", .cap = 2), b, int64_t, rest, 6 * LEAT_MILLISECOND);
	pipe_each0(pipe_at(s, .name = "d"), c, forget);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.all.bottleneck, 2);
	CHECK_EQ(seen.all.beyond, 0);
	CHECK_STR(seen.stage[2].name, "c");
	CHECK(seen.stage[2].utilization > 0.8);
	/* With so many it is about as quick as b, with one less it is not: 3, unless somebody oversleeps. */
	CHECK(seen.stage[2].fan_out >= 2);
	CHECK(seen.stage[2].service_ns < (seen.stage[2].fan_out + 0.2) * seen.stage[1].service_ns);
	CHECK(seen.stage[2].service_ns > (seen.stage[2].fan_out - 1) * seen.stage[1].service_ns);
	CHECK_EQ(seen.stage[1].fan_out, 1);
	/* Before it they wait to send, behind it to receive. */
	CHECK(seen.stage[1].blocked_out > seen.stage[1].blocked_in);
	CHECK(seen.stage[3].blocked_in > 0.8);
	CHECK(seen.stage[0].blocked_out > 0.8);
}

TEST(bottleneck_may_be_who_receives)
{
	struct making m = {50};
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	recv_chan(int64_t) a = made(s, &m, 0);
	recv_chan(int64_t) b = pipe_map(pipe_at(s, .name = "b"), a, int64_t, work, 1);
	chan_range(v, b) {
		(void)v;
		leat_sleep(LEAT_MILLISECOND);
	}
	seen = look(s);
	CHECK_EQ(seen.all.bottleneck, 1);
	CHECK_EQ(seen.all.beyond, 1);
}

struct feed {
	send_chan(int64_t) to;
};

static void feed(struct feed *a)
{
	for (int i = 0; i < 50; i++) {
		leat_sleep(LEAT_MILLISECOND);
		chan_send(a->to, i);
	}
	chan_close(a->to);
}

TEST(bottleneck_may_be_who_feeds)
{
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) fed = scope_chan(s, int64_t, 0);

	pipe_monitor(s);
	scope_go(s, feed, chan_sender(fed));
	recv_chan(int64_t) b = pipe_map(pipe_at(s, .name = "b"), fed, int64_t, work, 1);
	pipe_each0(s, b, forget);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.all.bottleneck, 0);
	CHECK_EQ(seen.all.beyond, -1);
	CHECK(!seen.stage[0].queue_known && seen.stage[1].queue_known);
	CHECK_EQ(seen.stage[0].arrivals, 50);
	CHECK_EQ(seen.all.arrivals, 50);
}

struct overfeed {
	_Atomic bool *enough;
};

static bool overfeed(int64_t *out, struct overfeed *a)
{
	spin_for(20 * LEAT_MICROSECOND);
	*out = 0;
	return !*a->enough;
}

struct overloaded {
	_Atomic bool *enough;
	_Atomic int *done;
	int n;
};

static void overloaded(const int64_t *in, struct overloaded *a)
{
	(void)in;
	leat_sleep(200 * LEAT_MICROSECOND);
	if (++*a->done == a->n)
		*a->enough = true;
}

/* PATTERNS 12: flags instability when the backlog's slope is above 0. */
TEST(overloaded_stage_is_named)
{
	_Atomic bool enough = false;
	_Atomic int done = 0;
	char text[8192];
	FILE *to;
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	recv_chan(int64_t) a =
	    pipe_from(pipe_at(s, .name = "feed", .cap = 10), int64_t, overfeed, &enough);
	recv_chan(int64_t) b =
	    pipe_map(pipe_at(s, .name = "fine", .cap = 1000000), a, int64_t, work, 1);
	pipe_each(pipe_at(s, .name = "overloaded"), b, overloaded, &enough, &done, 300);
	test_until(enough);
	seen = look(s);
	CHECK(seen.stage[2].unstable);
	CHECK(!seen.stage[1].unstable && !seen.stage[0].unstable);
	CHECK(seen.stage[2].growth > 0);
	CHECK(seen.stage[2].inside > 100);
	CHECK(seen.stage[2].fan_out > 1);
	/* Those that wait are in no value's time inside. */
	CHECK(seen.stage[2].mean_inside > 1);

	to = fmemopen(text, sizeof text, "w");
	leat_pipe_report(s, to);
	fclose(to);
	CHECK(strstr(text, "unstable: overloaded: "));
	CHECK(!strstr(text, "unstable: fine"));
	scope_cancel(s);
}

/* --- when it is switched on */

TEST(switched_on_while_stages_run)
{
	int n = test_count(200000);

	for (int round = 0; round < 10; round++) {
		struct making m = {n};
		struct seen seen;
		size_t in_the_end = 3;
		scope(s, NULL);

		recv_chan(int64_t) a = made(s, &m, round % 3 * 8);
		recv_chan(int64_t) b =
		    pipe_map(pipe_at(s, .cap = round % 4, .workers = 2), a, int64_t, work, 100);
		pipe_each0(s, b, forget);
		test_until(m.left < n - n / 10);
		pipe_monitor(s);
		for (int i = 0; i < 10; i++) {
			seen = look(s);
			CHECK_EQ(seen.n, in_the_end);
			leat_yield();
		}
		scope_wait(s);
		seen = look(s);
		for (size_t i = 0; i < seen.n; i++) {
			CHECK(seen.stage[i].arrivals <= n);
			CHECK_EQ(seen.stage[i].inside, 0);
		}
	}
}

TEST(switched_on_while_all_wait)
{
	int64_t on, waited;
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) fed = scope_chan(s, int64_t, 0);

	recv_chan(int64_t) b = pipe_map(pipe_at(s, .name = "b", .cap = 4), fed, int64_t, work, 1);
	recv_chan(int64_t) c = pipe_map(pipe_at(s, .name = "c"), b, int64_t, work, 1);
	for (int64_t i = 0; i < 3; i++)
		chan_send(fed, i); /* the first waits behind c, two between */
	test_parked(2);
	pipe_monitor(s);
	seen = look(s);
	CHECK_EQ(seen.stage[1].inside, 2);
	CHECK_EQ(seen.stage[1].queued, 2);
	on = leat_now();
	leat_sleep(5 * LEAT_MILLISECOND);
	waited = leat_now() - on;
	for (int64_t i = 0; i < 3; i++)
		CHECK(chan_recv(c) >= 0);
	test_parked(2);
	seen = look(s);
	CHECK(seen.stage[1].mean_wait_ns >= 0.99 * (double)waited);
	/* Two that lay there were received; the first was not seen to come. */
	CHECK_EQ(seen.stage[1].departures, 2);
	CHECK_EQ(seen.stage[1].inside, 0);
	for (int64_t i = 0; i < 5; i++) {
		chan_send(fed, i);
		CHECK_EQ(chan_recv(c), i);
	}
	test_parked(2);
	seen = look(s);
	CHECK_EQ(seen.stage[1].inside, 0);
	CHECK_EQ(seen.stage[1].departures, 2 + 5);
	CHECK_EQ(seen.stage[1].arrivals, 2 + 5);
	chan_close(fed);
	scope_wait(s);
}

TEST(switched_on_while_all_are_idle)
{
	int64_t begin;
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) fed = scope_chan(s, int64_t, 0);

	recv_chan(int64_t) b = pipe_map(pipe_at(s, .name = "b", .cap = 4), fed, int64_t, work, 1);
	recv_chan(int64_t) c = pipe_map(pipe_at(s, .name = "c"), b, int64_t, work, 1);
	test_parked(2);
	pipe_monitor(s);
	leat_sleep(5 * LEAT_MILLISECOND);
	begin = leat_now();
	/* The first value finds receivers that do not count. */
	for (int64_t i = 0; i < 5; i++) {
		chan_send(fed, i);
		CHECK_EQ(chan_recv(c), i);
	}
	test_parked(2);
	seen = look(s);
	CHECK_EQ(seen.stage[1].inside, 0);
	CHECK_EQ(seen.stage[1].departures, 4);
	CHECK_EQ(seen.stage[0].sent, 5);
	CHECK(4 * seen.stage[1].mean_wait_ns <= 4.04 * (double)(leat_now() - begin));
	for (int64_t i = 0; i < 4; i++)
		chan_send(fed, i);
	test_parked(2); /* one behind c, three between */
	seen = look(s);
	CHECK_EQ(seen.stage[1].queued, 3);
	scope_cancel(s);
}

TEST(switched_on_when_all_is_over)
{
	struct making m = {10};
	struct seen seen;
	scope(s, NULL);

	CHECK_EQ(look(s).n, 0);
	pipe_each0(s, made(s, &m, 0), forget);
	CHECK_EQ(look(s).n, 0);
	scope_wait(s);
	pipe_monitor(s);
	seen = look(s);
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.stage[0].arrivals + seen.stage[1].arrivals, 0);
	CHECK_EQ(seen.all.bottleneck, -1);
	pipe_monitor(s); /* once more does no harm */
	CHECK_EQ(look(s).n, 2);
}

/* --- how stages hang together */

TEST(two_stages_share_a_channel)
{
	int n = test_count(20000);
	struct making m = {n};
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	recv_chan(int64_t) a = made(s, &m, 4);
	pipe_each0(s, a, forget);
	pipe_each0(s, a, forget);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.stage[0].sent, n);
	CHECK_EQ(seen.stage[1].arrivals + seen.stage[2].arrivals, n);
	CHECK_EQ(seen.stage[1].departures + seen.stage[2].departures, n);
}

static bool odd(const int64_t *in)
{
	return *in & 1;
}

TEST(what_a_stage_drops_has_left_it)
{
	static int64_t numbers[1000];
	struct seen seen;
	size_t n;
	scope(s, NULL);

	for (int i = 0; i < 1000; i++)
		numbers[i] = i;
	pipe_monitor(s);
	recv_chan(int64_t) a = pipe_from_array(s, numbers, 1000);
	recv_chan(int64_t) b = pipe_filter0(s, a, odd);
	CHECK(pipe_collect(s, pipe_take(s, b, 100), &n));
	CHECK_EQ(n, 100);
	scope_cancel(s); /* the source and the filter wait */
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.stage[2].departures, 100);
	CHECK_EQ(seen.stage[2].sent, 100);
	CHECK(seen.stage[1].departures >= 200 && seen.stage[1].departures <= 204);
	CHECK_EQ(seen.stage[1].sent, seen.stage[2].arrivals);
}

static void fail_at_3(const int64_t *in, int64_t *out)
{
	if (*in == 3)
		leat_panic("three");
	*out = *in;
}

TEST(stage_that_fails_is_counted)
{
	static const int64_t numbers[] = {0, 1, 2, 3, 4, 5};
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	recv_chan(int64_t) a = pipe_from_array(s, numbers, 6);
	recv_chan(int64_t) b = pipe_map0(pipe_at(s, .panics = LEAT_PIPE_FAIL), a, int64_t, fail_at_3);
	pipe_each0(s, b, forget);
	CHECK_EQ(scope_wait(s), -EIO);
	seen = look(s);
	CHECK_EQ(seen.stage[1].departures, 4);
	CHECK(seen.stage[2].departures <= 3);
	CHECK_EQ(seen.stage[2].arrivals, 3);
}

static void monitor_nothing(void *arg)
{
	leat_pipe_monitor(arg, NULL);
}

static void report_nothing(void *arg)
{
	leat_pipe_report(arg, stderr);
}

static void watch_nothing(void *arg)
{
	CHECK(leat_pipe_watch(arg, "x", NULL, NULL));
}

TEST(no_scope)
{
	CHECK(test_panics(monitor_nothing, NULL, "pipe of nil scope"));
	CHECK(test_panics(report_nothing, NULL, "pipe of nil scope"));
	CHECK(test_panics(watch_nothing, NULL, "pipe of nil scope"));
}

TEST_MAIN
