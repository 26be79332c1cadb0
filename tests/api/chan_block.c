/* SPDX-License-Identifier: MIT */
/*
 * Goal: operations that can never happen block for ever, and harm nobody.  Method: each in a goroutine
 * or thread of its own, left parked for good while other traffic runs; what they touch is static, so
 * that it outlives main.
 */
#include "chan_help.h"

static _Atomic int returned;
static chan(int) null_chan;
static chan(int) self, self2;

static void null_send(void *p)
{
	(void)p;
	chan_send(null_chan, 1);
	atomic_fetch_add(&returned, 1);
}

static void null_recv(void *p)
{
	(void)p;
	chan_recv(null_chan);
	atomic_fetch_add(&returned, 1);
}

static void null_recv_ok(void *p)
{
	int v;

	(void)p;
	chan_recv_ok(null_chan, &v);
	atomic_fetch_add(&returned, 1);
}

static void null_raw(void *p)
{
	(void)p;
	leat_chan_recv(NULL, NULL);
	atomic_fetch_add(&returned, 1);
}

static void null_range(void *p)
{
	(void)p;
	chan_range(v, null_chan)
		atomic_fetch_add(&returned, v);
	atomic_fetch_add(&returned, 1);
}

static void null_select(void *p)
{
	(void)p;
	chan_select {
		case_recv(null_chan) {
		}
		case_send(null_chan, 1) {
		}
		case_recv(null_chan, v, ok)
			atomic_fetch_add(&returned, v + ok);
	}
	atomic_fetch_add(&returned, 1);
}

static void null_array(void *p)
{
	int v = 0;
	leat_case cases[12];

	(void)p;
	for (int i = 0; i < 12; i++)
		cases[i] = (leat_case){NULL, i % 2 ? LEAT_SEND : LEAT_RECV, &v};
	leat_select(cases, 12, LEAT_FOREVER, NULL);
	atomic_fetch_add(&returned, 1);
}

static void no_cases(void *p)
{
	(void)p;
	chan_select {
	}
	atomic_fetch_add(&returned, 1);
}

static void no_cases_array(void *p)
{
	(void)p;
	leat_select(NULL, 0, LEAT_FOREVER, NULL);
	atomic_fetch_add(&returned, 1);
}

static void guards_false(void *p)
{
	(void)p;
	chan_select {
		case_recv_if(false, self) {
		}
		case_send_if(returned < 0, self, 1) {
		}
	}
	atomic_fetch_add(&returned, 1);
}

static void self_select(void *p)
{
	(void)p;
	chan_select {
		case_send(self, 1) {
		}
		case_recv(self, v)
			atomic_fetch_add(&returned, v);
		case_send(self, 2) {
		}
	}
	atomic_fetch_add(&returned, 1);
}

/* Both directions of two channels; still nobody but itself. */
static void self_array(void *p)
{
	int v = 0;
	leat_chan *a = (leat_chan *)(void *)self2;
	leat_case cases[] = {{a, LEAT_RECV, &v},
	                     {a, LEAT_SEND, &v},
	                     {NULL, LEAT_SEND, &v},
	                     {a, LEAT_RECV, &v},
	                     {a, LEAT_SEND, &v}};

	(void)p;
	leat_select(cases, 5, LEAT_FOREVER, NULL);
	atomic_fetch_add(&returned, 1);
}

static void ping(void *p)
{
	chan(int) *c = p;

	chan_range(v, c[0])
		chan_send(c[1], v);
	chan_close(c[1]);
}

/* Start every fn of list as both kinds, and see them stay parked while messages go to and fro. */
static void stay_parked(void (*const *list)(void *), int n)
{
	chan(int) c[2] = {chan_make(int, 0), chan_make(int, 1)};
	size_t base = leat_num_parked(), goroutines = leat_num_goroutine();

	for (int k = 0; k < KINDS; k++)
		for (int i = 0; i < n; i++)
			start(k, list[i], NULL);
	test_parked(base + (size_t)n * KINDS);

	start(GOROUTINE, ping, c);
	for (int i = 0; i < 2000; i++) {
		chan_send(c[0], i);
		CHECK_EQ(chan_recv(c[1]), i);
		if (i % 100 == 0)
			leat_sleep(1);
	}
	chan_close(c[0]);
	chan_recv(c[1]);
	test_goroutines(goroutines + (size_t)n);
	CHECK_EQ(leat_num_parked(), base + (size_t)n * KINDS);
	CHECK_EQ(atomic_load(&returned), 0);
	chan_free(c[0]);
	chan_free(c[1]);
}

TEST(line_44_operations_on_null_block_for_ever)
{
	static void (*const list[])(void *) = {null_send, null_recv, null_recv_ok, null_raw};

	stay_parked(list, 4);
}

TEST(line_44_tries_on_null_fail)
{
	int v = 3;
	bool ok = true;

	CHECK(!chan_try_send(null_chan, 1));
	CHECK(!chan_try_recv(null_chan, &v, &ok));
	CHECK(!leat_chan_try_recv(NULL, NULL, NULL));
	CHECK(!leat_chan_try_send(NULL, &v));
	CHECK_EQ(v, 3);
	CHECK(ok);
}

TEST(line_61_select_without_a_possible_case_blocks_for_ever)
{
	static void (*const list[])(void *) = {null_select, null_array, no_cases, no_cases_array,
	                                       guards_false};

	if (!self)
		self = chan_make(int, 0);
	stay_parked(list, 5);
}

TEST(line_65_select_never_meets_itself)
{
	chan(int) c[2] = {chan_make(int, 0), chan_make(int, 0)};
	size_t base = leat_num_parked(), goroutines = leat_num_goroutine();
	int v = 0;

	/* One of a kind at a time: two would meet each other. */
	if (!self)
		self = chan_make(int, 0);
	self2 = chan_make(int, 0);
	start(GOROUTINE, self_select, NULL);
	start(GOROUTINE, self_array, NULL);
	test_parked(base + 2);
	start(GOROUTINE, ping, c);
	for (int i = 0; i < 2000; i++) {
		chan_send(c[0], i);
		CHECK_EQ(chan_recv(c[1]), i);
	}
	CHECK_EQ(atomic_load(&returned), 0);

	/* Another party is served at once, from either side. */
	CHECK(chan_try_recv(self, &v, NULL));
	CHECK(v == 1 || v == 2);
	test_until(atomic_load(&returned) == 1);
	CHECK(!chan_try_recv(self, &v, NULL));
	CHECK(!chan_try_send(self, 1));
	CHECK(chan_try_send(self2, 1));
	test_until(atomic_load(&returned) == 2);
	CHECK(!chan_try_recv(self2, &v, NULL));
	atomic_store(&returned, 0);

	chan_close(c[0]);
	chan_recv(c[1]);
	test_goroutines(goroutines);
	chan_free(self2);
	chan_free(c[0]);
	chan_free(c[1]);
}

TEST(line_73_range_over_null_blocks_for_ever)
{
	static void (*const list[])(void *) = {null_range};

	stay_parked(list, 1);
}

TEST_MAIN
