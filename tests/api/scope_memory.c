/* SPDX-License-Identifier: MIT */
/*
 * Goal: memory and channels of a scope: zeroed, aligned, apart from each other, and gone with the
 * scope.
 * Method: every byte is looked at and overwritten; memory in use after rounds that would add up to
 * a gigabyte; the address and leak sanitizers do the rest.
 */
#include "test.h"

#include <malloc.h>
#include <stdatomic.h>

struct piece {
	unsigned char *at;
	size_t bytes;
};

TEST(memory_is_zeroed_aligned_and_apart)
{
	static const size_t sizes[] = {1,   2,   15,   16,   17,   31,    48,    100,   255,
	                               256, 513, 1000, 4095, 4096, 10000, 65536, 65537, 200000};
	enum { SIZES = sizeof sizes / sizeof sizes[0], N = 400 };

	for (int round = 0; round < 5; round++) {
		struct piece pieces[N];
		scope(s, NULL);

		for (int i = 0; i < N; i++) {
			struct piece *p = &pieces[i];

			p->bytes = sizes[(i * 7 + round) % SIZES];
			p->at = leat_scope_alloc(s, p->bytes);
			CHECK(p->at != NULL);
			CHECK_EQ((uintptr_t)p->at % 16, 0);
			for (size_t k = 0; k < p->bytes; k++)
				CHECK_EQ(p->at[k], 0);
			memset(p->at, i & 0xff, p->bytes);
		}
		for (int i = 0; i < N; i++)
			for (size_t k = 0; k < pieces[i].bytes; k++)
				CHECK_EQ(pieces[i].at[k], i & 0xff);
	}
}

TEST(typed_memory)
{
	struct point {
		double x, y;
		char name[9];
	};
	scope(s, NULL);
	struct point *points = scope_alloc(s, struct point, 1000);
	long double *numbers = scope_alloc(s, long double, 3);
	char *none = scope_alloc(s, char, 0);

	(void)none; /* may be NULL or not, but must not fail */
	for (int i = 0; i < 1000; i++) {
		CHECK(points[i].x == 0 && points[i].y == 0 && points[i].name[8] == 0);
		points[i] = (struct point){i, -i, "abcdefgh"};
	}
	for (int i = 0; i < 3; i++)
		CHECK(numbers[i] == 0);
	CHECK(points[999].x == 999);
}

TEST(large_memory_is_zeroed)
{
	size_t bytes = (size_t)32 << 20;

	for (int i = 0; i < 3; i++) {
		scope(s, NULL);
		unsigned char *p = leat_scope_alloc(s, bytes);

		for (size_t k = 0; k < bytes; k += 4096)
			CHECK_EQ(p[k], 0);
		CHECK_EQ(p[bytes - 1], 0);
		memset(p, 0xff, bytes);
	}
}

static void too_much(void *arg)
{
	void *p = leat_scope_calloc(arg, SIZE_MAX / 2, 4);

	CHECK(p == NULL); /* not reached; uses the result */
}

static void almost_all(void *arg)
{
	void *p = leat_scope_alloc(arg, SIZE_MAX - 8);

	CHECK(p == NULL);
}

#ifndef TEST_SANITIZED
static void a_huge_lot(void *arg)
{
	void *p = leat_scope_alloc(arg, (size_t)1 << 60);

	CHECK(p == NULL);
}
#endif

TEST(what_does_not_fit_panics)
{
	scope(s, NULL);
	char *p;

	CHECK(test_panics(too_much, s, "out of memory"));
	CHECK(test_panics(almost_all, s, "out of memory"));
#ifndef TEST_SANITIZED
	CHECK(test_panics(a_huge_lot, s, "out of memory"));
#endif
	/* The scope is still good. */
	p = scope_alloc(s, char, 100);
	memset(p, 1, 100);
}

struct taker {
	leat_scope *s;
	int mark;
};

static void taker(struct taker *a)
{
	unsigned char *mine[50];

	for (int i = 0; i < 50; i++) {
		mine[i] = leat_scope_alloc(a->s, 100);
		for (int k = 0; k < 100; k++)
			CHECK_EQ(mine[i][k], 0);
		memset(mine[i], a->mark, 100);
		if (i % 8 == 0)
			leat_yield();
	}
	for (int i = 0; i < 50; i++)
		for (int k = 0; k < 100; k++)
			CHECK_EQ(mine[i][k], a->mark);
}

