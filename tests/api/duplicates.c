/* SPDX-License-Identifier: MIT */
/*
 * Goal: what leat/duplicates.h promises of the first and the last result, and that a request whose worker was cancelled
 * and replaced is applied once.
 * Method: the worker's send races with its cancel, from one side and then the other, as often as the list of patterns
 * asks for; the table is compared with a plain model.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

/* --- the trials: A1 is cancelled while it sends, and A2 is started */

struct result {
	uint64_t request;
	int attempt;
};

struct worker {
	send_chan(struct result) out;
	leat_ctx *ctx;
	struct result r;
	int spin;
};

static void worker(struct worker *a)
{
	for (volatile int i = 0; i < a->spin; i++)
		;
	if (leat_ctx_err(a->ctx) == 0) /* and from here on the cancel crosses the result */
		chan_send(a->out, a->r);
}

struct consumer {
	recv_chan(struct result) in;
	leat_duplicates *seen;
	atomic_int *applied;
	atomic_int *second;
};

static void consumer(struct consumer *a)
{
	chan_range(r, a->in) {
		if (leat_duplicates_first(a->seen, r.request))
			a->applied[r.request]++;
		else
			a->second[0]++;
	}
}

TEST(pattern_17_the_first_result_of_each_request_is_applied_once)
{
	int trials = test_count(1000000);
	atomic_int *applied = calloc((size_t)trials, sizeof *applied), second = 0;
	leat_duplicates *seen = leat_duplicates_make(64, 0);
	chan(struct result) out = chan_make(struct result, 16);
	leat_duplicates_counts c;

	go(consumer, chan_receiver(out), seen, applied, &second);
	for (int i = 0; i < trials; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

		{
			scope(s, NULL);

			scope_go(s, worker, chan_sender(out), ctx, {(uint64_t)i, 1}, i % 64);
			if (i % 2)
				leat_yield();
			for (volatile int k = 0; k < i % 61; k++)
				;
			leat_ctx_cancel(ctx);
			scope_go(s, worker, chan_sender(out), NULL, {(uint64_t)i, 2}, 0);
		}
		leat_ctx_free(ctx);
	}
	chan_close(out);
	test_goroutines(1);
	for (int i = 0; i < trials; i++)
		CHECK_EQ(applied[i], 1);
	c = leat_duplicates_stats(seen);
	CHECK_EQ(c.accepted, trials);
	CHECK_EQ(c.dropped, second);
	CHECK(trials < 1000 || second > 0); /* the race was one */
	CHECK_EQ(c.remembered, trials < 64 ? trials : 64);
	CHECK_EQ(c.forgotten_early, trials < 64 ? 0 : trials - 64);
	leat_duplicates_free(seen);
	chan_free(out);
	free(applied);
}

struct putter {
	duplicates(struct result) d;
	leat_ctx *ctx;
	struct result r;
	int spin;
	atomic_int *puts;
};

static void putter(struct putter *a)
{
	for (volatile int i = 0; i < a->spin; i++)
		;
	if (leat_ctx_err(a->ctx) == 0 && duplicates_put(a->d, a->r.request, a->r) == 0)
		atomic_fetch_add(a->puts, 1);
}

TEST(pattern_17_the_last_result_of_each_request_is_applied_once)
{
	int trials = test_count(1000000), firsts = 0;
	duplicates(struct result) d = duplicates_make(struct result, 64, 0, LEAT_FOREVER, NULL);
	atomic_int puts = 0;
	leat_duplicates_counts c;

	for (int i = 0; i < trials; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		struct result r = {0}, again = {0};

		{
			scope(s, NULL);

			scope_go(s, putter, d, ctx, {(uint64_t)i, 1}, i % 64, &puts);
			if (i % 2)
				leat_yield();
			for (volatile int k = 0; k < i % 61; k++)
				;
			leat_ctx_cancel(ctx);
			scope_go(s, putter, d, NULL, {(uint64_t)i, 2}, 0, &puts);
		}
		CHECK(duplicates_take(d, (uint64_t)i, &r));
		CHECK_EQ(r.request, i);
		CHECK(r.attempt == 1 || r.attempt == 2);
		firsts += r.attempt == 1;
		CHECK(!duplicates_take(d, (uint64_t)i, &again));
		CHECK_EQ(duplicates_put(d, (uint64_t)i, again), -EALREADY);
		leat_ctx_free(ctx);
	}
	test_goroutines(1);
	c = leat_duplicates_stats((leat_duplicates *)(void *)d);
	CHECK_EQ(c.accepted, trials);
	CHECK_EQ(c.dropped,
	         puts); /* a second one per trial, replaced or too late, of those that were put */
	CHECK(firsts < trials);
	duplicates_free(d);
}

