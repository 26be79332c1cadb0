/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: everything the scheduler does, at once, loses nobody: starts, ends, yields, parks, sleeps,
 * calls that block, loops that compute, plain threads, names, sizes of stacks, changes of the
 * number of processors.
 * Method: each goroutine draws what it does from a seed and must be counted exactly once at its
 * end.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_long ended, started;
static leat_mutex mutex;
static long under_lock;
static chan(long) meeting;

struct actor {
	unsigned seed;
	int depth;
	leat_waitgroup *wg;
};

static void actor(struct actor *a);

static void start(unsigned seed, int depth, leat_waitgroup *wg)
{
	leat_go_opts opts = {.name = seed % 3 ? NULL : "actor",
	                     .stack_bytes = seed % 16 ? 0 : 64 << (10 + seed % 4)};

	atomic_fetch_add(&started, 1);
	leat_waitgroup_add(wg, 1);
	if (seed % 2)
		go(actor, seed, depth, wg);
	else
		go_with(&opts, actor, seed, depth, wg);
}

static void compute(int us)
{
	int64_t end = leat_now() + us * LEAT_MICROSECOND;

	while (leat_now() < end)
		;
}

static void fail(void *arg)
{
	(void)arg;
	leat_yield();
	with_lock(&mutex);
	under_lock++;
	leat_panic("drawn");
}

static void count_end(leat_waitgroup *wg)
{
	atomic_fetch_add(&ended, 1);
	leat_waitgroup_done(wg);
}

/* Meet somebody, or nobody within a while. */
static void meet(long v)
{
	chan_select {
		case_send(meeting, v) {
		}
		case_recv(meeting) {
		}
		case_timeout(v % 200 * LEAT_MICROSECOND) {
		}
	}
}

static void act(unsigned draw, struct actor *a)
{
	switch (draw % 12) {
	case 0:
	case 1:
		leat_yield();
		break;
	case 2:
		leat_sleep(draw % 100 * LEAT_MICROSECOND);
		break;
	case 3:
		usleep(draw % 50);
		break;
	case 4:
		compute((int)(draw % 100));
		break;
	case 5: {
		with_lock(&mutex);
		under_lock++;
		if (draw % 5 == 0)
			leat_yield();
		break;
	}
	case 6:
	case 7:
		meet(draw % 1000);
		break;
	case 8:
		CHECK(test_panics(fail, NULL, "drawn"));
		break;
	case 9:
		if (a->depth > 0)
			start(draw, a->depth - 1, a->wg);
		break;
	case 10:
		leat_procs((int)(draw % 9) + 1);
		break;
	default:
		if (draw % 40 == 39)
			leat_goexit();
	}
}

static void actor(struct actor *a)
{
	uint64_t id = leat_goid();

	defer(count_end, a->wg);
	for (int i = 0; i < 20; i++) {
		act((unsigned)rand_r(&a->seed), a);
		CHECK(leat_goid() == id);
	}
}

static void *act_in_thread(void *arg)
{
	struct actor *a = arg;

	for (int i = 0; i < 200; i++) {
		unsigned draw = (unsigned)rand_r(&a->seed);

		if (draw % 12 != 10 && draw % 40 != 39)
			act(draw, a);
	}
	return NULL;
}

TEST(everything_at_once)
{
	int procs = leat_procs(0), rounds = test_count(100);

	meeting = chan_make(long, 0);
	for (int round = 0; round < rounds; round++) {
		leat_waitgroup wg = {0};
		struct actor outside[2];
		pthread_t threads[2];

		for (unsigned i = 0; i < 100; i++)
			start((unsigned)round * 1000 + i, 3, &wg);
		for (unsigned i = 0; i < 2; i++) {
			outside[i] = (struct actor){(unsigned)round * 7 + i, 2, &wg};
			CHECK_EQ(pthread_create(&threads[i], NULL, act_in_thread, &outside[i]), 0);
		}
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		leat_waitgroup_wait(&wg);
		CHECK_EQ(ended, started);
		test_goroutines(1);
		CHECK(leat_mutex_trylock(&mutex));
		leat_mutex_unlock(&mutex);
	}
	chan_free(meeting);
	leat_procs(procs);
	fprintf(stderr, "\t%ld goroutines\n", (long)ended);
}

struct spread {
	int depth;
	atomic_long *leaves;
	leat_waitgroup *wg;
};

static void spread(struct spread *a)
{
	if (a->depth == 0) {
		atomic_fetch_add(a->leaves, 1);
	} else {
		leat_waitgroup_add(a->wg, 4);
		for (int i = 0; i < 4; i++)
			go(spread, a->depth - 1, a->leaves, a->wg);
	}
	leat_waitgroup_done(a->wg);
}

/* Nothing but starts and ends: descriptors and stacks go round among the processors. */
TEST(line_18_trees_of_starts)
{
	int rounds = test_count(100);

	for (int round = 0; round < rounds; round++) {
		leat_waitgroup wg = {0};
		atomic_long leaves = 0;

		leat_waitgroup_add(&wg, 1);
		go(spread, 7, &leaves, &wg);
		leat_waitgroup_wait(&wg);
		CHECK_EQ(leaves, 16384);
	}
	test_goroutines(1);
}

TEST_MAIN
