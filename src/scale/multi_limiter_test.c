/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced nomigrate notsan */
/*
 * Goal: at which instant leat_multi_limiter lets events pass, to the nanosecond; that no tier, in any window of time,
 * sees more of them than its burst and rate allow, however tiers are shared and whoever gives up; and that who gives up
 * leaves all tiers as they were.
 *
 * Method: a policy whose time passes when the test says so, and by a nanosecond whenever somebody looks, so that who
 * sleeps for one lets all run whose time has come.
 */
#include "base/random.h"
#include "sched/policy.h"

#include "test.h"

#include <errno.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

static _Atomic int64_t virtual = LEAT_SECOND;
static uint64_t seed = 1;

static uint32_t choose(enum leat__choice what, uint32_t n)
{
	(void)what;
	(void)n;
	return 0;
}

static int64_t now(void)
{
	return atomic_fetch_add(&virtual, 1);
}

static const struct leat__policy policy = {.choose = choose, .now = now};

/* Before anything has seen the machine's own clock. */
__attribute__((constructor)) static void begin(void)
{
	leat__policy = &policy;
}

static bool near(double a, double b)
{
	return a - b < 1e-3 && b - a < 1e-3;
}

/* So much time passes, and all do what they do by then. */
static void pass(int64_t duration_ns)
{
	virtual += duration_ns;
	leat_sleep(1);
	leat_sleep(1);
}

static bool near_ns(int64_t a, int64_t b)
{
	return a - b < 2000 && b - a < 2000;
}

static int below(int n)
{
	return (int)leat__random_below(leat__random_next(&seed), (uint32_t)n);
}

/* --- turns */

/* The book's: 2 a second and 10 a minute. */
TEST(section_20_ten_pass_quickly_and_then_one_in_six_seconds)
{
	leat_limiter second = LEAT_LIMITER(2, 1),
	             minute = LEAT_LIMITER(LEAT_LIMITER_PER(10, LEAT_MINUTE), 10);
	leat_multi_limiter api;
	int64_t start = virtual;

	LEAT_MULTI_LIMITER_INIT(&api, LEAT_TIER(&second), LEAT_TIER(&minute));
	for (int k = 0; k < 20; k++) {
		int64_t due = k * 500 * MS;

		if ((k - 9) * 6 * LEAT_SECOND > due)
			due = (k - 9) * 6 * LEAT_SECOND;
		if (k > 0) {
			virtual = start + due - 1000;
			CHECK(!leat_multi_limiter_allow(&api));
		}
		virtual = start + due + 1000;
		CHECK(leat_multi_limiter_allow(&api));
		CHECK(!leat_multi_limiter_allow(&api));
	}
}

struct waiter {
	leat_multi_limiter *l;
	int64_t n;
	leat_ctx *ctx;
	int64_t *at;
	atomic_int *result;
};

static void waiter(struct waiter *a)
{
	int result = leat_multi_limiter_wait_n_ctx(a->l, a->n, a->ctx);

	*a->at = virtual;
	atomic_store(a->result, result);
}

TEST(section_20_who_waits_goes_on_when_the_last_tier_lets_him)
{
	leat_limiter fast = LEAT_LIMITER(100, 5), slow = LEAT_LIMITER(10, 1);
	leat_multi_limiter l;
	atomic_int result[4] = {1, 1, 1, 1};
	int64_t at[4], start = virtual;

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	for (int i = 0; i < 4; i++) {
		go(waiter, &l, 1, NULL, &at[i], &result[i]);
		pass(0);
	}
	CHECK(!leat_multi_limiter_allow(&l));
	CHECK(near(leat_limiter_tokens(&fast), 4)); /* those who wait have taken nothing */
	CHECK(near(leat_limiter_tokens(&slow), -1));
	for (int i = 1; i < 400; i++) {
		pass(MS);
		for (int k = 0; k < 4; k++)
			if (i != k * 100) /* some nanoseconds more or less */
				CHECK_EQ(atomic_load(&result[k]), i > k * 100 ? 0 : 1);
	}
	for (int i = 0; i < 4; i++)
		CHECK(near_ns(at[i] - start, i * 100 * MS) || near_ns(at[i] - start, (i * 100 + 1) * MS));
	test_goroutines(1);
}

