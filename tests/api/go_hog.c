/* SPDX-License-Identifier: MIT */
/*
 * Goal: a goroutine that computes without ever calling leat delays nobody else for long.
 * Method: hogs beside work, at one processor and at the number that was asked for; they look at a
 * plain flag, as a loop that calls nothing does.  The last test leaves an endless loop behind,
 * which the end of main must end.
 */
#define _GNU_SOURCE
#include "test.h"

#include <fcntl.h>
#include <stdatomic.h>

static atomic_bool stop;

struct hog {
	atomic_long *turns;
	leat_waitgroup *wg;
};

static void hog(struct hog *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	leat_waitgroup_done(a->wg);
}

__attribute__((noinline)) static long fib(int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static void call_hog(struct hog *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		fib(20);
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	}
	leat_waitgroup_done(a->wg);
}

/* Calls leat all the time, but nothing that parks. */
static void busy_caller(struct hog *a)
{
	chan(int) c = chan_make(int, 1);

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		chan_try_send(c, 1);
		chan_try_recv(c, NULL, NULL);
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	}
	chan_free(c);
	leat_waitgroup_done(a->wg);
}

static void read_hog(struct hog *a)
{
	int fds[2];
	char byte;

	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		CHECK(read(fds[0], &byte, 1) < 0);
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	}
	close(fds[0]);
	close(fds[1]);
	leat_waitgroup_done(a->wg);
}

/* Loses its processor inside malloc and inside stdio, with their locks held, and keeps them: nothing
   else runs on its thread. */
static void libc_hog(struct hog *a)
{
	FILE *f = fopen("/dev/null", "w");
	char *kept[16] = {0};

	CHECK(f != NULL);
	for (unsigned i = 0; !atomic_load_explicit(&stop, memory_order_relaxed); i++) {
		size_t bytes = (size_t)1 << i % 18;
		char **slot = &kept[i % 16];

		if (*slot)
			CHECK_EQ((unsigned char)**slot, (unsigned char)(i - 16));
		*slot = realloc(*slot, bytes);
		CHECK(*slot != NULL);
		**slot = (char)i;
		fprintf(f, "%u %g %s\n", i, i / 3.0, "to a stream of its own");
		fprintf(i % 1000 ? f : stderr, "%s", ""); /* and to one that all share */
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
	}
	for (int i = 0; i < 16; i++)
		free(kept[i]);
	fclose(f);
	leat_waitgroup_done(a->wg);
}

struct child {
	send_chan(int) out;
	int v;
};

static void child(struct child *a)
{
	chan_send(a->out, a->v);
}

/* Tick, spawn, meet and yield beside n hogs; both sides must get on. */
static void beside(void (*fn)(struct hog *), int n)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;
	chan(int) c = chan_make(int, 0);
	int64_t begin = leat_now();
	size_t before = leat_num_goroutine();
	long seen;

	stop = false;
	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go_as(hog, fn, &turns, &wg);
	test_until(atomic_load(&turns) > 0);
	for (int i = 0; i < 20; i++) {
		leat_sleep(LEAT_MILLISECOND);
		leat_yield();
		go(child, chan_sender(c), i);
		CHECK_EQ(chan_recv(c), i);
		free(malloc((size_t)1000 << i % 8));
		fflush(stderr);
	}
	seen = turns;
	test_until(atomic_load(&turns) > seen);
	stop = true;
	leat_waitgroup_wait(&wg);
	chan_free(c);
	test_goroutines(before);
	CHECK(leat_now() - begin < 30 * LEAT_SECOND);
}

static void beside_at_one(void (*fn)(struct hog *), int n)
{
	int procs = leat_procs(1);

	beside(fn, n);
	leat_procs(procs);
}

TEST(line_26_an_arithmetic_loop_at_one_processor)
{
	beside_at_one(hog, 1);
}

TEST(line_26_a_loop_of_calls_at_one_processor)
{
	beside_at_one(call_hog, 1);
}

TEST(line_26_a_loop_of_calls_into_leat_at_one_processor)
{
	beside_at_one(busy_caller, 1);
}

TEST(line_27_a_loop_of_reads_that_do_not_block)
{
	beside_at_one(read_hog, 1);
}

TEST(line_29_hogs_inside_malloc_and_stdio)
{
	beside_at_one(libc_hog, 4);
	beside(libc_hog, 4);
}

TEST(line_28_several_hogs)
{
	beside_at_one(hog, 4);
	beside(hog, 2 * leat_procs(0));
	beside(call_hog, leat_procs(0) + 1);
}

struct late_hog {
	atomic_int *begun;
	leat_waitgroup *wg;
};

static void late_hog(struct late_hog *a)
{
	atomic_fetch_add(a->begun, 1);
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	leat_waitgroup_done(a->wg);
}

