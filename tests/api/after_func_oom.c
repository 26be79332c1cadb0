/* SPDX-License-Identifier: MIT */
/* CTEST: nosan */
/*
 * Goal: where address space runs out leat_after_func panics "out of memory"; all timers that were made before are as they
 * were, and when they have been freed there is room for others.
 * Method: RLIMIT_AS.  Sanitizers need more address space than any limit.
 */
#include "test.h"

#include <sys/resource.h>

enum { MOST = 4000000 };

static leat_timer *timers[MOST];
static int made;

static void never(void *arg)
{
	(void)arg;
	CHECK(!"it is an hour away");
}

static void make_one(void *arg)
{
	(void)arg;
	timers[made] = leat_after_func(LEAT_HOUR + made % 1000 * LEAT_SECOND, never, NULL);
	made++;
}

static void make_all(void *arg)
{
	while (made < MOST)
		make_one(arg);
}

static void limit_address_space(rlim_t room)
{
	FILE *f = fopen("/proc/self/statm", "r");
	struct rlimit limit;
	unsigned long pages;

	CHECK(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = (rlim_t)pages * 4096 + room;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

TEST(no_memory_for_another)
{
	if (test_emulated())
		return; /* the limit would be the emulator's */
	make_one(NULL);
	/* What finds no more of it: now the timer itself, now the place in their queue, which grows by doubling. */
	for (rlim_t room = 10 << 20; room < 60 << 20; room += 5 << 20) {
		limit_address_space(room);
		CHECK(test_panics(make_all, NULL, "out of memory"));
		CHECK(made > 10000);
		CHECK(test_panics(make_one, NULL, "out of memory"));
		for (int i = 0; i < made; i++) {
			CHECK(leat_timer_stop(timers[i]));
			leat_timer_free(timers[i]);
		}
		made = 0;
	}
	make_one(NULL);
	CHECK(leat_timer_reset(timers[0], LEAT_HOUR));
	leat_timer_free(timers[0]);
}

TEST_MAIN
