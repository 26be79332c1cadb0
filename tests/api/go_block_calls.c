/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/*
 * Goal: whatever blocks in libc blocks its goroutine alone.
 * Method: at one processor each call blocks until another goroutine, which needs a processor for it, has
 * done something; those that only take their time run beside a goroutine that counts.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/wait.h>

struct call {
	leat_waitgroup *wg;
	int fd;
	const char *text;
};

static atomic_bool released;

/* With n goroutines in fn, main gets on, releases them and waits for them. */
static void block(void (*fn)(struct call *), int n, int fd, const char *text)
{
	int procs = leat_procs(1);
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go_as(call, fn, &wg, fd, text);
	for (int i = 0; i < 10; i++) {
		leat_sleep(LEAT_MILLISECOND);
		leat_yield();
	}
	atomic_store(&released, true);
	if (fd >= 0)
		flock(fd, LOCK_UN);
	leat_waitgroup_wait(&wg);
	leat_procs(procs);
}

static void resolve(struct call *a)
{
	struct addrinfo *found = NULL;

	CHECK_EQ(getaddrinfo(a->text, "80", &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found), 0);
	CHECK(found != NULL);
	freeaddrinfo(found);
	leat_waitgroup_done(a->wg);
}

TEST(line_30_getaddrinfo)
{
	block(resolve, 4, -1, "127.0.0.1");
	block(resolve, 4, -1, "localhost");
}

static void command(struct call *a)
{
	int status = system(a->text);

	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 3);
	leat_waitgroup_done(a->wg);
}

TEST(line_30_system)
{
	block(command, 3, -1, "exit 3");
}

static void take_lock(struct call *a)
{
	int fd = open(a->text, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	CHECK(atomic_load(&released));
	close(fd);
	leat_waitgroup_done(a->wg);
}

TEST(line_30_flock)
{
	char path[] = "/tmp/leat-flock-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	atomic_store(&released, false);
	block(take_lock, 4, fd, path);
	close(fd);
	unlink(path);
}

static void nap(struct call *a)
{
	sleep(1);
	leat_waitgroup_done(a->wg);
}

/* One after the other they need 20 seconds. */
TEST(line_30_sleep)
{
	int64_t begin = leat_now();

	block(nap, 20, -1, NULL);
	CHECK(leat_now() - begin < 15 * LEAT_SECOND);
}

TEST_MAIN
