/* SPDX-License-Identifier: MIT */
/*
 * Goal: what leat/replicate.h promises, and the book's run of ten handlers.
 * Method: replicas that are not to answer wait for their scope to be done; so nothing depends on how long anything
 * takes.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

/* What each replica is to do, by its number. */
struct plan {
	const char *acts;
	atomic_int alive, starts, discarded;
	atomic_llong started_at[16];
	leat_ctx *cancels;
};

static LEAT_ERROR(broken, -EIO, "broken");
static LEAT_ERROR(not_needed, -ECANCELED, "not needed any more");

static const leat_error *act(struct plan *p, leat_scope *s, size_t i, int *result)
{
	*result = (int)i + 100;
	switch (p->acts[i]) {
	case 'a': /* answers */
		return NULL;
	case 'f':
		return &broken;
	case 'h': /* fails with an error of its own, on the heap */
		return leat_errorf(leat_error_errno(-ENOENT), "replica %d", (int)i);
	case 'w': /* waits until it is not needed */
		chan_recv(scope_done(s));
		return &not_needed;
	case 'l': /* the same, and answers nevertheless */
		chan_recv(scope_done(s));
		return NULL;
	case 'c':
		leat_ctx_cancel(p->cancels);
		return &broken;
	case 'g':
		atomic_fetch_sub(&p->alive, 1);
		leat_goexit();
	default:
		CHECK(!"it was not to be started");
		return NULL;
	}
}

static const leat_error *replica(leat_scope *s, size_t i, struct plan *p, int *result)
{
	const leat_error *e;

	CHECK_EQ(*result, 0);
	atomic_store(&p->started_at[i], leat_now());
	atomic_fetch_add(&p->starts, 1);
	atomic_fetch_add(&p->alive, 1);
	e = act(p, s, i, result);
	atomic_fetch_sub(&p->alive, 1);
	return e;
}

/* --- all at once */

struct handlers {
	atomic_int cancelled, alive;
	int64_t delays[10];
};

static const leat_error *handler(leat_scope *s, size_t i, struct handlers *h, size_t *answer)
{
	int err;

	atomic_fetch_add(&h->alive, 1);
	err = leat_sleep_ctx(h->delays[i], s);
	atomic_fetch_add(&h->cancelled, err == -ECANCELED);
	atomic_fetch_sub(&h->alive, 1);
	*answer = i;
	return leat_error_errno(err);
}

TEST(pattern_19_ten_handlers_take_as_long_as_the_fastest)
{
	struct handlers h = {.alive = 0};
	int64_t begin = leat_now();
	size_t answer = 99, winner = 99;

	for (int i = 0; i < 10; i++)
		h.delays[i] = (i + 1) * LEAT_MINUTE;
	h.delays[7] = 5 * MS;
	CHECK(replicate(10, handler, &h, &answer, NULL, .winner = &winner) == NULL);
	CHECK(leat_now() - begin >= 5 * MS && leat_now() - begin < LEAT_MINUTE);
	CHECK_EQ(answer, 7);
	CHECK_EQ(winner, 7);
	CHECK_EQ(h.alive, 0);
	CHECK(h.cancelled <= 9); /* some may not have begun */
	test_goroutines(1);
}

TEST(pattern_19_an_error_does_not_win)
{
	struct plan p = {.acts = "fhgfwwwa"};
	int got = 0;

	CHECK(replicate(8, replica, &p, &got, NULL) == NULL);
	CHECK_EQ(got, 107);
	CHECK_EQ(p.alive, 0);
	test_goroutines(1);
}

TEST(when_all_fail_there_is_one_error_for_all)
{
	struct plan p = {.acts = "fhgf"};
	int got = 7;
	size_t winner = 7;
	const leat_error *e = replicate(4, replica, &p, &got, NULL, .winner = &winner);

	CHECK(leat_error_cause(e, 0) == &broken);
	CHECK_EQ(leat_error_code(leat_error_cause(e, 1)), -ENOENT);
	CHECK(strstr(leat_error_message(e), "replica 1: "));
	CHECK_EQ(leat_error_code(leat_error_cause(e, 2)), -ECANCELED);
	CHECK(leat_error_cause(e, 3) == &broken);
	CHECK(leat_error_cause(e, 4) == NULL);
	leat_error_free(e);
	CHECK_EQ(got, 7);
	CHECK_EQ(winner, 7);
	CHECK_EQ(p.starts, 4);
	test_goroutines(1);
}

