/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced nomigrate notsan */
/*
 * Goal: when leat_breaker opens, becomes half-open and closes; which results count; and what it tells.
 *
 * Method: a policy whose time passes when the test says so; and a model that keeps every call there ever was.
 */
#include "base/random.h"
#include "sched/policy.h"

#include "test.h"

#include <errno.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

static _Atomic int64_t virtual = LEAT_SECOND;

static uint32_t choose(enum leat__choice what, uint32_t n)
{
	(void)what;
	(void)n;
	return 0;
}

static int64_t now(void)
{
	return virtual;
}

static const struct leat__policy policy = {.choose = choose, .now = now};

/* Before anything has seen the machine's own clock. */
__attribute__((constructor)) static void begin(void)
{
	leat__policy = &policy;
}

struct log {
	leat_breaker_change c[50];
	int n;
};

static void note(const leat_breaker_change *c, void *arg)
{
	struct log *l = arg;

	if (l->n < 50)
		l->c[l->n++] = *c;
}

static leat_breaker_ticket must_begin(leat_breaker *b)
{
	leat_breaker_ticket t;

	CHECK_EQ(leat_breaker_begin(b, &t), 0);
	return t;
}

static void refused(leat_breaker *b)
{
	leat_breaker_ticket t;

	CHECK_EQ(leat_breaker_begin(b, &t), -EHOSTDOWN);
}

/* n calls, one after the other, that all end so. */
static void calls(leat_breaker *b, int n, leat_breaker_outcome o)
{
	for (int i = 0; i < n; i++)
		leat_breaker_end(b, must_begin(b), o);
}

static leat_breaker_state state(leat_breaker *b)
{
	return leat_breaker_get_stats(b).state;
}

/* Opens after 4 calls of which half have failed, for 100 ms, 200 ms, ... */
#define SMALL                                                                                      \
	.volume = 4, .window_ns = LEAT_SECOND,                                                         \
	.open = {.first_ns = 100 * MS, .max_ns = LEAT_SECOND, .jitter = LEAT_JITTER_NONE}

/* --- closed */

TEST(it_opens_at_the_ratio_and_not_below_the_volume)
{
	leat_breaker b = LEAT_BREAKER(SMALL);
	leat_breaker defaults = {0};

	calls(&b, 3, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&b), LEAT_BREAKER_CLOSED);
	calls(&b, 10, LEAT_BREAKER_IGNORE);
	CHECK_EQ(leat_breaker_get_stats(&b).calls, 3);
	calls(&b, 1, LEAT_BREAKER_SUCCESS); /* the fourth, whatever it is */
	CHECK_EQ(state(&b), LEAT_BREAKER_OPEN);
	refused(&b);
	CHECK_EQ(leat_breaker_get_stats(&b).refused, 1);
	CHECK_EQ(leat_breaker_get_stats(&b).open_ns, 100 * MS);
	leat_breaker_reset(&b);
	calls(&b, 5, LEAT_BREAKER_SUCCESS);
	calls(&b, 4, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&b), LEAT_BREAKER_CLOSED);
	calls(&b, 1, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&b), LEAT_BREAKER_OPEN);

	calls(&defaults, 10, LEAT_BREAKER_SUCCESS);
	calls(&defaults, 9, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&defaults), LEAT_BREAKER_CLOSED);
	calls(&defaults, 1, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&defaults), LEAT_BREAKER_OPEN);
	CHECK(leat_breaker_get_stats(&defaults).open_ns >= 500 * MS);
	CHECK(leat_breaker_get_stats(&defaults).open_ns <= LEAT_SECOND);
}

TEST(what_is_older_than_the_window_is_forgotten)
{
	leat_breaker b = LEAT_BREAKER(SMALL);

	virtual += LEAT_SECOND - virtual % LEAT_SECOND;
	calls(&b, 3, LEAT_BREAKER_FAILURE);
	virtual += 900 * MS;
	CHECK_EQ(leat_breaker_get_stats(&b).failures, 3);
	virtual += 100 * MS;
	CHECK_EQ(leat_breaker_get_stats(&b).failures, 0);
	calls(&b, 3, LEAT_BREAKER_FAILURE);
	virtual += LEAT_HOUR;
	calls(&b, 3, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&b), LEAT_BREAKER_CLOSED);
	calls(&b, 1, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&b), LEAT_BREAKER_OPEN);
}

/* --- half-open */

