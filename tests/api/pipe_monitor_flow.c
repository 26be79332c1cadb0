/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 */
/*
 * Goal: the monitor counts the values of stages that look at the clock and of buffers that lose some; those that such
 * a stage holds back are inside it until they are sent or lost.
 * Method: pipelines whose numbers are known, and whose values are held back for a known time at least.
 */
#include "pipe_monitor.h"

struct ten {
	size_t n;
	int64_t items[10];
};

static void forget_ten(const struct ten *in)
{
	(void)in;
}

/* --- stages that receive until some instant */

static bool make_slowly(int64_t *out, struct making **a)
{
	leat_sleep(LEAT_MILLISECOND);
	return make(out, a);
}

static bool leat__make_slowly(void *out, void *args)
{
	return make_slowly(out, args);
}

static recv_chan(int64_t) made_slowly(leat_scope *s, struct making *m)
{
	return (recv_chan(int64_t))leat_pipe_from((leat_pipe_opts){.scope = s, .name = "slow"},
	                                          sizeof(int64_t), leat__make_slowly, &m,
	                                          sizeof(struct making *));
}

TEST(values_are_inside_until_their_batch_is_sent)
{
	for (int64_t wait_ns = LEAT_HOUR;; wait_ns = LEAT_FOREVER) {
		struct making m = {205};
		struct seen seen;
		scope(s, NULL);

		pipe_monitor(s);
		pipe_each0(s, pipe_batch(s, made_slowly(s, &m), struct ten, wait_ns), forget_ten);
		CHECK_EQ(scope_wait(s), 0);
		seen = look(s);
		CHECK_EQ(seen.stage[1].arrivals, 205);
		CHECK_EQ(seen.stage[1].departures, 205);
		CHECK_EQ(seen.stage[1].sent, 21);
		CHECK_EQ(seen.stage[2].arrivals, 21);
		check_law("batch", seen.stage[1].mean_inside, seen.stage[1].rate,
		          seen.stage[1].mean_time_ns, 0.05);
		/* The first of ten waits for nine, the last for none; each takes a millisecond, at least. */
		CHECK(seen.stage[1].mean_time_ns > 4.2 * LEAT_MILLISECOND);
		CHECK(seen.stage[1].mean_inside > 3);
		CHECK(seen.stage[1].blocked_in > 0.8);
		CHECK(seen.stage[1].utilization < 0.2);
		if (wait_ns == LEAT_FOREVER)
			break;
	}
}

TEST(batch_that_waits_for_more_is_seen)
{
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) in = scope_chan(s, int64_t, 0);

	pipe_monitor(s);
	pipe_each0(s, pipe_batch(s, in, struct ten, LEAT_HOUR), forget_ten);
	for (int64_t i = 0; i < 7; i++)
		chan_send(in, i);
	test_parked(2);
	seen = look(s);
	CHECK_EQ(seen.stage[0].inside, 7);
	CHECK_EQ(seen.stage[0].departures, 0);
	CHECK_EQ(seen.stage[0].sent, 0);
	chan_close(in);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.stage[0].inside, 0);
	CHECK_EQ(seen.stage[0].departures, 7);
	CHECK_EQ(seen.stage[1].arrivals, 1);
}

/* Bursts of five, which are one value each for who waits until it is quiet. */
TEST(values_that_others_replace_have_left)
{
	enum { BURSTS = 5, QUIET = 20 };
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) in = scope_chan(s, int64_t, 0);

	pipe_monitor(s);
	recv_chan(int64_t) c = pipe_debounce(s, in, QUIET * LEAT_MILLISECOND);
	for (int i = 0; i < BURSTS; i++) {
		for (int64_t k = 0; k < 5; k++)
			chan_send(in, k);
		CHECK(chan_recv(c) >= 0); /* one, unless somebody was slow; then the others come later */
	}
	chan_close(in);
	chan_range(v, c)
		CHECK(v >= 0);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.stage[0].arrivals, 5 * BURSTS);
	CHECK_EQ(seen.stage[0].departures, 5 * BURSTS);
	CHECK_EQ(seen.stage[0].sent, 5 * BURSTS - (int64_t)pipe_lost(s, c));
	check_law("debounce", seen.stage[0].mean_inside, seen.stage[0].rate, seen.stage[0].mean_time_ns,
	          0.05);
	/* One of five is held for that long, the other four are lost at once. */
	CHECK(seen.stage[0].mean_time_ns > QUIET * LEAT_MILLISECOND / 5);
	CHECK(seen.stage[0].blocked_in > seen.stage[0].utilization);
}

TEST(values_before_a_time_out_are_counted)
{
	struct making m = {100};
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	pipe_each0(s, pipe_timeout(s, made_slowly(s, &m), LEAT_HOUR), forget);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.stage[1].arrivals, 100);
	CHECK_EQ(seen.stage[1].departures, 100);
	CHECK_EQ(seen.stage[1].sent, 100);
	CHECK(seen.stage[1].blocked_in > 0.8);
	/* It passes them on. */
	CHECK(seen.stage[1].mean_inside < 0.5);
	check_law("timeout", seen.stage[1].mean_inside, seen.stage[1].rate, seen.stage[1].mean_time_ns,
	          0.05);
}

/* What it sends by itself came from nowhere. */
TEST(values_of_a_time_out_are_sent)
{
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) in = scope_chan(s, int64_t, 0);

	pipe_monitor(s);
	recv_chan(int64_t) c = pipe_timeout_or(s, in, LEAT_MILLISECOND, -1);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(chan_recv(c), -1);
	chan_send(in, 5);
	while (chan_recv(c) != 5)
		;
	chan_close(in);
	chan_range(v, c)
		CHECK_EQ(v, -1);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.stage[0].arrivals, 1);
	CHECK_EQ(seen.stage[0].departures, 1);
	CHECK(seen.stage[0].sent >= 11);
}

