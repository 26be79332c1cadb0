/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced nomigrate notsan */
/*
 * Goal: leat_keyed_limiter keeps no more keys than it may, forgets none that is not idle, and so lets no key have more
 * than its rate and burst, whatever other keys come.
 *
 * Method: a policy whose time passes when the test says so; and a model that forgets nothing.
 */
#include "base/random.h"
#include "sched/policy.h"

#include "test.h"

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

TEST(section_20_each_key_has_its_own_tokens)
{
	leat_keyed_limiter *l = leat_keyed_limiter_make(10, 2, 8);

	CHECK(leat_keyed_limiter_allow(l, "ada"));
	CHECK(leat_keyed_limiter_allow(l, "ada"));
	CHECK(!leat_keyed_limiter_allow(l, "ada"));
	CHECK(leat_keyed_limiter_allow_n(l, "", 2));
	CHECK(leat_keyed_limiter_tokens(l, "ada") < 0.01);
	CHECK(leat_keyed_limiter_tokens(l, "bob") > 1.99);
	CHECK(leat_keyed_limiter_allow_n(l, "bob", 1));
	CHECK(!leat_keyed_limiter_allow_n(l, "bob", 2));
	CHECK_EQ(leat_keyed_limiter_len(l), 3);
	virtual += 100 * MS + 1;
	CHECK(leat_keyed_limiter_allow(l, "ada"));
	CHECK(!leat_keyed_limiter_allow(l, "ada"));
	CHECK_EQ(leat_keyed_limiter_wait_n_ctx(l, "ada", 3, NULL), -E2BIG);
	leat_keyed_limiter_free(l);
}

TEST(section_20_a_key_is_forgotten_only_when_its_bucket_is_full_again)
{
	leat_keyed_limiter *l = leat_keyed_limiter_make(10, 2, 2);

	CHECK(leat_keyed_limiter_allow_n(l, "a", 2)); /* full in 200 ms */
	CHECK(leat_keyed_limiter_allow_n(l, "b", 1)); /* in 100 */
	CHECK(!leat_keyed_limiter_allow(l, "c"));
	CHECK_EQ(leat_keyed_limiter_wait(l, "c"), -ENOSPC);
	virtual += 99 * MS;
	CHECK(!leat_keyed_limiter_allow(l, "c"));
	CHECK_EQ(leat_keyed_limiter_evicted(l), 0);
	virtual += 2 * MS;
	CHECK(leat_keyed_limiter_allow_n(l, "c", 2)); /* for b, though a is older */
	CHECK_EQ(leat_keyed_limiter_len(l), 2);
	CHECK_EQ(leat_keyed_limiter_evicted(l), 1);
	CHECK(!leat_keyed_limiter_allow(l, "b"));
	CHECK(leat_keyed_limiter_allow(l, "a"));
	CHECK(!leat_keyed_limiter_allow(l, "a"));
	CHECK_EQ(leat_keyed_limiter_trim(l), 0);
	virtual += LEAT_SECOND;
	CHECK_EQ(leat_keyed_limiter_trim(l), 2);
	CHECK_EQ(leat_keyed_limiter_len(l), 0);
	CHECK(leat_keyed_limiter_allow(l, "b"));
	leat_keyed_limiter_free(l);
}

struct waiter {
	leat_keyed_limiter *l;
	leat_ctx *ctx;
	int *result;
};

static void waiter(struct waiter *a)
{
	*a->result = leat_keyed_limiter_wait_ctx(a->l, "a", a->ctx);
}

TEST(section_20_who_waits_keeps_his_key)
{
	leat_keyed_limiter *l = leat_keyed_limiter_make(1e-3, 1, 1);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int result = 1;

	CHECK(leat_keyed_limiter_allow(l, "a"));
	go(waiter, l, ctx, &result);
	test_parked(1);
	CHECK(!leat_keyed_limiter_allow(l, "b"));
	virtual += 999 * LEAT_SECOND;
	CHECK(!leat_keyed_limiter_allow(l, "b"));
	leat_ctx_cancel(ctx);
	test_goroutines(1);
	CHECK_EQ(result, -ECANCELED);
	CHECK(!leat_keyed_limiter_allow(l, "b"));
	CHECK_EQ(leat_keyed_limiter_wait_ctx(l, "b", ctx), -ECANCELED);
	virtual += 2 * LEAT_SECOND; /* earlier than it would have been with the wait */
	CHECK(leat_keyed_limiter_allow(l, "b"));
	CHECK_EQ(leat_keyed_limiter_len(l), 1);
	test_goroutines(1);
	leat_ctx_free(ctx);
	leat_keyed_limiter_free(l);
}

/* Against one limiter for each key, for ever: a key gets what that gives or, where there is no room, nothing. */
TEST(section_20_no_key_has_more_than_with_unbounded_memory)
{
	enum { KEYS = 200, MAX = 14 };
	leat_keyed_limiter *l = leat_keyed_limiter_make(100, 3, MAX);
	static leat_limiter model[KEYS];
	int passed = 0, refused = 0;
	uint64_t seed = leat__random_seed(5);

	for (int i = 0; i < KEYS; i++)
		leat_limiter_init(&model[i], 100, 3);
	for (int i = 0; i < test_count(1000000); i++) {
		/* Some keys often, others seldom, and some that are new. */
		int k = (int)leat__random_below(leat__random_next(&seed), i % 3 ? 10 : KEYS);
		bool ok, known;
		char key[16];

		snprintf(key, sizeof key, "key %d", k);
		virtual += leat__random_below(leat__random_next(&seed), (uint32_t)MS / 3);
		ok = leat_keyed_limiter_allow(l, key);
		known = leat_limiter_tokens(&model[k]) < 2.999;
		if (ok) {
			CHECK(leat_limiter_allow(&model[k]));
			passed++;
		} else if (known) {
			CHECK(!leat_limiter_allow(&model[k])); /* it cannot have been forgotten */
		} else {
			refused++;
		}
		CHECK(leat_keyed_limiter_len(l) <= MAX);
	}
	CHECK(passed > 1000 && refused > 10 && leat_keyed_limiter_evicted(l) > 10);
	leat_keyed_limiter_free(l);
}

static void no_keys(void *arg)
{
	(void)arg;
	leat_keyed_limiter_free(leat_keyed_limiter_make(1, 1, 0));
}

static void too_many_keys(void *arg)
{
	(void)arg;
	leat_keyed_limiter_free(leat_keyed_limiter_make(1, 1, SIZE_MAX));
}

static void negative(void *l)
{
	(void)!leat_keyed_limiter_allow_n(l, "a", -1);
}

TEST(misuse_panics)
{
	leat_keyed_limiter *l = leat_keyed_limiter_make(1, 1, 1);

	CHECK(test_panics(no_keys, NULL, "keyed_limiter: no keys"));
	CHECK(test_panics(too_many_keys, NULL, "out of memory"));
	CHECK(test_panics(negative, l, "rate: negative n"));
	CHECK_EQ(leat_keyed_limiter_len(l), 0);
	leat_keyed_limiter_free(l);
	leat_keyed_limiter_free(NULL);
}

TEST_MAIN
