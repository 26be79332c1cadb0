/* SPDX-License-Identifier: MIT */
/*
 * Goal: making, measuring and freeing channels.  Method: from one goroutine, with parked helpers where
 * a waiter is needed; impossible sizes are asked for under leat_catch.
 */
#include "chan_help.h"

struct huge {
	char bytes[1 << 20];
};

struct make_args {
	size_t elem_bytes;
	ptrdiff_t cap;
};

static void make_raw(void *p)
{
	struct make_args *a = p;
	leat_chan *c = leat_chan_make(a->elem_bytes, a->cap);

	/* Only reached when the panic is missing; the check of the caller then fails. */
	leat_chan_free(c);
}

static void make_typed(void *p)
{
	ptrdiff_t *cap = p;
	chan(struct huge) c = chan_make(struct huge, *cap);

	chan_free(c);
}

TEST(line_34_make_rejects_impossible_sizes)
{
	static struct make_args bad[] = {
	    {4, -1},
	    {0, -1},
	    {1, PTRDIFF_MIN},
	    {1, PTRDIFF_MAX},
	    {2, PTRDIFF_MAX},
	    {3, PTRDIFF_MAX},
	    {8, PTRDIFF_MAX / 8},
	    {16, PTRDIFF_MAX / 8},
	    {SIZE_MAX, 1},
	    {SIZE_MAX, 2},
	    {SIZE_MAX / 2 + 1, 2},
	    {(size_t)1 << 32, (ptrdiff_t)1 << 32},
	    {1, (ptrdiff_t)1 << 56},
	    {(size_t)1 << 20, (ptrdiff_t)1 << 44},
	};
	ptrdiff_t caps[] = {-1, PTRDIFF_MIN, PTRDIFF_MAX, (ptrdiff_t)1 << 43};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bool said = test_panics(make_raw, &bad[i], "makechan: size out of range");

		if (!said)
			fprintf(stderr, "elem_bytes %zu, cap %td\n", bad[i].elem_bytes, bad[i].cap);
		CHECK(said);
	}
	for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
		CHECK(test_panics(make_typed, &caps[i], "makechan: size out of range"));
}

TEST(line_34_failed_make_keeps_no_memory)
{
	struct make_args bad[] = {{4, -1}, {8, PTRDIFF_MAX}};
	int n = test_count(100000);
	size_t before;

	for (int i = 0; i < 10; i++)
		CHECK(test_panics(make_raw, &bad[i % 2], "makechan: size out of range"));
	before = test_heap_in_use();
	for (int i = 0; i < n; i++)
		CHECK(leat_catch(make_raw, &bad[i % 2], NULL));
	CHECK(test_heap_in_use() < before + 64 * 1024);

	/* And the maker is as good as before. */
	chan(int) c = chan_make(int, 2);
	chan_send(c, 1);
	CHECK_EQ(chan_recv(c), 1);
	chan_free(c);
}

TEST(line_34_make_takes_any_size_that_fits)
{
	for (int cap = 0; cap <= 200; cap++) {
		leat_chan *c = leat_chan_make(7, cap);

		CHECK(c);
		CHECK_EQ(leat_chan_cap(c), cap);
		leat_chan_free(c);
	}

	chan(struct huge) h = chan_make(struct huge, 3);
	static struct huge v;

	for (int i = 0; i < 3; i++) {
		memset(&v, 'a' + i, sizeof v);
		leat_chan_send((leat_chan *)(void *)h, &v);
	}
	for (int i = 0; i < 3; i++) {
		memset(&v, 0, sizeof v);
		CHECK(leat_chan_recv((leat_chan *)(void *)h, &v));
		CHECK_EQ(v.bytes[0], 'a' + i);
		CHECK_EQ(v.bytes[sizeof v.bytes - 1], 'a' + i);
	}
	chan_free(h);
}

