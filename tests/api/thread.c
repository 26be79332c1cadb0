/* SPDX-License-Identifier: MIT */
/*
 * Goal: everything works from plain threads too, and threads come and go without a trace.
 * Method: threads and goroutines on both sides of channels, locks, groups and selects.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, fn, arg), 0);
	return thread;
}

struct pipe_ends {
	chan(long) in, out;
	long n;
};

static void *square_in_thread(void *arg)
{
	struct pipe_ends *p = arg;

	CHECK_EQ(leat_goid(), 0);
	CHECK_STR(leat_name(), "");
	chan_range(v, p->in)
		chan_send(p->out, v * v);
	chan_close(p->out);
	CHECK_EQ(leat_goid(), 0);
	return NULL;
}

static void square(struct pipe_ends *p)
{
	chan_range(v, p->in)
		chan_send(p->out, v * v);
	chan_close(p->out);
}

static void run_stages(int cap)
{
	struct pipe_ends first = {chan_make(long, cap), chan_make(long, cap), 0};
	struct pipe_ends second = {first.out, chan_make(long, cap), 0};
	pthread_t thread = start(square_in_thread, &first);
	long n = test_count(20000), sum = 0;

	go_as(pipe_ends, square, second.in, second.out, 0);
	for (long i = 0, got = 0; got < n;) {
		bool sent = false;

		if (i < n) {
			chan_select {
				case_send(first.in, i % 10)
					sent = true;
				case_recv(second.out, v) {
					sum += v;
					got++;
				}
			}
			i += sent;
		} else {
			sum += chan_recv(second.out);
			got++;
		}
	}
	chan_close(first.in);
	CHECK(!chan_recv_ok(second.out, &(long){0}));
	pthread_join(thread, NULL);
	/* 0 + 1 + 16 + ... + 6561 for every ten. */
	CHECK_EQ(sum, n / 10 * 15333);
	chan_free(first.in);
	chan_free(first.out);
	chan_free(second.out);
	test_goroutines(1);
}

TEST(threads_and_goroutines_as_stages_unbuffered)
{
	run_stages(0);
}

TEST(threads_and_goroutines_as_stages_buffered)
{
	run_stages(16);
}

struct thread_pair {
	chan(int) there, back;
};

static void *echo(void *arg)
{
	struct thread_pair *p = arg;

	chan_range(v, p->there)
		chan_send(p->back, v);
	return NULL;
}

static void *ask(void *arg)
{
	struct thread_pair *p = arg;

	for (int i = 0; i < 1000; i++) {
		chan_send(p->there, i);
		CHECK_EQ(chan_recv(p->back), i);
	}
	chan_close(p->there);
	return NULL;
}

TEST(two_threads_without_any_goroutine_between)
{
	struct thread_pair p = {chan_make(int, 0), chan_make(int, 0)};
	pthread_t a = start(echo, &p), b = start(ask, &p);

	pthread_join(b, NULL);
	pthread_join(a, NULL);
	chan_free(p.there);
	chan_free(p.back);
}

static void *select_in_thread(void *arg)
{
	struct thread_pair *p = arg;
	chan(int) never = NULL;
	int timeouts = 0, got = 0;

	while (got < 100) {
		chan_select {
			case_recv(never) {
			}
			case_recv(p->there, v) {
				CHECK_EQ(v, got);
				got++;
			}
			case_timeout(200 * LEAT_MICROSECOND)
				timeouts++;
		}
	}
	chan_send(p->back, timeouts);
	return NULL;
}

TEST(a_thread_in_select)
{
	struct thread_pair p = {chan_make(int, 0), chan_make(int, 1)};
	pthread_t thread = start(select_in_thread, &p);

	for (int i = 0; i < 100; i++) {
		if (i % 10 == 0)
			leat_sleep(LEAT_MILLISECOND);
		chan_send(p.there, i);
	}
	CHECK(chan_recv(p.back) >= 1);
	pthread_join(thread, NULL);
	chan_free(p.there);
	chan_free(p.back);
}

struct add {
	atomic_long *sum;
	long v;
	leat_waitgroup *wg;
};

static void add(struct add *a)
{
	CHECK(leat_goid() > 1);
	leat_yield();
	atomic_fetch_add(a->sum, a->v);
	leat_waitgroup_done(a->wg);
}

