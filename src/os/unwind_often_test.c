/* SPDX-License-Identifier: MIT */
/*
 * Goal: what leat__unwind_often gives, after a few frames of its own, is what leat__unwind_here gives.
 * Method: both at the same places, on several stacks, again and again, since the one remembers frames.
 */
#include "test.h"

#include "os/unwind.h"

#include <pthread.h>

#ifdef __GLIBC__
#define EXACT true /* its backtrace stands in for libunwind */
#else
#define EXACT false
#endif

enum { MOST = 200, OWN = 8 };

/* Where the caller goes on. */
__attribute__((noinline)) static void compare(void)
{
	void *here[MOST], *often[MOST];
	size_t n = leat__unwind_here(here, MOST, 1), m = leat__unwind_often(often, MOST), own = 0;

	if (!EXACT && !leat__unwind_is_loaded())
		return; /* along frame pointers there may be none */
	while (own < m && often[own] != here[0])
		own++;
	CHECK(n > 0 && own < OWN);
	CHECK_EQ(m - own, n);
	CHECK(memcmp(here, often + own, n * sizeof *here) == 0);
	CHECK(leat__unwind_often(often, 3) <= 3);
}

__attribute__((noinline)) static int down(int depth)
{
	volatile char space[100];
	int n = 1;

	space[0] = 1;
	compare();
	if (depth)
		n += down(depth - 1);
	return n + space[0];
}

static void goroutine(void)
{
	down(30);
	leat_yield(); /* perhaps to another thread */
	down(30);
}

static void *thread(void *arg)
{
	(void)arg;
	down(30);
	return NULL;
}

TEST(as_leat__unwind_here)
{
	pthread_t t;

	down(30);
	down(30);
	for (int i = 0; i < 20; i++)
		go0(goroutine);
	test_goroutines(1);
	CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
	pthread_join(t, NULL);
}

TEST(without_libunwind)
{
	if (!EXACT)
		return;
	leat__unwind_without_libraries = true;
	down(10);
	leat__unwind_without_libraries = false;
}

TEST_MAIN