TEST(goroutines_of_the_scope_may_ask_at_once)
{
	for (int round = 0; round < 10; round++) {
		scope(s, NULL);

		for (int i = 1; i <= 40; i++)
			scope_go(s, taker, s, i);
		CHECK_EQ(scope_wait(s), 0);
	}
}

struct make_chan {
	leat_scope *s;
	send_chan(long) out;
};

static long chan_recv_one(chan(long) c, long want)
{
	return chan_recv(c) == want;
}

static void make_chan(struct make_chan *a)
{
	chan(long) c = scope_chan(a->s, long, 3);

	CHECK_EQ(chan_cap(c), 3);
	for (long i = 0; i < 3; i++)
		chan_send(c, i);
	for (long i = 0; i < 3; i++)
		chan_send(a->out, chan_recv_one(c, i));
}

TEST(channels_of_the_scope)
{
	scope(s, NULL);
	chan(long) c = scope_chan(s, long, 0);
	chan(char[100]) wide = scope_chan(s, char[100], 2);
	chan(leat_empty) empty = scope_chan(s, leat_empty, 5);

	CHECK_EQ(chan_cap(wide), 2);
	CHECK_EQ(chan_cap(empty), 5);
	for (int i = 0; i < 20; i++)
		scope_go(s, make_chan, s, chan_sender(c));
	for (int i = 0; i < 60; i++)
		CHECK_EQ(chan_recv(c), 1);
	CHECK_EQ(scope_wait(s), 0);
	chan_close(c);
}

static void free_it(void *c)
{
	leat_chan_free(c);
}

static void make_bad(void *s)
{
	leat_chan *c = leat_scope_chan(s, 8, -1);

	CHECK(c == NULL);
}

TEST(channels_of_the_scope_are_not_freed_by_hand)
{
	leat_panic_info info;
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, 1);

	CHECK(leat_catch(free_it, (void *)c, &info));
	CHECK(info.runtime);
	chan_send(c, 1);
	CHECK_EQ(chan_recv(c), 1);
	CHECK(test_panics(make_bad, s, "makechan: size out of range"));
}

/*
 * KiB that malloc has given and not taken back.  Resident memory would count what glibc keeps for
 * each thread too: up to 2 MiB here, and how many threads the rounds meet depends on the machine.
 */
static long given_kib(void)
{
#ifdef __GLIBC__
	struct mallinfo2 m = mallinfo2();

	return (long)((m.uordblks + m.hblkhd) / 1024);
#else
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, resident;

	CHECK(f != NULL);
	CHECK_EQ(fscanf(f, "%lu %lu", &size, &resident), 2);
	fclose(f);
	return (long)(resident * (size_t)sysconf(_SC_PAGESIZE) / 1024);
#endif
}

/* Fill a scope with n pieces and channels of all kinds, then leave it in one of three ways. */
static void fill_and_leave(void *arg)
{
	int how = *(int *)arg;
	scope(s, NULL);

	for (int i = 0; i < 64; i++) {
		chan(int) c = scope_chan(s, int, i);

		chan_try_send(c, i);
		memset(leat_scope_alloc(s, (size_t)i * 100 + 1), 1, (size_t)i * 100 + 1);
	}
	memset(leat_scope_alloc(s, 1 << 20), 1, 1 << 20);
	scope_done(s);
	if (how == 0)
		leat_panic("leave");
	if (how == 1)
		return;
	scope_cancel(s);
}

/* 1,000 rounds of more than 1 MiB: a leak of the blocks or of the channels alone would show. */
TEST(what_a_scope_owns_goes_with_it)
{
	int rounds = test_count(10000);
	long before = 0, grown;

	for (int i = 0; i < rounds; i++) {
		int how = i % 3;

		CHECK(leat_catch(fill_and_leave, &how, NULL) == (how == 0));
		if (i == rounds / 10)
			before = given_kib();
	}
	grown = given_kib() - before;
	fprintf(stderr, "\tgrown by %ld KiB\n", grown);
#ifndef TEST_SANITIZED
	CHECK(grown < 1024);
#endif
}

TEST_MAIN