struct shaker {
	leat_heartbeat *h;
	send_chan(int) out;
	int attempt, spin;
};

static void shaker(struct shaker *a)
{
	for (volatile int i = 0; i < a->spin; i++)
		;
	if (leat_heartbeat_commit(a->h))
		chan_send(a->out, a->attempt);
	leat_heartbeat_close(a->h);
}

TEST(pattern_17_by_the_handshake_each_request_has_one_result)
{
	int trials = test_count(1000000), given_up = 0;
	chan(int) out = chan_make(int, 2);

	for (int i = 0; i < trials; i++) {
		leat_heartbeat *h[2] = {leat_heartbeat_make(0), leat_heartbeat_make(0)};
		int expected = 1;

		{
			scope(s, NULL);

			scope_go(s, shaker, h[0], chan_sender(out), 1, i % 64);
			if (i % 2)
				leat_yield();
			for (volatile int k = 0; k < i % 61; k++)
				;
			if (leat_heartbeat_give_up(h[0])) {
				scope_go(s, shaker, h[1], chan_sender(out), 2, 0);
				expected = 2;
				given_up++;
			}
		}
		CHECK_EQ(chan_len(out), 1);
		CHECK_EQ(chan_recv(out), expected);
		leat_heartbeat_free(h[0]);
		leat_heartbeat_free(h[1]);
	}
	CHECK(trials < 1000 || given_up > 0);
	test_goroutines(1);
	chan_free(out);
}

TEST(of_a_commit_and_a_giving_up_the_first_counts)
{
	leat_heartbeat *h = leat_heartbeat_make(0), *k = leat_heartbeat_make(0);

	CHECK(leat_heartbeat_commit(h));
	CHECK_EQ(leat_heartbeat_count(h), 1);
	CHECK(!leat_heartbeat_commit(h));
	CHECK(!leat_heartbeat_give_up(h));
	CHECK(leat_heartbeat_give_up(k));
	CHECK(!leat_heartbeat_give_up(k));
	CHECK(!leat_heartbeat_commit(k));
	leat_heartbeat_free(h);
	leat_heartbeat_free(k);
}

/* Both sides go along the same row, as closely as they can. */
struct side {
	leat_heartbeat **row;
	int n;
	atomic_int *here, *there;
	bool commits, *won;
};

static void side(struct side *a)
{
	for (int i = 0; i < a->n; i++) {
		atomic_store(a->here, i);
		while (atomic_load(a->there) < i)
			leat_yield();
		a->won[i] =
		    a->commits ? leat_heartbeat_commit(a->row[i]) : leat_heartbeat_give_up(a->row[i]);
	}
	atomic_store(a->here, a->n);
}

TEST(a_commit_and_a_giving_up_that_meet)
{
	enum { N = 1000 };
	static leat_heartbeat *row[N];
	static bool won[2][N];
	int wins[2] = {0};

	for (int round = 0; round < test_count(100); round++) {
		atomic_int at[2] = {-1, -1};

		for (int i = 0; i < N; i++)
			row[i] = leat_heartbeat_make(0);
		{
			scope(s, NULL);

			scope_go(s, side, row, N, &at[0], &at[1], true, won[0]);
			scope_go(s, side, row, N, &at[1], &at[0], false, won[1]);
		}
		for (int i = 0; i < N; i++) {
			CHECK_EQ(won[0][i] + won[1][i], 1);
			wins[won[1][i]]++;
			leat_heartbeat_free(row[i]);
		}
	}
	CHECK(wins[0] > 0 && wins[1] > 0);
}

/* --- what is remembered */

TEST(so_many_requests_are_remembered)
{
	leat_duplicates *d = leat_duplicates_make(3, 0);
	leat_duplicates_counts c;

	for (uint64_t i = 0; i < 3; i++)
		CHECK(leat_duplicates_first(d, i));
	for (uint64_t i = 0; i < 3; i++)
		CHECK(!leat_duplicates_first(d, i));
	CHECK(leat_duplicates_first(d, 3)); /* 0 makes room */
	CHECK(!leat_duplicates_first(d, 1));
	CHECK(leat_duplicates_first(d, 0));
	CHECK(leat_duplicates_first(d, 1));
	CHECK(!leat_duplicates_first(d, 3));
	c = leat_duplicates_stats(d);
	CHECK_EQ(c.accepted, 6);
	CHECK_EQ(c.dropped, 5);
	CHECK_EQ(c.forgotten_early, 3);
	CHECK_EQ(c.remembered, 3);
	leat_duplicates_free(d);
	leat_duplicates_free(NULL);
}

