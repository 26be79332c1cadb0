/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_workers runs every task once, in order, never more at a time than it may; its policies, contexts, resizes,
 * panics and goexits do what the header says; and nothing of it is left when its scope is.
 * Method: tasks that count themselves, and that wait for a channel where an exact state is wanted.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int active, peak, ran;

static void count_in(void)
{
	int now = atomic_fetch_add(&active, 1) + 1, most = atomic_load(&peak);

	while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
		;
}

static void count_out(void)
{
	atomic_fetch_sub(&active, 1);
	atomic_fetch_add(&ran, 1);
}

static void begin(void)
{
	atomic_store(&active, 0);
	atomic_store(&peak, 0);
	atomic_store(&ran, 0);
}

/* --- all of them */

struct busy {
	int i;
	atomic_int *hits; /* of each task */
};

static void busy(struct busy *a)
{
	count_in();
	atomic_fetch_add(&a->hits[a->i], 1);
	if (a->i % 3 == 0)
		leat_yield();
	if (a->i % 64 == 0)
		leat_sleep(LEAT_MICROSECOND);
	count_out();
}

TEST(thread_pools_ten_thousand_tasks_on_four_workers)
{
	enum { N = 10000 };
	static atomic_int hits[N];
	leat_workers_stats stats;

	begin();
	{
		scope(s, NULL);
		leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 4, .queue = 32});

		for (int i = 0; i < N; i++)
			CHECK_EQ(workers_submit(w, busy, .i = i, .hits = hits), 0);
		leat_workers_wait(w);
		CHECK_EQ(atomic_load(&ran), N);
		stats = leat_workers_get_stats(w);
		CHECK_EQ(stats.done, N);
		CHECK_EQ(stats.running + stats.queued + stats.submitting, 0);
		CHECK_EQ(stats.workers, 4);
		CHECK(stats.peak >= 1 && stats.peak <= 4);
	}
	for (int i = 0; i < N; i++)
		CHECK_EQ(atomic_load(&hits[i]), 1);
	/* A task counts itself a little later than its worker counts it. */
	CHECK(atomic_load(&peak) >= 1 && (size_t)atomic_load(&peak) <= stats.peak);
	test_goroutines(1);
}

struct producer {
	leat_workers *w;
	int from, n;
	atomic_int *hits;
};

static void producer(struct producer *a)
{
	for (int i = 0; i < a->n; i++) {
		int err;

		if (i % 5 == 4)
			while ((err = workers_try_submit(a->w, busy, a->from + i, a->hits)) == -EAGAIN)
				leat_yield();
		else
			err = workers_submit(a->w, busy, a->from + i, a->hits);
		CHECK_EQ(err, 0);
	}
}

static void *produce_in_thread(void *arg)
{
	producer(arg);
	return NULL;
}

/* With resizes meanwhile; queue of 0 and more. */
static void many_producers(size_t queue)
{
	enum { PRODUCERS = 5, MOST = 2000 };
	static atomic_int hits[PRODUCERS * MOST];
	int n = test_count(5000) < MOST ? test_count(5000) : MOST;
	pthread_t thread;

	begin();
	memset(hits, 0, sizeof hits);
	{
		scope(s, NULL);
		leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 2, .queue = queue});
		struct producer in_thread = {w, 0, n, hits};

		CHECK_EQ(pthread_create(&thread, NULL, produce_in_thread, &in_thread), 0);
		for (int i = 1; i < PRODUCERS; i++)
			scope_go(s, producer, w, i * n, n, hits);
		for (int i = 0; i < 100; i++) {
			leat_workers_resize(w, 1 + (size_t)i % 6);
			leat_yield();
		}
		leat_workers_resize(w, 3);
		pthread_join(thread, NULL);
		scope_wait(s); /* the producers, and then the tasks */
		CHECK_EQ(atomic_load(&ran), PRODUCERS * n);
		CHECK_EQ(leat_workers_get_stats(w).done, PRODUCERS * n);
	}
	for (int i = 0; i < PRODUCERS * n; i++)
		CHECK_EQ(atomic_load(&hits[i]), 1);
	CHECK(atomic_load(&peak) <= 6);
	test_goroutines(1);
}

TEST(wish_11_many_producers_threads_and_resizes)
{
	many_producers(0);
	many_producers(1);
	many_producers(50);
}

/* --- exact states */

struct gated {
	int i;
	chan(leat_empty) gate;
	int *order; /* written by one worker at a time */
	int *at;
};

static void gated(struct gated *a)
{
	count_in();
	chan_recv(a->gate);
	if (a->order)
		a->order[(*a->at)++] = a->i;
	count_out();
}

struct submit_one {
	leat_workers *w;
	leat_ctx *ctx;
	struct gated task;
	atomic_int *result; /* 1: it is not known yet */
};

