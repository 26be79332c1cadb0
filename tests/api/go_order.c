/* SPDX-License-Identifier: MIT */
/* CTEST: nomigrate */
/*
 * Goal: in which order one processor runs what it has, and that nothing there starves.
 * Method: leat_procs(1), then counts of who ran how often.  The monitor may take the processor from
 * a goroutine that the kernel kept off the CPU, so orders must hold nearly always, progress always.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

struct note {
	int v;
	int *log;
	int *count;
	leat_waitgroup *wg;
};

static atomic_int claimed;

static void note(struct note *a)
{
	a->log[atomic_fetch_add(&claimed, 1)] = a->v;
	leat_waitgroup_done(a->wg);
}

/* leat's own order, not Go's: new goroutines start newest first.  One that the monitor has seen wait for
   400 us goes first, so only rounds that took less say something: on a slow machine, under a sanitizer, it
   takes 200 to make one. */
TEST(line_20_new_goroutines_start_newest_first)
{
	enum { N = 2, ROUNDS = 100 };
	int procs = leat_procs(1), quick = 0, right = 0;

	for (int round = 0; quick < ROUNDS && round < 100 * ROUNDS; round++) {
		leat_waitgroup wg = {0};
		int log[N];
		int64_t began;

		leat_yield();
		claimed = 0;
		leat_waitgroup_add(&wg, N);
		began = leat_now();
		for (int i = 0; i < N; i++)
			go(note, .v = i, .log = log, .wg = &wg);
		leat_waitgroup_wait(&wg);
		if (leat_now() - began >= 400 * LEAT_MICROSECOND)
			continue;
		quick++;
		right += log[0] == 1 && log[1] == 0;
	}
	fprintf(stderr, "\t%d of %d quick rounds in order\n", right, quick);
	CHECK(right > quick * 9 / 10);
	leat_procs(procs);
}

static atomic_bool stop;

struct turn {
	atomic_long *turns;
	leat_waitgroup *started, *ended;
};

static void turn(struct turn *a)
{
	leat_waitgroup_done(a->started);
	while (!atomic_load(&stop)) {
		atomic_fetch_add(a->turns, 1);
		leat_yield();
	}
	leat_waitgroup_done(a->ended);
}

TEST(line_19_every_started_goroutine_goes_before_a_yield_returns)
{
	enum { N = 10, ROUNDS = 1000 };
	int procs = leat_procs(1), right = 0;
	leat_waitgroup started = {0}, ended = {0};
	atomic_long turns[N] = {0};

	stop = false;
	leat_waitgroup_add(&started, N);
	leat_waitgroup_add(&ended, N);
	for (int i = 0; i < N; i++)
		go(turn, &turns[i], &started, &ended);
	leat_waitgroup_wait(&started);
	leat_yield();
	for (int round = 0; round < ROUNDS; round++) {
		long before[N];
		int ran = 0;

		for (int i = 0; i < N; i++)
			before[i] = atomic_load(&turns[i]);
		leat_yield();
		for (int i = 0; i < N; i++)
			ran += atomic_load(&turns[i]) > before[i];
		right += ran == N;
	}
	stop = true;
	leat_waitgroup_wait(&ended);
	CHECK(right >= ROUNDS * 9 / 10);
	leat_procs(procs);
}

struct raise {
	atomic_bool *flag;
};

static void raise_flag(struct raise *a)
{
	atomic_store(a->flag, true);
}

static void nothing(void)
{
}

/* Whatever is spawned later lies above the old one, so only the bound on waiting can start it. */
TEST(line_19_a_spawning_and_yielding_loop_does_not_starve_an_old_new_goroutine)
{
	int procs = leat_procs(1);

	for (int round = 0; round < 5; round++) {
		atomic_bool flag = false;
		int64_t end = leat_now() + 20 * LEAT_SECOND;

		go_as(raise, raise_flag, &flag);
		while (!atomic_load(&flag)) {
			go0(nothing);
			leat_yield();
			CHECK(leat_now() < end);
		}
	}
	test_goroutines(1);
	leat_procs(procs);
}

static void successor(void)
{
	if (!atomic_load(&stop))
		go0(successor);
}

