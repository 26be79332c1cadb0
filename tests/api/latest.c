/* SPDX-License-Identifier: MIT */
/*
 * Goal: a latest value gives the newest to who asks, and to each subscriber what is newer than what it saw, at
 * once if there is one.
 * Method: one thread of control; then many setters and readers at once, that must all end with the last value.
 */
#include "chan_help.h"

#include <errno.h>

static LEAT_ERROR(out_of_paper, -EIO, "printer: out of paper");

TEST(the_newest_value)
{
	latest_cell(int) l = latest_make(int);
	int v = 7;

	CHECK(!latest_get_ok(l, &v));
	CHECK_EQ(v, 0);
	CHECK_EQ(latest_get(l), 0);
	latest_set(l, 0);
	CHECK(latest_get_ok(l, &v) && v == 0);
	for (int i = 1; i < 10; i++) {
		latest_set(l, i);
		CHECK_EQ(latest_get(l), i);
		CHECK(latest_get_ok(l, &v) && v == i);
	}
	latest_free(l);
}

TEST(subscribers_find_the_present_value_and_never_an_older_one)
{
	latest_cell(int) l = latest_make(int);
	recv_chan(int) early = latest_subscribe(l), late;

	CHECK(!chan_try_recv(early, NULL, NULL));
	latest_set(l, 1);
	late = latest_subscribe(l);
	CHECK_EQ(chan_recv(early), 1);
	CHECK_EQ(chan_recv(late), 1);
	CHECK(!chan_try_recv(late, NULL, NULL)); /* seen */
	for (int i = 2; i <= 5; i++)
		latest_set(l, i);
	CHECK_EQ(chan_len(early), 1);
	CHECK_EQ(broadcast_lagged(early), 3);
	CHECK_EQ(chan_recv(early), 5);
	CHECK(!chan_try_recv(early, NULL, NULL));
	latest_set(l, 6);
	CHECK_EQ(chan_recv(early), 6);
	CHECK_EQ(chan_recv(late), 6);
	latest_unsubscribe(l, late);
	latest_set(l, 7);
	late = latest_subscribe(l);
	CHECK_EQ(chan_recv(late), 7);
	latest_unsubscribe(l, early);
	latest_free(l);
}

TEST(close_leaves_the_last_value)
{
	latest_cell(int) l = latest_make(int);
	recv_chan(int) c = latest_subscribe(l), late;
	int v = 0, seen = 0;

	latest_set(l, 7);
	latest_set(l, 8);
	latest_close_with(l, &out_of_paper);
	CHECK_EQ(latest_get(l), 8);
	late = latest_subscribe(l);
	CHECK(chan_recv_ok(c, &v) && v == 8);
	CHECK(!chan_recv_ok(c, &v));
	CHECK(chan_reason(c) == &out_of_paper);
	chan_range(x, late)
		seen += x;
	CHECK_EQ(seen, 8);
	latest_free(l);
}

struct big {
	char name[100];
	int64_t check;
};

TEST(values_of_any_size)
{
	latest_cell(struct big) l = latest_make(struct big);
	latest_cell(leat_empty) e = latest_make(leat_empty);
	recv_chan(leat_empty) changed = latest_subscribe(e);
	struct big b = {.name = "one", .check = 42};

	latest_set(l, b);
	CHECK_STR(latest_get(l).name, "one");
	latest_set(l, (struct big){"two", 43});
	CHECK_EQ(latest_get(l).check, 43);
	CHECK(!chan_try_recv(changed, NULL, NULL));
	latest_set(e, {});
	latest_set(e, {});
	CHECK(chan_try_recv(changed, NULL, NULL));
	CHECK(!chan_try_recv(changed, NULL, NULL));
	latest_free(l);
	latest_free(e);
}

/* --- misuse */

static void make_large(void *arg)
{
	(void)arg;
	leat_latest_free(leat_latest_make((size_t)1 << 40));
}

static void set(void *l)
{
	leat_latest_set(l, &(int){1});
}

static void close_it(void *l)
{
	leat_latest_close(l);
}