static void check_last(const struct log *l, int n, leat_breaker_state from, leat_breaker_state to,
                       int64_t open_ns)
{
	CHECK_EQ(l->n, n);
	CHECK_EQ(l->c[n - 1].from, from);
	CHECK_EQ(l->c[n - 1].to, to);
	CHECK_EQ(l->c[n - 1].open_ns, open_ns);
	CHECK_EQ(l->c[n - 1].generation, n);
}

TEST(it_is_open_longer_each_time_until_it_closes)
{
	struct log log = {0};
	leat_breaker b = LEAT_BREAKER(SMALL, .changed = note, .arg = &log);
	const int64_t times[] = {100, 200, 400, 800, 1000, 1000};
	int n = 0;

	for (int round = 0; round < 2; round++) {
		leat_breaker_state from = LEAT_BREAKER_CLOSED;

		calls(&b, 4, LEAT_BREAKER_FAILURE);
		for (int i = 0; i < 6; i++) {
			check_last(&log, ++n, from, LEAT_BREAKER_OPEN, times[i] * MS);
			virtual += times[i] * MS - 1;
			refused(&b);
			virtual += 1;
			CHECK_EQ(leat_breaker_get_stats(&b).open_ns, 0);
			leat_breaker_end(&b, must_begin(&b), LEAT_BREAKER_IGNORE);
			check_last(&log, ++n, LEAT_BREAKER_OPEN, LEAT_BREAKER_HALF_OPEN, 0);
			from = LEAT_BREAKER_HALF_OPEN;
			calls(&b, 1, i < 5 ? LEAT_BREAKER_FAILURE : LEAT_BREAKER_SUCCESS);
		}
		check_last(&log, ++n, LEAT_BREAKER_HALF_OPEN, LEAT_BREAKER_CLOSED, 0);
		calls(&b, 3, LEAT_BREAKER_FAILURE); /* all is forgotten */
		CHECK_EQ(state(&b), LEAT_BREAKER_CLOSED);
		virtual += LEAT_HOUR;
	}
}

TEST(so_many_probes_at_a_time_and_so_many_to_close)
{
	leat_breaker b = LEAT_BREAKER(SMALL, .probes = 3);
	leat_breaker_ticket t[4];

	calls(&b, 4, LEAT_BREAKER_FAILURE);
	virtual += 100 * MS;
	for (int i = 0; i < 3; i++)
		t[i] = must_begin(&b);
	CHECK_EQ(state(&b), LEAT_BREAKER_HALF_OPEN);
	CHECK_EQ(leat_breaker_get_stats(&b).probing, 3);
	refused(&b);
	leat_breaker_end(&b, t[0], LEAT_BREAKER_SUCCESS);
	t[0] = must_begin(&b);
	refused(&b);
	leat_breaker_end(&b, t[0], LEAT_BREAKER_IGNORE); /* does not count, but lets another try */
	t[0] = must_begin(&b);
	leat_breaker_end(&b, t[1], LEAT_BREAKER_SUCCESS);
	CHECK_EQ(state(&b), LEAT_BREAKER_HALF_OPEN);
	leat_breaker_end(&b, t[2], LEAT_BREAKER_SUCCESS);
	CHECK_EQ(state(&b), LEAT_BREAKER_CLOSED);
	CHECK_EQ(leat_breaker_get_stats(&b).probing, 1);
	leat_breaker_end(&b, t[0], LEAT_BREAKER_FAILURE); /* too late */
	CHECK_EQ(leat_breaker_get_stats(&b).probing, 0);
	CHECK_EQ(leat_breaker_get_stats(&b).calls, 0);
}

TEST(results_count_only_in_the_state_in_which_the_call_began)
{
	leat_breaker b = LEAT_BREAKER(SMALL, .probes = 2);
	leat_breaker_ticket closed = must_begin(&b), slow = must_begin(&b), probe[2];
	uint64_t generation;

	calls(&b, 4, LEAT_BREAKER_FAILURE);
	leat_breaker_end(&b, closed, LEAT_BREAKER_SUCCESS);
	CHECK_EQ(state(&b), LEAT_BREAKER_OPEN);
	virtual += 100 * MS;
	probe[0] = must_begin(&b);
	generation = leat_breaker_get_stats(&b).generation;
	leat_breaker_end(&b, slow, LEAT_BREAKER_FAILURE); /* of a call from before it opened */
	CHECK_EQ(leat_breaker_get_stats(&b).generation, generation);
	CHECK_EQ(state(&b), LEAT_BREAKER_HALF_OPEN);
	probe[1] = must_begin(&b);
	leat_breaker_end(&b, probe[0], LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&b), LEAT_BREAKER_OPEN);
	virtual += 200 * MS;
	probe[0] = must_begin(&b);
	refused(&b); /* probe[1] is still under way: that makes 2 */
	leat_breaker_end(&b, probe[1], LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(&b), LEAT_BREAKER_HALF_OPEN);
	leat_breaker_end(&b, probe[0], LEAT_BREAKER_SUCCESS);
	calls(&b, 1, LEAT_BREAKER_SUCCESS);
	CHECK_EQ(state(&b), LEAT_BREAKER_CLOSED);
}

