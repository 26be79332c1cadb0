/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 */
/*
 * Goal: fan-out and fan-in, tee, bridge, zip and merge do with values what their descriptions say (how they end is
 * pipe_join_ends.c's).
 * Method: numbered values, all of which are accounted for; receivers that come in a chosen order.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

typedef recv_chan(int) ints;

struct count {
	int next, end, step;
};

static bool count(int *out, struct count *c)
{
	*out = c->next;
	c->next += c->step ? c->step : 1;
	return *out < c->end;
}

static void same(const int *in, int *out)
{
	*out = *in;
}

/* --- fan-out, fan-in */

/* PATTERNS 8: k inputs of m values each are k * m values, each input's in order. */
TEST(fan_in_of_many)
{
	enum { K = 100, M = 50 };
	size_t goroutines = leat_num_goroutine();

	{
		scope(s, NULL);
		ints in[K];
		int next[K] = {0}, n = 0;

		for (int i = 0; i < K; i++)
			in[i] = pipe_from(s, int, count, .next = i * M, .end = (i + 1) * M);
		chan_range(v, pipe_fan_in(s, in, K)) {
			CHECK_EQ(v % M, next[v / M]);
			next[v / M]++;
			n++;
		}
		CHECK_EQ(n, K * M);
	}
	test_until(leat_num_goroutine() == goroutines);
}

TEST(fan_in_of_none_is_closed_at_once)
{
	scope(s, NULL);
	ints out = pipe_fan_in(s, (ints *)NULL, 0);

	CHECK(chan_closed(out));
	CHECK_EQ(scope_wait(s), 0);
}

TEST(fan_in_of_one_channel_twice_and_of_none)
{
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, 10);
	chan(int) in[] = {c, NULL, c};
	ints out = pipe_fan_in(s, in, 3);
	int sum = 0;

	for (int i = 1; i <= 10; i++)
		chan_send(c, i);
	chan_close(c);
	for (int i = 1; i <= 10; i++)
		sum += chan_recv(out);
	CHECK_EQ(sum, 55);
	CHECK(!chan_closed(out)); /* the NULL one never ends */
}

/* A silent input and a busy one keep nobody waiting. */
TEST(fan_in_starves_none)
{
	scope(s, NULL);
	chan(int) silent = scope_chan(s, int, 0), slow = scope_chan(s, int, 0);
	ints in[] = {chan_receiver(silent), pipe_repeat(s, int, 1), chan_receiver(slow)};
	ints out = pipe_fan_in(s, in, 3);

	for (int i = 0; i < 100; i++) {
		bool sent = false, received = false;

		while (!received) {
			int v = 0;

			if (!sent)
				sent = chan_try_send(slow, 2);
			CHECK(chan_recv_ok(out, &v));
			received = v == 2;
		}
	}
}

#ifdef TEST_SANITIZED
enum { INPUTS = 1000 }; /* each goroutine takes a shadow stack */
#else
enum { INPUTS = 10000 };
#endif

TEST(ten_thousand_inputs)
{
	enum { N = INPUTS };
	ints *in = calloc(N, sizeof *in);
	size_t goroutines = leat_num_goroutine();

	{
		scope(s, NULL);
		long long sum = 0;

		for (int i = 0; i < N; i++)
			in[i] = pipe_repeat(s, int, i + 1);
		for (int i = 0; i < N; i++)
			in[i] = pipe_take(s, in[i], 1);
		chan_range(v, pipe_fan_in(s, in, N))
			sum += v;
		CHECK_EQ(sum, (long long)N * (N + 1) / 2);
	}
	free(in);
	test_until(leat_num_goroutine() == goroutines);
}

static atomic_int calls;

static void counted(const int *in, int *out)
{
	atomic_fetch_add(&calls, 1);
	*out = *in;
}

