/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: a coroutine costs a page and a little; one that has ended has given its stack back; where memory runs out
 * there is a panic, and nothing is leaked.
 */
#include "test.h"

#include "oom.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

struct number {
	int n;
};

static void number(coro(int) c, struct number *a)
{
	coro_yield(c, a->n);
	coro_yield(c, a->n + 1);
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t size = 0, pages = 0;

	CHECK(f && fscanf(f, "%zu %zu", &size, &pages) == 2);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

TEST(a_million_of_them)
{
	int n = test_count(1000000);
	coro(int) *all = calloc((size_t)n, sizeof *all);
	size_t before, each;
	int64_t sum = 0;
	int v;

	CHECK(all);
	for (int i = 0; i < n; i++)
		all[i] = NULL;
	before = resident();
	for (int i = 0; i < n; i++) {
		all[i] = coro_make(int, number, .n = i);
		CHECK(coro_next(all[i], &v));
		sum += v;
	}
	each = (resident() - before) / (size_t)n;
	for (int i = 0; i < n; i++) {
		CHECK(coro_next(all[i], &v));
		CHECK_EQ(v, i + 1);
		coro_free(all[i]);
	}
	CHECK_EQ(sum, (int64_t)n * (n - 1) / 2);
	free(all);
	if (!test_emulated() && n >= 10000)
		CHECK(each < 4600);
}

TEST(stacks_are_used_again)
{
	coro(int) kept[1000];
	size_t before = 0;
	int v;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 1000; i++) {
			kept[i] = coro_make(int, number, .n = i);
			while (coro_next(kept[i], &v))
				continue;
		}
		/* They have ended: their stacks are free though they are not. */
		if (round == 0)
			before = resident();
		for (int i = 0; i < 1000; i++)
			coro_free(kept[i]);
	}
	CHECK(resident() < before + (1 << 20));
}

static size_t mapped(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	CHECK(f && fscanf(f, "%zu", &pages) == 1);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* What signals find when a coroutine's stack is used up. */
static stack_t signal_stack(void)
{
	stack_t now;

	CHECK(sigaltstack(NULL, &now) == 0);
	return now;
}

static void *use_some(void *own)
{
	stack_t before;

	if (own) {
		CHECK(sigaltstack(&(stack_t){.ss_sp = own, .ss_size = 65536}, NULL) == 0);
		CHECK(leat_goid() == 0);
	}
	before = signal_stack();
	for (int i = 0; i < 2; i++) {
		coro_own(c, int, number, .n = 1);

		CHECK(coro_next(c, NULL));
		CHECK(!(signal_stack().ss_flags & SS_DISABLE));
		CHECK(!own || signal_stack().ss_sp == before.ss_sp);
	}
	return NULL;
}

static void in_a_thread(void *own)
{
	pthread_t id;

	CHECK(pthread_create(&id, NULL, use_some, own) == 0);
	CHECK(pthread_join(id, NULL) == 0);
}

/* Which it gets with its first coroutine, unless it has one, and which goes with it. */
TEST(a_thread_has_a_stack_for_signals)
{
	void *own = malloc(65536);
	size_t before = 0;

	CHECK(own);
	for (int i = 0; i < 100; i++) {
		in_a_thread(NULL);
		in_a_thread(own);
		if (i == 10)
			before = mapped();
	}
	CHECK(mapped() < before + (2 << 20));
	free(own);
}

static int make_some(void *unused)
{
	coro_own(a, int, number, .n = 1);
	coro_own(b, int, number, .n = 2);
	int v = 0;

	(void)unused;
	CHECK(coro_next(a, &v) && coro_next(b, &v));
	return v == 2 ? 0 : -1;
}

TEST(out_of_memory)
{
	oom_skip();
	__atomic_store_n(&oom_maps, true, __ATOMIC_RELAXED);
	CHECK(oom_each(make_some, NULL) >= 2);
	__atomic_store_n(&oom_maps, false, __ATOMIC_RELAXED);
}

static void make_large(void *unused)
{
	(void)unused;
	leat_coro_free(leat_coro_make(&(leat_coro_opts){.stack_bytes = 1 << 30}, 4,
	                              (void (*)(leat_coro *, void *))(void (*)(void))number, NULL, 0));
}

/* Address space for another gigabyte is not to be had. */
TEST(out_of_memory_for_a_stack)
{
	size_t heap;
	struct rlimit before, tight;
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	CHECK(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	make_large(NULL);
	if (test_emulated())
		return; /* the limit would be the emulator's */
	CHECK(getrlimit(RLIMIT_AS, &before) == 0);
	tight = before;
	tight.rlim_cur = (rlim_t)pages * 4096 + (256 << 20);
	CHECK(setrlimit(RLIMIT_AS, &tight) == 0);
	heap = test_heap_in_use();
	CHECK(test_panics(make_large, NULL, "out of memory"));
	CHECK_EQ(test_heap_in_use(), heap);
	CHECK(setrlimit(RLIMIT_AS, &before) == 0);
	make_large(NULL);
}

TEST_MAIN