static void *spawn_in_thread(void *arg)
{
	atomic_long *sum = arg;
	leat_waitgroup wg = {0};

	for (int round = 0; round < 20; round++) {
		leat_waitgroup_add(&wg, 100);
		for (int i = 0; i < 100; i++)
			go(add, sum, 1, &wg);
		leat_yield();
		leat_waitgroup_wait(&wg);
	}
	return NULL;
}

TEST(threads_start_goroutines_and_wait_for_them)
{
	atomic_long sum = 0;
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = start(spawn_in_thread, &sum);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(sum, 8000);
	test_goroutines(1);
}

static void *park_in_thread(void *arg)
{
	chan(int) c = arg;

	chan_recv(c);
	return NULL;
}

TEST(parked_threads_count_as_parked_not_as_goroutines)
{
	chan(int) c = chan_make(int, 0);
	pthread_t threads[5];

	for (int i = 0; i < 5; i++)
		threads[i] = start(park_in_thread, (void *)c);
	test_parked(5);
	CHECK_EQ(leat_num_goroutine(), 1);
	chan_close(c);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(leat_num_parked(), 0);
	chan_free(c);
}

static void send_closed(void *c)
{
	chan(int) typed = c;

	chan_send(typed, 1);
}

static void *send_and_see_it_closed(void *arg)
{
	CHECK(test_panics(send_closed, arg, "send on closed channel"));
	return NULL;
}

TEST(line_48_a_parked_thread_sees_the_close)
{
	chan(int) c = chan_make(int, 0);
	pthread_t a = start(send_and_see_it_closed, (void *)c);
	pthread_t b = start(send_and_see_it_closed, (void *)c);

	test_parked(2);
	chan_close(c);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	chan_free(c);
}

static void *use_everything(void *arg)
{
	atomic_long *sum = arg;
	leat_waitgroup wg = {0};
	leat_mutex m = {0};
	recv_chan(int64_t) c = leat_after(1);

	chan_recv(c);
	chan_free(c);
	leat_waitgroup_add(&wg, 1);
	go(add, sum, 1, &wg);
	leat_waitgroup_wait(&wg);
	with_lock(&m);
	leat_sleep(1);
	{
		scope(s, NULL);
		leat_waitgroup_add(&wg, 1);
		leat_scope_go(s, (void (*)(void *))add, &(struct add){sum, 1, &wg}, sizeof(struct add));
	}
	return NULL;
}

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, pages;

	CHECK(f != NULL);
	CHECK_EQ(fscanf(f, "%lu %lu", &size, &pages), 2);
	fclose(f);
	return (long)(pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

TEST(threads_that_end_leave_nothing_behind)
{
	int n = test_count(10000);
	atomic_long sum = 0;
	long before = 0;

	for (int i = 0; i < n; i++) {
		pthread_join(start(use_everything, &sum), NULL);
		if (i == n / 10)
			before = resident_kib();
	}
	CHECK_EQ(sum, 2 * n);
	CHECK_EQ(leat_num_parked(), 0);
	test_goroutines(1);
#ifndef TEST_SANITIZED
	CHECK(resident_kib() - before < 2048 || test_emulated());
#else
	(void)before;
#endif
}

static void put(atomic_int *flag)
{
	atomic_fetch_add(flag, 1);
}

static void *goexit_in_thread(void *arg)
{
	atomic_int *flag = arg;

	defer(put, flag);
	{
		defer(put, flag);
		leat_goexit();
	}
}

TEST(goexit_ends_a_plain_thread)
{
	atomic_int flag = 0;

	for (int i = 0; i < 20; i++)
		pthread_join(start(goexit_in_thread, &flag), NULL);
	CHECK_EQ(flag, 40);
}

static void *detached(void *arg)
{
	leat_waitgroup_done(arg);
	return NULL;
}

/* Detached from the beginning: glibc's pthread_detach looks at a thread that may have ended and be gone (its bug 19951). */
TEST(detached_threads)
{
	leat_waitgroup wg = {0};
	pthread_attr_t attr;
	pthread_t id;

	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
	leat_waitgroup_add(&wg, 100);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(pthread_create(&id, &attr, detached, &wg), 0);
	leat_waitgroup_wait(&wg);
	pthread_attr_destroy(&attr);
}

/* A goroutine may start plain threads, join them, and be joined by them. */
struct threads_within {
	leat_waitgroup *wg;
};

static void threads_within(struct threads_within *a)
{
	atomic_long sum = 0;
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		threads[i] = start(use_everything, &sum);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(sum, 6);
	leat_waitgroup_done(a->wg);
}

TEST(goroutines_start_and_join_threads)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		go(threads_within, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

TEST_MAIN