/* --- buffers that lose values */

static void nothing(const int64_t *in)
{
	(void)in;
}

struct overflow {
	leat_pipe_policy policy;
	bool reject;
	int room;
};

static recv_chan(int64_t) overflowing(leat_scope *s, recv_chan(int64_t) in,
                                      const struct overflow *o)
{
	if (o->reject)
		return pipe_reject0(s, in, o->room, nothing);
	return pipe_buffer(s, in, o->room, o->policy);
}

static const struct overflow overflows[] = {
    {.policy = LEAT_PIPE_DROP_NEWEST, .room = 10}, {.policy = LEAT_PIPE_DROP_OLDEST, .room = 10},
    {.policy = LEAT_PIPE_LATEST, .room = 1},       {.reject = true, .room = 10},
    {.policy = LEAT_PIPE_DROP_NEWEST, .room = 0},  {.policy = LEAT_PIPE_BLOCK, .room = 1000},
};

enum { OVERFLOWS = sizeof overflows / sizeof *overflows };

TEST(what_a_buffer_loses_has_left_it)
{
	for (int i = 0; i < OVERFLOWS; i++) {
		const struct overflow *o = &overflows[i];
		struct making m = {1000};
		struct seen seen;
		int64_t lost;
		scope(s, NULL);

		pipe_monitor(s);
		recv_chan(int64_t) c = overflowing(s, made(s, &m, 4), o);
		test_until(chan_closed(c)); /* all came, and nobody received */
		recv_chan(int64_t) d = pipe_map(s, c, int64_t, work, 1);
		if (o->room > 0)
			test_parked(1);
		seen = look(s);
		lost = (int64_t)pipe_lost(s, c);
		CHECK_EQ(lost, 1000 - o->room);
		CHECK_EQ(seen.stage[1].arrivals, 1000);
		CHECK_EQ(seen.stage[1].departures, 1000);
		CHECK_EQ(seen.stage[1].sent, 1000 - lost);
		CHECK_EQ(seen.stage[2].arrivals, 1000 - lost);
		CHECK_EQ(seen.stage[2].queued, o->room > 0 ? o->room - 1 : 0);
		chan_range(v, d)
			(void)v;
		scope_wait(s);
		seen = look(s);
		CHECK_EQ(seen.stage[2].departures, 1000 - lost);
		CHECK_EQ(seen.stage[2].inside, 0);
		check_law("buffer", seen.stage[1].mean_inside, seen.stage[1].rate,
		          seen.stage[1].mean_time_ns, 0.05);
		CHECK_EQ(seen.stage[1].blocked_out > 0, o->policy == LEAT_PIPE_BLOCK && !o->reject);
	}
}

/* --- how full a buffer is */

struct hold {
	leat_scope *scope; /* of the stage: what waits in its function must end with it */
	_Atomic bool *let_go;
};

static void hold(const int64_t *in, struct hold *a)
{
	(void)in;
	while (!*a->let_go && scope_err(a->scope) == 0)
		leat_sleep(LEAT_MILLISECOND);
}

/*
 * A mean comes near what the number inside has been for long, and never reaches it: what may be said of it is how long
 * the buffer was full for sure, of how long it took at most.  Nor may a test wait until all are parked: who feeds a
 * buffer that loses values never is.
 */
static void check_full(leat_pipe_policy policy, int room, int64_t full)
{
	_Atomic bool let_go = false;
	struct making m = {INT64_MAX};
	int64_t before, since, now, after;
	struct seen seen;
	scope(s, NULL);

	pipe_monitor(s);
	before = leat_now();
	recv_chan(int64_t) c = pipe_buffer(s, made(s, &m, 0), room, policy);
	pipe_each(s, c, hold, s, &let_go);
	do {
		leat_yield();
		seen = look(s);
		since = leat_now();
	} while (seen.stage[2].departures + seen.stage[2].inside < full + 1 ||
	         seen.stage[2].queued < full);
	leat_sleep(20 * LEAT_MILLISECOND);
	now = leat_now();
	seen = look(s);
	after = leat_now();
	/* Where values are taken back for others there may be one more, or one less, for a moment. */
	CHECK(seen.stage[2].queued >= full - 1 && seen.stage[2].queued <= full + 1);
	CHECK_EQ(seen.stage[2].departures, 0);
	CHECK(seen.stage[2].mean_queued <= (double)full + 1);
	if (seen.stage[2].mean_queued <
	    0.99 * (double)(full - 1) * (double)(now - since) / (double)(after - before)) {
		fprintf(stderr, "full for %g of %g ns with %d values: %g in the mean\n",
		        (double)(now - since), (double)(after - before), (int)full,
		        seen.stage[2].mean_queued);
		exit(1);
	}
	let_go = true;
	scope_cancel(s);
	scope_wait(s);
}

TEST(full_buffer_is_full_in_the_mean)
{
	/* The sink holds one; beside those in the buffer one waits for room. */
	check_full(LEAT_PIPE_BLOCK, 10, 11);
	check_full(LEAT_PIPE_BLOCK, 1000, 1001);
	check_full(LEAT_PIPE_DROP_OLDEST, 10, 10);
	check_full(LEAT_PIPE_DROP_NEWEST, 10, 10);
	check_full(LEAT_PIPE_DROP_OLDEST, 1000, 1000);
}

TEST_MAIN
