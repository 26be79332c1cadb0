/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_after_func: a goroutine of its own for each time that it goes off, and no other.
 * Method: counts, and channels for what must wait.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

static void count(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

struct told {
	uint64_t id;
	int64_t at;
	atomic_int done;
	int plain; /* written before the timer was set */
};

static void tell(void *arg)
{
	struct told *t = arg;

	t->at = leat_now();
	t->id = leat_goid();
	CHECK_EQ(t->plain, 42);
	atomic_store(&t->done, 1);
}

TEST(line_146_in_a_goroutine_of_its_own_and_not_early)
{
	struct told told = {0};
	int64_t begin = leat_now();
	leat_timer *t;

	told.plain = 42;
	t = leat_after_func(2 * LEAT_MILLISECOND, tell, &told);
	CHECK(leat_timer_chan(t) == NULL);
	test_until(atomic_load(&told.done));
	CHECK(told.id != leat_goid() && told.id != 0);
	CHECK(told.at >= begin + 2 * LEAT_MILLISECOND);
	CHECK(!leat_timer_stop(t));
	leat_timer_free(t);
	test_goroutines(1);
}

TEST(line_145_line_146_a_stop_prevents_it)
{
	atomic_int ran = 0;
	leat_timer *t = leat_after_func(LEAT_HOUR, count, &ran);

	CHECK(leat_timer_stop(t));
	CHECK(!leat_timer_stop(t));
	CHECK(!leat_timer_reset(t, LEAT_HOUR));
	CHECK(leat_timer_reset(t, LEAT_MILLISECOND));
	test_until(atomic_load(&ran) == 1);
	CHECK(!leat_timer_stop(t));
	CHECK(!leat_timer_reset(t, 0)); /* once more */
	test_until(atomic_load(&ran) == 2);
	leat_timer_free(t);
	test_goroutines(1);
	CHECK_EQ(ran, 2);
}

struct held {
	recv_chan(leat_empty) go_on;
	atomic_int begun, ended;
};

static void hold(void *arg)
{
	struct held *h = arg;

	atomic_fetch_add(&h->begun, 1);
	chan_recv(h->go_on);
	atomic_fetch_add(&h->ended, 1);
}

/* The function runs, and waits for what comes after the stop, the resets and the free. */
TEST(line_146_nobody_waits_for_the_function)
{
	chan(leat_empty) go_on = chan_make(leat_empty, 0);
	struct held h = {.go_on = chan_receiver(go_on)};
	leat_timer *t = leat_after_func(0, hold, &h);

	test_until(atomic_load(&h.begun) == 1);
	CHECK(!leat_timer_stop(t));
	CHECK(!leat_timer_reset(t, 0)); /* the two runs overlap */
	test_until(atomic_load(&h.begun) == 2);
	leat_timer_free(t);
	CHECK_EQ(h.ended, 0);
	chan_close(go_on);
	test_until(atomic_load(&h.ended) == 2);
	test_goroutines(1);
	chan_free(go_on);
}

struct frees {
	leat_timer *timer;
	atomic_int set, freed;
};

static void free_itself(void *arg)
{
	struct frees *f = arg;

	test_until(atomic_load(&f->set));
	leat_timer_free(f->timer);
	atomic_store(&f->freed, 1);
}

TEST(the_function_may_free_its_timer)
{
	for (int i = 0; i < 100; i++) {
		struct frees f = {0};

		f.timer = leat_after_func(i, free_itself, &f);
		atomic_store(&f.set, 1);
		test_until(atomic_load(&f.freed));
	}
	test_goroutines(1);
}

static void again(void *arg)
{
	struct frees *f = arg;

	test_until(atomic_load(&f->set));
	if (atomic_fetch_add(&f->freed, 1) < 100)
		leat_timer_reset(f->timer, LEAT_MICROSECOND);
}

TEST(line_144_the_function_may_reset_its_timer)
{
	struct frees f = {0};

	f.timer = leat_after_func(0, again, &f);
	atomic_store(&f.set, 1);
	test_until(atomic_load(&f.freed) == 101);
	CHECK(!leat_timer_stop(f.timer));
	leat_timer_free(f.timer);
	test_goroutines(1);
}

TEST(line_152_far_away_it_does_not_overflow)
{
	static const int64_t waits[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2};
	atomic_int ran = 0;

	for (int i = 0; i < 3; i++) {
		leat_timer *t = leat_after_func(waits[i], count, &ran);

		leat_sleep(LEAT_MILLISECOND);
		CHECK(leat_timer_stop(t));
		leat_timer_free(t);
	}
	CHECK_EQ(ran, 0);
}

TEST(line_153_very_many)
{
	int n = test_count(200000);
	leat_timer **all = malloc((size_t)n * sizeof *all);
	atomic_int ran = 0;

	CHECK(all != NULL);
	for (int i = 0; i < n; i++)
		all[i] = leat_after_func(i * INT64_C(7919) % 50 * LEAT_MILLISECOND, count, &ran);
	test_until(atomic_load(&ran) == n);
	test_goroutines(1);
	for (int i = 0; i < n; i++) {
		CHECK(!leat_timer_stop(all[i]));
		leat_timer_free(all[i]);
	}
	free(all);
}

struct owner {
	atomic_int *ran;
	leat_timer **timer;
	leat_waitgroup *set;
	int64_t ns;
};

static void owner(struct owner *a)
{
	*a->timer = leat_after_func(a->ns, count, a->ran);
	leat_waitgroup_done(a->set);
}

TEST(line_13_line_155_timers_of_processors_that_are_gone)
{
	enum { N = 200 };
	static leat_timer *timers[N];
	int procs = leat_procs(8);
	leat_waitgroup set = {0};
	atomic_int ran = 0;

	leat_waitgroup_add(&set, N);
	for (int i = 0; i < N; i++)
		go(owner, &ran, &timers[i], &set, (i % 20 + 1) * LEAT_MILLISECOND);
	leat_yield();
	leat_procs(1);
	leat_waitgroup_wait(&set);
	test_until(atomic_load(&ran) == N);
	test_goroutines(1);
	for (int i = 0; i < N; i++)
		leat_timer_free(timers[i]);
	leat_procs(procs);
}

/* Everything else sleeps: nobody comes by but the keeper of the timers, or the monitor. */
static void *in_thread(void *arg)
{
	chan(leat_empty) done = arg;
	atomic_int ran = 0;

	for (int i = 0; i < 20; i++) {
		leat_timer *t = leat_after_func(i * 50 * LEAT_MICROSECOND, count, &ran);

		while (atomic_load(&ran) <= i)
			nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
		leat_timer_free(t);
	}
	chan_send(done, {});
	return NULL;
}

TEST(plain_threads_use_it_too)
{
	chan(leat_empty) done = chan_make(leat_empty, 0);
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, in_thread, done), 0);
	chan_recv(done);
	pthread_join(thread, NULL);
	chan_free(done);
	test_goroutines(1);
}

TEST_MAIN
