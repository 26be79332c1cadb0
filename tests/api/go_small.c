/* SPDX-License-Identifier: MIT */
/*
 * Goal: a goroutine on the smallest stack can make every call into leat: each uses at most half of the
 * 2 KiB.
 * Method: a goroutine on a large stack paints what lies below its frame, makes the call, in a loop that
 * meets the slow ways through it, too, and looks how far down the paint is gone.  Then the same calls
 * for real, on packed stacks, whose canaries are looked at each time they stop.
 */
#include "stack_use.h"
#include "test.h"

#include <stdatomic.h>

/* The frame of a select holds 8 cases, that of a catch a jmp_buf and a message: these need more. */
enum { LIMIT = 1024, SELECT_LIMIT = 1536, BUSY = 600 };

/* --- the calls */

static chan(int) ping, pong;
static leat_mutex mutex;
static leat_waitgroup group;
static atomic_bool stop;

struct echo {
	recv_chan(int) from;
	send_chan(int) to;
};

static void echo(struct echo *a)
{
	chan_range(v, a->from)
		chan_send(a->to, v);
}

struct in_crowd {
	recv_chan(int) end;
	leat_waitgroup *left;
};

static void in_crowd(struct in_crowd *a)
{
	chan_recv(a->end);
	leat_waitgroup_done(a->left);
}

static void rival(void)
{
	while (!atomic_load(&stop)) {
		{
			with_lock(&mutex);
			leat_yield();
		}
		/* The mutex is not fair: who is at it at once again keeps the others out. */
		leat_yield();
	}
	leat_waitgroup_done(&group);
}

static void nothing(void)
{
}

static void do_yield(void)
{
	for (int i = 0; i < 200; i++)
		leat_yield();
}

static void do_spawn(void)
{
	for (int i = 0; i < 3000; i++)
		go0(nothing);
	do_yield();
}

struct spawned {
	char bytes[100];
};

static void spawned(struct spawned *a)
{
	(void)a;
}

static void do_spawn_with(void)
{
	leat_go_opts named = {.name = "small"}, sized = {.stack_bytes = 65536};

	for (int i = 0; i < 200; i++)
		go_with(i % 2 ? &named : &sized, spawned, .bytes[0] = 1);
	do_yield();
}

static void do_channel(void)
{
	for (int i = 0; i < 500; i++) {
		chan_send(ping, i);
		CHECK_EQ(chan_recv(pong), i);
	}
}

/* Waking more than a processor's queue holds. */
static void do_close(void)
{
	chan(int) end = chan_make(int, 0);
	leat_waitgroup left = {0};

	leat_waitgroup_add(&left, BUSY);
	for (int i = 0; i < BUSY; i++)
		go(in_crowd, chan_receiver(end), &left);
	while (leat_num_parked() < BUSY)
		leat_yield();
	chan_close(end);
	leat_waitgroup_wait(&left);
	chan_free(end);
}

static void do_make(void)
{
	for (int i = 0; i < 100; i++) {
		chan(int) c = chan_make(int, i);

		CHECK(chan_len(c) == 0);
		chan_free(c);
	}
}

static void do_select(void)
{
	for (int i = 0; i < 300; i++) {
		chan_select {
			case_send(ping, i)
				;
			case_timeout(LEAT_MINUTE)
				CHECK(false);
		}
		chan_select {
			case_recv(pong, v)
				CHECK_EQ(v, i);
			case_recv(ping, v)
				CHECK_EQ(v, -1);
		}
	}
}

static void do_select_timeout(void)
{
	chan_select {
		case_recv(pong)
			CHECK(false);
		case_timeout(1000)
			;
	}
}

static void do_sleep(void)
{
	for (int i = 0; i < 10; i++)
		leat_sleep(1000 * i);
}

static void do_after(void)
{
	recv_chan(int64_t) at = leat_after(1000);

	chan_recv(at);
	chan_free(at);
}

static void do_mutex(void)
{
	atomic_store(&stop, false);
	leat_waitgroup_add(&group, 2);
	go0(rival);
	go0(rival);
	for (int i = 0; i < 300; i++) {
		with_lock(&mutex);
		leat_yield();
	}
	atomic_store(&stop, true);
	leat_waitgroup_wait(&group);
}

static void count(int *n)
{
	(*n)++;
}

static void do_defer(void)
{
	int n = 0;

	for (int i = 0; i < 10; i++) {
		defer(count, &n);
		defer(count, &n);
	}
	CHECK_EQ(n, 20);
}

