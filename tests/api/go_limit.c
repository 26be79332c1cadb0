/* SPDX-License-Identifier: MIT */
/* CTEST: nosan */
/*
 * Goal: where address space runs out, starting one more goroutine panics "out of memory"; all that were
 * started before run and end, and then there is room for others.
 * Method: RLIMIT_AS.  Sanitizers need more address space than any limit.
 */
#include "test.h"

#include <stdatomic.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { ROOM = 80 << 20, MOST = 2000000 };

struct parker {
	chan(int) c;
	atomic_long *ended;
};

static void parker(struct parker *a)
{
	chan_recv(a->c);
	atomic_fetch_add(a->ended, 1);
}

struct attempt {
	const leat_go_opts *opts;
	chan(int) c;
	atomic_long *ended;
	long started;
};

static void start_all(void *arg)
{
	struct attempt *a = arg;

	for (; a->started < MOST; a->started++) {
		go_with(a->opts, parker, a->c, a->ended);
		if (a->started % 16 == 0)
			leat_yield();
	}
}

static void check_limit(const leat_go_opts *opts)
{
	atomic_long ended = 0;
	struct attempt a = {.opts = opts, .c = chan_make(int, 0), .ended = &ended};

	CHECK(test_panics(start_all, &a, "out of memory"));
	fprintf(stderr, "\t%ld goroutines\n", a.started);
	CHECK(a.started > 0);
	/* Whoever found no stack yet gets that of one that ends. */
	chan_close(a.c);
	test_until(atomic_load(&ended) == a.started);
	test_goroutines(1);
	chan_free(a.c);
}

static void limit_address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages;
	struct rlimit limit;

#ifdef __GLIBC__
	/* Else a thread's first malloc may take 64 MiB of address space for itself. */
	mallopt(M_ARENA_MAX, 1);
#endif
	/* The runtime's own threads first. */
	leat_sleep(1);
	CHECK(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + ROOM;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

TEST(line_09_when_memory_is_out_go_panics_and_nothing_is_lost)
{
	limit_address_space();
	check_limit(&(leat_go_opts){.stack_bytes = 16 << 20});
	for (int round = 0; round < 3; round++)
		check_limit(NULL);
	check_limit(&(leat_go_opts){.stack_bytes = 32 << 10});
	check_limit(&(leat_go_opts){.stack_bytes = 2048});
	check_limit(NULL);
}

TEST_MAIN