/* Each value goes to one stage, and the stages work at the same time: each holds one that nobody takes. */
TEST(fan_out_gives_each_value_to_one)
{
	scope(s, NULL);
	recv_chan(int) *out = pipe_fan_out0(s, pipe_from(s, int, count, .end = 7), 5, int, counted);
	bool seen[7] = {false};

	test_until(atomic_load(&calls) == 5);
	for (int i = 0; i < 5; i++) {
		int v = chan_recv(out[i]);

		CHECK(v >= 0 && v < 7 && !seen[v]);
		seen[v] = true;
	}
	chan_range(v, pipe_fan_in(s, out, 5)) {
		CHECK(v >= 0 && v < 7 && !seen[v]);
		seen[v] = true;
	}
	for (int i = 0; i < 7; i++)
		CHECK(seen[i]);
	CHECK_EQ(atomic_load(&calls), 7);
}

/* --- tee */

struct drain {
	ints in;
	int n;
	bool *all;
};

static void drain(struct drain *d)
{
	int expected = 0;

	chan_range(v, d->in)
		CHECK_EQ(v, expected++);
	CHECK_EQ(expected, d->n);
	*d->all = true;
}

/* A million values, three ways, each with a receiver of its own. */
TEST(tee_loses_nothing)
{
	enum { WAYS = 3 };
	int n = test_count(1000000);
	bool all[WAYS] = {false};

	{
		scope(s, NULL);
		recv_chan(int) *out = pipe_tee(s, pipe_from(s, int, count, .end = n), WAYS);

		for (int i = 0; i < WAYS; i++)
			scope_go(s, drain, out[i], n, &all[i]);
		CHECK_EQ(scope_wait(s), 0);
	}
	for (int i = 0; i < WAYS; i++)
		CHECK(all[i]);
}

/* In each order of three receivers; and who has the value cannot get the next before the others have this one. */
TEST(tee_in_any_order)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
	                                {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	scope(s, NULL);
	recv_chan(int) *out = pipe_tee(s, pipe_from(s, int, count, .end = 60), 3);

	for (int v = 0; v < 60; v++) {
		const int *order = orders[v % 6];

		for (int i = 0; i < 3; i++) {
			CHECK_EQ(chan_recv(out[order[i]]), v);
			for (int k = 0; k < 10 && i < 2; k++) {
				leat_yield();
				CHECK(!chan_try_recv(out[order[0]], NULL, NULL));
			}
		}
	}
}

/* Once cancelled only the last value may be on one side only. */
TEST(tee_is_never_out_of_step)
{
	for (int round = 0; round < 200; round++) {
		scope(s, NULL);
		recv_chan(int) *out =
		    pipe_tee(pipe_at(s, .cap = round % 3), pipe_from(s, int, count, .end = INT32_MAX), 2);
		int got[2] = {0}, v;

		for (int i = 0; i < round % 7; i++) {
			CHECK_EQ(chan_recv(out[0]), got[0]++);
			CHECK_EQ(chan_recv(out[1]), got[1]++);
		}
		scope_cancel(s);
		for (int side = 0; side < 2; side++)
			while (chan_recv_ok(out[side], &v))
				CHECK_EQ(v, got[side]++);
		CHECK(abs(got[0] - got[1]) <= 1);
	}
}

TEST(tee_of_many_and_of_one)
{
	enum { WAYS = 100 };
	scope(s, NULL);
	recv_chan(int) *one = pipe_tee(s, pipe_from(s, int, count, .end = 5), 1);
	recv_chan(int) *out = pipe_tee(s, one[0], WAYS);

	for (int v = 0; v < 5; v++)
		for (int i = 0; i < WAYS; i++)
			CHECK_EQ(chan_recv(out[(i * 37 + v) % WAYS]), v);
	for (int i = 0; i < WAYS; i++)
		CHECK(!chan_recv_ok(out[i], &(int){0}));
}

/* --- bridge */

struct series {
	leat_scope *s;
	int *next;
	int left;
};

/* Channels of one value, of none, of many; each is fed by a stage. */
static bool series(ints *out, struct series *g)
{
	static const int lengths[] = {1, 0, 7, 100};
	int length = lengths[g->left % 4];

	if (*g->next >= g->left)
		return false;
	*out = pipe_from(g->s, int, count, .next = *g->next, .end = *g->next + length);
	*g->next += length;
	return true;
}

