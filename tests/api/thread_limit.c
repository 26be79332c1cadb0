/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 notsan env:ASAN_OPTIONS=intercept_tls_get_addr=0 */
/*
 * Goal: goroutines that compute never use up the threads, and where threads are short they take turns,
 * with all others among them.
 * Method: a limit of 8, of which blocked goroutines take some, and 50 goroutines that compute: without end
 * until main, which is one of the others, says so; inside malloc; and with calls into leat.  The threads
 * of the process are counted.  (ThreadSanitizer puts signals off, and a loop that calls nothing is then
 * never stopped.)
 */
#define _GNU_SOURCE
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <time.h>

/* As the kernel counts them: the monitor, too, and whatever a sanitizer adds. */
static int threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = -2; /* . and .. */

	CHECK(d != NULL);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

enum { LIMIT = 8, HOGS = 50 };

static atomic_bool stop;
static atomic_int most;

struct hog {
	leat_waitgroup *wg;
	atomic_long *turns;
};

static void note_threads(void)
{
	int n = threads();

	if (n > atomic_load(&most))
		atomic_store(&most, n);
}

static void hog(struct hog *a)
{
	errno = 77;
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	CHECK_EQ(errno, 77);
	leat_waitgroup_done(a->wg);
}

/* Is stopped inside malloc as likely as anywhere, and others block there meanwhile, which takes threads:
   so it must have an end. */
static void malloc_hog(struct hog *a)
{
	for (int turn = 0; turn < 5000; turn++) {
		char *volatile p[20];

		for (int i = 0; i < 20; i++)
			p[i] = malloc((size_t)100 << i % 10);
		for (int i = 0; i < 20; i++)
			free(p[i]);
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	}
	leat_waitgroup_done(a->wg);
}

static void caller(struct hog *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		for (volatile int n = 0; n < 1000000;)
			n++;
		leat_yield();
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	}
	leat_waitgroup_done(a->wg);
}

static void locked_hog(struct hog *a)
{
	leat_pin();
	hog(a);
}

/* Main ticks beside them. */
static void beside(void (*fn)(struct hog *), int n)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;
	long seen;

	atomic_store(&stop, false);
	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go_as(hog, fn, &wg, &turns);
	for (int i = 0; i < 5; i++) {
		leat_sleep(LEAT_MILLISECOND);
		for (volatile int k = 0; k < 1000000;)
			k++; /* it is one that computes, too */
		leat_yield();
		note_threads();
	}
	seen = turns;
	test_until(atomic_load(&turns) > seen);
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

static int others; /* threads that the limit does not count */

TEST(line_32_the_limit_is_set_and_told)
{
	others =
	    threads() - 1 + 1; /* the initial one counts; the monitor, which will start, does not */
	CHECK_EQ(leat_max_threads(LIMIT), 10000);
	CHECK_EQ(leat_max_threads(0), LIMIT);
	CHECK_EQ(leat_max_threads(-1), LIMIT);
}

/* All threads but main's own belong to goroutines that compute. */
TEST(line_32_a_locked_goroutine_beside_hogs_on_all_other_threads)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;
	int before = leat_max_threads(leat_procs(0) + 1);

	atomic_store(&stop, false);
	leat_waitgroup_add(&wg, leat_procs(0));
	leat_lock_thread();
	for (int i = 0; i < leat_procs(0); i++)
		go_as(hog, hog, &wg, &turns);
	for (int i = 0; i < 5; i++)
		leat_sleep(20 * LEAT_MILLISECOND);
	leat_unlock_thread();
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	leat_max_threads(before);
}

TEST(line_32_fifty_hogs_below_a_limit_of_eight_threads)
{
	beside(hog, HOGS);
	CHECK(atomic_load(&most) <= LIMIT + others);
}

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * LEAT_SECOND + t.tv_nsec;
}