/* Each has a time slice when its turn comes: a timer must not have to wait for all of them. */
TEST(line_28_a_timer_does_not_wait_for_hogs_that_have_yet_to_begin)
{
	enum { HOGS = 12 };
	int procs = leat_procs(1);
	leat_waitgroup wg = {0};
	atomic_int begun = 0;

	stop = false;
	leat_yield(); /* off a processor that is surplus now */
	leat_waitgroup_add(&wg, HOGS);
	for (int i = 0; i < HOGS; i++)
		go(late_hog, &begun, &wg);
	for (int i = 1; i <= 2; i++) {
		leat_sleep(LEAT_MILLISECOND);
		CHECK(begun <= 3 * i);
	}
	stop = true;
	leat_waitgroup_wait(&wg);
	CHECK_EQ(begun, HOGS);
	leat_procs(procs);
}

struct reader {
	int fd;
	leat_waitgroup *wg;
	atomic_int *inside;
};

static void reader(struct reader *a)
{
	char byte;

	atomic_fetch_add(a->inside, 1);
	{
		leat_blocking();
		CHECK_EQ(read(a->fd, &byte, 1), 1);
	}
	leat_waitgroup_done(a->wg);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The slice grows with those that compute without a processor, not with those that sleep: it would be
   3 seconds for each of the hogs.  Of CPU time, so a busy machine does not matter. */
TEST(line_28_hogs_beside_hundreds_that_block)
{
	int n = 300, fds[2], procs = leat_procs(1);
	leat_waitgroup wg = {0};
	atomic_int inside = 0;
	atomic_long turns = 0;
	double begin;

#ifdef TEST_SANITIZED
	n = 50;
#endif
	CHECK_EQ(pipe(fds), 0);
	stop = false;
	leat_waitgroup_add(&wg, n + 4);
	for (int i = 0; i < n; i++)
		go(reader, fds[0], &wg, &inside);
	test_until(atomic_load(&inside) == n);
	begin = cpu_seconds();
	for (int i = 0; i < 4; i++)
		go(hog, &turns, &wg);
	for (int i = 0; i < 4; i++)
		leat_sleep(LEAT_MILLISECOND);
	CHECK(cpu_seconds() - begin < 8);
	stop = true;
	for (int i = 0; i < n; i++)
		CHECK_EQ(write(fds[1], "x", 1), 1);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
	close(fds[0]);
	close(fds[1]);
	leat_procs(procs);
}

struct busy_sender {
	chan(int) c;
	leat_waitgroup *wg;
};

static void busy_sender(struct busy_sender *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		chan_select {
			case_send(a->c, 1) {
			}
			case_recv(a->c) {
			}
			case_timeout(10 * LEAT_MILLISECOND) {
			}
		}
	}
	leat_waitgroup_done(a->wg);
}

/* The two ready each other without end: the timer comes only if somebody looks at it meanwhile. */
TEST(line_27_two_busy_senders_do_not_delay_a_timer)
{
	int procs = leat_procs(1);
	chan(int) c = chan_make(int, 0), never = chan_make(int, 0);
	leat_waitgroup wg = {0};
	int fired = 0;

	stop = false;
	leat_waitgroup_add(&wg, 2);
	go(busy_sender, c, &wg);
	go(busy_sender, c, &wg);
	for (int i = 0; i < 5; i++) {
		int64_t begin = leat_now();

		chan_select {
			case_recv(never) {
			}
			case_timeout(20 * LEAT_MILLISECOND)
				fired++;
		}
		CHECK(leat_now() - begin >= 20 * LEAT_MILLISECOND);
		CHECK(leat_now() - begin < 5 * LEAT_SECOND);
	}
	CHECK_EQ(fired, 5);
	stop = true;
	leat_waitgroup_wait(&wg);
	chan_free(c);
	chan_free(never);
	leat_procs(procs);
}

/* A hog that lost its processor and then parks, yields and sleeps must come back each time. */
struct in_and_out {
	leat_waitgroup *wg;
	atomic_int *rounds;
};

static void in_and_out(struct in_and_out *a)
{
	for (int i = 0; i < 5; i++) {
		for (int64_t end = leat_now() + 15 * LEAT_MILLISECOND; leat_now() < end;)
			fib(18);
		leat_yield();
		leat_sleep(LEAT_MICROSECOND);
		atomic_fetch_add(a->rounds, 1);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_31_hogs_come_back)
{
	leat_waitgroup wg = {0};
	atomic_int rounds = 0;

	leat_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		go(in_and_out, &wg, &rounds);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(rounds, 30);
}

static atomic_bool spinning;

static void spin_for_ever(void)
{
	atomic_store(&spinning, true);
	for (;;)
		;
}

/* Last: nothing can end these but the end of main. */
TEST(line_26_endless_loops_let_main_tick_print_and_exit)
{
	leat_procs(1);
	go0(spin_for_ever);
	test_until(atomic_load(&spinning));
	go0(spin_for_ever);
	for (int i = 0; i < 10; i++) {
		leat_sleep(LEAT_MILLISECOND);
		printf("tick %d\n", i);
	}
}

TEST_MAIN