struct inner {
	send_chan(ints) out;
	int n;
};

/* A million values, in channels that are freed as soon as they are drained. */
static void inner(struct inner *a)
{
	int next = 0;

	while (next < a->n) {
		int length = 1 + next % 5;
		chan(int) c = chan_make(int, 2);

		chan_send(a->out, chan_receiver(c));
		for (int i = 0; i < length; i++)
			chan_send(c, next++);
		chan_close(c);
		/* The bridge is done with it when it takes the next. */
		chan_send(a->out, (ints)NULL);
		chan_free(c);
	}
	chan_close(a->out);
}

TEST(bridge_loses_nothing)
{
	int n = test_count(1000000), expected = 0;
	scope(feeders, NULL);
	chan(ints) outer = scope_chan(feeders, ints, 0);

	scope_go(feeders, inner, chan_sender(outer), n);
	{
		scope(s, NULL);

		chan_range(v, pipe_bridge(s, chan_receiver(outer)))
			CHECK_EQ(v, expected++);
	}
	CHECK(expected >= n && expected < n + 5);
}

/* PATTERNS 11: ten channels of one value. */
TEST(bridge_of_stages)
{
	int next = 0, expected = 0;
	scope(s, NULL);

	chan_range(v, pipe_bridge(s, pipe_from(s, ints, series, s, &next, 1000)))
		CHECK_EQ(v, expected++);
	CHECK_EQ(expected, next);
	CHECK_EQ(expected, 1000);
}

TEST(bridge_finishes_the_inner_one_first)
{
	scope(s, NULL);
	chan(ints) outer = scope_chan(s, ints, 2);
	chan(int) c = scope_chan(s, int, 0);
	ints out = pipe_bridge(s, outer);

	chan_send(outer, chan_receiver(c));
	chan_close(outer);
	for (int i = 0; i < 10; i++) {
		chan_send(c, i);
		CHECK_EQ(chan_recv(out), i);
		CHECK(!chan_closed(out));
	}
	chan_close(c);
	CHECK(!chan_recv_ok(out, &(int){0}));
}

LEAT_ERROR(first_reason, -EIO, "first");
LEAT_ERROR(last_reason, -EIO, "last");
LEAT_ERROR(outer_reason, -EIO, "outer");

TEST(bridge_tells_why_the_last_one_ended)
{
	for (int with_outer = 0; with_outer < 2; with_outer++) {
		scope(s, NULL);
		chan(ints) outer = scope_chan(s, ints, 2);
		chan(int) first = scope_chan(s, int, 0), last = scope_chan(s, int, 0);
		ints out = pipe_bridge(s, outer);

		chan_close_with(first, &first_reason);
		chan_close_with(last, &last_reason);
		chan_send(outer, chan_receiver(first));
		chan_send(outer, chan_receiver(last));
		chan_close_with(outer, with_outer ? &outer_reason : NULL);
		CHECK(!chan_recv_ok(out, &(int){0}));
		CHECK(chan_reason(out) == (with_outer ? &outer_reason : &last_reason));
	}
}

TEST(bridge_abandons_a_silent_one)
{
	size_t parked = leat_num_parked();
	scope(feeders, NULL);
	chan(int) silent = scope_chan(feeders, int, 0);

	{
		scope(s, NULL);
		chan(ints) outer = scope_chan(s, ints, 1);
		ints out = pipe_bridge(s, outer);

		chan_send(outer, chan_receiver(silent));
		test_until(chan_len(outer) == 0 && leat_num_parked() == parked + 1);
		scope_cancel(s);
		CHECK(!chan_recv_ok(out, &(int){0}));
	}
}

/* --- zip, merge */

struct pair {
	int a;
	double b;
};

struct join {
	int factor;
};

static void join(const int *a, const double *b, struct pair *out, struct join *j)
{
	*out = (struct pair){*a * j->factor, *b};
}

static bool halves(double *out)
{
	*out = 0.5;
	return true;
}

