/* SPDX-License-Identifier: MIT */
/*
 * Goal: operations wait as long as they must, each gets its own end, and more than the ring has room for wait in turns.
 * Method: reads of an empty pipe, which end when the test says so.
 */
#include "sched/uring.h"

#include "sched/settings.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static int pipe_ends[2];
static _Atomic int ended, sum;

static void read_one(void)
{
	unsigned char c = 0;
	struct leat__uring_request r = {LEAT__URING_READ, pipe_ends[0], &c, 1, 0};
	int result = -1;

	CHECK(leat__uring_do(&r, &result));
	CHECK_EQ(result, 1);
	atomic_fetch_add(&sum, c);
	atomic_fetch_add(&ended, 1);
}

static void *read_in_thread(void *unused)
{
	(void)unused;
	read_one();
	return NULL;
}

static bool have_ring(void)
{
	struct leat__uring_request r = {LEAT__URING_WRITE, pipe_ends[1], "x", 1, 0};
	int result;
	char c;

	if (!leat__uring_do(&r, &result))
		return false;
	CHECK_EQ(result, 1);
	CHECK_EQ(read(pipe_ends[0], &c, 1), 1);
	return true;
}

/* n goroutines wait; the pipe gives each a number. */
static void wait_for(int n)
{
	int expected = 0;
	scope(s, NULL);

	atomic_store(&ended, 0);
	atomic_store(&sum, 0);
	for (int i = 0; i < n; i++)
		scope_go0(s, read_one);
	test_parked(n);
	CHECK_EQ(atomic_load(&ended), 0);
	for (int i = 0; i < n; i++) {
		unsigned char c = (unsigned char)(i % 100);

		expected += c;
		CHECK_EQ(write(pipe_ends[1], &c, 1), 1);
	}
	scope_wait(s);
	CHECK_EQ(atomic_load(&ended), n);
	CHECK_EQ(atomic_load(&sum), expected);
}

TEST(each_gets_its_own_end)
{
	for (int round = 0; round < test_count(300); round++)
		wait_for(1 + round % 20);
}

TEST(more_than_there_is_room_for_wait_in_turns)
{
	wait_for((int)leat__os_uring_room() + 300);
	wait_for(10);
}

TEST(threads_wait_and_are_no_deadlock)
{
	pthread_t t[4];

	atomic_store(&ended, 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, read_in_thread, NULL), 0);
	test_parked(4);
	CHECK_EQ(write(pipe_ends[1], "abcd", 4), 4);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(atomic_load(&ended), 4);
}

TEST(what_fails_says_why)
{
	char c;
	struct leat__uring_request r = {LEAT__URING_READ, -1, &c, 1, 0};
	int result = 0;

	CHECK(leat__uring_do(&r, &result));
	CHECK_EQ(result, -EBADF);
	/* Left to a plain call. */
	r = (struct leat__uring_request){LEAT__URING_SYNC, pipe_ends[0], NULL, 0, 0};
	CHECK(!leat__uring_do(&r, &result));
}

TEST(where_it_is_not_wanted_nothing_is_done)
{
	struct leat__uring_request r = {LEAT__URING_WRITE, pipe_ends[1], "x", 1, 0};
	int result;

	leat__settings.uring = LEAT__URING_NEVER;
	CHECK(!leat__uring_do(&r, &result));
	leat__settings.uring = LEAT__URING_WAITS;
}

int main(int argc, char **argv)
{
	CHECK_EQ(pipe(pipe_ends), 0);
	leat_yield(); /* settings are read */
	if (!have_ring()) {
		printf("no io_uring here\n");
		return 77;
	}
	return test_main(argc, argv);
}
