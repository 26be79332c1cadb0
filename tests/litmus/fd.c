/* SPDX-License-Identifier: MIT */
/*
 * Goal: the word of a direction that waiters, edges, time-outs and closes meet on loses nobody: each
 * wait ends that has a reason to, and none ends without one.
 *
 * Method: a plain thread makes a descriptor ready at about the instant at which goroutines and another
 * thread park on it, time out, or are evicted.  A loss shows as standing still.
 */
#define _GNU_SOURCE
#include "litmus.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* Neither the memory nor the wrappers of the kernel's counter are of interest here. */
static bool take(int fd)
{
	eventfd_t n;

	if (eventfd_read(fd, &n) == 0)
		return true;
	CHECK_EQ(errno, EAGAIN);
	return false;
}

static int make(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE);

	CHECK(fd >= 0);
	return fd;
}

static int there, back; /* two semaphores */
static int rounds;
static _Atomic int turn;

static void *writer(void *arg)
{
	uint64_t random = 5;

	(void)arg;
	for (int i = 0; i < rounds; i++) {
		/* Sometimes so long that the others are asleep. */
		litmus_dither(&random, i % 16 ? 300 : 100000);
		CHECK_EQ(eventfd_write(there, 1), 0);
		while (!take(back))
			if (litmus_random(&random) % 4 == 0)
				CHECK_EQ(leat_wait_fd(back, POLLIN, LEAT_FOREVER), POLLIN);
		litmus_round();
	}
	return NULL;
}

TEST(edge_meets_a_wait)
{
	pthread_t thread;
	uint64_t random = 6;

	rounds = test_count(100000);
	there = make();
	back = make();
	thread = litmus_thread(writer, NULL);
	for (int i = 0; i < rounds; i++) {
		litmus_dither(&random, 300);
		while (!take(there))
			CHECK_EQ(leat_wait_fd(there, POLLIN, LEAT_FOREVER), POLLIN);
		CHECK_EQ(eventfd_write(back, 1), 0);
	}
	pthread_join(thread, NULL);
	CHECK_EQ(leat_close_fd(there), 0);
	CHECK_EQ(leat_close_fd(back), 0);
}

/* Two who wait for different edges register the descriptor at once: the kernel must tell both. */
static int ends[2]; /* of a connection with little room */

static void *peer(void *arg)
{
	uint64_t random = 14;
	char sink[4096];

	(void)arg;
	for (int i = 0; i < rounds; i++) {
		while (atomic_load(&turn) < 2 * i + 1)
			sched_yield();
		litmus_dither(&random, 5000);
		if (i % 2)
			CHECK_EQ(write(ends[1], "", 1), 1);
		while (read(ends[1], sink, sizeof sink) > 0)
			;
		if (i % 2 == 0)
			CHECK_EQ(write(ends[1], "", 1), 1);
		while (atomic_load(&turn) < 2 * i + 2)
			sched_yield();
		litmus_round();
	}
	return NULL;
}

struct direction {
	int events;
	leat_waitgroup *left;
};

static void direction(struct direction *d)
{
	CHECK_EQ(leat_wait_fd(ends[0], d->events, LEAT_FOREVER) & d->events, d->events);
	leat_waitgroup_done(d->left);
}

TEST(two_directions_register_at_once)
{
	pthread_t thread;
	char byte[1024] = {0};

	rounds = test_count(10000);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	CHECK_EQ(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int)), 0);
	thread = litmus_thread(peer, NULL);
	for (int i = 0; i < rounds; i++) {
		leat_waitgroup left = {0};

		while (write(ends[0], byte, sizeof byte) > 0)
			;
		leat_waitgroup_add(&left, 2);
		go(direction, .events = POLLOUT, .left = &left);
		go(direction, .events = POLLIN, .left = &left);
		atomic_store(&turn, 2 * i + 1);
		leat_waitgroup_wait(&left);
		CHECK_EQ(read(ends[0], byte, sizeof byte), 1);
		atomic_store(&turn, 2 * i + 2);
	}
	pthread_join(thread, NULL);
	CHECK_EQ(leat_close_fd(ends[0]), 0);
	CHECK_EQ(leat_close_fd(ends[1]), 0);
}