TEST(section_20_who_waits_is_not_starved_by_those_who_take_what_they_can_get)
{
	leat_limiter fast = LEAT_LIMITER(100, 5), slow = LEAT_LIMITER(10, 1);
	leat_multi_limiter l;
	atomic_int result[3] = {1, 1, 1};
	int64_t at[3], start = virtual;
	int taken = 0;

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	CHECK(leat_limiter_allow(&slow));
	for (int i = 0; i < 3; i++) {
		go(waiter, &l, 1, NULL, &at[i], &result[i]);
		pass(0);
	}
	for (int i = 0; i < 1000; i++) {
		pass(MS);
		taken += leat_limiter_allow(&slow);
	}
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(atomic_load(&result[i]), 0);
		CHECK(at[i] - start <= (i + 1) * 102 * MS);
	}
	CHECK(taken >= 6 && taken <= 7);
	test_goroutines(1);
}

/* Whoever asks each tier by himself, all the time, is quicker than who needs both. */
TEST(section_20_a_flood_at_the_tiers_delays_who_waits_for_some_rounds)
{
	leat_limiter a = LEAT_LIMITER(10, 1), b = LEAT_LIMITER(10, 1);
	leat_multi_limiter l;
	atomic_int result[3] = {1, 1, 1};
	int64_t at[3], start = virtual;
	int taken = 0;

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&a), LEAT_TIER(&b));
	CHECK(leat_limiter_allow(&a));
	pass(50 * MS);
	CHECK(leat_limiter_allow(&b));
	for (int i = 0; i < 3; i++) {
		go(waiter, &l, 1, NULL, &at[i], &result[i]);
		pass(0);
	}
	for (int i = 0; i < 3000; i++) {
		pass(MS);
		taken += leat_limiter_allow(&a);
		taken += leat_limiter_allow(&b);
	}
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(atomic_load(&result[i]), 0);
		/* Each round is a token's time, and so is the promise. */
		CHECK(at[i] - start <= 50 * MS + (i + 1) * 6 * 101 * MS);
	}
	CHECK(taken >= 60 - 12 && taken <= 60);
	test_goroutines(1);
}

/* Nothing is lost where he gives up then, by himself or because his turn would come too late. */
TEST(section_20_who_gives_up_when_he_was_overtaken_leaves_all_as_it_was)
{
	int too_late = 0;

	for (int ms = 0; ms < 500; ms += 5) {
		leat_limiter a = LEAT_LIMITER(10, 1), b = LEAT_LIMITER(10, 1);
		leat_multi_limiter l;
		atomic_int result = 1;
		leat_ctx *ctx =
		    leat_ctx_with_timeout(leat_ctx_background(), ms % 2 ? LEAT_HOUR : (200 + ms / 2) * MS);
		int64_t at;

		LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&a), LEAT_TIER(&b));
		CHECK(leat_limiter_allow(&a));
		pass(50 * MS);
		CHECK(leat_limiter_allow(&b));
		go(waiter, &l, 1, ctx, &at, &result);
		pass(0);
		for (int i = 0; i < ms; i++) {
			pass(MS);
			(void)!leat_limiter_allow(&a);
			(void)!leat_limiter_allow(&b);
		}
		leat_ctx_cancel(ctx);
		test_goroutines(1);
		CHECK(result == 0 || result == -ECANCELED || result == -ETIME);
		too_late += result == -ETIME;
		CHECK(leat_limiter_tokens(&a) >= -1e-3 && leat_limiter_tokens(&b) >= -1e-3);
		pass(100 * MS);
		CHECK(leat_multi_limiter_allow(&l));
		leat_ctx_free(ctx);
	}
	CHECK(too_late > 0);
}