/* --- answers that come too late */

static atomic_int held;

static const leat_error *allocates(leat_scope *s, size_t i, void *none, int **result)
{
	(void)s;
	(void)none;
	*result = malloc(sizeof **result);
	**result = (int)i;
	atomic_fetch_add(&held, 1);
	return NULL;
}

static void let_go(int **result)
{
	free(*result);
	atomic_fetch_sub(&held, 1);
}

TEST(pattern_19_answers_that_lose_are_discarded)
{
	for (int i = 0; i < test_count(3000); i++) {
		int *got = NULL;
		size_t winner;

		CHECK(replicate(5, allocates, NULL, &got, NULL, .discard = let_go, .winner = &winner) ==
		      NULL);
		CHECK_EQ(*got, winner);
		CHECK_EQ(held, 1);
		let_go(&got);
	}
	test_goroutines(1);
}

static void count(int *result)
{
	CHECK(*result >= 100);
}

TEST(who_answers_when_it_is_cancelled_loses)
{
	struct plan p = {.acts = "lall"};
	int got;

	CHECK(replicate(4, replica, &p, &got, NULL, .discard = count) == NULL);
	CHECK_EQ(got, 101);
	test_goroutines(1);
}

/* --- hedged */

TEST(hedged_the_next_is_started_when_the_latest_has_taken_long)
{
	struct plan p = {.acts = "wwaw"}; /* on a slow machine the last one is started, too */
	int got;

	CHECK(replicate(4, replica, &p, &got, NULL, .hedge_ns = 10 * MS) == NULL);
	CHECK_EQ(got, 102);
	CHECK(p.starts >= 3);
	test_goroutines(1);
}

/* How long after the one before. */
static const leat_error *times(leat_scope *s, size_t i, int64_t *at, char *nothing)
{
	(void)s;
	(void)nothing;
	at[i] = leat_now();
	if (i < 3)
		chan_recv(scope_done(s));
	return i < 3 ? &not_needed : NULL;
}

TEST(hedged_the_delay_is_kept)
{
	int64_t at[4] = {0}, begin = leat_now();
	char nothing;

	CHECK(replicate(4, times, at, &nothing, NULL, .hedge_ns = 10 * MS) == NULL);
	CHECK(at[3] - begin >= 30 * MS);
	CHECK(leat_now() - begin < LEAT_MINUTE);
}

TEST(hedged_the_next_is_started_at_once_when_one_fails)
{
	struct plan p = {.acts = "fhgfa!!"};
	int got;

	CHECK(replicate(7, replica, &p, &got, NULL, .hedge_ns = LEAT_HOUR) == NULL);
	CHECK_EQ(got, 104);
	CHECK_EQ(p.starts, 5);
	test_goroutines(1);
}

TEST(hedged_none_is_started_besides_one_that_answers_in_time)
{
	for (int i = 0; i < test_count(1000); i++) {
		struct plan p = {.acts = "a!!"};
		int got;

		CHECK(replicate(3, replica, &p, &got, NULL, .hedge_ns = LEAT_HOUR) == NULL);
		CHECK_EQ(got, 100);
		CHECK_EQ(p.starts, 1);
	}
	test_goroutines(1);
}

TEST(hedged_all_may_fail)
{
	struct plan p = {.acts = "fff"};
	int got;
	const leat_error *e = replicate(3, replica, &p, &got, NULL, .hedge_ns = LEAT_HOUR);

	CHECK(leat_error_is(e, &broken));
	CHECK(leat_error_cause(e, 2) == &broken);
	leat_error_free(e);
}

/* --- contexts */

TEST(a_context_that_is_done_ends_all)
{
	for (int hedged = 0; hedged < 2; hedged++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		struct plan p = {.acts = "wcw", .cancels = ctx};
		leat_replicate_opts opts = {.hedge_ns = hedged ? LEAT_HOUR : 0};
		int got;
		const leat_error *e;

		if (hedged)
			p.acts = "c!!";
		e = leat_replicate(3, (leat_replica_fn)(void (*)(void))replica, &p, &opts, &got, sizeof got,
		                   ctx);
		CHECK(leat_error_is(e, &broken));
		leat_error_free(e);
		CHECK_EQ(p.alive, 0);
		test_goroutines(1);
		p.starts = 0;
		CHECK(replicate(3, replica, &p, &got, ctx) == &leat_canceled);
		CHECK_EQ(p.starts, 0);
		leat_ctx_free(ctx);
	}
}

