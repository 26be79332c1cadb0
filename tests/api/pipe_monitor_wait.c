/* SPDX-License-Identifier: MIT */
/*
 * Goal: the time that values waited in a channel is that of those that were received, however many still wait there, whoever
 * offered them, and whatever was taken back.
 * Method: what may be seen of each offer and of each reception from outside, an instant before it and one after it, gives
 * a least and a greatest sum of waits.  The monitor's must lie between.
 */
#include "pipe_monitor.h"

#include <leat/pipe_flow.h>

enum { VALUES = 4000 };

/* A channel between two stages of the program's own, of which one goroutine plays both. */
struct game {
	leat_pipe_stage *feed, *use;
	int offered, received;
	int64_t before[VALUES], after[VALUES]; /* each one's offer */
	double least, most;                    /* the waits of those received */
};

static void offer(struct game *g)
{
	pipe_stage_begin(g->feed);
	g->before[g->offered] = leat_now();
	pipe_stage_end(g->feed);
	g->after[g->offered++] = leat_now();
}

static void receive(struct game *g)
{
	g->least += (double)(leat_now() - g->after[g->received]);
	pipe_stage_begin(g->use);
	g->most += (double)(leat_now() - g->before[g->received++]);
	pipe_stage_end(g->use);
}

/* slack_ns: what may be wrong with the instants of all that still wait, in sum. */
static void check_waits(leat_scope *s, const struct game *g, double slack_ns)
{
	struct seen seen = look(s);
	double waits = seen.stage[1].mean_wait_ns * g->received;

	CHECK_EQ(seen.stage[1].arrivals, g->offered);
	CHECK_EQ(seen.stage[1].departures, g->received);
	CHECK_EQ(seen.stage[1].queued, g->offered - g->received);
	/* Ticks are measured in nanoseconds to some parts in a thousand, where all of it takes no longer than this. */
	slack_ns += 0.005 * g->most + 1000;
	if (waits < g->least - slack_ns || waits > g->most + slack_ns) {
		fprintf(stderr, "%d of %d waited for %g, not %g to %g\n", g->received, g->offered, waits,
		        g->least, g->most);
		exit(1);
	}
}

static void begin(struct game *g, leat_scope *s, chan(int) c)
{
	pipe_monitor(s);
	g->feed = pipe_watch(s, "feed", (chan(int))NULL, c);
	g->use = pipe_watch(s, "use", c, (chan(int))NULL);
}

TEST(whoever_still_waits_is_left_out)
{
	for (int cap = 0; cap <= 60; cap += 20) {
		struct game g = {0};
		scope(s, NULL);
		chan(int) c = scope_chan(s, int, cap);

		begin(&g, s, c);
		for (int round = 0; round < 12; round++) {
			int n = round % 3 ? 1 : cap + 1;

			while (g.offered - g.received < n)
				offer(&g);
			leat_sleep(3 * LEAT_MILLISECOND);
			n = round % 2 ? n : (n + 1) / 2;
			while (g.offered - g.received > n)
				receive(&g);
			check_waits(s, &g, 0);
		}
		while (g.offered > g.received)
			receive(&g);
		check_waits(s, &g, 0);
	}
}

/* Instants of groups of values are remembered: those between may be anywhere in the group. */
TEST(many_wait)
{
	enum { CAP = 2000, GROUP = 32 };
	static struct game g;
	int64_t span;
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, CAP);

	begin(&g, s, c);
	for (int i = 0; i < CAP; i++)
		offer(&g);
	span = leat_now() - g.before[0];
	leat_sleep(20 * LEAT_MILLISECOND);
	for (int i = 0; i < CAP; i++) {
		if (i % 100 == 0)
			check_waits(s, &g, GROUP * (double)span);
		receive(&g);
	}
	check_waits(s, &g, 0);
}

struct offers {
	struct game *game;
	int n;
};

static void offers(struct offers *a)
{
	for (int i = 0; i < a->n; i++)
		offer(a->game);
}

/* Each burst is another worker's: more of them than there was room for. */
TEST(whoever_offered_it)
{
	enum { CAP = 40 };
	static struct game g;
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, CAP);

	begin(&g, s, c);
	for (int round = 0; round < 60; round++) {
		{
			scope(other, NULL);
			scope(another, NULL);

			scope_go(other, offers, &g, 3);
			CHECK_EQ(scope_wait(other), 0);
			scope_go(another, offers, &g, 2);
			CHECK_EQ(scope_wait(another), 0);
		}
		offer(&g);
		leat_sleep(LEAT_MILLISECOND / 4);
		if (round >= 4)
			for (int i = 0; i < 6; i++)
				receive(&g);
		check_waits(s, &g, 0);
	}
}

/* --- what a buffer takes back */

struct uses {
	_Atomic int64_t *sum; /* of the instants when each was received, or later */
};

static void uses(const int64_t *in, struct uses *a)
{
	(void)in;
	atomic_fetch_add(a->sum, leat_now());
}

TEST(what_was_taken_back_did_not_wait)
{
	enum { ROOM = 10 };

	for (int i = 0; i < 2; i++) {
		int room = i ? 1 : ROOM;
		_Atomic int64_t sum = 0;
		int64_t before, after, received;
		struct seen seen;
		double waits;
		scope(s, NULL);
		chan(int64_t) in = scope_chan(s, int64_t, 0);

		pipe_monitor(s);
		recv_chan(int64_t) c =
		    pipe_buffer(s, in, ROOM, i ? LEAT_PIPE_LATEST : LEAT_PIPE_DROP_OLDEST);
		for (int k = 0; k < room; k++)
			chan_send(in, k);
		test_parked(1);
		leat_sleep(50 * LEAT_MILLISECOND);
		before = leat_now();
		for (int k = 0; k < room; k++)
			chan_send(in, k);
		test_parked(1);
		after = leat_now();
		CHECK_EQ(pipe_lost(s, c), room);
		leat_sleep(5 * LEAT_MILLISECOND);
		received = leat_now();
		chan_close(in);
		pipe_each(s, c, uses, &sum);
		CHECK_EQ(scope_wait(s), 0);
		seen = look(s);
		CHECK_EQ(seen.stage[1].arrivals, room);
		waits = seen.stage[1].mean_wait_ns * room;
		CHECK(waits >= 0.995 * (double)(received - after) * room);
		CHECK(waits <= 1.005 * (double)(sum - before * room) + 1000);
	}
}

TEST_MAIN
