/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_breaker_call under concurrency: never more than so many probes, no result of an earlier state counted; and
 * what contexts, panics, goexits and the program's own judgement do to a result.  When it changes is in
 * src/scale/breaker_test.c.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define US LEAT_MICROSECOND

static leat_breaker_state state(leat_breaker *b)
{
	return leat_breaker_get_stats(b).state;
}

struct answer {
	int err;
	atomic_int *calls;
};

static int answer(struct answer *a)
{
	atomic_fetch_add(a->calls, 1);
	return a->err;
}

TEST(a_call_returns_what_its_function_does_until_it_is_open)
{
	leat_breaker b =
	    LEAT_BREAKER(.volume = 3, .open = {.first_ns = LEAT_HOUR, .max_ns = LEAT_HOUR});
	atomic_int calls = 0;

	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, 0, &calls), 0);
	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, 7, &calls), 7);
	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, -ECANCELED, &calls), -ECANCELED);
	CHECK_EQ(leat_breaker_get_stats(&b).calls, 2);
	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, -EIO, &calls), -EIO);
	CHECK_EQ(state(&b), LEAT_BREAKER_OPEN);
	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, 0, &calls), -EHOSTDOWN);
	CHECK_EQ(atomic_load(&calls), 4);
	leat_breaker_reset(&b);
	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, 0, &calls), 0);
}

/* --- whose fault it is */

static int cancels(void *ctx)
{
	leat_ctx_cancel((leat_ctx *)ctx);
	return -EPIPE;
}

static int waits(void *ctx)
{
	(void)leat_sleep_ctx(LEAT_MINUTE, (leat_ctx *)ctx);
	return -EPIPE;
}

TEST(section_16_a_cancel_of_the_caller_is_no_failure_but_its_deadline_is)
{
	leat_breaker b = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *soon = leat_ctx_with_timeout(leat_ctx_background(), 100 * US);

	CHECK_EQ(leat_breaker_call(&b, cancels, ctx, ctx), -EPIPE);
	CHECK_EQ(leat_breaker_get_stats(&b).calls, 0);
	CHECK_EQ(leat_breaker_call(&b, waits, soon, soon),
	         leat_breaker_get_stats(&b).calls ? -EPIPE : -ETIMEDOUT);
	leat_ctx_free(soon);
	soon = leat_ctx_with_timeout(leat_ctx_background(), LEAT_SECOND / 2);
	CHECK_EQ(leat_breaker_call(&b, waits, soon, soon), -EPIPE);
	CHECK(leat_breaker_get_stats(&b).failures >= 1);
	CHECK_EQ(leat_breaker_call(&b, waits, soon, soon), -ETIMEDOUT); /* not even called */
	CHECK_EQ(leat_breaker_call(&b, cancels, ctx, ctx), -ECANCELED);
	leat_ctx_free(ctx);
	leat_ctx_free(soon);
}

static int panics(void *arg)
{
	(void)arg;
	leat_panic("in the call");
}

static void call_that_panics(void *b)
{
	(void)!leat_breaker_call(b, panics, NULL, (leat_ctx *)NULL);
}

static int exits(void *arg)
{
	(void)arg;
	leat_goexit();
}

struct exiting {
	leat_breaker *b;
};

static void exiting(struct exiting *a)
{
	(void)!leat_breaker_call(a->b, exits, NULL, (leat_ctx *)NULL);
}

TEST(a_panic_is_a_failure_and_a_goexit_is_not)
{
	leat_breaker b = {0};

	CHECK(test_panics(call_that_panics, &b, "in the call"));
	CHECK_EQ(leat_breaker_get_stats(&b).failures, 1);
	go(exiting, &b);
	test_goroutines(1);
	CHECK_EQ(leat_breaker_get_stats(&b).calls, 1);
}

static leat_breaker_outcome judge(int err, void *arg)
{
	CHECK_EQ(*(int *)arg, 5);
	return err == -ENOENT  ? LEAT_BREAKER_SUCCESS
	       : err == -EINTR ? LEAT_BREAKER_IGNORE
	                       : LEAT_BREAKER_FAILURE;
}

