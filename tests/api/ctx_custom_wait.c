/* SPDX-License-Identifier: MIT */
/*
 * Goal: a program's own context ends waits on a cond and on a once, with the error that it gives; a goroutine
 * watches it as long as they wait, and no longer.
 * Method: waiters that are observably parked, then the context's end, or what they waited for.
 */
#include "ctx_help.h"

#include <stdatomic.h>

/* One that ends when somebody closes its channel. */
struct mine {
	chan(leat_empty) done;
	atomic_int err;
	leat_ctx *ctx;
};

static recv_chan(leat_empty) mine_done(void *self)
{
	return chan_receiver(((struct mine *)self)->done);
}

static int mine_err(void *self)
{
	return atomic_load(&((struct mine *)self)->err);
}

static const leat_ctx_ops ops = {.name = "mine", .done = mine_done, .err = mine_err};

static void begin(struct mine *m)
{
	*m = (struct mine){.done = chan_make(leat_empty, 0)};
	m->ctx = leat_ctx_custom(leat_ctx_background(), &ops, m);
}

static void end(struct mine *m, int err)
{
	atomic_store(&m->err, err);
	chan_close(m->done);
}

static void drop(struct mine *m)
{
	test_goroutines(1);
	leat_ctx_free(m->ctx);
	test_goroutines(1);
	chan_free(m->done);
}

/* --- cond */

struct shared {
	leat_mutex mutex;
	leat_cond cond;
};

struct waiter {
	struct shared *s;
	leat_ctx *ctx;
	atomic_int *result; /* 1: not back */
};

static void waiter(struct waiter *a)
{
	int result;

	with_lock(&a->s->mutex);
	result = leat_cond_wait_ctx(&a->s->cond, &a->s->mutex, a->ctx);
	CHECK(!leat_mutex_trylock(&a->s->mutex));
	atomic_store(a->result, result);
}

TEST(line_139_its_end_ends_all_waits_on_a_cond)
{
	struct shared s = {0};
	atomic_int result[10];
	struct mine m;

	begin(&m);
	for (int i = 0; i < 10; i++) {
		result[i] = 1;
		go(waiter, &s, m.ctx, &result[i]);
	}
	test_parked(11); /* and its watcher */
	CHECK_EQ(leat_num_goroutine(), 12);
	end(&m, -ETIMEDOUT);
	for (int i = 0; i < 10; i++)
		test_until(atomic_load(&result[i]) == -ETIMEDOUT);
	drop(&m);
}

TEST(a_signal_comes_first)
{
	struct shared s = {0};
	atomic_int result = 1;
	struct mine m;

	begin(&m);
	go(waiter, &s, m.ctx, &result);
	test_parked(2);
	leat_cond_signal(&s.cond);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), 0);
	end(&m, -ECANCELED);
	drop(&m);
}

TEST(who_gives_up_takes_no_signal_along)
{
	struct shared s = {0};
	atomic_int first = 1, second = 1;
	struct mine m;

	begin(&m);
	go(waiter, &s, m.ctx, &first);
	test_parked(2);
	go(waiter, &s, NULL, &second);
	test_parked(3);
	end(&m, -ECANCELED);
	test_until(atomic_load(&first) == -ECANCELED);
	CHECK_EQ(atomic_load(&second), 1);
	leat_cond_signal(&s.cond);
	test_until(atomic_load(&second) == 0);
	drop(&m);
}

TEST(one_that_is_done_fails_the_wait_at_once)
{
	struct shared s = {0};
	struct mine m;

	begin(&m);
	end(&m, -ECANCELED);
	leat_mutex_lock(&s.mutex);
	CHECK_EQ(leat_cond_wait_ctx(&s.cond, &s.mutex, m.ctx), -ECANCELED);
	CHECK_EQ(leat_num_goroutine(), 1);
	CHECK(!leat_mutex_trylock(&s.mutex));
	leat_mutex_unlock(&s.mutex);
	drop(&m);
}

/* --- once */

struct slow {
	leat_once once;
	chan(int) gate;
	atomic_int ran;
};

static void run(void *arg)
{
	struct slow *s = arg;

	chan_recv(s->gate);
	atomic_fetch_add(&s->ran, 1);
}

struct runner {
	struct slow *s;
};

static void runner(struct runner *a)
{
	leat_once_do(&a->s->once, run, a->s);
}

struct caller {
	struct slow *s;
	leat_ctx *ctx;
	atomic_int *result;
};

static void caller(struct caller *a)
{
	atomic_store(a->result, leat_once_do_ctx(&a->s->once, run, a->s, a->ctx));
}

TEST(line_139_its_end_ends_a_wait_on_a_once)
{
	struct slow s = {.gate = chan_make(int, 0)};
	atomic_int given_up = 1, other = 1;
	struct mine m;

	begin(&m);
	go(runner, &s);
	test_parked(1);
	go(caller, &s, m.ctx, &given_up);
	go(caller, &s, NULL, &other);
	test_parked(4);
	end(&m, -ECANCELED);
	test_until(atomic_load(&given_up) == -ECANCELED);
	test_goroutines(3); /* the watcher has gone, too */
	CHECK_EQ(atomic_load(&other), 1);
	CHECK_EQ(leat_once_do_ctx(&s.once, run, &s, m.ctx), -ECANCELED);
	chan_send(s.gate, 1);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&other), 0);
	CHECK_EQ(atomic_load(&s.ran), 1);
	drop(&m);
	chan_free(s.gate);
}

TEST(the_function_ends_first)
{
	struct slow s = {.gate = chan_make(int, 0)};
	atomic_int result = 1;
	struct mine m;

	begin(&m);
	go(runner, &s);
	test_parked(1);
	go(caller, &s, m.ctx, &result);
	test_parked(3);
	chan_send(s.gate, 1);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), 0);
	end(&m, -ECANCELED);
	drop(&m);
	chan_free(s.gate);
}

/* It waits for nobody, so the context does not matter any more. */
static void count_goroutines(void *arg)
{
	test_goroutines(
	    1); /* the watcher that was there in case of a wait has been dismissed, and ends */
	++*(int *)arg;
}

TEST(who_runs_the_function_is_not_watched)
{
	leat_once once = {0};
	int ran = 0;
	struct mine m;

	begin(&m);
	CHECK_EQ(leat_once_do_ctx(&once, count_goroutines, &ran, m.ctx), 0);
	CHECK_EQ(ran, 1);
	drop(&m);
}

TEST_MAIN
