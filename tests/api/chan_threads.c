/* SPDX-License-Identifier: MIT */
/*
 * Goal: plain threads are first-class users of channels: alone among themselves, and mixed with
 * goroutines, by every operation.  Method: joined pthreads that check what they see themselves.
 */
#include "chan_help.h"

static pthread_t thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, fn, arg) == 0);
	return t;
}

struct pipe {
	chan(long) in, out, stop;
	long n;
};

static void *produce(void *p)
{
	struct pipe *a = p;

	for (long i = 1; i <= a->n; i++)
		chan_send(a->out, i);
	chan_close(a->out);
	return NULL;
}

static void *square(void *p)
{
	struct pipe *a = p;

	chan_range(v, a->in)
		chan_send(a->out, v * v);
	chan_close(a->out);
	return NULL;
}

static void *sum_up(void *p)
{
	struct pipe *a = p;

	a->n = 0;
	chan_range(v, a->in)
		a->n += v;
	return NULL;
}

/* The main thread only waits in pthread_join: the channel needs no scheduler of goroutines. */
TEST(line_38_threads_among_themselves)
{
	long n = test_count(20000);

	for (int cap = 0; cap <= 8; cap += 4) {
		chan(long) c = chan_make(long, cap), d = chan_make(long, cap);
		struct pipe first = {.out = c, .n = n}, second = {.in = c, .out = d}, third = {.in = d};
		pthread_t t[3] = {thread(sum_up, &third), thread(square, &second), thread(produce, &first)};

		for (int i = 0; i < 3; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
		CHECK_EQ(third.n, n * (n + 1) * (2 * n + 1) / 6);
		chan_free(c);
		chan_free(d);
	}
}

struct relay {
	recv_chan(long) in;
	send_chan(long) out;
};

static void relay(struct relay *a)
{
	chan_range(v, a->in)
		chan_send(a->out, v + 1);
	chan_close(a->out);
}

TEST(line_68_threads_and_goroutines_in_one_pipeline)
{
	enum { STAGES = 20 };
	long n = test_count(10000);

	for (int cap = 0; cap < 3; cap += 2) {
		chan(long) c[STAGES + 1];
		struct pipe first, stage = {0}, last;
		pthread_t t[3];

		for (int i = 0; i <= STAGES; i++)
			c[i] = chan_make(long, cap);
		for (int i = 0; i < STAGES; i++)
			if (i != STAGES / 2)
				go(relay, chan_receiver(c[i]), chan_sender(c[i + 1]));
		stage.in = c[STAGES / 2];
		stage.out = c[STAGES / 2 + 1];
		first = (struct pipe){.out = c[0], .n = n};
		last = (struct pipe){.in = c[STAGES]};
		t[0] = thread(produce, &first);
		t[1] = thread(square, &stage);
		t[2] = thread(sum_up, &last);
		for (int i = 0; i < 3; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
		long expect = 0;
		for (long i = 1; i <= n; i++)
			expect += (i + STAGES / 2) * (i + STAGES / 2) + STAGES / 2 - 1;
		CHECK_EQ(last.n, expect);
		test_goroutines(1);
		for (int i = 0; i <= STAGES; i++)
			chan_free(c[i]);
	}
}

static void *select_loop(void *p)
{
	struct pipe *a = p;
	bool more = true;

	a->n = 0;
	while (more) {
		chan_select {
			case_recv(a->in, v, ok) {
				if (ok)
					a->n += v;
				else
					a->in = NULL;
			}
			case_recv(a->stop)
				more = false;
			case_timeout(LEAT_HOUR)
				CHECK(!more);
		}
	}
	return NULL;
}

TEST(line_68_threads_select)
{
	long n = test_count(20000);

	for (int cap = 0; cap < 3; cap++) {
		chan(long) in = chan_make(long, cap), stop = chan_make(long, 0);
		struct pipe a[3];
		pthread_t t[3];
		long sum = 0;

		for (int i = 0; i < 3; i++) {
			a[i] = (struct pipe){.in = in, .stop = stop};
			t[i] = thread(select_loop, &a[i]);
		}
		for (long i = 1; i <= n; i++)
			chan_send(in, i);
		chan_close(in);
		/* A value that is still buffered is received before the stop is sent to that thread. */
		while (chan_len(in) > 0)
			leat_yield();
		for (int i = 0; i < 3; i++)
			chan_send(stop, 1);
		for (int i = 0; i < 3; i++) {
			CHECK(pthread_join(t[i], NULL) == 0);
			sum += a[i].n;
		}
		CHECK_EQ(sum, n * (n + 1) / 2);
		chan_free(in);
		chan_free(stop);
	}
}

static void *identity(void *p)
{
	_Atomic int *go_on = p;

	CHECK_EQ(leat_goid(), 0);
	while (!atomic_load(go_on))
		leat_yield();
	return NULL;
}

TEST(threads_are_no_goroutines)
{
	_Atomic int go_on = 0;
	size_t goroutines = leat_num_goroutine();
	pthread_t t = thread(identity, &go_on);

	CHECK_EQ(leat_num_goroutine(), goroutines);
	atomic_store(&go_on, 1);
	CHECK(pthread_join(t, NULL) == 0);
}

static void *spawn_from_thread(void *p)
{
	struct pipe *a = p;
	chan(long) c = chan_make(long, 0), d = chan_make(long, 1);
	long sum = 0;

	go(relay, chan_receiver(c), chan_sender(d));
	for (long i = 1; i <= a->n; i++) {
		chan_send(c, i);
		sum += chan_recv(d);
	}
	chan_close(c);
	CHECK(!chan_recv_ok(d, &a->n));
	a->n = sum;
	a->in = c;
	a->out = d;
	return NULL;
}

TEST(line_38_threads_start_and_talk_to_goroutines)
{
	enum { THREADS = 6 };
	long n = test_count(10000);
	struct pipe a[THREADS];
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++) {
		a[i] = (struct pipe){.n = n};
		t[i] = thread(spawn_from_thread, &a[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		CHECK(pthread_join(t[i], NULL) == 0);
		CHECK_EQ(a[i].n, n * (n + 1) / 2 + n);
	}
	test_goroutines(1);
	for (int i = 0; i < THREADS; i++) {
		chan_free(a[i].in);
		chan_free(a[i].out);
	}
}

/* Threads come and go: what the library keeps for a thread must not outlive or multiply with it. */
static void *send_twice(void *p)
{
	struct pipe *a = p;

	chan_send(a->out, 1);
	chan_select {
		case_send(a->out, 1) {
		}
		case_recv(a->stop) {
		}
	}
	return NULL;
}

TEST(line_38_short_lived_threads)
{
	int n = test_count(3000);
	chan(long) c = chan_make(long, 0), stop = chan_make(long, 0);
	struct pipe a = {.out = c, .stop = stop};

	for (int i = 0; i < n; i++) {
		pthread_t t = thread(send_twice, &a), u = thread(send_twice, &a);

		for (int j = 0; j < 4; j++)
			CHECK_EQ(chan_recv(c), 1);
		CHECK(pthread_join(t, NULL) == 0);
		CHECK(pthread_join(u, NULL) == 0);
		CHECK(!chan_try_recv(c, NULL, NULL));
	}
	CHECK_EQ(leat_num_parked(), 0);
	chan_free(c);
	chan_free(stop);
}

static void *close_it(void *p)
{
	struct pipe *a = p;

	chan_close(a->out);
	return NULL;
}

TEST(line_48_a_thread_closes)
{
	int n = test_count(2000);

	for (int i = 0; i < n; i++) {
		chan(long) c = chan_make(long, 0);
		struct pipe closer = {.out = c}, reader = {.in = c};
		pthread_t t = thread(close_it, &closer), u = thread(sum_up, &reader);

		CHECK_EQ(chan_recv(c), 0);
		CHECK(pthread_join(t, NULL) == 0);
		CHECK(pthread_join(u, NULL) == 0);
		CHECK_EQ(reader.n, 0);
		chan_free(c);
	}
}

/*
 * The last party that could wake main is a thread that sleeps, wakes it and ends: the program is never
 * deadlocked, at no moment of this.
 */
struct nap {
	chan(long) c;
	leat_waitgroup wg;
	int64_t nap;
};

static void *nap(void *p)
{
	struct nap *a = p;

	leat_sleep(a->nap);
	if (a->c)
		chan_send(a->c, 1);
	else
		leat_waitgroup_done(&a->wg);
	return NULL;
}

TEST(line_158_a_sleeping_thread_is_no_deadlock)
{
	int n = test_count(10000);
	struct nap a = {0};

	for (int i = 0; i < n; i++) {
		pthread_t t;

		a.nap = i % 3 * 10 * LEAT_MICROSECOND;
		a.c = i % 2 ? chan_make(long, i % 4 / 2) : NULL;
		leat_waitgroup_add(&a.wg, !a.c);
		t = thread(nap, &a);
		if (a.c)
			CHECK_EQ(chan_recv(a.c), 1);
		else
			leat_waitgroup_wait(&a.wg);
		CHECK(pthread_join(t, NULL) == 0);
		chan_free(a.c);
	}
}

/* Who is counted as parked is in the queues it waits in: the other tests build on it. */
struct taker {
	chan(long) c, idle;
	bool select;
	long got;
	_Atomic int begun;
	leat_waitgroup wg;
};

static void taker(void *p)
{
	struct taker *a = p;

	atomic_store(&a->begun, 1);
	if (a->select)
		chan_select {
			case_recv(a->idle) {
			}
			case_recv(a->c, v)
				a->got = v;
		}
	else
		a->got = chan_recv(a->c);
	leat_waitgroup_done(&a->wg);
}

TEST(line_42_who_is_parked_is_served)
{
	int n = test_count(10000);

	for (int k = 0; k < 2 * KINDS; k++) {
		struct taker a = {.c = chan_make(long, 1), .idle = chan_make(long, 0), .select = k / KINDS};

		for (long i = 0; i < n; i++) {
			size_t base = leat_num_parked();

			atomic_store(&a.begun, 0);
			leat_waitgroup_add(&a.wg, 1);
			start(k % KINDS, taker, &a);
			test_until(atomic_load(&a.begun));
			test_parked(base + 1);
			chan_send(a.c, i);
			CHECK_EQ(chan_len(a.c), 0);
			leat_waitgroup_wait(&a.wg);
			CHECK_EQ(a.got, i);
		}
		chan_free(a.c);
		chan_free(a.idle);
	}
}

TEST_MAIN