static void submit_one(struct submit_one *a)
{
	atomic_store(a->result, leat_workers_submit_ctx(a->w, (void (*)(void *))(void (*)(void))gated,
	                                                &a->task, sizeof a->task, a->ctx));
}

TEST(tasks_run_in_the_order_of_the_queue_and_who_waits_submits_in_his_turn)
{
	scope(s, NULL);
	chan(leat_empty) gate = scope_chan(s, leat_empty, 0);
	leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 1, .queue = 3});
	int order[7], at = 0;
	atomic_int result[3] = {1, 1, 1};

	begin();
	for (int i = 0; i < 4; i++)
		CHECK_EQ(workers_submit(w, gated, i, gate, order, &at), 0);
	test_parked(1);
	CHECK_EQ(workers_try_submit(w, gated, 9), -EAGAIN);
	CHECK_EQ(leat_workers_get_stats(w).queued, 3);
	CHECK_EQ(leat_workers_get_stats(w).running, 1);
	for (int i = 0; i < 3; i++) {
		scope_go(s, submit_one, w, NULL, {4 + i, gate, order, &at}, &result[i]);
		test_until(leat_workers_get_stats(w).submitting == (size_t)i + 1);
	}
	for (int i = 0; i < 7; i++) {
		chan_send(gate, {});
		if (i < 3)
			test_until(atomic_load(&result[i]) == 0);
	}
	leat_workers_wait(w);
	for (int i = 0; i < 7; i++)
		CHECK_EQ(order[i], i);
	CHECK_EQ(leat_workers_get_stats(w).rejected, 1);
	CHECK_EQ(leat_workers_get_stats(w).peak, 1);
}

TEST(a_full_queue_rejects_if_the_policy_says_so)
{
	scope(s, NULL);
	chan(leat_empty) gate = scope_chan(s, leat_empty, 0);
	leat_workers *w = leat_workers_make(
	    s, &(leat_workers_opts){.workers = 2, .queue = 1, .full = LEAT_WORKERS_REJECT});

	begin();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(workers_submit(w, gated, i, gate), 0);
	CHECK_EQ(workers_submit(w, gated, 3, gate), -EAGAIN);
	CHECK_EQ(workers_submit_ctx(w, s, gated, 3, gate), -EAGAIN);
	CHECK_EQ(leat_workers_get_stats(w).rejected, 2);
	chan_close(gate);
	leat_workers_wait(w);
	CHECK_EQ(workers_submit(w, gated, 3, gate), 0);
	leat_workers_wait(w);
	CHECK_EQ(leat_workers_get_stats(w).done, 4);
	CHECK_EQ(atomic_load(&ran), 4);
}

TEST(a_context_ends_a_submit_and_a_wait)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int result[2] = {1, 1};

	begin();
	{
		scope(s, NULL);
		chan(leat_empty) gate = scope_chan(s, leat_empty, 0);
		leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 1});

		CHECK_EQ(leat_workers_wait_ctx(w, ctx), 0);
		CHECK_EQ(workers_submit(w, gated, 0, gate), 0);
		test_parked(1);
		scope_go(s, submit_one, w, ctx, {1, gate}, &result[0]);
		test_until(leat_workers_get_stats(w).submitting == 1);
		scope_go(s, submit_one, w, NULL, {2, gate}, &result[1]);
		test_until(leat_workers_get_stats(w).submitting == 2);
		leat_ctx_cancel(ctx);
		test_until(atomic_load(&result[0]) == -ECANCELED);
		CHECK_EQ(leat_workers_get_stats(w).submitting, 1);
		CHECK_EQ(leat_workers_wait_ctx(w, ctx), -ECANCELED);
		CHECK_EQ(workers_submit_ctx(w, ctx, gated, 3, gate), -ECANCELED);
		chan_send(gate, {});
		test_until(atomic_load(&result[1]) == 0); /* who gave up was passed over */
		{
			scope(soon, s);
			scope_timeout(soon, LEAT_MILLISECOND);
			CHECK_EQ(leat_workers_wait_ctx(w, soon), -ETIMEDOUT);
		}
		chan_send(gate, {});
		leat_workers_wait(w);
		CHECK_EQ(atomic_load(&ran), 2);
	}
	test_goroutines(1);
	leat_ctx_free(ctx);
}

