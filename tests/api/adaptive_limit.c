/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced nomigrate */
/*
 * Goal: both algorithms of leat_adaptive_limit find the capacity of a server, keep it busy, and follow when it changes.
 *
 * Method: a server of known capacity, simulated in a time of its own: so many workers, service times at random around a
 * mean, a queue, and clients who always have another call.  Nothing here depends on the machine.
 */
#include "test.h"

#define MS LEAT_MILLISECOND

enum { CALLS_MOST = 4096 };

struct server {
	int workers;        /* its capacity */
	int64_t service_ns; /* mean */
	double
	    spread; /* service times are even over 1 +- spread times that; 2: exponential-like, see draw */
	int queue_most; /* calls that come to a queue of that length are dropped */

	int64_t now, begun[CALLS_MOST], ends[CALLS_MOST]; /* of the calls being worked on */
	int busy;
	int64_t queue[CALLS_MOST]; /* when those began who wait there */
	int first, queued;
	uint64_t random;
	int64_t done, dropped;
};

static double draw(struct server *s)
{
	double u;

	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	u = (double)(s->random >> 11) / 9007199254740992.0;
	/* A few that take long among many that do not: mean 1. */
	if (s->spread > 1)
		return u < 0.9 ? u / 0.9 : 110 * (u - 0.9);
	return 1 + s->spread * (2 * u - 1);
}

static void serve(struct server *s, int64_t begun)
{
	s->begun[s->busy] = begun;
	s->ends[s->busy++] = s->now + (int64_t)(draw(s) * (double)s->service_ns) + 1;
}

/* Let time pass to the next end of a call: when that began. */
static int64_t next_end(struct server *s)
{
	int first = 0;
	int64_t begun;

	for (int i = 1; i < s->busy; i++)
		if (s->ends[i] < s->ends[first])
			first = i;
	s->now = s->ends[first];
	begun = s->begun[first];
	s->begun[first] = s->begun[--s->busy];
	s->ends[first] = s->ends[s->busy];
	if (s->queued > 0 && s->busy < s->workers) {
		s->queued--;
		serve(s, s->queue[s->first]);
		s->first = (s->first + 1) % CALLS_MOST;
	}
	s->done++;
	return begun;
}

/* How it went for a while. */
struct result {
	double limit, least, most; /* mean, and bounds, of the limit */
	double throughput;         /* part of what the server can do */
	double dropped;            /* part of the calls */
};

/* Clients who keep as many calls under way as they may, and at most demand, for so long. */
static struct result run(struct server *s, leat_adaptive_limit *l, int64_t duration_ns, int demand)
{
	struct result r = {.least = 1e9};
	int64_t start = s->now, done = s->done, dropped = s->dropped;
	double weighted = 0;

	while (s->now - start < duration_ns) {
		int64_t before = s->now, begun;
		uint32_t limit;

		while (limit = leat_adaptive_limit_get(l),
		       s->busy + s->queued < (int)limit && s->busy + s->queued < demand) {
			if (s->busy < s->workers) {
				serve(s, s->now);
			} else if (s->queued < s->queue_most) {
				s->queue[(s->first + s->queued++) % CALLS_MOST] = s->now;
			} else {
				s->dropped++;
				leat_adaptive_limit_sample(l, s->now, s->now + 1,
				                           (uint32_t)(s->busy + s->queued + 1),
				                           LEAT_ADAPTIVE_DROPPED);
				if (s->dropped > s->done + 100000)
					test_fail(__FILE__, __LINE__, "it drops for ever");
				s->now++;
			}
		}
		begun = next_end(s);
		leat_adaptive_limit_sample(l, begun, s->now, (uint32_t)(s->busy + s->queued + 1),
		                           LEAT_ADAPTIVE_OK);
		weighted += (double)limit * (double)(s->now - before);
		r.least = limit < r.least ? limit : r.least;
		r.most = limit > r.most ? limit : r.most;
	}
	r.limit = weighted / (double)(s->now - start);
	r.throughput =
	    (double)(s->done - done) * (double)s->service_ns / ((double)(s->now - start) * s->workers);
	r.dropped = (double)(s->dropped - dropped) / (double)(s->done - done + s->dropped - dropped);
	fprintf(stderr, "    %d workers, %g ms: limit %.1f (%g to %g), throughput %.3f, dropped %.4f\n",
	        s->workers, (double)s->service_ns / 1e6, r.limit, r.least, r.most, r.throughput,
	        r.dropped);
	return r;
}

static struct server server(int workers, int64_t service_ns, double spread)
{
	return (struct server){.workers = workers,
	                       .service_ns = service_ns,
	                       .spread = spread,
	                       .queue_most = CALLS_MOST / 2,
	                       .random = 88172645463325252u};
}

/* The limit is between the capacity and that with a slack of a few roots. */
static void check_gradient(struct result r, int workers)
{
	double root = 4;

	while (root * root < workers)
		root++;
	CHECK(r.limit > 0.9 * workers && r.limit < workers + 3 * root);
	CHECK(r.throughput > 0.93);
}

static void gradient(int workers, double spread)
{
	leat_adaptive_limit l = {{0}};
	struct server s = server(workers, 10 * MS, spread);

	(void)run(&s, &l, 20 * LEAT_SECOND, INT32_MAX);
	check_gradient(run(&s, &l, 100 * LEAT_SECOND, INT32_MAX), workers);
}

TEST(wish_11_the_gradient_finds_the_capacity)
{
	gradient(1, 0.2);
	gradient(5, 0.2);
	gradient(20, 0.2);
	gradient(100, 0.2);
	gradient(500, 0.2);
}