TEST(requests_are_remembered_for_so_long)
{
	leat_duplicates *d = leat_duplicates_make(100, 20 * MS),
	                *e = leat_duplicates_make(100, LEAT_HOUR);
	int64_t begin = leat_now();

	for (uint64_t i = 0; i < 10; i++) {
		CHECK(leat_duplicates_first(d, i));
		CHECK(leat_duplicates_first(e, i));
	}
	while (!leat_duplicates_first(d, 9))
		leat_sleep(MS);
	CHECK(leat_now() - begin >= 20 * MS);
	CHECK(!leat_duplicates_first(e, 9));
	CHECK(leat_duplicates_stats(d).remembered <= 1);
	CHECK_EQ(leat_duplicates_stats(d).forgotten_early, 0);
	CHECK_EQ(leat_duplicates_stats(e).remembered, 10);
	leat_duplicates_free(d);
	leat_duplicates_free(e);
}

/* The table with its deletions against a list of the latest. */
TEST(the_table_agrees_with_a_list)
{
	enum { COUNT = 50, IDS = 90 };
	leat_duplicates *d = leat_duplicates_make(COUNT, 0);
	uint64_t list[COUNT], random = 88172645463325252u;
	int n = 0, next = 0;

	for (int i = 0; i < test_count(500000); i++) {
		uint64_t id;
		bool known = false;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		id = random % IDS * UINT64_C(0x100000001);
		for (int k = 0; k < n; k++)
			known |= list[k] == id;
		CHECK_EQ(leat_duplicates_first(d, id), !known);
		if (!known) {
			list[next] = id;
			next = (next + 1) % COUNT;
			n += n < COUNT;
		}
	}
	leat_duplicates_free(d);
}

/* --- the last */

static int let_go_of;

static void let_go(char **s)
{
	let_go_of++;
	free(*s);
}

TEST(a_later_result_replaces_an_earlier_one_until_it_is_taken)
{
	duplicates(char *) d = duplicates_make(char *, 2, 0, LEAT_FOREVER, let_go);
	char *s, *late = strdup("late");

	CHECK_EQ(duplicates_put(d, 1, strdup("a")), 0);
	CHECK_EQ(duplicates_put(d, 1, strdup("b")), 0);
	CHECK_EQ(duplicates_put(d, 2, strdup("c")), 0);
	CHECK_EQ(let_go_of, 1);
	CHECK_EQ(duplicates_put(d, 3, late), -ENOBUFS);
	CHECK(!duplicates_take(d, 3, &s));
	CHECK(duplicates_take(d, 1, &s));
	CHECK_STR(s, "b");
	free(s);
	CHECK_EQ(duplicates_put(d, 1, late), -EALREADY);
	CHECK_EQ(duplicates_put(d, 3, late), 0); /* 1 is forgotten */
	CHECK_EQ(duplicates_put(d, 1, (char *)NULL), -ENOBUFS);
	CHECK_EQ(let_go_of, 1);
	duplicates_free(d); /* with 2 and 3 */
	CHECK_EQ(let_go_of, 3);
}

TEST(results_come_when_they_have_waited_oldest_first)
{
	duplicates(int) d = duplicates_make(int, 10, 0, 10 * MS, NULL);
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 30 * MS);
	int64_t begin = leat_now();
	uint64_t id;
	int v;

	for (int i = 0; i < 5; i++)
		CHECK_EQ(duplicates_put(d, (uint64_t)i, i), 0);
	CHECK_EQ(duplicates_put(d, 3, 33), 0);
	CHECK(duplicates_take(d, 2, &v));
	for (int i = 0; i < 5; i++) {
		if (i == 2)
			continue;
		CHECK_EQ(duplicates_next(d, &id, &v, NULL), 0);
		CHECK_EQ(id, i);
		CHECK_EQ(v, i == 3 ? 33 : i);
	}
	CHECK(leat_now() - begin >= 10 * MS);
	CHECK_EQ(duplicates_next(d, &id, &v, ctx), -ETIMEDOUT);
	CHECK_EQ(duplicates_next(d, &id, &v, ctx), -ETIMEDOUT);
	leat_ctx_free(ctx);
	duplicates_free(d);
}