/* As long as the shorter one, which may be either. */
TEST(zip_two_types)
{
	scope(s, NULL);
	recv_chan(double) numbers = pipe_from0(s, double, halves);
	int n = 0;

	chan_range(p, pipe_zip(s, pipe_from(s, int, count, .end = 9), numbers, struct pair, join, 3)) {
		CHECK_EQ(p.a, 3 * n++);
		CHECK(p.b == 0.5);
	}
	CHECK_EQ(n, 9);
	n = 0;
	chan_range(p, pipe_zip(s, pipe_from(s, int, count, .end = INT32_MAX), pipe_take(s, numbers, 4),
	                       struct pair, join, 1))
		CHECK_EQ(p.a, n++);
	CHECK_EQ(n, 4);
}

struct entry {
	int key, input, number;
};

struct entries {
	int key, input, number, end, seed;
};

static bool entries(struct entry *out, struct entries *e)
{
	if (e->number == e->end)
		return false;
	e->seed = (e->seed * 1103515245u + 12345) & 0x7fffffff;
	e->key += e->seed >> 16 & 1;
	*out = (struct entry){e->key, e->input, e->number++};
	return true;
}

struct by_key {
	int sign;
};

static int by_key(const struct entry *a, const struct entry *b, struct by_key *k)
{
	return k->sign * ((a->key > b->key) - (a->key < b->key));
}

TEST(merge_is_sorted_and_stable)
{
	for (int k = 0; k <= 17; k++) {
		scope(s, NULL);
		recv_chan(struct entry) in[17];
		struct entry last = {-1, -1, -1};
		int n = 0, expected = 0;

		for (int i = 0; i < k; i++) {
			int end = i % 5 == 3 ? 0 : 40 * i;

			in[i] = pipe_from(s, struct entry, entries, .input = i, .end = end, .seed = k * 31 + i);
			expected += end;
		}
		chan_range(e, pipe_merge(s, in, k, by_key, 1)) {
			CHECK(e.key >= last.key);
			if (e.key == last.key)
				CHECK(e.input > last.input ||
				      (e.input == last.input && e.number == last.number + 1));
			last = e;
			n++;
		}
		CHECK_EQ(n, expected);
	}
}

/* --- misuse */

struct misuse {
	leat_pipe_opts at;
	size_t n;
	int what;
};

static void misuse(void *arg)
{
	struct misuse *m = arg;

	if (m->what == 0)
		(void)!leat_pipe_fan_in(m->at, NULL, m->n, 4);
	else if (m->what == 1)
		(void)!leat_pipe_tee(m->at, NULL, 4, m->n);
	else if (m->what == 2)
		(void)!leat_pipe_or(m->at, NULL, m->n);
	else if (m->what == 3)
		(void)!leat_pipe_merge(m->at, NULL, m->n, 4, NULL, NULL, 0);
	else if (m->what == 4)
		(void)!leat_pipe_fan_out(m->at, NULL, 4, m->n, 4, NULL, NULL, 0);
	else
		(void)!leat_pipe_map_ordered(m->at, NULL, 4, 4, NULL, NULL, 0);
}

TEST(misuse_panics)
{
	scope(s, NULL);

	for (int what = 0; what < 6; what++) {
		CHECK(test_panics(misuse, &(struct misuse){.what = what, .n = 2}, "pipe of nil scope"));
		if (what < 5)
			CHECK(test_panics(misuse, &(struct misuse){{.scope = s}, 1000001, what},
			                  "pipe: number of channels out of range"));
	}
	CHECK(test_panics(misuse, &(struct misuse){{.scope = s}, 0, 1},
	                  "pipe: number of channels out of range"));
	CHECK(test_panics(misuse, &(struct misuse){{.scope = s, .ahead = -1}, 1, 5},
	                  "pipe: look-ahead out of range"));
}

TEST(fan_out_to_none)
{
	scope(s, NULL);

	CHECK(pipe_fan_out0(s, pipe_from(s, int, count, .end = 3), 0, int, same) != NULL);
}

TEST_MAIN