/* --- against a model */

enum { CALLS = 40000 };

struct known {
	int64_t slot;
	uint64_t generation;
	bool failed;
};

static struct known ended[CALLS];

/* What a breaker that keeps all calls does: which generation is which state it is told. */
TEST(a_random_history_against_one_that_keeps_every_call)
{
	struct log log = {0};
	leat_breaker b =
	    LEAT_BREAKER(.volume = 6, .ratio = 0.4, .window_ns = 50 * MS, .probes = 2,
	                 .open = {.first_ns = 10 * MS, .max_ns = 40 * MS, .jitter = LEAT_JITTER_NONE},
	                 .changed = note, .arg = &log);
	leat_breaker_ticket open[12];
	uint64_t began_in[12], generation = 0, seed = leat__random_seed(3);
	leat_breaker_state is = LEAT_BREAKER_CLOSED, in_state[12];
	int n = 0, total = 0, probing = 0, succeeded = 0, changes = 0;
	int64_t until = 0, delay = 10 * MS;

	for (int step = 0; step < CALLS; step++) {
		int bad = step / 500 % 2; /* good times and bad ones */
		int k = (int)leat__random_below(leat__random_next(&seed), 12);

		virtual += leat__random_below(leat__random_next(&seed), 3 * (uint32_t)MS);
		log.n = 0;
		if (k >= n && n < 12) {
			bool passes;

			if (is == LEAT_BREAKER_OPEN && virtual >= until)
				is = LEAT_BREAKER_HALF_OPEN, generation++, succeeded = 0, changes++;
			passes = is == LEAT_BREAKER_CLOSED || (is == LEAT_BREAKER_HALF_OPEN && probing < 2);
			CHECK_EQ(leat_breaker_begin(&b, &open[n]), passes ? 0 : -EHOSTDOWN);
			if (passes) {
				probing += is == LEAT_BREAKER_HALF_OPEN;
				in_state[n] = is;
				began_in[n++] = generation;
			}
		} else if (n > 0) {
			bool failed = leat__random_below(leat__random_next(&seed), 10) < (bad ? 7 : 1);
			int64_t slot = virtual / (5 * MS);
			int calls_now = 0, failures = 0;
			leat_breaker_state was = is;

			k %= n;
			leat_breaker_end(&b, open[k], failed ? LEAT_BREAKER_FAILURE : LEAT_BREAKER_SUCCESS);
			probing -= in_state[k] == LEAT_BREAKER_HALF_OPEN;
			if (began_in[k] == generation && is == LEAT_BREAKER_CLOSED) {
				ended[total++] = (struct known){slot, generation, failed};
				for (int i = 0; i < total; i++)
					if (ended[i].generation == generation && ended[i].slot > slot - 10)
						calls_now++, failures += ended[i].failed;
				if (calls_now >= 6 && failures >= 0.4 * calls_now)
					is = LEAT_BREAKER_OPEN, delay = 10 * MS;
			} else if (began_in[k] == generation && failed) {
				is = LEAT_BREAKER_OPEN;
				delay = delay * 2 > 40 * MS ? 40 * MS : delay * 2;
			} else if (began_in[k] == generation && ++succeeded == 2) {
				is = LEAT_BREAKER_CLOSED;
			}
			if (is != was)
				generation++, changes++;
			if (is != was && is == LEAT_BREAKER_OPEN)
				until = virtual + delay;
			open[k] = open[--n];
			began_in[k] = began_in[n];
			in_state[k] = in_state[n];
		}
		CHECK_EQ(state(&b), is);
		CHECK_EQ(leat_breaker_get_stats(&b).generation, generation);
		CHECK_EQ(leat_breaker_get_stats(&b).probing, probing);
	}
	CHECK(changes > 100);
}

TEST_MAIN
