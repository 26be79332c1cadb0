/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: no wake-up is lost: whatever becomes runnable runs without waiting for another event.
 * Method: very many cycles of park and ready in which nothing else happens, so that one lost
 * wake-up stops everything; among goroutines, with plain threads, and through timers and system
 * calls.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

struct echo {
	chan(long) in, out;
};

static void echo(struct echo *a)
{
	chan_range(v, a->in)
		chan_send(a->out, v + 1);
	chan_close(a->out);
}

static void cycles(int cap, long n)
{
	chan(long) to = chan_make(long, cap), from = chan_make(long, cap);

	go(echo, to, from);
	for (long i = 0; i < n; i++) {
		chan_send(to, i);
		CHECK_EQ(chan_recv(from), i + 1);
	}
	chan_close(to);
	CHECK(!chan_recv_ok(from, &(long){0}));
	test_goroutines(1);
	chan_free(to);
	chan_free(from);
}

TEST(line_17_a_million_cycles_of_ready_and_park)
{
	cycles(0, test_count(1000000));
}

TEST(line_17_the_same_through_buffers)
{
	cycles(1, test_count(1000000));
}

struct ring {
	chan(long) from, to;
};

static void ring(struct ring *a)
{
	chan_range(v, a->from)
		chan_send(a->to, v - 1);
	chan_close(a->to);
}

/* Tokens run round a ring; several at once keep several processors waking each other. */
static void run_ring(int members, int tokens, long hops)
{
	chan(long) *links = calloc((size_t)members + 1, sizeof *links);
	int done = 0;

	CHECK(links != NULL);
	for (int i = 0; i <= members; i++)
		links[i] = chan_make(long, i == members ? tokens : 0);
	for (int i = 0; i < members; i++)
		go(ring, links[i], links[i + 1]);
	for (int i = 0; i < tokens; i++)
		chan_send(links[0], hops);
	while (done < tokens) {
		long v = chan_recv(links[members]);

		if (v <= 0)
			done++;
		else
			chan_send(links[0], v);
	}
	chan_close(links[0]);
	CHECK(!chan_recv_ok(links[members], &(long){0}));
	test_goroutines(1);
	for (int i = 0; i <= members; i++)
		chan_free(links[i]);
	free(links);
}

TEST(line_17_rings)
{
	run_ring(2, 1, test_count(200000));
	run_ring(7, 3, test_count(200000));
	run_ring(100, 20, test_count(100000));
}

static void *echo_in_thread(void *arg)
{
	echo(arg);
	return NULL;
}

/* Between two messages every processor is idle and asleep. */
TEST(line_17_cycles_with_a_plain_thread)
{
	struct echo e = {chan_make(long, 0), chan_make(long, 0)};
	long n = test_count(100000);
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, echo_in_thread, &e), 0);
	for (long i = 0; i < n; i++) {
		chan_send(e.in, i);
		CHECK_EQ(chan_recv(e.out), i + 1);
	}
	chan_close(e.in);
	pthread_join(thread, NULL);
	chan_free(e.in);
	chan_free(e.out);
}

struct sleeper {
	int64_t ns;
	leat_waitgroup *wg;
};

static void sleeper(struct sleeper *a)
{
	leat_sleep(a->ns);
	leat_waitgroup_done(a->wg);
}

TEST(line_17_cycles_of_timers)
{
	int n = test_count(20000);

	for (int i = 0; i < n; i++) {
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 2);
		go(sleeper, i % 7 * 1000, &wg);
		go(sleeper, i % 11 * 1000, &wg);
		leat_waitgroup_wait(&wg);
	}
}

struct caller {
	chan(int) c;
	int fd;
};

static void caller(struct caller *a)
{
	char byte;

	while (read(a->fd, &byte, 1) == 1)
		chan_send(a->c, byte);
	chan_close(a->c);
}

static void napper(struct caller *a)
{
	usleep(30);
	chan_send(a->c, 1);
}

/*
 * Everybody is asleep but for a system call that is about to return.  A deadlock reported here ends
 * the process.
 */
TEST(line_161_no_false_deadlock_beside_a_call_that_returns)
{
	int n = test_count(20000);
	chan(int) c = chan_make(int, 0);

	for (int i = 0; i < n; i++) {
		go_as(caller, napper, c, 0);
		CHECK_EQ(chan_recv(c), 1);
	}
	chan_free(c);
}

TEST(line_161_no_false_deadlock_beside_a_read)
{
	int n = test_count(20000), fds[2];
	chan(int) c = chan_make(int, 0);

	CHECK_EQ(pipe(fds), 0);
	go(caller, c, fds[0]);
	for (int i = 0; i < n; i++) {
		CHECK_EQ(write(fds[1], "\7", 1), 1);
		CHECK_EQ(chan_recv(c), 7);
	}
	close(fds[1]);
	CHECK(!chan_recv_ok(c, &(int){0}));
	test_goroutines(1);
	close(fds[0]);
	chan_free(c);
}

/* The last to run hands on to one that only sleeps: no moment of it is a deadlock. */
TEST(line_161_no_false_deadlock_beside_timers)
{
	int n = test_count(20000);

	for (int i = 0; i < n; i++) {
		recv_chan(int64_t) c = leat_after(i % 30 * 1000);
		bool late = false;

		chan_recv(c);
		chan_free(c);
		chan_select {
			case_timeout(i % 5 * 1000)
				late = true;
		}
		CHECK(late);
	}
}

TEST_MAIN