TEST(line_35_len_and_cap)
{
	chan(int) c = chan_make(int, 5);
	chan(int) u = chan_make(int, 0);

	CHECK_EQ(chan_len(c), 0);
	CHECK_EQ(chan_cap(c), 5);
	CHECK_EQ(chan_len(u), 0);
	CHECK_EQ(chan_cap(u), 0);
	for (int i = 1; i <= 5; i++) {
		chan_send(c, i);
		CHECK_EQ(chan_len(c), i);
		CHECK_EQ(chan_cap(c), 5);
		CHECK_EQ(chan_len(chan_sender(c)), i);
		CHECK_EQ(chan_cap(chan_receiver(c)), 5);
	}
	CHECK(!chan_try_send(c, 6));
	CHECK_EQ(chan_len(c), 5);
	chan_close(c);
	CHECK_EQ(chan_len(c), 5);
	CHECK_EQ(chan_cap(c), 5);
	for (int i = 4; i >= 0; i--) {
		chan_recv(c);
		CHECK_EQ(chan_len(c), i);
	}
	chan_recv(c);
	CHECK_EQ(chan_len(c), 0);
	CHECK_EQ(chan_cap(c), 5);
	chan_free(c);
	chan_free(u);
}

TEST(line_35_null_channel_has_no_len_and_cap)
{
	chan(int) c = NULL;
	send_chan(int) s = NULL;
	recv_chan(int) r = NULL;

	CHECK_EQ(chan_len(c), 0);
	CHECK_EQ(chan_cap(c), 0);
	CHECK_EQ(chan_len(s), 0);
	CHECK_EQ(chan_cap(r), 0);
	CHECK_EQ(leat_chan_len(NULL), 0);
	CHECK_EQ(leat_chan_cap(NULL), 0);
}

struct send_int {
	chan(int) c;
	int v;
	leat_waitgroup *wg;
};

static void send_int(struct send_int *a)
{
	chan_send(a->c, a->v);
	leat_waitgroup_done(a->wg);
}

TEST(line_35_blocked_senders_and_receivers_do_not_count)
{
	leat_waitgroup wg = {0};

	for (int cap = 0; cap < 3; cap++) {
		chan(int) c = chan_make(int, cap);
		size_t base = leat_num_parked();

		for (int i = 0; i < cap; i++)
			chan_send(c, i);
		leat_waitgroup_add(&wg, 3);
		for (int i = 0; i < 3; i++)
			go(send_int, c, cap, &wg);
		test_parked(base + 3);
		CHECK_EQ(chan_len(c), cap);
		CHECK_EQ(chan_cap(c), cap);
		for (int i = 0; i < cap + 3; i++)
			CHECK_EQ(chan_recv(c), i < cap ? i : cap);
		leat_waitgroup_wait(&wg);
		CHECK_EQ(chan_len(c), 0);
		chan_free(c);
	}
}

struct recv_int {
	chan(int) c;
	int *v;
	leat_waitgroup *wg;
};

static void recv_int(struct recv_int *a)
{
	*a->v = chan_recv(a->c);
	leat_waitgroup_done(a->wg);
}

static void free_raw(void *c)
{
	leat_chan_free(c);
}

TEST(free_panics_while_someone_waits)
{
	static const char message[] = "chan_free: goroutines are waiting on the channel";
	chan(int) c = chan_make(int, 0);
	leat_waitgroup wg = {0};
	size_t base = leat_num_parked();
	int got = 0;

	leat_waitgroup_add(&wg, 1);
	go(recv_int, c, &got, &wg);
	test_parked(base + 1);
	CHECK(test_panics(free_raw, (void *)c, message));
	chan_send(c, 11);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(got, 11);

	leat_waitgroup_add(&wg, 1);
	go(send_int, c, 12, &wg);
	test_parked(base + 1);
	CHECK(test_panics(free_raw, (void *)c, message));
	CHECK_EQ(chan_recv(c), 12);
	leat_waitgroup_wait(&wg);
	chan_free(c);
}

TEST(free_of_null_and_of_full_channels)
{
	chan(int) none = NULL;

	chan_free(none);
	leat_chan_free(NULL);
	for (int i = 0; i < 1000; i++) {
		chan(int) c = chan_make(int, 8);

		for (int j = 0; j < i % 9; j++)
			chan_send(c, j);
		if (i % 2)
			chan_close(c);
		chan_free(c);
	}
}

TEST_MAIN
