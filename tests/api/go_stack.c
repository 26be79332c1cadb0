/* SPDX-License-Identifier: MIT */
/*
 * Goal: stacks: all that was asked for is usable, 192 KiB by default; what ended goroutines leave
 * behind is used again.
 * Method: recursion that looks at its own addresses, so that frame sizes of compilers and
 * sanitizers do not matter; VmRSS over rounds.
 */
#include "test.h"

#include <alloca.h>
#include <stdatomic.h>

enum { DEFAULT_BYTES = 192 * 1024 };

/* Recurse until the stack below base is used up to bytes; returns the depth. */
__attribute__((noinline)) static long dig(volatile char *base, size_t bytes, size_t step)
{
	volatile char *frame = alloca(step);
	long depth;

	frame[0] = frame[step - 1] = 1;
	if ((uintptr_t)base - (uintptr_t)frame + 2 * step + 1024 >= bytes)
		return 1;
	depth = dig(base, bytes, step);
	CHECK_EQ(frame[0] + frame[step - 1], 2);
	return depth + 1;
}

struct digger {
	size_t bytes, step;
	leat_waitgroup *wg;
	atomic_long *depth;
};

static void digger(struct digger *a)
{
	volatile char here = 0;

	/* What the entry itself took is not ours to use: leave half a KiB for it. */
	atomic_fetch_add(a->depth, dig(&here, a->bytes - 512, a->step));
	leat_waitgroup_done(a->wg);
}

static long dig_with(const leat_go_opts *opts, size_t bytes, size_t step, int n)
{
	leat_waitgroup wg = {0};
	atomic_long depth = 0;

	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go_with(opts, digger, bytes, step, &wg, &depth);
	leat_waitgroup_wait(&wg);
	return depth;
}

TEST(line_11_the_default_192_kib_are_usable)
{
	CHECK(dig_with(NULL, DEFAULT_BYTES, 256, 1) > 0);
	CHECK(dig_with(NULL, DEFAULT_BYTES, 64, 20) > 0);
	CHECK(dig_with(&(leat_go_opts){.name = "deep"}, DEFAULT_BYTES, 4096, 20) > 0);
}

TEST(line_11_stacks_of_other_sizes)
{
	static const size_t sizes[] = {64 << 10, 100000,  193 << 10, 256 << 10,
	                               256001,   1 << 20, 8 << 20,   64 << 20};

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
			CHECK(dig_with(&(leat_go_opts){.stack_bytes = sizes[i]}, sizes[i], 8192, 2) > 0);
}

/* Sanitizers' frames are larger than these stacks. */
TEST(line_11_small_stacks)
{
#ifndef TEST_SANITIZED
	static const size_t sizes[] = {8 << 10, 16 << 10, 32 << 10};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		CHECK(dig_with(&(leat_go_opts){.stack_bytes = sizes[i]}, sizes[i], 64, 50) > 0);
#endif
}

struct small {
	chan(int) c;
	leat_waitgroup *wg;
};

static void small(struct small *a)
{
	leat_yield();
	chan_recv(a->c);
	leat_waitgroup_done(a->wg);
}

/* However little is asked for, a goroutine can call leat. */
TEST(line_11_a_stack_of_one_byte_serves_calls_into_leat)
{
#ifndef TEST_SANITIZED
	chan(int) c = chan_make(int, 0);
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 100);
	for (int i = 0; i < 100; i++)
		go_with(&(leat_go_opts){.stack_bytes = i % 2 ? 1 : 4096}, small, c, &wg);
	test_parked(100);
	chan_close(c);
	leat_waitgroup_wait(&wg);
	chan_free(c);
#endif
}

TEST(line_11_a_stack_of_one_gib)
{
#ifndef TEST_SANITIZED
	size_t bytes = (size_t)1 << 30;

	CHECK(dig_with(&(leat_go_opts){.stack_bytes = bytes}, bytes, 1 << 20, 1) >= 1000);
#endif
}