TEST(tiers_of_tiers_count_once_and_are_sorted_by_rate)
{
	leat_limiter a = LEAT_LIMITER(5, 4), b = LEAT_LIMITER(1, 9), c = LEAT_LIMITER(3, 2), all;
	leat_multi_limiter one, two, both, none = {0};

	leat_limiter_init(&all, LEAT_LIMITER_INF, 0);
	LEAT_MULTI_LIMITER_INIT(&one, LEAT_TIER(&a), LEAT_TIER(&b), LEAT_TIER(&all));
	LEAT_MULTI_LIMITER_INIT(&two, LEAT_TIER(&c), LEAT_TIER(&b));
	LEAT_MULTI_LIMITER_INIT(&both, LEAT_TIER(&one), LEAT_TIER(&two), LEAT_TIER(&a));
	CHECK(leat_multi_limiter_tier(&both, 0) == &b);
	CHECK(leat_multi_limiter_tier(&both, 1) == &c);
	CHECK(leat_multi_limiter_tier(&both, 2) == &a);
	CHECK(leat_multi_limiter_tier(&both, 3) == &all);
	CHECK(!leat_multi_limiter_tier(&both, 4));
	CHECK(near(leat_multi_limiter_rate(&both), 1));
	CHECK_EQ(leat_multi_limiter_burst(&both), 2);
	CHECK(near(leat_multi_limiter_tokens(&both), 2));
	CHECK(leat_multi_limiter_allow_n(&both, 2));
	CHECK(near(leat_limiter_tokens(&a), 2));
	CHECK(near(leat_limiter_tokens(&b), 7));
	CHECK(near(leat_limiter_tokens(&c), 0));
	CHECK(!leat_multi_limiter_allow(&both));
	CHECK(leat_multi_limiter_allow(&one));
	CHECK(!leat_multi_limiter_allow(&two));
	CHECK(near(leat_limiter_tokens(&b), 6)); /* which had one, and did not give it */
	leat_limiter_set_rate(&c, 0.5);
	CHECK(near(leat_multi_limiter_rate(&both), 0.5));

	CHECK(leat_multi_limiter_allow_n(&none, INT64_MAX));
	CHECK_EQ(leat_multi_limiter_wait_n(&none, INT64_MAX), 0);
	CHECK(leat_multi_limiter_rate(&none) == LEAT_LIMITER_INF);
	CHECK_EQ(leat_multi_limiter_burst(&none), INT64_MAX);
	CHECK(leat_multi_limiter_tokens(&none) == LEAT_LIMITER_INF);
}

/* --- giving up */

TEST(section_20_whoever_gives_up_leaves_all_tiers_as_they_were)
{
	leat_limiter fast = LEAT_LIMITER(100, 5), slow = LEAT_LIMITER(1e-3, 2);
	leat_multi_limiter l;
	leat_ctx *first = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *second = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *soon = leat_ctx_with_timeout(leat_ctx_background(), LEAT_SECOND);
	atomic_int result[2] = {1, 1};
	int64_t at[2];

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	CHECK(leat_multi_limiter_allow_n(&l, 2));
	pass(LEAT_SECOND);
	CHECK_EQ(leat_multi_limiter_wait_n(&l, 3), -E2BIG);
	CHECK_EQ(leat_multi_limiter_wait_ctx(&l, soon), -ETIMEDOUT);
	leat_ctx_free(soon);
	soon = leat_ctx_with_timeout(leat_ctx_background(), LEAT_SECOND);
	CHECK_EQ(leat_multi_limiter_wait_ctx(&l, soon), -ETIME);
	CHECK(near(leat_limiter_tokens(&fast), 5));
	CHECK(near(leat_limiter_tokens(&slow), 0.001));
	go(waiter, &l, 2, first, &at[0], &result[0]);
	pass(0);
	go(waiter, &l, 1, second, &at[1], &result[1]);
	pass(0);
	virtual += LEAT_SECOND;
	CHECK(near(leat_limiter_tokens(&fast), 5));
	CHECK(near(leat_limiter_tokens(&slow), 0.002 - 2));
	leat_ctx_cancel(second);
	test_until(atomic_load(&result[1]) == -ECANCELED);
	CHECK(near(leat_limiter_tokens(&slow), 0.002 - 2));
	leat_ctx_cancel(first);
	test_until(atomic_load(&result[0]) == -ECANCELED);
	CHECK(near(leat_limiter_tokens(&fast), 5));
	CHECK(near(leat_limiter_tokens(&slow), 0.002));
	virtual += 998 * LEAT_SECOND + 1000; /* and nobody counts as waiting */
	CHECK(leat_multi_limiter_allow(&l));
	leat_ctx_free(first);
	leat_ctx_free(second);
	leat_ctx_free(soon);
	test_goroutines(1);
}