TEST(a_deadline_ends_all)
{
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 10 * MS);
	struct handlers h = {.delays = {LEAT_HOUR, LEAT_HOUR}};
	size_t answer;
	const leat_error *e = replicate(2, handler, &h, &answer, ctx);

	CHECK_EQ(leat_error_code(e), -ETIMEDOUT);
	leat_error_free(e);
	CHECK_EQ(h.alive, 0);
	test_goroutines(1);
	leat_ctx_free(ctx);
}

/* --- all at random */

struct dice {
	unsigned seed;
	atomic_int held;
};

static struct dice dice;

static const leat_error *rolls(leat_scope *s, size_t i, struct dice *d, int **result)
{
	unsigned x = (d->seed * 2654435761u + (unsigned)i * 40503u) >> 7;

	if (x % 5 == 0)
		leat_yield();
	if (x % 7 == 0)
		leat_sleep_ctx((int64_t)(x % 100) * LEAT_MICROSECOND, s);
	if (x % 3 == 0)
		return leat_errorf(NULL, "rolled %u", x);
	*result = malloc(1);
	atomic_fetch_add(&d->held, 1);
	return NULL;
}

static void unroll(int **result)
{
	free(*result);
	atomic_fetch_sub(&dice.held, 1);
}

TEST(answers_errors_and_delays_that_race)
{
	for (int i = 0; i < test_count(10000); i++) {
		const leat_error *e;
		int *got = NULL;

		dice.seed = (unsigned)i;
		e = replicate(1 + (size_t)i % 6, rolls, &dice, &got, NULL, .discard = unroll,
		              .hedge_ns = (i % 4) * 20 * LEAT_MICROSECOND);
		CHECK_EQ(atomic_load(&dice.held), e == NULL);
		if (e)
			leat_error_free(e);
		else
			unroll(&got);
	}
	test_goroutines(1);
}

static void none_of_it(void *arg)
{
	int got;

	(void)arg;
	leat_error_free(replicate(0, replica, (struct plan *)NULL, &got, NULL));
}

static void no_function(void *arg)
{
	(void)arg;
	leat_error_free(leat_replicate(1, NULL, NULL, NULL, NULL, 0, NULL));
}

TEST(misuse_panics)
{
	CHECK(test_panics(none_of_it, NULL, "replicate: no replicas"));
	CHECK(test_panics(no_function, NULL, "replicate: no function"));
}

TEST(what_is_too_large_is_an_error)
{
	char result;

	CHECK(leat_replicate(2, (leat_replica_fn)(void (*)(void))replica, NULL, NULL, &result,
	                     SIZE_MAX / 2, NULL) == &leat_out_of_memory);
	CHECK(leat_replicate(1, (leat_replica_fn)(void (*)(void))replica, NULL, NULL, &result, SIZE_MAX,
	                     NULL) == &leat_out_of_memory);
}

/* --- what may be passed */

struct host {
	int port;
};

static const leat_error *first_letter(leat_scope *s, size_t i, const char *name, int *result)
{
	(void)s;
	(void)i;
	*result = name[0];
	return NULL;
}

static const leat_error *port_of(leat_scope *s, size_t i, const struct host *host, int *result)
{
	(void)s;
	(void)i;
	*result = host->port;
	return NULL;
}

static const leat_error *itself(leat_scope *s, size_t i, int64_t n, int64_t *result)
{
	(void)s;
	(void)i;
	*result = n;
	return NULL;
}

TEST(an_argument_is_passed_as_to_any_function)
{
	const leat_error *(*fn)(leat_scope *, size_t, const char *, int *) = first_letter;
	struct host host = {80};
	char name[] = "beta";
	int64_t n = INT64_MIN, same;
	int got, evaluated = 0;

	CHECK(!replicate(2, first_letter, "alpha", &got, NULL));
	CHECK_EQ(got, 'a');
	CHECK(!replicate(2, fn, (evaluated++, name), &got, NULL));
	CHECK_EQ(got, 'b');
	CHECK_EQ(evaluated, 1);
	CHECK(!replicate(2, port_of, &host, &got, NULL));
	CHECK_EQ(got, 80);
	CHECK(!replicate(2, itself, n, &same, NULL));
	CHECK_EQ(same, n);
}

TEST_MAIN