TEST(a_resize_lets_more_begin_at_once_and_ends_nobody)
{
	scope(s, NULL);
	chan(leat_empty) gate = scope_chan(s, leat_empty, 0);
	leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 1, .queue = 10});
	leat_workers_stats stats;

	begin();
	for (int i = 0; i < 11; i++)
		CHECK_EQ(workers_submit(w, gated, i, gate), 0);
	test_parked(1);
	leat_workers_resize(w, 5);
	test_parked(5);
	CHECK_EQ(atomic_load(&active), 5);
	leat_workers_resize(w, 2);
	CHECK_EQ(atomic_load(&active), 5);
	for (int i = 1; i <= 6; i++) {
		int left = 5 - i > 2 ? 5 - i : 2;

		chan_send(gate, {});
		test_until(atomic_load(&ran) == i);
		test_until((stats = leat_workers_get_stats(w), stats.running == (size_t)left));
	}
	chan_close(gate);
	leat_workers_wait(w);
	CHECK_EQ(atomic_load(&ran), 11);
	CHECK_EQ(atomic_load(&peak), 5);
	CHECK_EQ(leat_workers_get_stats(w).peak, 5);
	leat_workers_resize(w, 0);
	CHECK_EQ(leat_workers_get_stats(w).workers, leat_procs(0));
}

struct told {
	leat_scope *s;
	atomic_int *canceled;
};

static void told(struct told *a)
{
	chan_recv(scope_done(a->s));
	if (scope_err(a->s) == -ECANCELED)
		atomic_fetch_add(a->canceled, 1);
	count_out();
}

TEST(leaving_the_scope_drains_the_queue_with_the_scope_done)
{
	atomic_int canceled = 0;

	begin();
	{
		scope(s, NULL);
		leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 3, .queue = 50});

		for (int i = 0; i < 53; i++)
			CHECK_EQ(workers_submit(w, told, s, &canceled), 0);
		CHECK_EQ(workers_try_submit(w, told, s, &canceled), -EAGAIN);
	}
	CHECK_EQ(atomic_load(&ran), 53);
	CHECK_EQ(atomic_load(&canceled), 53);
	test_goroutines(1);
}

/* --- tasks of all kinds */

struct tree {
	leat_workers *w;
	int depth;
};

static void tree(struct tree *a)
{
	count_in();
	for (int i = 0; a->depth > 0 && i < 2; i++)
		CHECK_EQ(workers_submit(a->w, tree, a->w, a->depth - 1), 0);
	count_out();
}

TEST(tasks_submit_tasks)
{
	scope(s, NULL);
	leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 4, .queue = 5000});

	begin();
	CHECK_EQ(workers_submit(w, tree, w, 10), 0);
	leat_workers_wait(w);
	CHECK_EQ(atomic_load(&ran), 2047);
	CHECK(atomic_load(&peak) <= 4);
}

struct large {
	_Alignas(16) unsigned char bytes[5000];
};

static void large(struct large *a)
{
	CHECK_EQ((uintptr_t)a % 16, 0);
	for (int i = 0; i < 5000; i++)
		CHECK_EQ(a->bytes[i], i % 251);
	count_out();
}

static void bare(void *arg)
{
	(void)arg;
	count_out();
}

TEST(arguments_are_copied_and_may_be_large_or_none)
{
	scope(s, NULL);
	leat_workers *w = leat_workers_make(s, NULL);
	struct large a;

	begin();
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 5000; k++)
			a.bytes[k] = (unsigned char)(k % 251);
		CHECK_EQ(leat_workers_submit(w, (void (*)(void *))(void (*)(void))large, &a, sizeof a), 0);
		memset(&a, 0, sizeof a);
		CHECK_EQ(leat_workers_submit(w, bare, NULL, 0), 0);
	}
	leat_workers_wait(w);
	CHECK_EQ(atomic_load(&ran), 40);
}

/* --- panics and goexits */

struct faulty {
	int i;
};

static void on_way_out(void *arg)
{
	(void)arg;
	count_out();
}

static void faulty(struct faulty *a)
{
	count_in();
	defer(on_way_out, NULL);
	if (a->i % 3 == 0)
		leat_panic("task %d", a->i);
	if (a->i % 3 == 1)
		leat_goexit();
}

static void note(const leat_panic_info *info, void *arg)
{
	int i;

	CHECK_EQ(sscanf(info->message, "task %d", &i), 1);
	CHECK_EQ(i % 3, 0);
	atomic_fetch_add((atomic_int *)arg, 1);
}

TEST(panics_are_handed_over_and_goexits_replaced)
{
	atomic_int noted = 0;
	leat_workers_stats stats;

	begin();
	{
		scope(s, NULL);
		leat_workers *w = leat_workers_make(
		    s, &(leat_workers_opts){.workers = 3, .queue = 4, .panicked = note, .arg = &noted});

		for (int i = 0; i < 3000; i++)
			CHECK_EQ(workers_submit(w, faulty, i), 0);
		scope_wait(s);
		stats = leat_workers_get_stats(w);
	}
	CHECK_EQ(atomic_load(&ran), 3000);
	CHECK_EQ(atomic_load(&noted), 1000);
	CHECK_EQ(stats.done, 3000);
	CHECK_EQ(stats.panicked, 1000);
	CHECK(atomic_load(&peak) <= 3);
	test_goroutines(1);
}

TEST_MAIN
