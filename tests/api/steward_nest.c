/* SPDX-License-Identifier: MIT */
/*
 * Goal: what leat/steward.h promises of stewards that are wards, and of what is left behind.
 * Method: as in steward.c; beats are waited for, not counted over a time.
 */
#include "steward_help.h"

/* --- stewards of stewards */

static int deaf_then_well(leat_ward *w)
{
	struct record *r = w->arg;

	CHECK_EQ(atomic_fetch_add(&r->alive, 1), 0);
	if (atomic_fetch_add(&r->starts, 1) == 0)
		while (!atomic_load(&r->release))
			leat_sleep(MS);
	return died(r, 0);
}

static void note_outer(const leat_steward_event *e, void *arg)
{
	struct record *r = arg;

	/* The inner one was cancelled, too, and is stuck itself: time to help. */
	if (e->reason == LEAT_STEWARD_STUCK)
		atomic_store(&r->release, 1);
	if (r->n < 64)
		r->events[r->n] = *e;
	r->n++;
}

TEST(a_steward_whose_ward_is_stuck_is_found_by_its_own_steward)
{
	struct record r = {0};
	leat_steward inner = {
	    .ward = deaf_then_well, .arg = &r, .timeout_ns = 5 * MS, .grace_ns = 2 * MS};
	leat_steward outer = {.ward = leat_steward_ward,
	                      .arg = &inner,
	                      .timeout_ns = 50 * MS,
	                      .grace_ns = 10 * MS,
	                      .backoff_ns = -1,
	                      .hook = note_outer,
	                      .hook_arg = &r};
	uint64_t start;
	int i;

	CHECK_EQ(leat_steward_run(&outer, NULL), 0);
	for (i = 0; r.events[i].reason != LEAT_STEWARD_STUCK; i++)
		CHECK(i < r.n); /* a slow machine may have stalled before it */
	for (start = r.events[i].start; r.events[i].reason == LEAT_STEWARD_STUCK; i++)
		check_event(&r.events[i], LEAT_STEWARD_STUCK, start, 0);
	check_event(&r.events[i], LEAT_STEWARD_STALLED, start, -ETIME);
	CHECK(r.starts >= 2);
	test_goroutines(1);
}

static int waits_long(leat_ward *w)
{
	struct record *r = w->arg;

	CHECK_EQ(atomic_fetch_add(&r->alive, 1), 0);
	atomic_fetch_add(&r->starts, 1);
	return died(r, leat_sleep_ctx(5 * MS, w->scope) == 0 ? -EIO : -ECANCELED);
}

TEST(an_inner_steward_beats_and_when_it_gives_up_is_restarted)
{
	struct record r = {0};
	leat_steward inner = {.ward = waits_long, .arg = &r, .max_restarts = 1, .backoff_ns = 5 * MS};
	leat_steward outer = {.ward = leat_steward_ward,
	                      .arg = &inner,
	                      .interval_ns = MS,
	                      .timeout_ns = LEAT_MINUTE,
	                      .max_restarts = 2,
	                      .backoff_ns = -1,
	                      .hook = note,
	                      .hook_arg = &r};

	CHECK_EQ(leat_steward_run(&outer, NULL), -EIO);
	CHECK_EQ(r.n, 3);
	for (int i = 0; i < 3; i++)
		check_event(&r.events[i], LEAT_STEWARD_FAILED, (uint64_t)i, -EIO);
	CHECK_EQ(r.starts, 6);
	test_goroutines(1);
}

/* The heartbeat that a steward is given, for its ward to look at. */
struct probe {
	leat_heartbeat *_Atomic outer;
	leat_steward inner;
	struct record r;
};

static int probe(leat_ward *w)
{
	struct probe *p = w->arg;
	leat_ward inner = *w;

	atomic_store(&p->outer, w->heartbeat);
	inner.arg = &p->inner;
	return leat_steward_ward(&inner);
}

/* Ten beats of the steward come, while its ward beats, too, or not. */
static void see_beats(struct probe *p, leat_heartbeat *own)
{
	uint64_t before = leat_heartbeat_count(atomic_load(&p->outer));

	while (leat_heartbeat_count(atomic_load(&p->outer)) < before + 10) {
		if (own)
			leat_heartbeat_beat(own);
		leat_sleep(MS);
	}
}

/* It sees beats while it is watched; and when it has stalled and is waited for. */
static int waits_for_beats(leat_ward *w)
{
	see_beats(w->arg, w->heartbeat);
	chan_recv(leat_scope_done(w->scope));
	see_beats(w->arg, NULL);
	return -EIO;
}