TEST(the_program_may_judge)
{
	int five = 5;
	leat_breaker b = LEAT_BREAKER(.judge = judge, .arg = &five);
	atomic_int calls = 0;

	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, -ENOENT, &calls), -ENOENT);
	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, -EINTR, &calls), -EINTR);
	CHECK_EQ(leat_breaker_get_stats(&b).calls, 1);
	CHECK_EQ(leat_breaker_get_stats(&b).failures, 0);
	CHECK_EQ(LEAT_BREAKER_CALL(&b, NULL, answer, 0, &calls), 0);
	CHECK_EQ(leat_breaker_get_stats(&b).failures, 1);
}

/* --- the program's functions end otherwise: no probe is lost by that, which would keep the breaker half-open */

enum whose { NOBODY, JUDGE, JUDGE_EXITS, CHANGED };

static leat_breaker_outcome judge_or_not(int err, void *arg)
{
	if (*(enum whose *)arg == JUDGE)
		leat_panic("no judgement");
	if (*(enum whose *)arg == JUDGE_EXITS)
		leat_goexit();
	return err ? LEAT_BREAKER_FAILURE : LEAT_BREAKER_SUCCESS;
}

static void changed_or_not(const leat_breaker_change *c, void *arg)
{
	if (*(enum whose *)arg == CHANGED && c->to == LEAT_BREAKER_HALF_OPEN)
		leat_panic("no change");
}

static int succeeds(void *arg)
{
	(void)arg;
	return 0;
}

struct calling {
	leat_breaker *b;
};

static void calling(struct calling *a)
{
	(void)!leat_breaker_call(a->b, succeeds, NULL, (leat_ctx *)NULL);
}

static void call_it(void *b)
{
	calling(&(struct calling){b});
}

static void begin_it(void *b)
{
	leat_breaker_ticket t;

	(void)!leat_breaker_begin(b, &t);
}

/* A breaker that the next call makes half-open. */
#define OPEN_FOR_A_MOMENT(whose)                                                                   \
	LEAT_BREAKER(.volume = 1, .open = {.first_ns = 1, .max_ns = 1}, .judge = judge_or_not,         \
	             .changed = changed_or_not, .arg = (whose))

static void open_it(leat_breaker *b)
{
	leat_breaker_ticket t;

	CHECK_EQ(leat_breaker_begin(b, &t), 0);
	leat_breaker_end(b, t, LEAT_BREAKER_FAILURE);
	CHECK_EQ(state(b), LEAT_BREAKER_OPEN);
	test_until(leat_breaker_get_stats(b).open_ns == 0);
}

static void check_probe(leat_breaker *b, enum whose *whose)
{
	atomic_int calls = 0;

	CHECK_EQ(leat_breaker_get_stats(b).probing, 0);
	CHECK_EQ(state(b), LEAT_BREAKER_HALF_OPEN);
	*whose = NOBODY;
	CHECK_EQ(LEAT_BREAKER_CALL(b, NULL, answer, 0, &calls), 0);
	CHECK_EQ(atomic_load(&calls), 1);
	CHECK_EQ(state(b), LEAT_BREAKER_CLOSED);
}

TEST(a_judge_that_panics_or_exits_is_no_judgement)
{
	enum whose whose = NOBODY;
	leat_breaker b = OPEN_FOR_A_MOMENT(&whose);

	whose = JUDGE;
	CHECK(test_panics(call_it, &b, "no judgement"));
	CHECK_EQ(leat_breaker_get_stats(&b).calls, 0);
	open_it(&b);
	CHECK(test_panics(call_it, &b, "no judgement"));
	check_probe(&b, &whose);

	open_it(&b);
	whose = JUDGE_EXITS;
	go(calling, &b);
	test_goroutines(1);
	check_probe(&b, &whose);
}

TEST(a_call_of_whose_change_the_program_panics_is_none)
{
	enum whose whose = CHANGED;
	leat_breaker b = OPEN_FOR_A_MOMENT(&whose);

	open_it(&b);
	CHECK(test_panics(call_it, &b, "no change"));
	check_probe(&b, &whose);

	open_it(&b);
	whose = CHANGED;
	CHECK(test_panics(begin_it, &b, "no change"));
	check_probe(&b, &whose);
}

static void bad_window(void *b)
{
	leat_breaker_init(b, &(leat_breaker_opts){.window_ns = -1});
}

static void bad_ratio(void *b)
{
	leat_breaker_init(b, &(leat_breaker_opts){.ratio = 1.1});
}