/* Several goroutines, for other events and with other time-outs, on one descriptor: each unit is taken
   once, and nobody sleeps while one is there. */
static _Atomic int taken, timeouts;

struct party {
	int seed, units;
};

static leat_waitgroup parties;

static void party(struct party *p)
{
	static const int events[] = {POLLIN, POLLIN | POLLPRI, POLLIN};
	uint64_t random = (uint64_t)p->seed + 11;

	while (atomic_load(&taken) < p->units) {
		if (take(there)) {
			if (atomic_fetch_add(&taken, 1) + 1 < p->units)
				CHECK_EQ(eventfd_write(back, 1), 0);
			litmus_round();
		} else {
			int64_t timeout = p->seed ? 1 + litmus_random(&random) % 30000 : LEAT_FOREVER;
			int result = leat_wait_fd(there, events[p->seed % 3], timeout);

			if (result == -ECANCELED)
				break;
			CHECK(result == POLLIN || (result == -ETIMEDOUT && p->seed));
			if (result == -ETIMEDOUT)
				atomic_fetch_add(&timeouts, 1);
		}
	}
	leat_waitgroup_done(&parties);
}

static void *giver(void *arg)
{
	int units = (int)(intptr_t)arg;
	uint64_t random = 8;

	for (int i = 0; i < units; i++) {
		litmus_dither(&random, i % 8 ? 500 : 30000);
		CHECK_EQ(eventfd_write(there, 1), 0);
		while (i + 1 < units && !take(back))
			CHECK_EQ(leat_wait_fd(back, POLLIN, LEAT_FOREVER), POLLIN);
	}
	return NULL;
}

TEST(edges_meet_timeouts)
{
	enum { PARTIES = 6 };
	int units = test_count(50000);
	pthread_t thread;

	there = make();
	back = make();
	atomic_store(&taken, 0);
	leat_waitgroup_add(&parties, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		go(party, .seed = i, .units = units);
	thread = litmus_thread(giver, (void *)(intptr_t)units);
	pthread_join(thread, NULL);
	test_until(atomic_load(&taken) == units);
	CHECK_EQ(leat_forget_fd(there), 0); /* those who wait for more */
	leat_waitgroup_wait(&parties);
	CHECK(atomic_load(&timeouts) > 0);
	CHECK_EQ(leat_close_fd(there), 0);
	CHECK_EQ(leat_close_fd(back), 0);
}

/* One life of a number after the other, each ended at some instant while others wait for the number: a
   wait that is too late for one life is ended by the end of the next. */
static _Atomic int number, done;

static void *closer(void *arg)
{
	uint64_t random = 21;

	(void)arg;
	for (int i = 0; !atomic_load(&done); i++) {
		int fd = make();

		atomic_store(&number, fd);
		litmus_dither(&random, i % 8 ? 3000 : 50000);
		if (i % 3 == 0)
			CHECK_EQ(eventfd_write(fd, 1), 0);
		CHECK_EQ(leat_close_fd(fd), 0);
	}
	return NULL;
}

static void *another_waiter(void *arg)
{
	(void)arg;
	while (!atomic_load(&done))
		leat_wait_fd(atomic_load(&number), POLLIN | POLLPRI, LEAT_FOREVER);
	return NULL;
}

TEST(close_meets_waits)
{
	pthread_t threads[2];
	int canceled = 0;

	rounds = test_count(10000);
	atomic_store(&done, 0);
	atomic_store(&number, -1);
	threads[0] = litmus_thread(closer, NULL);
	test_until(atomic_load(&number) >= 0);
	threads[1] = litmus_thread(another_waiter, NULL);
	while (canceled < rounds) {
		int result =
		    leat_wait_fd(atomic_load(&number), POLLIN, canceled % 2 ? LEAT_FOREVER : LEAT_HOUR);

		CHECK(result == -ECANCELED || result == -EBADF || result == POLLIN);
		if (result == -ECANCELED) {
			canceled++;
			litmus_round();
		} else {
			sched_yield(); /* between two lives, or ready: let the other one go on */
		}
	}
	atomic_store(&done, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i],
		             NULL); /* the other one's wait ended with the last life, at the latest */
}

TEST_MAIN