TEST(a_steward_beats_while_it_watches_and_waits)
{
	struct probe p = {.inner = {.ward = waits_for_beats,
	                            .timeout_ns = 10 * MS,
	                            .grace_ns = LEAT_MINUTE,
	                            .backoff_ns = LEAT_HOUR,
	                            .backoff_max_ns = LEAT_HOUR,
	                            .hook = note}};
	leat_steward outer = {.ward = probe, .arg = &p, .interval_ns = MS, .timeout_ns = LEAT_MINUTE};

	p.inner.arg = &p;
	p.inner.hook_arg = &p.r;
	{
		scope(s, NULL);

		leat_steward_go(s, &outer);
		test_until(atomic_load(&p.r.told) == 1); /* so it has watched */
		see_beats(&p, NULL);
	}
	test_goroutines(1);
}

/* --- all in all */

TEST(pattern_21_restarts_leave_nothing_behind)
{
	int rounds = test_count(5000);
	size_t goroutines = leat_num_goroutine(), heap = 0;

	for (int i = 0; i < 2; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		struct record r = {.ctx = ctx, .stop_after = rounds};
		leat_steward s = {.ward = fails,
		                  .arg = &r,
		                  .interval_ns = LEAT_SECOND,
		                  .timeout_ns = LEAT_MINUTE,
		                  .always = true,
		                  .backoff_ns = -1,
		                  .hook = note,
		                  .hook_arg = &r};

		CHECK_EQ(leat_steward_run(&s, ctx), -ECANCELED);
		CHECK_EQ(r.n, rounds);
		leat_ctx_free(ctx);
		test_goroutines(goroutines);
		if (i == 0)
			heap = test_heap_in_use();
	}
	CHECK(test_heap_in_use() <= heap + (32 << 10));
}

/* Beats and ends about when it would be found stalled. */
static int borderline(leat_ward *w)
{
	struct record *r = w->arg;
	int err = 0;

	born(w, r);
	for (int i = 0; i < 3 && !err; i++) {
		err = leat_sleep_ctx((int64_t)(w->start % 16) * 40 * LEAT_MICROSECOND, w->scope);
		leat_heartbeat_beat(w->heartbeat);
	}
	return died(r, err ? err : -EAGAIN);
}

TEST(never_two_wards_however_ends_and_time_outs_meet)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	struct record r = {.ctx = ctx, .stop_after = test_count(3000)};
	leat_steward s = {.ward = borderline,
	                  .arg = &r,
	                  .timeout_ns = 300 * LEAT_MICROSECOND,
	                  .grace_ns = LEAT_MINUTE,
	                  .backoff_ns = -1,
	                  .hook = note,
	                  .hook_arg = &r};

	CHECK_EQ(leat_steward_run(&s, ctx), -ECANCELED);
	CHECK_EQ(r.alive, 0);
	test_goroutines(1);
	leat_ctx_free(ctx);
}

static void leave(const leat_steward_event *e, void *arg)
{
	note(e, arg);
	leat_panic("hook");
}

static void run_with(void *s)
{
	CHECK_EQ(leat_steward_run(s, NULL), 0);
}

TEST(a_panic_of_the_hook_leaves_nothing_behind)
{
	struct record r = {0};
	leat_steward s = {
	    .ward = irresponsible, .arg = &r, .timeout_ns = 5 * MS, .hook = leave, .hook_arg = &r};

	CHECK(test_panics(run_with, &s, "hook"));
	CHECK_EQ(r.alive, 0);
	test_goroutines(1);
}

static void cancel_it(leat_steward *s)
{
	scope(sc, NULL);

	leat_steward_go(sc, s);
	scope_cancel(sc);
	CHECK_EQ(scope_wait(sc), 0); /* that is no failure */
}

static void give_up(leat_steward *s)
{
	scope(sc, NULL);

	leat_steward_go(sc, s);
	CHECK_EQ(scope_wait(sc), -EIO);
	CHECK_EQ(scope_err(sc), -ECANCELED);
}

TEST(a_steward_in_a_scope_fails_it_when_it_gives_up)
{
	struct record r = {0}, cancelled = {0};
	leat_steward s = {.ward = fails, .arg = &r, .max_restarts = -1, .hook = note, .hook_arg = &r};

	give_up(&s);
	CHECK_EQ(r.n, 1);
	s.ward = until_done;
	s.arg = &cancelled;
	cancel_it(&s);
	CHECK_EQ(r.n, 1);
}

TEST(misuse_panics)
{
	leat_steward none = {.timeout_ns = 1}, negative = {.ward = fails, .grace_ns = -1};

	CHECK(test_panics(run_with, &none, "steward: no ward"));
	CHECK(test_panics(run_with, &negative, "steward: negative time"));
	CHECK_STR(leat_steward_reason_string((enum leat_steward_reason)99), "?");
}

TEST_MAIN