/* Main is stopped like the others, and sleeps after that: its thread is then the only one that is free. */
TEST(line_32_who_computed_among_hogs_and_sleeps_comes_back)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;

	atomic_store(&stop, false);
	leat_waitgroup_add(&wg, HOGS);
	for (int i = 0; i < HOGS; i++)
		go_as(hog, hog, &wg, &turns);
	for (int i = 0; i < 10; i++) {
		int64_t begun = clock_ns();

		while (clock_ns() - begun < 40 * LEAT_MILLISECOND)
			;
		leat_sleep(LEAT_MILLISECOND);
	}
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	note_threads();
	CHECK(atomic_load(&most) <= LIMIT + others);
}

TEST(line_32_hogs_are_stopped_inside_malloc)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;

	leat_waitgroup_add(&wg, 20);
	for (int i = 0; i < 20; i++)
		go_as(hog, malloc_hog, &wg, &turns);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(turns, 20 * 5000);
	CHECK(atomic_load(&most) <= LIMIT + others);
}

TEST(line_32_hogs_that_call_leat)
{
	beside(caller, 20);
	CHECK(atomic_load(&most) <= LIMIT + others);
}

TEST(line_32_a_hog_that_is_locked_to_its_thread)
{
	beside(locked_hog, 3);
	CHECK(atomic_load(&most) <= LIMIT + others);
}

/* Dumps say where the stopped ones are. */
__attribute__((noinline)) static void computes(struct hog *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
}

static void outer_hog(struct hog *a)
{
	computes(a);
	leat_waitgroup_done(a->wg);
}

static bool shows(const char *words)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	bool found;

	CHECK(f != NULL);
	leat_dump(f);
	fclose(f);
	found = strstr(text, words) != NULL;
	free(text);
	return found;
}

TEST(line_163_stopped_hogs_are_runnable_and_have_a_stack)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;

	atomic_store(&stop, false);
	leat_waitgroup_add(&wg, HOGS);
	for (int i = 0; i < HOGS; i++)
		go_as(hog, outer_hog, &wg, &turns);
	test_until(shows("[runnable]:\ncomputes(...)\n"));
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

/* Jobs that end: all of them run in the end. */
static void job(struct hog *a)
{
	for (volatile int n = 0; n < 5000000;)
		n++;
	atomic_fetch_add(a->turns, 1);
	leat_waitgroup_done(a->wg);
}

TEST(line_32_jobs_of_some_milliseconds)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;

	leat_waitgroup_add(&wg, HOGS);
	for (int i = 0; i < HOGS; i++)
		go_as(hog, job, &wg, &turns);
	while (atomic_load(&turns) < HOGS) {
		leat_sleep(LEAT_MILLISECOND);
		note_threads();
	}
	leat_waitgroup_wait(&wg);
	CHECK(atomic_load(&most) <= LIMIT + others);
}

struct reader {
	int fd;
	leat_waitgroup *wg;
};

static void reader(struct reader *a)
{
	char byte;

	CHECK_EQ(read(a->fd, &byte, 1), 1);
	leat_waitgroup_done(a->wg);
}

/* Threads that block leave fewer to the hogs. */
TEST(line_32_hogs_beside_blocked_goroutines)
{
	int fds[2];
	leat_waitgroup wg = {0};

	CHECK_EQ(pipe(fds), 0);
	leat_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		go(reader, fds[0], &wg);
	leat_sleep(5 * LEAT_MILLISECOND);
	atomic_store(&stop, false);
	for (int k = 0; k < 2; k++) {
		leat_waitgroup hogs = {0};
		atomic_long turns = 0;

		atomic_store(&stop, false);
		leat_waitgroup_add(&hogs, 10);
		for (int i = 0; i < 10; i++)
			go(hog, &hogs, &turns);
		for (int i = 0; i < 5; i++) {
			leat_sleep(LEAT_MILLISECOND);
			note_threads();
		}
		atomic_store(&stop, true);
		leat_waitgroup_wait(&hogs);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(write(fds[1], "x", 1), 1);
	leat_waitgroup_wait(&wg);
	CHECK(atomic_load(&most) <= LIMIT + others);
}

struct counted {
	leat_waitgroup *wg;
	atomic_long *turns;
	bool yields;
};

static void counted(struct counted *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
		if (a->yields) {
			for (volatile int n = 0; n < 100000;)
				n++;
			leat_yield();
		}
	}
	leat_waitgroup_done(a->wg);
}

