/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,8 nomigrate */
/*
 * Goal: memory that a burst of goroutines used goes back to the system, while the program does other
 * things or nothing; rounds of goroutines do not add up.
 * Method: VmRSS, looked at until it is low; nothing is assumed about how soon, but for a minute.
 */
#include "test.h"

#include <alloca.h>
#include <stdatomic.h>

static long status_kib(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	size_t n = strlen(field);
	long kib = -1;

	CHECK(f != NULL);
	while (kib < 0 && fgets(line, sizeof line, f))
		if (strncmp(line, field, n) == 0)
			kib = strtol(line + n + 1, NULL, 10);
	fclose(f);
	CHECK(kib >= 0);
	return kib;
}

struct deep {
	size_t bytes;
	chan(int) c;
};

static void deep(struct deep *a)
{
	memset(alloca(a->bytes), 1, a->bytes);
	__asm__ volatile("" ::: "memory");
	chan_recv(a->c);
}

/* n goroutines use so much stack at once, and end. */
static long burst(const leat_go_opts *opts, size_t bytes, int n)
{
	chan(int) c = chan_make(int, 0);
	long peak;

	for (int i = 0; i < n; i++)
		go_with(opts, deep, bytes, c);
	test_parked(n);
	peak = status_kib("VmRSS");
	chan_close(c);
	test_goroutines(1);
	chan_free(c);
	return peak;
}

/* Sanitizers keep memory of their own for each stack. */
#ifndef TEST_SANITIZED
static void rest(void)
{
	leat_sleep(20 * LEAT_MILLISECOND);
}

/* As leat sees it main does not call: then nothing at all runs. */
static void rest_outside(void)
{
	usleep(20000);
}

/* What must be gone again of n times bytes, allowing for descriptors, headers and caches. */
static void check_given_back(const leat_go_opts *opts, size_t bytes, int n, void (*wait)(void))
{
	long before, peak, now, used = (long)(bytes * (size_t)n / 1024);
	int64_t end;

	burst(opts, bytes, 1);
	before = status_kib("VmRSS");
	peak = burst(opts, bytes, n);
	/* Unless as much is still there from the time before, and used again. */
	CHECK(peak - before > used / 2 || before > used / 2);
	end = leat_now() + LEAT_MINUTE;
	do {
		wait();
		now = status_kib("VmRSS");
		CHECK(leat_now() < end);
	} while (now - before > (peak - before) / 5 + 1024);
	fprintf(stderr, "\t%ld KiB, then %ld, then %ld\n", before, peak, now);
}

TEST(line_10_deep_stacks_give_their_pages_back)
{
	check_given_back(NULL, 60000, test_count(20000), rest);
	check_given_back(NULL, 60000, test_count(20000), rest_outside);
}

TEST(line_10_stacks_of_other_sizes_give_their_pages_back)
{
	check_given_back(&(leat_go_opts){.stack_bytes = 1 << 20}, 900000, test_count(1000), rest);
	check_given_back(&(leat_go_opts){.stack_bytes = 16 << 10}, 12000, test_count(50000), rest);
}

TEST(line_10_packed_stacks_give_their_pages_back)
{
	check_given_back(&(leat_go_opts){.stack_bytes = 2048}, 1000, test_count(300000), rest);
	check_given_back(&(leat_go_opts){.stack_bytes = 4096}, 3000, test_count(100000), rest_outside);
}
#endif

TEST(line_10_100_rounds_of_10000_goroutines_do_not_grow)
{
	int rounds = test_count(100) < 3 ? 3 : test_count(100), n = test_count(100000) / 10;
	long before = 0;

	for (int i = 0; i < rounds; i++) {
		burst(i % 2 ? NULL : &(leat_go_opts){.stack_bytes = 2048}, 500, n);
		if (i == 1)
			before = status_kib("VmRSS");
	}
	fprintf(stderr, "\tgrown by %ld KiB\n", status_kib("VmRSS") - before);
#ifndef TEST_SANITIZED
	CHECK(status_kib("VmRSS") - before < 8192);
#endif
}

/* Work goes on while stacks are given back and taken again. */
TEST(line_10_stacks_are_given_back_while_others_are_taken)
{
	int64_t end = leat_now() + 3 * LEAT_SECOND;

	for (int i = 0; leat_now() < end; i++) {
		burst(NULL, 5000, 500);
		burst(&(leat_go_opts){.stack_bytes = (size_t)2048 << i % 8}, 1000, 500);
		leat_sleep(i % 4 * 100 * LEAT_MILLISECOND);
	}
}

TEST_MAIN