struct large_args {
	char bytes[65536 - 2 * sizeof(void *)];
	leat_waitgroup *wg;
	atomic_long *depth;
};

static void large_args(struct large_args *a)
{
	volatile char here = 0;

	atomic_fetch_add(a->depth, dig(&here, 100 << 10, 256));
	for (size_t i = 0; i < sizeof a->bytes; i++)
		CHECK_EQ(a->bytes[i], 'a');
	leat_waitgroup_done(a->wg);
}

TEST(large_arguments_leave_room_to_work)
{
	static struct large_args args;
	leat_waitgroup wg = {0};
	atomic_long depth = 0;

	memset(args.bytes, 'a', sizeof args.bytes);
	args.wg = &wg;
	args.depth = &depth;
	leat_waitgroup_add(&wg, 5);
	for (int i = 0; i < 5; i++)
		leat_go((void (*)(void *))large_args, &args, sizeof args);
	leat_waitgroup_wait(&wg);
	CHECK(depth > 0);
}

/* A parked goroutine keeps what its deep stack holds while others come and go. */
struct keeper {
	chan(int) c;
	leat_waitgroup *wg;
	unsigned char mark;
};

static void keeper(struct keeper *a)
{
	volatile unsigned char room[32 << 10];

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = (unsigned char)(a->mark + i);
	chan_recv(a->c);
	for (size_t i = 0; i < sizeof room; i++)
		CHECK_EQ(room[i], (unsigned char)(a->mark + i));
	leat_waitgroup_done(a->wg);
}

TEST(line_11_parked_stacks_are_not_disturbed)
{
	chan(int) c = chan_make(int, 0);
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 100);
	for (int i = 0; i < 100; i++)
		go(keeper, c, &wg, (unsigned char)i);
	test_parked(100);
	for (int i = 0; i < 20; i++)
		dig_with(NULL, DEFAULT_BYTES, 512, 10);
	chan_close(c);
	leat_waitgroup_wait(&wg);
	chan_free(c);
}

static long rss_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	CHECK(f != NULL);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(f);
	CHECK(kib > 0);
	return kib;
}

/* Under sanitizers the figure is mostly theirs: they keep memory per stack and allocation. */
static void check_growth(long before, long limit_kib)
{
	long grown = rss_kib() - before;

	fprintf(stderr, "\tgrown by %ld KiB\n", grown);
#ifndef TEST_SANITIZED
	CHECK(grown < limit_kib);
#else
	(void)limit_kib;
#endif
}

static void park_and_end(int n)
{
	chan(int) c = chan_make(int, 0);
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(small, c, &wg);
	test_parked(n);
	chan_close(c);
	leat_waitgroup_wait(&wg);
	chan_free(c);
	test_goroutines(1);
}

TEST(line_10_ten_rounds_of_10000_goroutines_do_not_grow)
{
#ifdef TEST_SANITIZED
	int n = 500;
#else
	int n = 10000;
#endif
	long before;

	park_and_end(n);
	park_and_end(n);
	before = rss_kib();
	for (int round = 0; round < 10; round++)
		park_and_end(n);
	check_growth(before, 4096);
}

TEST(line_10_short_goroutines_do_not_grow)
{
	int n = test_count(1000000);
	long before = 0;

	for (int i = 0; i < n; i += 1000) {
		dig_with(NULL, 8 << 10, 1024, 1000);
		if (i == n / 10 / 1000 * 1000)
			before = rss_kib();
	}
	check_growth(before, 16384);
}

/* Larger stacks come back, too; each processor may keep some. */
TEST(line_10_stacks_of_other_sizes_do_not_grow)
{
	int rounds = test_count(2000);
	long before = 0;

	for (int i = 0; i < rounds; i++) {
		dig_with(&(leat_go_opts){.stack_bytes = 1 << 20}, 1 << 20, 16384, 4);
		if (i == rounds / 10)
			before = rss_kib();
	}
	check_growth(before, 65536);
}

TEST_MAIN