TEST(the_deadline_counts_all_who_wait_before)
{
	leat_limiter fast = LEAT_LIMITER(1000, 5), slow = LEAT_LIMITER(1, 1);
	leat_multi_limiter l;
	leat_ctx *early = leat_ctx_with_timeout(leat_ctx_background(), 2999 * MS);
	leat_ctx *late = leat_ctx_with_timeout(leat_ctx_background(), 3001 * MS);
	atomic_int result[3] = {1, 1, 1};
	int64_t at[3];

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	CHECK(leat_multi_limiter_allow(&l));
	for (int i = 0; i < 2; i++) {
		go(waiter, &l, 1, NULL, &at[i], &result[i]);
		pass(0);
	}
	CHECK_EQ(leat_multi_limiter_wait_ctx(&l, early), -ETIME); /* the turn is in 3 s */
	go(waiter, &l, 1, late, &at[2], &result[2]);
	pass(0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(atomic_load(&result[i]), 1);
		pass(LEAT_SECOND + 1000);
		CHECK_EQ(atomic_load(&result[i]), 0);
	}
	leat_ctx_free(early);
	leat_ctx_free(late);
}

static void nil_tier(void *l)
{
	leat_multi_limiter_init(l, (const leat_tier[]){{NULL, NULL}}, 1);
}

static void nine_tiers(void *l)
{
	leat_limiter many[9] = {0};
	leat_tier tiers[9];

	for (int i = 0; i < 9; i++)
		tiers[i] = (leat_tier)LEAT_TIER(&many[i]);
	leat_multi_limiter_init(l, tiers, 9);
}

static void negative_allow(void *l)
{
	(void)!leat_multi_limiter_allow_n(l, -1);
}

static void negative_wait(void *l)
{
	(void)!leat_multi_limiter_wait_n(l, -1);
}

static void negative_reserve(void *l)
{
	(void)!leat_multi_limiter_reserve_n(l, -1).ok;
}

TEST(misuse_panics)
{
	leat_multi_limiter l = {0};

	CHECK(test_panics(nil_tier, &l, "multi_limiter: nil tier"));
	CHECK(test_panics(nine_tiers, &l, "multi_limiter: more than 8 tiers"));
	CHECK(!leat_multi_limiter_tier(&l, 0));
	CHECK(test_panics(negative_allow, &l, "rate: negative n"));
	CHECK(test_panics(negative_wait, &l, "rate: negative n"));
	CHECK(test_panics(negative_reserve, &l, "rate: negative n"));
}

/* --- promises */

