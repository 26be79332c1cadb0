/* SPDX-License-Identifier: MIT */
/*
 * Goal: threads that blocking calls made necessary end again when they are no longer needed, cleanly,
 * and new ones can take their place.
 * Method: bursts of goroutines in read(2), and the process's threads counted afterwards.
 */
#include "test.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* The process's first thread and the library's, but not one that a sanitizer has for itself. */
static bool counts(const char *tid)
{
	char path[300], name[5] = "";
	FILE *f;

	if (atoi(tid) == getpid())
		return true;
	snprintf(path, sizeof path, "/proc/self/task/%s/comm", tid);
	f = fopen(path, "r");
	if (!f)
		return false; /* it has ended meanwhile, or is no thread */
	if (!fgets(name, sizeof name, f))
		name[0] = 0;
	fclose(f);
	return strcmp(name, "leat") == 0;
}

static int threads(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	int n = 0;

	CHECK(d != NULL);
	while ((e = readdir(d)))
		n += counts(e->d_name);
	closedir(d);
	return n;
}

static pthread_key_t key;
static atomic_int destroyed;

/* As a C++ program's destructors of thread-local data may do. */
static void destroy(void *value)
{
	leat_mutex mu = {0};

	leat_mutex_lock(&mu);
	leat_yield();
	leat_mutex_unlock(&mu);
	atomic_fetch_add((atomic_int *)value, 1);
}

struct reader {
	int fd;
	atomic_int *inside;
	leat_waitgroup *wg;
};

static void reader(struct reader *a)
{
	char byte;

	pthread_setspecific(key, &destroyed);
	atomic_fetch_add(a->inside, 1);
	{
		leat_blocking();
		CHECK_EQ(read(a->fd, &byte, 1), 1);
	}
	leat_waitgroup_done(a->wg);
}

static void burst(int n)
{
	int fds[2];
	atomic_int inside = 0;
	leat_waitgroup wg = {0};

	CHECK_EQ(pipe(fds), 0);
	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(reader, fds[0], &inside, &wg);
	test_until(atomic_load(&inside) == n);
	CHECK(threads() >= n);
	for (int i = 0; i < n; i++)
		CHECK_EQ(write(fds[1], "x", 1), 1);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
	close(fds[0]);
	close(fds[1]);
}

TEST(threads_end_after_a_burst_of_blocking_calls)
{
	int n = 200, ended;

#ifdef TEST_SANITIZED
	n = 50;
#endif
	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	for (int round = 0; round < 2; round++) {
		ended = atomic_load(&destroyed);
		burst(n);
		/* Sleep: who yields in a loop keeps threads busy looking for work. */
		for (int i = 0; i < 600 && threads() > leat_procs(0) + 8; i++)
			leat_sleep(100 * LEAT_MILLISECOND);
		CHECK(threads() <= leat_procs(0) + 8);
		CHECK(atomic_load(&destroyed) > ended + n / 2);
	}
}

struct ticker {
	atomic_bool *enough;
};

static void ticker(struct ticker *a)
{
	while (!atomic_load(a->enough))
		leat_sleep(2 * LEAT_MILLISECOND);
}

/* The last to sleep are woken for that, so none of them sleeps for long.  Those who do are one more than processors,
   as many work, and there are the monitor and the keeper. */
TEST(threads_end_where_a_little_is_done)
{
	/* Where each wait changes the thread, one more of each processor is on its way to sleep. */
	int procs = leat_procs(0), each = getenv("LEAT_MIGRATE") ? 3 : 2;
	atomic_bool enough = false;

	burst(40);
	for (int i = 0; i < 4; i++)
		go(ticker, &enough);
	test_until((leat_sleep(3 * LEAT_MILLISECOND), threads() <= each * procs + 3));
	atomic_store(&enough, true);
	test_goroutines(1);
}

TEST_MAIN