struct taker {
	duplicates(int) d;
	leat_ctx *ctx;
	atomic_int *taken;
};

static void taker(struct taker *a)
{
	uint64_t id;
	int v;

	while (duplicates_next(a->d, &id, &v, a->ctx) == 0) {
		CHECK_EQ(v, (int)id);
		atomic_fetch_add(&a->taken[id], 1);
	}
}

TEST(several_takers_get_each_result_once_and_none_is_left)
{
	enum { N = 2000 };
	static atomic_int taken[N];
	duplicates(int) d = duplicates_make(int, 50, 0, 100 * LEAT_MICROSECOND, NULL);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int n = test_count(N * 10) < N ? test_count(N * 10) : N;

	for (int i = 0; i < 3; i++)
		go(taker, d, ctx, taken);
	for (int i = 0; i < n; i++) {
		while (duplicates_put(d, (uint64_t)i, i) == -ENOBUFS)
			leat_sleep(10 * LEAT_MICROSECOND);
		if (i % 100 == 0) /* all asleep, with nothing there */
			test_until(atomic_load(&taken[i]) == 1);
	}
	for (int i = 0; i < n; i++)
		test_until(atomic_load(&taken[i]) == 1);
	leat_ctx_cancel(ctx);
	test_goroutines(1);
	leat_ctx_free(ctx);
	duplicates_free(d);
}

static void takes_one(struct taker *a)
{
	uint64_t id;
	int v, err = duplicates_next(a->d, &id, &v, a->ctx);

	atomic_fetch_add(&a->taken[0], err == 0);
}

TEST(who_leaves_lets_another_know_what_waits)
{
	duplicates(int) d = duplicates_make(int, 3, 0, 20 * MS, NULL);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int taken[1] = {0};

	go_as(taker, takes_one, d, ctx, taken);
	test_parked(1);
	go_as(taker, takes_one, d, NULL, taken);
	test_parked(2);
	CHECK_EQ(duplicates_put(d, 1, 7), 0); /* as the first one sees, who then waits for its time */
	test_until(leat_num_parked() == 2 || taken[0] == 1);
	leat_ctx_cancel(ctx);
	test_until(taken[0] == 1);
	CHECK_EQ(duplicates_put(d, 2, 7), 0); /* if the first one was too fast */
	test_goroutines(1);
	leat_ctx_free(ctx);
	duplicates_free(d);
}

/* --- misuse */

static void no_room(void *arg)
{
	(void)arg;
	leat_duplicates_free(leat_duplicates_make(0, 0));
}

static void negative(void *arg)
{
	(void)arg;
	leat_duplicates_free(leat_duplicates_make(1, -1));
}

static void too_large(void *arg)
{
	(void)arg;
	leat_duplicates_free(leat_duplicates_make_last(SIZE_MAX, 1, 0, 0, NULL));
}

static void out_of_memory(void *arg)
{
	(void)arg;
	leat_duplicates_free(leat_duplicates_make_last((size_t)1 << 40, 1 << 30, 0, 0, NULL));
}

static void put_first(void *d)
{
	CHECK(leat_duplicates_put(d, 1, d));
}

static void first_of_last(void *d)
{
	CHECK(leat_duplicates_first(d, 1));
}

static void free_it(void *d)
{
	leat_duplicates_free(d);
}

TEST(misuse_panics)
{
	leat_duplicates *first = leat_duplicates_make(1, 0);
	duplicates(int) last = duplicates_make(int, 1, 0, LEAT_HOUR, NULL);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int taken[1] = {0};

	CHECK(test_panics(no_room, NULL, "duplicates: size out of range"));
	CHECK(test_panics(too_large, NULL, "duplicates: size out of range"));
	CHECK(test_panics(out_of_memory, NULL, "out of memory"));
	CHECK(test_panics(negative, NULL, "duplicates: negative time"));
	CHECK(test_panics(put_first, first, "duplicates: it accepts the first"));
	CHECK(test_panics(first_of_last, (void *)last, "duplicates: it accepts the last"));
	go(taker, last, ctx, taken);
	test_parked(1);
	CHECK(test_panics(free_it, (void *)last, "duplicates_free: goroutines are waiting"));
	leat_ctx_cancel(ctx);
	test_goroutines(1);
	leat_duplicates_free(first);
	duplicates_free(last);
	leat_ctx_free(ctx);
}

TEST_MAIN