TEST(section_20_a_promise_is_for_the_latest_of_the_tiers_and_comes_back_whole)
{
	leat_limiter fast = LEAT_LIMITER(100, 5), slow = LEAT_LIMITER(1, 2);
	leat_multi_limiter l;
	leat_multi_reservation r, no;

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	no = leat_multi_limiter_reserve_n(&l, 3);
	CHECK(!no.ok);
	CHECK_EQ(leat_multi_reservation_delay(&no), LEAT_FOREVER);
	leat_multi_reservation_cancel(&no);
	r = leat_multi_limiter_reserve_n(&l, 2);
	CHECK(r.ok);
	CHECK_EQ(leat_multi_reservation_delay(&r), 0);
	r = leat_multi_limiter_reserve_n(&l, 1);
	CHECK(near_ns(leat_multi_reservation_delay(&r), LEAT_SECOND));
	/* Not before the instant, and what is filled until then, does the fast one have a full bucket beside it. */
	CHECK(near(leat_limiter_tokens(&fast), 5 - 100 - 1));
	virtual += 100 * MS; /* its own turn is long past */
	leat_multi_reservation_cancel(&r);
	CHECK(near(leat_limiter_tokens(&fast), 5));
	CHECK(near(leat_limiter_tokens(&slow), 0.1));
	leat_multi_reservation_cancel(&r);
	CHECK(near(leat_limiter_tokens(&slow), 0.1));

	r = leat_multi_limiter_reserve_n(&l, 2);
	no = leat_multi_limiter_reserve_n(&l, 1);
	leat_multi_reservation_cancel(&no);
	leat_multi_reservation_cancel(&r); /* in the reverse order all comes back */
	CHECK(near(leat_limiter_tokens(&slow), 0.1));
	CHECK(leat_limiter_tokens(&fast) <= 5);
}

/* --- the property */

enum { TIERS = 4, WORKERS = 8, EVENTS = 400 };

struct event {
	int64_t at, n;
	unsigned tiers; /* a bit for each that saw it */
};

static struct event events[WORKERS + 1][EVENTS];
static int seen[WORKERS + 1];

static void record(int who, int64_t at, int64_t n, unsigned tiers)
{
	if (n > 0 && seen[who] < EVENTS)
		events[who][seen[who]++] = (struct event){at, n, tiers};
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct event *)a)->at, y = ((const struct event *)b)->at;

	return x < y ? -1 : x > y;
}

/* For each pair of events: those from the one to the other, both included. */
static void check_windows(const leat_limiter *tiers)
{
	static struct event all[(WORKERS + 1) * EVENTS];
	int total = 0;

	for (int who = 0; who <= WORKERS; who++)
		for (int i = 0; i < seen[who]; i++)
			all[total++] = events[who][i];
	qsort(all, (size_t)total, sizeof *all, by_time);
	for (int t = 0; t < TIERS; t++)
		for (int i = 0; i < total; i++) {
			int64_t sum = 0;

			for (int j = i; j < total; j++) {
				if (!(all[j].tiers & 1u << t))
					continue;
				sum += all[j].n;
				if ((double)sum >
				    (double)tiers[t].leat__burst +
				        tiers[t].leat__rate * (double)(all[j].at - all[i].at + 100) / 1e9 + 1e-4) {
					fprintf(stderr,
					        "tier %d (%g a second, burst %d): %d events in %" PRId64 " ns\n", t,
					        tiers[t].leat__rate, (int)tiers[t].leat__burst, (int)sum,
					        all[j].at - all[i].at);
					test_fail(__FILE__, __LINE__, "more than the tier allows");
				}
			}
		}
	CHECK(total > 100);
}

static leat_limiter tiers[TIERS];
static leat_multi_limiter multis[4];
static const unsigned sees[4] = {1 | 2, 1 | 4, 1 | 2 | 4 | 8, 2 | 8};

static void make_tiers(void)
{
	for (int i = 0; i < TIERS; i++) {
		const int rates[] = {20, 100, 300, 1000};

		leat_limiter_init(&tiers[i], rates[below(4)], 1 + below(6));
	}
	LEAT_MULTI_LIMITER_INIT(&multis[0], LEAT_TIER(&tiers[0]), LEAT_TIER(&tiers[1]));
	LEAT_MULTI_LIMITER_INIT(&multis[1], LEAT_TIER(&tiers[2]), LEAT_TIER(&tiers[0]));
	LEAT_MULTI_LIMITER_INIT(&multis[2], LEAT_TIER(&multis[0]), LEAT_TIER(&multis[1]),
	                        LEAT_TIER(&tiers[3]));
	LEAT_MULTI_LIMITER_INIT(&multis[3], LEAT_TIER(&tiers[3]), LEAT_TIER(&tiers[1]));
	memset(seen, 0, sizeof seen);
}

