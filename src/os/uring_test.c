/* SPDX-License-Identifier: MIT */
/*
 * Goal: the ring keeps its contract: each operation comes back once, with its token, whoever submits it, and though the thread
 * has ended that did; a queue that is full says so; a ring that was dropped can be opened again.
 * Method: reads of an empty pipe, without the scheduler.
 */
#include "os/uring.h"

#include "os/lock.h"
#include "test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 4, EACH = 2000 };

static int ring, ends[2];
static char byte;
static uint8_t lock;
static pthread_barrier_t all_done;

static struct leat__uring_request read_one(void)
{
	return (struct leat__uring_request){LEAT__URING_READ, ends[0], &byte, 1, 0};
}

static void give(uint64_t token)
{
	struct leat__uring_request r = read_one();
	uint32_t place;
	bool put;

	do {
		leat__lock(&lock);
		put = leat__os_uring_put(&r, token, &place);
		leat__unlock(&lock);
		CHECK_EQ(leat__os_uring_submit(place), 0);
	} while (!put);
}

/* The next that ends, waiting for it by way of the descriptor.  What a debugger or job control interrupted is given again. */
static struct leat__uring_end take(void)
{
	struct pollfd p = {.fd = ring, .events = POLLIN};
	struct leat__uring_end e;
	bool ended;

	for (;;) {
		leat__lock(&lock);
		ended = leat__os_uring_take(&e);
		leat__unlock(&lock);
		if (ended && e.result != -EINTR)
			return e;
		if (ended)
			give(e.token);
		else
			poll(&p, 1, -1);
	}
}

static void open_ring(void)
{
	ring = leat__os_uring_open();
	CHECK(ring >= 0);
	CHECK(leat__os_uring_room() >= 1024);
}

TEST(what_is_given_comes_back)
{
	struct leat__uring_end e;

	open_ring();
	give(7);
	CHECK(!leat__os_uring_take(&e));
	CHECK_EQ(write(ends[1], "x", 1), 1);
	e = take();
	CHECK_EQ(e.token, 7);
	CHECK_EQ(e.result, 1);
	CHECK_EQ(byte, 'x');
	leat__os_uring_drop();
	leat__os_uring_drop();
}

static void *give_and_end(void *unused)
{
	(void)unused;
	give(8);
	return NULL;
}

/* At once or when there is something to read, with that or without having touched it: kernels differ. */
TEST(what_a_thread_left_under_way_ends_and_loses_nothing)
{
	struct leat__uring_end e;
	pthread_t t;

	open_ring();
	CHECK_EQ(pthread_create(&t, NULL, give_and_end, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(write(ends[1], "y", 1), 1);
	e = take();
	CHECK_EQ(e.token, 8);
	CHECK(e.result == 1 || e.result == -ECANCELED || e.result == -EFAULT);
	if (e.result != 1)
		CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_EQ(byte, 'y');
	leat__os_uring_drop();
}

TEST(a_full_queue_says_so_until_it_is_submitted)
{
	struct leat__uring_request r = read_one();
	uint32_t place = 0;
	uint64_t n = 0;

	open_ring();
	while (leat__os_uring_put(&r, n, &place))
		n++;
	CHECK(n > 0 && n < leat__os_uring_room());
	CHECK_EQ(leat__os_uring_submit(place), 0);
	CHECK(leat__os_uring_put(&r, n, &place));
	CHECK_EQ(leat__os_uring_submit(place), 0);
	for (uint64_t i = 0; i <= n; i++)
		CHECK_EQ(write(ends[1], "z", 1), 1);
	for (uint64_t i = 0; i <= n; i++)
		CHECK_EQ(take().result, 1);
	leat__os_uring_drop();
}

static void *give_many(void *arg)
{
	unsigned char *seen = arg;

	for (int i = 0; i < EACH; i++) {
		struct leat__uring_end e;

		give((uint64_t)(uintptr_t)&seen[i]);
		CHECK_EQ(write(ends[1], "w", 1), 1);
		e = take(); /* perhaps another's */
		CHECK_EQ(e.result, 1);
		__atomic_fetch_add((unsigned char *)(uintptr_t)e.token, 1, __ATOMIC_RELAXED);
	}
	/* What it submitted, others' too, would come back undone. */
	pthread_barrier_wait(&all_done);
	return NULL;
}

TEST(threads_that_submit_at_once)
{
	static unsigned char seen[THREADS][EACH];
	pthread_t t[THREADS];

	open_ring();
	CHECK_EQ(pthread_barrier_init(&all_done, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, give_many, seen[i]), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	for (int i = 0; i < THREADS; i++)
		for (int k = 0; k < EACH; k++)
			CHECK_EQ(seen[i][k], 1);
	leat__os_uring_drop();
}

/* The last: it stays so. */
TEST(a_ring_that_was_forbidden_says_so)
{
	struct sock_filter steps[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {ARRAY_LEN(steps), steps};
	struct leat__uring_request r = read_one();
	uint32_t place;

	open_ring();
	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
	CHECK(leat__os_uring_put(&r, 1, &place));
	CHECK_EQ(leat__os_uring_submit(place), -EPERM);
}

int main(int argc, char **argv)
{
	CHECK_EQ(pipe(ends), 0);
	ring = leat__os_uring_open();
	if (ring == -ENOSYS) {
		printf("no io_uring here\n");
		return 77;
	}
	leat__os_uring_drop();
	return test_main(argc, argv);
}