TEST(line_19_a_chain_of_successors_does_not_starve_an_old_new_goroutine)
{
	int procs = leat_procs(1);

	for (int round = 0; round < 5; round++) {
		atomic_bool flag = false;

		stop = false;
		go_as(raise, raise_flag, &flag);
		go0(successor);
		test_until(atomic_load(&flag));
		stop = true;
		test_goroutines(1);
	}
	leat_procs(procs);
}

struct pair_player {
	recv_chan(bool) done;
	chan(bool) ball;
	long work;
	long *count; /* written by whoever has the ball */
	atomic_int *turns;
	leat_waitgroup *wg;
};

static void pair_player(struct pair_player *a)
{
	for (;;) {
		bool over = false;

		chan_select {
			case_recv(a->done)
				over = true;
			case_recv(a->ball, b) {
				(void)b;
				for (long i = 0; i < a->work; i++)
					++*(volatile long *)a->count;
				atomic_fetch_add(a->turns, 1);
				chan_select {
					case_send(a->ball, true) {
					}
					case_recv(a->done)
						over = true;
				}
			}
		}
		if (over)
			break;
	}
	leat_waitgroup_done(a->wg);
}

/*
 * Two goroutines that pass a ball inherit each other's slice.  If that were a fresh slice at every
 * pass, the first pair would keep the processor for ever.
 */
TEST(line_21_two_passing_hogs_and_two_light_ones_stay_within_20_times)
{
	int procs = leat_procs(1);
	chan(bool) done = chan_make(bool, 0), hog = chan_make(bool, 0), light = chan_make(bool, 0);
	long hogs = 0, lights = 0;
	atomic_int hogs_turns = 0, lights_turns = 0;
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 4);
	for (int i = 0; i < 2; i++) {
		go(pair_player, chan_receiver(done), hog, 1000000, &hogs, &hogs_turns, &wg);
		go(pair_player, chan_receiver(done), light, 1000, &lights, &lights_turns, &wg);
	}
	chan_send(hog, true);
	chan_send(light, true);
	/* Long enough that what else the machine does does not decide. */
	leat_sleep(400 * LEAT_MILLISECOND);
	while (atomic_load(&hogs_turns) < 50)
		leat_sleep(10 * LEAT_MILLISECOND);
	chan_close(done);
	leat_waitgroup_wait(&wg);
	fprintf(stderr, "\thogs %ld, lights %ld\n", hogs, lights);
	CHECK(hogs > 0 && lights > 0);
	CHECK(hogs / 20 <= lights && lights / 20 <= hogs);
	chan_free(done);
	chan_free(hog);
	chan_free(light);
	leat_procs(procs);
}

struct bounce {
	chan(int) from, to;
	leat_waitgroup *wg;
};

static void bounce(struct bounce *a)
{
	while (!atomic_load(&stop)) {
		chan_select {
			case_recv(a->from, v)
				chan_try_send(a->to, v);
			case_default
				leat_yield();
		}
	}
	leat_waitgroup_done(a->wg);
}

static void *start_from_outside(void *arg)
{
	int n = *(int *)arg;

	for (int i = 0; i < n; i++) {
		atomic_bool flag = false;
		struct timespec pause = {0, 20000};

		go_as(raise, raise_flag, &flag);
		while (!atomic_load(&flag))
			nanosleep(&pause, NULL);
	}
	return NULL;
}

/* What a plain thread starts or readies has no processor: it comes by the global queue. */
TEST(line_22_local_traffic_does_not_starve_what_plain_threads_start)
{
	int procs = leat_procs(1), n = test_count(5000);
	chan(int) a = chan_make(int, 1), b = chan_make(int, 1);
	leat_waitgroup wg = {0};
	pthread_t thread;

	stop = false;
	leat_waitgroup_add(&wg, 2);
	go(bounce, a, b, &wg);
	go(bounce, b, a, &wg);
	chan_send(a, 1);
	CHECK_EQ(pthread_create(&thread, NULL, start_from_outside, &n), 0);
	pthread_join(thread, NULL);
	stop = true;
	leat_waitgroup_wait(&wg);
	chan_free(a);
	chan_free(b);
	test_goroutines(1);
	leat_procs(procs);
}

struct echo {
	chan(int) in, out;
};

static void echo(struct echo *a)
{
	chan_range(v, a->in)
		chan_send(a->out, v);
	chan_close(a->out);
}

static void *ready_from_outside(void *arg)
{
	struct echo *e = arg;

	for (int i = 0; i < 500; i++) {
		chan_send(e->in, i);
		CHECK_EQ(chan_recv(e->out), i);
	}
	chan_close(e->in);
	return NULL;
}