TEST(the_gradient_bears_service_times_that_vary)
{
	gradient(20, 1);
	gradient(100, 1);
	gradient(100, 2);
}

TEST(the_gradient_comes_down_from_a_limit_that_was_too_high_from_the_start)
{
	leat_adaptive_limit l = {.opts = {.first = 400}};
	struct server s = server(10, 10 * MS, 0.2);

	(void)run(&s, &l, 60 * LEAT_SECOND, INT32_MAX);
	check_gradient(run(&s, &l, 60 * LEAT_SECOND, INT32_MAX), 10);
}

TEST(the_gradient_follows_a_server_that_changes)
{
	leat_adaptive_limit l = {{0}};
	struct server s = server(50, 10 * MS, 0.2);
	int64_t least;

	check_gradient(
	    (run(&s, &l, 20 * LEAT_SECOND, INT32_MAX), run(&s, &l, 40 * LEAT_SECOND, INT32_MAX)), 50);
	s.workers = 10;
	check_gradient(
	    (run(&s, &l, 60 * LEAT_SECOND, INT32_MAX), run(&s, &l, 60 * LEAT_SECOND, INT32_MAX)), 10);
	s.workers = 200;
	check_gradient(
	    (run(&s, &l, 60 * LEAT_SECOND, INT32_MAX), run(&s, &l, 60 * LEAT_SECOND, INT32_MAX)), 200);
	s.service_ns = 40 * MS; /* for good: no queue, though it looks like one */
	check_gradient(
	    (run(&s, &l, 60 * LEAT_SECOND, INT32_MAX), run(&s, &l, 60 * LEAT_SECOND, INT32_MAX)), 200);
	least = leat_adaptive_limit_least_ns(&l);
	CHECK(least > 36 * MS && least < 45 * MS);
}

TEST(the_limit_does_not_grow_while_it_is_not_used)
{
	for (int i = 0; i < 2; i++) {
		leat_adaptive_limit l = {
		    .opts = {.algorithm = i ? LEAT_ADAPTIVE_AIMD : LEAT_ADAPTIVE_GRADIENT}};
		struct server s = server(1000, 10 * MS, 0.2);
		struct result r = run(&s, &l, 20 * LEAT_SECOND, 20);

		CHECK(r.most <= 80); /* four times what is in use, by doubling */
		CHECK(r.least >= 8);
	}
}

/* --- by drops */

static void aimd(int workers, int queue_most, double factor)
{
	leat_adaptive_limit l = {.opts = {.algorithm = LEAT_ADAPTIVE_AIMD, .decrease = factor}};
	struct server s = server(workers, 10 * MS, 0.2);
	double full = workers + queue_most, used = factor > 0 ? factor : 0.9;
	struct result r;

	s.queue_most = queue_most;
	(void)run(&s, &l, 20 * LEAT_SECOND, INT32_MAX);
	r = run(&s, &l, 100 * LEAT_SECOND, INT32_MAX);
	CHECK(r.most <= full + 2);
	CHECK(r.least >= used * full - 2);
	CHECK(r.limit > (1 + used) / 2 * full - 2 && r.limit < full + 1);
	CHECK(r.throughput > 0.95);
	/* One drop for the calls that it takes to grow back. */
	CHECK(r.dropped < 1.5 / ((1 - used) * full * (1 + used) / 2 * full));
}

TEST(wish_11_aimd_saws_below_what_is_dropped)
{
	aimd(10, 10, 0);
	aimd(100, 20, 0);
	aimd(100, 110, 0.5);
}

TEST(drops_of_one_overload_count_once)
{
	leat_adaptive_limit l = {
	    .opts = {.algorithm = LEAT_ADAPTIVE_AIMD, .first = 100, .decrease = 0.5}};

	for (int i = 0; i < 50; i++)
		leat_adaptive_limit_sample(&l, 1000 + i, 2000 + i, 100, LEAT_ADAPTIVE_DROPPED);
	CHECK_EQ(leat_adaptive_limit_get(&l), 50);
	leat_adaptive_limit_sample(&l, 2001, 2100, 50, LEAT_ADAPTIVE_DROPPED);
	CHECK_EQ(leat_adaptive_limit_get(&l), 25);
	leat_adaptive_limit_sample(&l, 2100, 2200, 50, LEAT_ADAPTIVE_DROPPED);
	CHECK_EQ(leat_adaptive_limit_get(&l), 25);
	for (int i = 1; i < 20; i++)
		leat_adaptive_limit_sample(&l, 3000 * i, 3000 * i + 1, 50, LEAT_ADAPTIVE_DROPPED);
	CHECK_EQ(leat_adaptive_limit_get(&l), 1);
	leat_adaptive_limit_sample(&l, 0, INT64_MAX, 50, LEAT_ADAPTIVE_IGNORE);
	CHECK_EQ(leat_adaptive_limit_get(&l), 1);
	for (int i = 0; i < 3; i++) /* 1 + 1 + 1/2 + 1/2.5 */
		leat_adaptive_limit_sample(&l, 0, 1, 50, LEAT_ADAPTIVE_OK);
	CHECK_EQ(leat_adaptive_limit_get(&l), 2);
}

TEST(bounds_hold)
{
	leat_adaptive_limit l = {.opts = {.first = 10, .least = 5, .most = 12}};
	struct server s = server(100, 10 * MS, 0.2);
	struct result r = run(&s, &l, 20 * LEAT_SECOND, INT32_MAX);

	CHECK(r.most <= 12);
	s.workers = 1;
	r = run(&s, &l, 60 * LEAT_SECOND, INT32_MAX);
	CHECK(r.least >= 5);
	CHECK_EQ(leat_adaptive_limit_get(&(leat_adaptive_limit){{0}}), 8);
}

TEST_MAIN
