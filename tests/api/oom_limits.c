/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: where memory runs out in what limits events and work, at whichever allocation, that is a clean panic or an
 * error; nothing is leaked, and the limiter is as before.
 * Method: each operation with its 1st, 2nd, ... allocation failing.
 */
#include "test.h"

#include "oom.h"

/* --- multi limiters.  First: the heap of timers is not there yet */

static void wait_for_a_turn(void *l)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	defer(leat_ctx_free, ctx);

	CHECK_EQ(leat_multi_limiter_wait_ctx((leat_multi_limiter *)l, ctx), 0);
}

TEST(the_timer_of_a_multi_limiter)
{
	leat_limiter fast = LEAT_LIMITER(1000, 1), slow = LEAT_LIMITER(0.01, 1);
	leat_multi_limiter l;
	leat_panic_info info;
	bool panicked, hit;

	oom_skip();
	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	CHECK(leat_multi_limiter_allow(&l));
	oom_maps = true;
	oom_arm(2);
	panicked = leat_catch(wait_for_a_turn, &l, &info);
	hit = oom_disarm();
	oom_maps = false;
	CHECK(panicked && hit);
	CHECK_STR(info.message, "out of memory");
	CHECK(leat_limiter_tokens(&slow) > -0.5); /* nothing was taken */
	CHECK_EQ(oom_holds, 0);
	leat_limiter_set_rate(&slow, 100);
	wait_for_a_turn(&l); /* and nobody counts as waiting */
	test_until(leat_multi_limiter_allow(&l));
}

/* --- keyed limiters */

static int keys(void *arg)
{
	leat_keyed_limiter *l = leat_keyed_limiter_make(LEAT_LIMITER_INF, 1, 3);
	char key[16];

	(void)arg;
	defer(leat_keyed_limiter_free, l);
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof key, "key %d", i);
		CHECK(leat_keyed_limiter_allow(l, key));
		CHECK_EQ(leat_keyed_limiter_wait_ctx(l, "key", NULL), 0);
	}
	return 0;
}

TEST(keyed_limiters)
{
	CHECK(oom_each(keys, NULL) >= 12);
}

/* --- workers */

struct task {
	int *ran;
};

static void task(struct task *a)
{
	__atomic_add_fetch(a->ran, 1, __ATOMIC_RELAXED);
}

static int some_tasks(void *arg)
{
	int ran = 0;

	(void)arg;
	{
		scope(s, NULL);
		leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 2, .queue = 10});

		for (int i = 0; i < 5; i++)
			CHECK_EQ(workers_submit(w, task, &ran), 0);
	}
	CHECK_EQ(ran, 5);
	return 0;
}

TEST(workers)
{
	CHECK(oom_each(some_tasks, NULL) >= 6);
}

/* A worker that cannot be started is as if it had never been asked for. */
static void one_task(void *arg)
{
	leat_workers *w = arg;
	int ran = 0;

	CHECK_EQ(workers_submit(w, task, &ran), 0);
	leat_workers_wait(w);
	CHECK_EQ(ran, 1);
}

TEST(workers_that_cannot_start)
{
	scope(s, NULL);
	leat_workers *w =
	    leat_workers_make(s, &(leat_workers_opts){.workers = 1, .stack_bytes = 16 << 20});
	leat_workers_stats stats;
	leat_panic_info info;
	bool panicked, hit;

	oom_maps = true;
	oom_begin(1); /* the task's memory, and no stack of that size, of which none lies ready */
	panicked = leat_catch(one_task, w, &info);
	hit = oom_hit;
	oom_end();
	oom_maps = false;
	CHECK(panicked && hit);
	CHECK_STR(info.message, "out of memory");
	stats = leat_workers_get_stats(w);
	CHECK_EQ(stats.running + stats.queued + stats.done, 0);
	CHECK_EQ(leat_workers_wait_ctx(w, s), 0); /* for nothing */
	one_task(w);
}

/* --- retries */

static const leat_error *fails(void *arg)
{
	(void)arg;
	return leat_errorf(leat_error_errno(-EIO), "it failed");
}

static void canceled(const leat_retry_attempt *a, void *ctx)
{
	(void)a;
	leat_ctx_cancel((leat_ctx *)ctx);
}

/* Errors do without memory. */
static int retries(void *arg)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_retry_opts opts = {.attempts = 3, .attempted = canceled, .arg = ctx};
	const leat_error *e;

	(void)arg;
	defer(leat_ctx_free, ctx);
	e = leat_retry_error(&opts, fails, NULL, ctx);
	CHECK(leat_error_is(e, &leat_canceled));
	leat_error_free(e);
	return OOM_COPED;
}

TEST(retries_of_errors)
{
	CHECK(oom_each(retries, NULL) >= 3);
}

TEST_MAIN