/* Who yields is in a queue again at once, but not before all who are stopped. */
TEST(line_32_hogs_beside_goroutines_that_yield)
{
	enum { N = 24, YIELD = 4 };
	leat_waitgroup wg = {0};
	atomic_long turns[N] = {0};
	long seen[N];
	int before = leat_max_threads(leat_procs(0) + 1);

	atomic_store(&stop, false);
	leat_waitgroup_add(&wg, N);
	for (int i = 0; i < N; i++)
		go(counted, &wg, &turns[i], i < YIELD);
	leat_sleep(100 * LEAT_MILLISECOND);
	for (int i = 0; i < N; i++)
		seen[i] = atomic_load(&turns[i]);
	for (int i = 0; i < N; i++)
		test_until(!seen[i] || atomic_load(&turns[i]) > seen[i]);
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	leat_max_threads(before);
}

/* Threads in a ring: each sleeps until the one before it wakes it. */
enum { RING = LIMIT };

struct link {
	const int (*pipes)[2];
	int i;
	leat_waitgroup *wg;
};

/* Passes the byte on until it says that this is the last round. */
static void pass_byte(const int (*pipes)[2], int i)
{
	char byte;

	do {
		CHECK_EQ(read(pipes[i][0], &byte, 1), 1);
		CHECK_EQ(write(pipes[(i + 1) % RING][1], &byte, 1), 1);
	} while (byte);
}

static void ring_link(struct link *a)
{
	pass_byte(a->pipes, a->i);
	leat_waitgroup_done(a->wg);
}

static void reader_done(struct reader *a)
{
	leat_waitgroup_done(a->wg);
}

/* Every thread is in a blocking call nearly always, and yet all of them come back by themselves. */
TEST(line_32_threads_that_wake_one_another_are_not_the_end)
{
	int pipes[RING][2];
	leat_waitgroup wg = {0};
	int before = leat_max_threads(LIMIT);
	int64_t begun;
	char byte = 1;

	for (int i = 0; i < RING; i++)
		CHECK_EQ(pipe(pipes[i]), 0);
	leat_waitgroup_add(&wg, RING);
	for (int i = 1; i < RING; i++)
		go_as(link, ring_link, (const int(*)[2])pipes, i, &wg);
	leat_sleep(20 * LEAT_MILLISECOND);
	go_as(reader, reader_done, 0, &wg); /* for whom there is no thread */
	usleep(20000);                      /* main loses its processor */
	begun = leat_now();
	do {
		byte = leat_now() - begun < LEAT_SECOND;
		CHECK_EQ(write(pipes[1][1], &byte, 1), 1);
		CHECK_EQ(read(pipes[0][0], &byte, 1), 1);
	} while (byte);
	leat_waitgroup_wait(&wg);
	leat_max_threads(before);
	for (int i = 0; i < RING; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

struct waker {
	leat_waitgroup *wg;
	send_chan(int) c;
};

static void wake_and_compute(struct waker *a)
{
	chan_send(a->c, 1);
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	leat_waitgroup_done(a->wg);
}

/* All that compute are stopped and queued; main is next of a processor from before. */
TEST(line_32_who_was_woken_last_has_a_turn)
{
	leat_waitgroup wg = {0};
	chan(int) c = chan_make(int, 0);
	int before = leat_max_threads(leat_procs(0) + 1);

	for (int k = 0; k < 5; k++) {
		atomic_store(&stop, false);
		leat_waitgroup_add(&wg, leat_procs(0));
		for (int i = 0; i < leat_procs(0); i++)
			go_as(waker, wake_and_compute, &wg, chan_sender(c));
		for (int i = 0; i < leat_procs(0); i++)
			chan_recv(c);
		atomic_store(&stop, true);
		leat_waitgroup_wait(&wg);
	}
	leat_max_threads(before);
	chan_free(c);
}

TEST_MAIN