static void free_it(void *l)
{
	leat_latest_free(l);
}

static void receive(void *c)
{
	leat_chan_recv(c, NULL);
}

struct of {
	leat_latest *l;
	leat_chan *c;
};

static void unsubscribe(void *p)
{
	leat_latest_unsubscribe(((struct of *)p)->l, ((struct of *)p)->c);
}

TEST(misuse_panics)
{
	leat_latest *l = leat_latest_make(sizeof(int));
	struct of mine = {l, leat_latest_subscribe(l)}, strange = {l, leat_chan_make(4, 1)};

	CHECK(test_panics(make_large, NULL, "makechan: size out of range"));
	CHECK(
	    test_panics(unsubscribe, &strange, "latest_unsubscribe: not a subscription of this cell"));
	start(GOROUTINE, receive, mine.c);
	test_parked(1);
	CHECK(test_panics(unsubscribe, &mine,
	                  "latest_unsubscribe: goroutines are waiting on the subscription"));
	CHECK(test_panics(free_it, l, "latest_free: goroutines are waiting on a subscription"));
	leat_latest_close(l);
	test_parked(0);
	CHECK(test_panics(close_it, l, "close of closed latest value"));
	CHECK(test_panics(set, l, "set of closed latest value"));
	leat_latest_unsubscribe(l, mine.c);
	leat_latest_unsubscribe(l, NULL);
	leat_chan_free(strange.c);
	leat_latest_free(l);
	leat_latest_free(NULL);
}

/* --- many at once */

enum { SETTERS = 3, READERS = 4 };

struct pair {
	int64_t n, twice;
};

struct all {
	latest_cell(struct pair) l;
	int rounds;
	atomic_int left; /* values to be set */
	leat_mutex order;
	leat_waitgroup setting, reading;
	int64_t plain; /* written before the first set */
};

static void set_many(void *p)
{
	struct all *a = p;

	for (;;) {
		int64_t n;

		/* The numbers go up in the order in which they are set. */
		leat_mutex_lock(&a->order);
		n = a->rounds - atomic_fetch_sub(&a->left, 1) + 1;
		if (n <= a->rounds)
			latest_set(a->l, (struct pair){n, 2 * n});
		leat_mutex_unlock(&a->order);
		if (n >= a->rounds)
			break;
		if (n % 16 == 0)
			leat_yield();
	}
	leat_waitgroup_done(&a->setting);
}

static void follow(void *p)
{
	struct all *a = p;
	recv_chan(struct pair) c = latest_subscribe(a->l);
	int64_t last = 0, seen = 0;
	uint64_t missed = 0;

	chan_range(v, c) {
		struct pair now = latest_get(a->l);

		CHECK_EQ(a->plain, 42);
		CHECK_EQ(v.twice, 2 * v.n);
		CHECK(v.n > last);
		CHECK(now.n >= v.n && now.twice == 2 * now.n);
		last = v.n;
		seen++;
	}
	missed = broadcast_lagged(c);
	CHECK_EQ(last, a->rounds);
	CHECK(seen + (int64_t)missed <= a->rounds);
	latest_unsubscribe(a->l, c);
	leat_waitgroup_done(&a->reading);
}

TEST(everybody_ends_with_the_last_value)
{
	struct all a = {.l = latest_make(struct pair), .rounds = test_count(300000), .plain = 42};

	atomic_store(&a.left, a.rounds);
	leat_waitgroup_add(&a.setting, SETTERS);
	leat_waitgroup_add(&a.reading, READERS);
	for (int i = 0; i < READERS; i++)
		start(i == 3 ? THREAD : GOROUTINE, follow, &a);
	for (int i = 0; i < SETTERS; i++)
		start(i == 2 ? THREAD : GOROUTINE, set_many, &a);
	leat_waitgroup_wait(&a.setting);
	CHECK_EQ(latest_get(a.l).n, a.rounds);
	latest_close(a.l);
	leat_waitgroup_wait(&a.reading);
	latest_free(a.l);
}

TEST_MAIN