static void bad_backoff(void *b)
{
	leat_breaker_init(b, &(leat_breaker_opts){.open = {.factor = 0.5}});
}

TEST(bad_options_panic)
{
	leat_breaker b;

	CHECK(test_panics(bad_window, &b, "breaker: bad options"));
	CHECK(test_panics(bad_ratio, &b, "breaker: bad options"));
	CHECK(test_panics(bad_backoff, &b, "backoff: factor less than 1"));
	leat_breaker_init(&b, &(leat_breaker_opts){.ratio = 1});
	CHECK_EQ(state(&b), LEAT_BREAKER_CLOSED);
}

/* --- many */

enum { PROBES = 3 };

static atomic_int under_way, most, changes, opened;
static atomic_bool down;

/* Called between a change to half-open and the next one as well as in other states; the probes are told by the
   tickets. */
struct caller {
	leat_breaker *b;
	int rounds, seed;
	atomic_int *refused, *passed;
};

static void changed(const leat_breaker_change *c, void *arg)
{
	(void)arg;
	atomic_fetch_add(&changes, 1);
	if (c->to == LEAT_BREAKER_OPEN)
		atomic_fetch_add(&opened, 1);
	CHECK(c->from != c->to);
	CHECK(c->from == LEAT_BREAKER_CLOSED ? c->to == LEAT_BREAKER_OPEN : true);
	CHECK(c->from == LEAT_BREAKER_OPEN ? c->to == LEAT_BREAKER_HALF_OPEN : true);
}

/* One goes on until it has seen all that there is to see. */
static bool goes_on(const struct caller *a, int i)
{
	return i < a->rounds ||
	       (a->seed == 0 && (atomic_load(&most) == 0 || atomic_load(a->refused) == 0));
}

static void caller(struct caller *a)
{
	for (int i = 0; goes_on(a, i); i++) {
		leat_breaker_ticket t;
		int now, max;

		if (leat_breaker_begin(a->b, &t) != 0) {
			atomic_fetch_add(a->refused, 1);
			leat_yield();
			continue;
		}
		atomic_fetch_add(a->passed, 1);
		if (t.leat__probe) {
			now = atomic_fetch_add(&under_way, 1) + 1;
			max = atomic_load(&most);
			while (now > max && !atomic_compare_exchange_weak(&most, &max, now))
				;
		}
		if ((i + a->seed) % 4 == 0)
			leat_sleep(US);
		else
			leat_yield();
		if (t.leat__probe)
			atomic_fetch_sub(&under_way, 1);
		if (i % 200 == 199)
			atomic_store(&down, (i / 200 + a->seed) % 2);
		leat_breaker_end(a->b, t, atomic_load(&down) ? LEAT_BREAKER_FAILURE : LEAT_BREAKER_SUCCESS);
	}
}

static void *call_in_thread(void *arg)
{
	caller(arg);
	return NULL;
}

TEST(never_more_probes_than_may_be_whatever_races)
{
	/* On a busy machine hardly more than one call ends in a millisecond. */
	leat_breaker b =
	    LEAT_BREAKER(.volume = 1, .window_ns = LEAT_MILLISECOND, .probes = PROBES,
	                 .open = {.first_ns = 20 * US, .max_ns = 100 * US}, .changed = changed);
	atomic_int refused = 0, passed = 0;
	int rounds = test_count(50000);
	struct caller in_thread = {&b, rounds, 1, &refused, &passed};
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, call_in_thread, &in_thread), 0);
	{
		scope(s, NULL);
		for (int i = 0; i < 12; i++)
			scope_go(s, caller, &b, rounds, i, &refused, &passed);
		scope_wait(s);
	}
	pthread_join(thread, NULL);
	CHECK(atomic_load(&most) <= PROBES);
	CHECK(atomic_load(&opened) >= 1 && atomic_load(&refused) > 0 && atomic_load(&passed) > 0);
	CHECK_EQ(leat_breaker_get_stats(&b).generation, atomic_load(&changes));
	CHECK_EQ(leat_breaker_get_stats(&b).refused, atomic_load(&refused));
	CHECK_EQ(leat_breaker_get_stats(&b).probing, 0);
	test_goroutines(1);
}

TEST_MAIN
