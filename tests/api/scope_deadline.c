/* SPDX-License-Identifier: MIT */
/*
 * Goal: deadlines of scopes: never early, only ever shortened, inherited, harmless when far away.
 * Method: leat_now before and after; what must not happen is ruled out by a done that comes later
 * for another reason.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

TEST(a_timeout_makes_done_never_early)
{
	static const int64_t waits[] = {1, 1000, 100000, LEAT_MILLISECOND, 30 * LEAT_MILLISECOND};

	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		int64_t begin = leat_now();
		scope(s, NULL);

		scope_timeout(s, waits[i]);
		chan_recv(scope_done(s));
		CHECK(leat_now() - begin >= waits[i]);
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
		CHECK_EQ(scope_wait(s), 0);
	}
}

TEST(line_130_a_deadline_in_the_past_is_done_on_return)
{
	static const int64_t waits[] = {0, -1, -LEAT_HOUR, INT64_MIN};

	for (int i = 0; i < 4; i++) {
		scope(s, NULL);
		scope_timeout(s, waits[i]);
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
		CHECK(chan_try_recv(scope_done(s), NULL, NULL));
	}
	{
		scope(s, NULL);
		scope_deadline(s, leat_now() - 1);
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
		scope_cancel(s);
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
	}
	{
		scope(s, NULL);
		scope_deadline(s, INT64_MIN);
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
	}
}

TEST(a_deadline_is_an_instant_of_leat_now)
{
	int64_t at = leat_now() + 20 * LEAT_MILLISECOND;
	scope(s, NULL);

	scope_deadline(s, at);
	CHECK(scope_err(s) == 0 || leat_now() >= at);
	chan_recv(scope_done(s));
	CHECK(leat_now() >= at);
	CHECK_EQ(scope_err(s), -ETIMEDOUT);
}

TEST(line_130_a_later_deadline_changes_nothing)
{
	int64_t begin = leat_now();
	scope(s, NULL);

	scope_timeout(s, 20 * LEAT_MILLISECOND);
	scope_timeout(s, LEAT_HOUR);
	scope_deadline(s, INT64_MAX);
	chan_recv(scope_done(s));
	CHECK(leat_now() - begin >= 20 * LEAT_MILLISECOND);
	CHECK(leat_now() - begin < 30 * LEAT_SECOND);
}

TEST(an_earlier_deadline_shortens)
{
	int64_t begin = leat_now();
	scope(s, NULL);

	scope_timeout(s, LEAT_HOUR);
	scope_timeout(s, LEAT_MINUTE);
	scope_timeout(s, 10 * LEAT_MILLISECOND);
	chan_recv(scope_done(s));
	CHECK(leat_now() - begin >= 10 * LEAT_MILLISECOND);
	CHECK(leat_now() - begin < 30 * LEAT_SECOND);
	CHECK_EQ(scope_err(s), -ETIMEDOUT);
}

TEST(line_152_far_deadlines_do_not_overflow)
{
	scope(s, NULL);
	scope(t, s);

	scope_timeout(s, INT64_MAX);
	scope_timeout(s, INT64_MAX - 1);
	scope_timeout(t, LEAT_FOREVER);
	scope_deadline(t, INT64_MAX);
	leat_sleep(2 * LEAT_MILLISECOND);
	CHECK_EQ(scope_err(s), 0);
	CHECK_EQ(scope_err(t), 0);
}

TEST(a_parents_deadline_reaches_its_children)
{
	scope(parent, NULL);
	scope(child, parent);
	scope(grandchild, child);

	scope_timeout(child, LEAT_HOUR);
	scope_timeout(parent, 5 * LEAT_MILLISECOND);
	chan_recv(scope_done(grandchild));
	CHECK_EQ(scope_err(grandchild), -ETIMEDOUT);
	CHECK_EQ(scope_err(child), -ETIMEDOUT);
	CHECK_EQ(scope_err(parent), -ETIMEDOUT);
}

TEST(a_childs_deadline_leaves_its_parent_alone)
{
	scope(parent, NULL);
	scope(child, parent);
	scope(sibling, parent);

	scope_timeout(child, LEAT_MILLISECOND);
	chan_recv(scope_done(child));
	CHECK_EQ(scope_err(child), -ETIMEDOUT);
	CHECK_EQ(scope_err(parent), 0);
	CHECK_EQ(scope_err(sibling), 0);
}

TEST(a_cancel_before_the_deadline_wins)
{
	scope(s, NULL);

	scope_timeout(s, 10 * LEAT_MILLISECOND);
	scope_cancel(s);
	leat_sleep(30 * LEAT_MILLISECOND);
	CHECK_EQ(scope_err(s), -ECANCELED);
}

struct until_done {
	leat_scope *s;
	atomic_int *timed_out;
};

static void until_done(struct until_done *a)
{
	chan_recv(scope_done(a->s));
	if (scope_err(a->s) == -ETIMEDOUT)
		atomic_fetch_add(a->timed_out, 1);
}

TEST(a_deadline_ends_the_work_of_a_scope)
{
	atomic_int timed_out = 0;
	scope(s, NULL);

	for (int i = 0; i < 100; i++)
		scope_go(s, until_done, s, &timed_out);
	scope_timeout(s, 5 * LEAT_MILLISECOND);
	CHECK_EQ(scope_wait(s), 0);
	CHECK_EQ(timed_out, 100);
}

/* Deadlines that pass just as their block ends must find either a living scope or none. */
TEST(deadlines_race_with_leaving)
{
	int n = test_count(20000);

	for (int i = 0; i < n; i++) {
		scope(s, NULL);

		scope_timeout(s, i % 100 * LEAT_MICROSECOND);
		if (i % 7 == 0)
			leat_yield();
		if (i % 50 == 0)
			leat_sleep(50 * LEAT_MICROSECOND);
		if (i % 3 == 0)
			scope_timeout(s, i % 13 * LEAT_MICROSECOND);
	}
}

static size_t memory_in_use(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, resident;

	CHECK(f != NULL);
	CHECK_EQ(fscanf(f, "%lu %lu", &size, &resident), 2);
	fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

TEST(line_131_leaving_stops_the_timer)
{
	int n = test_count(1000000);
	size_t before = 0;

	for (int i = 0; i < n; i++) {
		scope(s, NULL);

		scope_timeout(s, LEAT_HOUR);
		if (i == n / 10)
			before = memory_in_use();
	}
#ifndef TEST_SANITIZED
	CHECK(memory_in_use() < before + (4 << 20));
#else
	(void)before;
#endif
}

TEST(many_scopes_with_deadlines_at_once)
{
	enum { N = 1000 };
	atomic_int timed_out = 0;
	scope(s, NULL);

	for (int i = 0; i < N; i++)
		scope_go(s, until_done, s, &timed_out);
	for (int i = 0; i < 100; i++) {
		scope(t, s);
		scope_timeout(t, (100 - i) * 20 * LEAT_MICROSECOND);
		chan_recv(scope_done(t));
		CHECK_EQ(scope_err(t), -ETIMEDOUT);
		CHECK_EQ(scope_err(s), 0);
	}
	scope_timeout(s, 1);
	CHECK_EQ(scope_wait(s), 0);
	CHECK_EQ(timed_out, N);
}

TEST_MAIN
