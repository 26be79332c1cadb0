/* SPDX-License-Identifier: MIT */
/*
 * Goal: the promises of broadcasts hold among many senders and subscribers at once: one order for all, gaps counted
 * exactly, no gap for who comes and goes.
 * Method: hashes of what each received, sums of what was received and missed, numbers that must be consecutive; plain
 * memory that the senders wrote before.
 */
#include "chan_help.h"

enum { SENDERS = 3, READERS = 4 };

struct crowd {
	broadcast_chan(int64_t) b;
	int rounds;
	leat_waitgroup sending, reading;
	int64_t plain[SENDERS]; /* written before each send, read by who received it */
};

struct member {
	struct crowd *crowd;
	int id;
	recv_chan(int64_t) c;
	int64_t hash, count, missed;
	bool drops;
};

static void send_many(void *p)
{
	struct member *me = p;

	for (int i = 0; i < me->crowd->rounds; i++) {
		if (i == 0)
			me->crowd->plain[me->id] = 42 + me->id;
		broadcast_send(me->crowd->b, (int64_t)me->id << 32 | i);
		if (i % 64 == 0)
			leat_yield();
	}
	leat_waitgroup_done(&me->crowd->sending);
}

static void read_many(void *p)
{
	struct member *me = p;
	int64_t last[SENDERS] = {-1, -1, -1};
	uint64_t random = (uint64_t)me->id;

	chan_range(v, me->c) {
		int64_t id = v >> 32, i = v & 0xffffffff;

		CHECK_EQ(me->crowd->plain[id], 42 + id);
		CHECK(me->drops ? i > last[id] : i == last[id] + 1);
		last[id] = i;
		me->hash = (int64_t)((uint64_t)me->hash * 31 + (uint64_t)v);
		me->count++;
		if (me->drops && rnd_below(&random, 8) == 0)
			leat_yield();
		if (rnd_below(&random, 16) == 0)
			me->missed += (int64_t)broadcast_lagged(me->c);
	}
	me->missed += (int64_t)broadcast_lagged(me->c);
	leat_waitgroup_done(&me->crowd->reading);
}

static void crowd(leat_broadcast_policy policy, ptrdiff_t cap, int rounds)
{
	struct crowd all = {.b = broadcast_make(int64_t, cap, policy), .rounds = rounds};
	struct member senders[SENDERS], readers[READERS];

	leat_waitgroup_add(&all.sending, SENDERS);
	leat_waitgroup_add(&all.reading, READERS);
	for (int i = 0; i < READERS; i++) {
		readers[i] =
		    (struct member){.crowd = &all, .id = i, .drops = policy != LEAT_BROADCAST_BLOCK};
		readers[i].c = broadcast_subscribe(all.b);
		start(i == 3 ? THREAD : GOROUTINE, read_many, &readers[i]);
	}
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct member){.crowd = &all, .id = i};
		start(i == 2 ? THREAD : GOROUTINE, send_many, &senders[i]);
	}
	leat_waitgroup_wait(&all.sending);
	broadcast_close(all.b);
	leat_waitgroup_wait(&all.reading);
	for (int i = 0; i < READERS; i++) {
		CHECK_EQ(readers[i].count + readers[i].missed, SENDERS * rounds);
		if (policy == LEAT_BROADCAST_BLOCK) {
			CHECK_EQ(readers[i].missed, 0);
			CHECK_EQ(readers[i].hash, readers[0].hash); /* the same order for all */
		}
	}
	broadcast_free(all.b);
}

TEST(all_see_the_same_order)
{
	crowd(LEAT_BROADCAST_BLOCK, 0, test_count(6000));
	crowd(LEAT_BROADCAST_BLOCK, 1, test_count(10000));
	crowd(LEAT_BROADCAST_BLOCK, 16, test_count(50000));
}

TEST(what_was_missed_is_counted_exactly)
{
	crowd(LEAT_BROADCAST_DROP_OLDEST, 4, test_count(50000));
	crowd(LEAT_BROADCAST_DROP_NEWEST, 4, test_count(50000));
	crowd(LEAT_BROADCAST_DROP_NEWEST, 0, test_count(10000));
}

/* One sender counts up; whoever subscribes in between sees consecutive numbers, as long as he stays. */
struct churn {
	broadcast_chan(int) b;
	atomic_bool stop;
	leat_waitgroup sending, churning;
};

static void count_up(void *p)
{
	struct churn *c = p;

	for (int i = 1; !atomic_load(&c->stop); i++) {
		broadcast_send(c->b, i);
		leat_yield();
	}
	leat_waitgroup_done(&c->sending);
}

static void come_and_go(void *p)
{
	struct churn *c = p;
	uint64_t random = leat_goid();

	for (int i = test_count(3000); i > 0; i--) {
		recv_chan(int) mine = broadcast_subscribe(c->b);
		int last = 0;

		for (unsigned n = rnd_below(&random, 6); n > 0; n--) {
			int v = chan_recv(mine);

			CHECK(last == 0 || v == last + 1);
			last = v;
		}
		if (rnd_below(&random, 2))
			leat_yield(); /* its buffer may be full by now, and the sender wait for it */
		CHECK_EQ(broadcast_lagged(mine), 0);
		broadcast_unsubscribe(c->b, mine);
	}
	leat_waitgroup_done(&c->churning);
}

TEST(subscribers_come_and_go)
{
	for (ptrdiff_t cap = 0; cap < 3; cap++) {
		struct churn c = {.b = broadcast_make(int, cap, LEAT_BROADCAST_BLOCK)};

		leat_waitgroup_add(&c.sending, 1);
		leat_waitgroup_add(&c.churning, 4);
		for (int i = 0; i < 4; i++)
			start(i == 3 ? THREAD : GOROUTINE, come_and_go, &c);
		start(GOROUTINE, count_up, &c);
		leat_waitgroup_wait(&c.churning);
		atomic_store(&c.stop, true);
		leat_waitgroup_wait(&c.sending);
		broadcast_free(c.b);
	}
}

TEST_MAIN