static void do_scope(void)
{
	scope(s, NULL);

	for (int i = 0; i < 10; i++)
		scope_go0(s, nothing);
	CHECK(scope_alloc(s, int, 100) != NULL);
	CHECK_EQ(scope_wait(s), 0);
	scope_timeout(s, 1000);
	chan_recv(scope_done(s));
	CHECK(scope_err(s) != 0);
}

static void do_small_questions(void)
{
	CHECK(leat_goid() > 1);
	CHECK(leat_name() != NULL);
	CHECK(leat_now() > 0);
	CHECK(leat_num_goroutine() >= 1);
	leat_procs(0);
}

/* In a small goroutine the message is formatted elsewhere, so it is not measured here. */
static void complain(void *arg)
{
	(void)arg;
	leat_panic("%s %d %s", "a message of", 3, "parts");
}

static void misuse(void *arg)
{
	(void)arg;
	chan_close((chan(int))NULL);
}

static void do_misuse(void)
{
	CHECK(test_panics(misuse, NULL, "close of nil channel"));
}

static LEAT_TYPE(celsius, long double);

static void must_be_int(void *arg)
{
	(void)arg;
	any_must(int, any_of_type(celsius, 1));
}

/* Whoever reports a panic prints its value. */
static void do_any(void)
{
	char text[40];

	CHECK_EQ(leat_any_text(any_of_type(celsius, -1.5e-300L), text, sizeof text), 23);
	CHECK(leat_any_equal(any_of_type(celsius, 1), any_of_type(celsius, 1)));
	CHECK_EQ(leat_any_text(any_of((const void *)16), text, sizeof text),
	         strlen("(const void *) 0x10"));
}

static void do_wrong_any(void)
{
	CHECK(test_panics(must_be_int, NULL, "interface conversion: interface {} is celsius, not int"));
}

static const struct op {
	const char *name;
	void (*run)(void);
	size_t limit;
} ops[] = {
    {"go", do_spawn, LIMIT},
    {"go_with", do_spawn_with, LIMIT},
    {"yield", do_yield, LIMIT},
    {"send and receive", do_channel, LIMIT},
    {"close", do_close, LIMIT},
    {"make and free", do_make, LIMIT},
    {"select", do_select, SELECT_LIMIT},
    {"select with a timeout", do_select_timeout, SELECT_LIMIT},
    {"sleep", do_sleep, LIMIT},
    {"after", do_after, LIMIT},
    {"mutex", do_mutex, LIMIT},
    {"defer", do_defer, LIMIT},
    {"scope", do_scope, LIMIT},
    {"small questions", do_small_questions, LIMIT},
    {"panic and catch", do_misuse, SELECT_LIMIT},
    {"any", do_any, LIMIT},
    {"any_must and catch", do_wrong_any, SELECT_LIMIT},
};

static void set_up(void)
{
	ping = chan_make(int, 0);
	pong = chan_make(int, 0);
	go(echo, chan_receiver(ping), chan_sender(pong));
}

static void clean_up(void)
{
	chan_close(ping);
	test_goroutines(1);
	chan_free(ping);
	chan_free(pong);
}

static atomic_int done;

static void measure_all(void)
{
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		size_t bytes = use_of(ops[i].run);

		fprintf(stderr, "\t%zu bytes: %s\n", bytes, ops[i].name);
#ifndef TEST_SANITIZED
		CHECK(bytes <= ops[i].limit);
#endif
	}
	atomic_store(&done, 1);
}

/* First of all: threads are yet to be started, by whoever has work for them. */
TEST(line_11_no_call_uses_more_than_half_of_2_kib)
{
	/* Less than usual, so that leat does as on small ones. */
	leat_go_opts opts = {.stack_bytes = 128 << 10};

	set_up();
	atomic_store(&done, 0);
	leat_go_with(&opts, (void (*)(void *))(void (*)(void))measure_all, NULL, 0);
	test_until(atomic_load(&done) == 1);
	clean_up();
}

static void make_all(void)
{
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		ops[i].run();
	CHECK(test_panics(complain, NULL, "a message of 3 parts"));
	atomic_store(&done, 1);
}

TEST(line_11_every_call_can_be_made_on_2_kib)
{
	leat_go_opts small = {.stack_bytes = 2048};

	set_up();
	for (int i = 0; i < 20; i++) {
		atomic_store(&done, 0);
		leat_go_with(&small, (void (*)(void *))(void (*)(void))make_all, NULL, 0);
		test_until(atomic_load(&done) == 1);
	}
	clean_up();
}

TEST_MAIN