struct worker {
	int who;
	leat_ctx **ctx; /* of its present wait */
	atomic_bool *stop;
};

static void worker(struct worker *a)
{
	while (!atomic_load(a->stop)) {
		int which = below(4);
		int64_t n = below(3);
		int err = leat_multi_limiter_wait_n_ctx(&multis[which], n, *a->ctx);

		CHECK(err == 0 || err == -E2BIG || err == -ECANCELED);
		if (!err)
			record(a->who, virtual, n, sees[which]);
		if (err == -ECANCELED)
			break;
		if (err == -E2BIG || n == 0)
			CHECK_EQ(leat_multi_limiter_wait(&multis[which]), 0);
		if (err == -E2BIG || n == 0)
			record(a->who, virtual, 1, sees[which]);
	}
}

/* Waits that are cancelled now and then, and others who take what they can get at once. */
static void waits_and_takers(void)
{
	leat_ctx *ctx[WORKERS];
	atomic_bool stop = false;
	leat_waitgroup done = {0};

	make_tiers();
	for (int i = 0; i < WORKERS; i++) {
		ctx[i] = leat_ctx_with_cancel(leat_ctx_background());
		wg_go(&done, worker, i, &ctx[i], &stop);
	}
	for (int step = 0; step < 2000; step++) {
		int i = below(4);

		pass(below(6 * (int)MS));
		if (below(50) == 0)
			leat_ctx_cancel(ctx[below(WORKERS)]);
		if (below(4) == 0 && leat_multi_limiter_allow(&multis[i]))
			record(WORKERS, virtual, 1, sees[i]);
		if (below(4) == 0 && leat_limiter_allow(&tiers[i]))
			record(WORKERS, virtual, 1, 1u << i);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < WORKERS; i++)
		leat_ctx_cancel(ctx[i]);
	leat_waitgroup_wait(&done);
	check_windows(tiers);
	for (int i = 0; i < WORKERS; i++)
		leat_ctx_free(ctx[i]);
	for (int i = 0; i < TIERS; i++) {
		CHECK_EQ(tiers[i].leat__aside, 0);
		CHECK(leat_limiter_tokens(&tiers[i]) > -1e-5); /* nothing is promised any more */
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(multis[i].leat__waiting, 0);
}

TEST(section_20_in_any_window_no_tier_lets_more_pass_with_waits)
{
	for (int i = 0; i < test_count(1000); i++) {
		seed = leat__random_seed((uint64_t)i);
		waits_and_takers();
	}
	test_goroutines(1);
}

static void promises(void)
{
	struct {
		leat_multi_reservation r;
		int64_t n;
		unsigned tiers;
	} open[6] = {0};

	make_tiers();
	for (int step = 0; step < 1500; step++) {
		int which = below(4), i = below(6);

		virtual += below(20 * (int)MS);
		if (below(3) == 0)
			leat_multi_reservation_cancel(&open[i].r);
		else
			record(WORKERS, open[i].r.act_at_ns, open[i].n, open[i].tiers);
		open[i].n = 1 + below(2);
		open[i].r = leat_multi_limiter_reserve_n(&multis[which], open[i].n);
		open[i].tiers = sees[which];
		if (!open[i].r.ok)
			open[i].n = 0;
		if (below(2) == 0 && leat_limiter_allow(&tiers[which]))
			record(0, virtual, 1, 1u << which);
	}
	check_windows(tiers);
}

TEST(section_20_in_any_window_no_tier_lets_more_pass_with_promises)
{
	for (int i = 0; i < test_count(1000); i++) {
		seed = leat__random_seed((uint64_t)i);
		promises();
	}
}

TEST_MAIN