TEST(line_22_local_traffic_does_not_starve_what_plain_threads_ready)
{
	int procs = leat_procs(1);
	chan(int) a = chan_make(int, 1), b = chan_make(int, 1);
	struct echo e = {chan_make(int, 0), chan_make(int, 0)};
	leat_waitgroup wg = {0};
	pthread_t thread;

	stop = false;
	leat_waitgroup_add(&wg, 2);
	go(bounce, a, b, &wg);
	go(bounce, b, a, &wg);
	chan_send(a, 1);
	go(echo, e.in, e.out);
	CHECK_EQ(pthread_create(&thread, NULL, ready_from_outside, &e), 0);
	pthread_join(thread, NULL);
	stop = true;
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
	chan_free(a);
	chan_free(b);
	chan_free(e.in);
	chan_free(e.out);
	leat_procs(procs);
}

static atomic_long all_turns;

static void turn_of_many(struct turn *a)
{
	leat_waitgroup_done(a->started);
	while (!atomic_load(&stop)) {
		for (int i = 0; i < 300; i++)
			++*(volatile int *)&(int){0};
		atomic_fetch_add(&all_turns, 1);
		leat_yield();
	}
	leat_waitgroup_done(a->ended);
}

enum { MANY = 1000, STAMPS = 200 };

static void *stamp(void *arg)
{
	struct echo *e = arg;

	for (int i = 0; i < STAMPS; i++) {
		chan_send(e->in, (int)atomic_load(&all_turns));
		chan_recv(e->out); /* when to go on */
	}
	chan_close(e->in);
	return NULL;
}

/* It does not queue behind all of them: it would wait for 1,000 turns. */
TEST(line_22_what_plain_threads_ready_goes_before_many_that_take_turns)
{
	int procs = leat_procs(1), right = 0;
	struct echo e = {chan_make(int, 0), chan_make(int, 0)};
	leat_waitgroup started = {0}, ended = {0};
	pthread_t thread;

	stop = false;
	leat_waitgroup_add(&started, MANY);
	leat_waitgroup_add(&ended, MANY);
	for (int i = 0; i < MANY; i++)
		go_as(turn, turn_of_many, .started = &started, .ended = &ended);
	leat_waitgroup_wait(&started);
	CHECK_EQ(pthread_create(&thread, NULL, stamp, &e), 0);
	chan_range(turns, e.in) {
		right += (int)atomic_load(&all_turns) - turns < MANY / 10;
		chan_send(e.out, 0);
	}
	pthread_join(thread, NULL);
	stop = true;
	leat_waitgroup_wait(&ended);
	CHECK(right >= STAMPS / 2);
	chan_free(e.in);
	chan_free(e.out);
	leat_procs(procs);
}

enum { BUSY = 50, NAPS = 100, SOON = 8 };

static _Atomic int64_t due;
static atomic_int turns_late;

/* One of many that compute for 20 us at a time. */
struct busy_turns {
	leat_waitgroup *ended;
};

static void busy_turns(struct busy_turns *a)
{
	while (!atomic_load(&stop)) {
		int64_t until = leat_now() + 20 * LEAT_MICROSECOND;

		while (leat_now() < until)
			;
		if (leat_now() > due)
			turns_late++;
		leat_yield();
	}
	leat_waitgroup_done(a->ended);
}

/* The processor looks for its timers between turns: nobody has to wake another thread for that. */
TEST(line_22_who_slept_among_many_that_take_turns_goes_on_soon)
{
	int procs = leat_procs(1), right = 0;
	leat_waitgroup ended = {0};

	stop = false;
	due = INT64_MAX;
	leat_waitgroup_add(&ended, BUSY);
	for (int i = 0; i < BUSY; i++)
		go(busy_turns, &ended);
	leat_yield();
	for (int i = 0; i < NAPS; i++) {
		turns_late = 0;
		due = leat_now() + LEAT_MILLISECOND;
		leat_sleep(due - leat_now());
		right += turns_late <= SOON;
		due = INT64_MAX;
	}
	stop = true;
	leat_waitgroup_wait(&ended);
	fprintf(stderr, "\tin %d of %d within %d turns\n", right, NAPS, SOON);
	CHECK(right >= NAPS * 3 / 4);
	leat_procs(procs);
}

TEST_MAIN
