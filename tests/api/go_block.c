/* SPDX-License-Identifier: MIT */
/*
 * Goal: a goroutine that blocks its thread in a system call or on a lock of another library delays
 * nobody.
 * Method: at one processor, goroutines block in usleep, read and pthread_mutex_lock while others
 * get on; how many do so at once is counted.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

/* Something for the others to do: sleeps, spawns, meetings. */
struct child {
	send_chan(int) out;
	int v;
};

static void child(struct child *a)
{
	chan_send(a->out, a->v);
}

static void get_on(void)
{
	chan(int) c = chan_make(int, 0);

	for (int i = 0; i < 10; i++) {
		leat_sleep(LEAT_MILLISECOND);
		leat_yield();
		go(child, chan_sender(c), i);
		CHECK_EQ(chan_recv(c), i);
	}
	chan_free(c);
}

struct reader {
	int fd;
	atomic_int *inside;
	atomic_int *got;
	leat_waitgroup *wg;
};

static void reader(struct reader *a)
{
	char byte = 0;

	atomic_fetch_add(a->inside, 1);
	CHECK_EQ(read(a->fd, &byte, 1), 1);
	atomic_fetch_add(a->got, byte);
	leat_waitgroup_done(a->wg);
}

/* n goroutines in read on one pipe; main gets on, then lets them go. */
static void readers(int n)
{
	int fds[2], procs = leat_procs(1);
	atomic_int inside = 0, got = 0;
	leat_waitgroup wg = {0};

	CHECK_EQ(pipe(fds), 0);
	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(reader, fds[0], &inside, &got, &wg);
	get_on();
	test_until(atomic_load(&inside) == n);
	get_on();
	CHECK_EQ(got, 0);
	for (int i = 0; i < n; i++)
		CHECK_EQ(write(fds[1], "\1", 1), 1);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(got, n);
	close(fds[0]);
	close(fds[1]);
	leat_procs(procs);
}

TEST(line_30_a_goroutine_in_read)
{
	readers(1);
}

TEST(line_30_eight_goroutines_in_read)
{
	readers(8);
}

/* The count is the point, so it is cut only where threads are dear. */
TEST(line_30_a_thousand_goroutines_in_read)
{
#ifdef TEST_SANITIZED
	readers(100);
#else
	readers(1000);
#endif
}

struct sleeper {
	atomic_int *asleep, *peak;
	leat_waitgroup *wg;
};

static void sleeper(struct sleeper *a)
{
	int n = atomic_fetch_add(a->asleep, 1) + 1, peak = atomic_load(a->peak);

	while (peak < n && !atomic_compare_exchange_weak(a->peak, &peak, n))
		;
	usleep(50000);
	atomic_fetch_sub(a->asleep, 1);
	leat_waitgroup_done(a->wg);
}

TEST(line_30_usleep_in_a_hundred_goroutines_overlaps)
{
	int procs = leat_procs(1);
	atomic_int asleep = 0, peak = 0;
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 100);
	for (int i = 0; i < 100; i++)
		go(sleeper, &asleep, &peak, &wg);
	get_on();
	leat_waitgroup_wait(&wg);
	CHECK(peak >= 2); /* 1 if the call held the processor; some 100 on a quiet machine */
	leat_procs(procs);
}

struct holder {
	pthread_mutex_t mutex;
	atomic_bool held, release;
};

/* A plain thread holds the lock: a goroutine that parked meanwhile could wake on another thread. */
static void *hold(void *arg)
{
	struct holder *h = arg;

	pthread_mutex_lock(&h->mutex);
	atomic_store(&h->held, true);
	while (!atomic_load(&h->release))
		usleep(200);
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

struct locker {
	struct holder *h;
	atomic_int *inside;
	int *under_lock;
	leat_waitgroup *wg;
};

static void locker(struct locker *a)
{
	atomic_fetch_add(a->inside, 1);
	pthread_mutex_lock(&a->h->mutex);
	++*a->under_lock;
	pthread_mutex_unlock(&a->h->mutex);
	leat_waitgroup_done(a->wg);
}

static void lockers(int n)
{
	int procs = leat_procs(1);
	struct holder h = {.mutex = PTHREAD_MUTEX_INITIALIZER};
	atomic_int inside = 0;
	int under_lock = 0;
	leat_waitgroup wg = {0};
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, hold, &h), 0);
	test_until(atomic_load(&h.held));
	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(locker, &h, &inside, &under_lock, &wg);
	test_until(atomic_load(&inside) == n);
	get_on();
	atomic_store(&h.release, true);
	leat_waitgroup_wait(&wg);
	pthread_join(thread, NULL);
	CHECK_EQ(under_lock, n);
	leat_procs(procs);
}

TEST(line_30_a_goroutine_on_a_pthread_mutex)
{
	lockers(1);
}

TEST(line_30_a_thousand_goroutines_on_a_pthread_mutex)
{
#ifdef TEST_SANITIZED
	lockers(100);
#else
	lockers(1000);
#endif
}

/* Main's own blocking call gives its processor to the others too. */
struct tick {
	atomic_bool *stop;
	atomic_long *ticks;
	leat_waitgroup *wg;
};

static void tick(struct tick *a)
{
	while (!atomic_load(a->stop)) {
		atomic_fetch_add(a->ticks, 1);
		leat_sleep(100 * LEAT_MICROSECOND);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_30_main_in_usleep_lets_others_run)
{
	int procs = leat_procs(1);
	atomic_bool stop = false;
	atomic_long ticks = 0;
	leat_waitgroup wg = {0};
	long before;

	leat_waitgroup_add(&wg, 1);
	go(tick, &stop, &ticks, &wg);
	test_until(atomic_load(&ticks) > 0);
	before = ticks;
	usleep(200000);
	CHECK(atomic_load(&ticks) > before + 2);
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	leat_procs(procs);
}

/* Calls that block briefly and often, from more goroutines than processors, lose nobody. */
struct napper {
	atomic_int *naps;
	leat_waitgroup *wg;
};

static void napper(struct napper *a)
{
	for (int i = 0; i < 20; i++) {
		usleep(i % 3 ? 300 : 30);
		leat_yield();
		atomic_fetch_add(a->naps, 1);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_30_many_short_calls_lose_nobody)
{
	atomic_int naps = 0;
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 50);
	for (int i = 0; i < 50; i++)
		go(napper, &naps, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(naps, 1000);
}

TEST_MAIN
