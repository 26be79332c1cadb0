/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_after: one value, the instant asked for; freed at any time it leaves nothing behind.
 * Method: values compared with leat_now around the call; resident memory over very many of them.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

TEST(line_141_the_value_is_the_instant_asked_for)
{
	static const int64_t waits[] = {0, 1, 1000, LEAT_MILLISECOND, 15 * LEAT_MILLISECOND};

	for (int i = 0; i < 5; i++) {
		int64_t before = leat_now(), v;
		recv_chan(int64_t) c = leat_after(waits[i]);
		int64_t after = leat_now();

		v = chan_recv(c);
		CHECK(leat_now() >= v);
		CHECK(v >= before + waits[i]);
		CHECK(v <= after + waits[i]);
		CHECK(!chan_try_recv(c, NULL, NULL)); /* once */
		chan_free(c);
	}
}

TEST(line_141_read_late_it_is_the_same)
{
	recv_chan(int64_t) c = leat_after(LEAT_MILLISECOND);
	int64_t begin = leat_now(), v;

	leat_sleep(50 * LEAT_MILLISECOND);
	v = chan_recv(c);
	CHECK(v <= begin + LEAT_MILLISECOND);
	chan_free(c);
}

TEST(line_141_no_time_or_less_fires_at_once)
{
	static const int64_t waits[] = {0, -1, -LEAT_HOUR, INT64_MIN};

	for (int i = 0; i < 4; i++) {
		recv_chan(int64_t) c = leat_after(waits[i]);

		CHECK(chan_recv(c) <= leat_now());
		chan_free(c);
	}
}

TEST(it_is_not_early)
{
	for (int i = 1; i < 20; i++) {
		int64_t begin = leat_now(), wait = i * 100 * LEAT_MICROSECOND;
		recv_chan(int64_t) c = leat_after(wait);
		bool got = chan_try_recv(c, NULL, NULL);

		CHECK(!got || leat_now() - begin >= wait);
		if (!got)
			chan_recv(c);
		CHECK(leat_now() - begin >= wait);
		chan_free(c);
	}
}

TEST(in_select)
{
	chan(int) never = chan_make(int, 0);
	recv_chan(int64_t) soon = leat_after(3 * LEAT_MILLISECOND), late = leat_after(LEAT_HOUR);
	int64_t got = 0, begin = leat_now();

	chan_select {
		case_recv(never) {
		}
		case_recv(soon, v, ok) {
			CHECK(ok);
			got = v;
		}
		case_recv(late) {
		}
	}
	CHECK(got > 0 && got <= begin + 3 * LEAT_MILLISECOND);
	chan_free(never);
	chan_free(soon);
	chan_free(late);
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

/* In steps of 100 pending at once: freed before they fire, while they fire, and after. */
static void many(int64_t wait, bool receive, int n)
{
	recv_chan(int64_t) all[100];
	long before = 0, grown;

	for (int i = 0; i < n; i += 100) {
		for (int k = 0; k < 100; k++)
			all[k] = leat_after(wait);
		for (int k = 0; k < 100; k++) {
			if (receive)
				chan_recv(all[k]);
			chan_free(all[k]);
		}
		if (i == n / 10 / 100 * 100)
			before = resident_kib();
	}
	grown = resident_kib() - before;
	fprintf(stderr, "\tgrown by %ld KiB\n", grown);
#ifndef TEST_SANITIZED
	CHECK(grown < 2048);
#endif
}

TEST(line_147_freed_before_it_fires)
{
	many(LEAT_HOUR, false, test_count(1000000));
}

TEST(line_147_freed_while_it_fires)
{
	many(20 * LEAT_MICROSECOND, false, test_count(1000000));
}

TEST(line_147_freed_after_it_fired)
{
	many(1, true, test_count(1000000));
}

TEST(line_152_far_away_it_does_not_overflow)
{
	static const int64_t waits[] = {INT64_MAX, LEAT_FOREVER, INT64_MAX - 1, INT64_MAX / 2};

	for (int i = 0; i < 4; i++) {
		recv_chan(int64_t) c = leat_after(waits[i]);

		leat_sleep(LEAT_MILLISECOND);
		CHECK(!chan_try_recv(c, NULL, NULL));
		chan_free(c);
	}
}

struct receiver {
	recv_chan(int64_t) c;
	atomic_int *got;
};

static void receiver(struct receiver *a)
{
	if (chan_recv(a->c))
		atomic_fetch_add(a->got, 1);
}

/* 1,000 timers of many lengths, each with somebody parked on it. */
TEST(line_151_many_at_once)
{
	enum { N = 1000 };
	static recv_chan(int64_t) all[N];
	atomic_int got = 0;

	for (int i = 0; i < N; i++) {
		all[i] = leat_after(i * 37 % N * 20 * LEAT_MICROSECOND);
		go(receiver, all[i], &got);
	}
	test_until(atomic_load(&got) == N);
	test_goroutines(1);
	for (int i = 0; i < N; i++)
		chan_free(all[i]);
}

static void *after_in_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		recv_chan(int64_t) c = leat_after(i * 10 * LEAT_MICROSECOND);

		if (i % 2)
			CHECK(chan_recv(c) <= leat_now());
		chan_free(c);
	}
	return NULL;
}

TEST(plain_threads_use_it_too)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, after_in_thread, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

TEST_MAIN
