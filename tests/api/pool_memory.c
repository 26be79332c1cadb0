/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/*
 * Goal: where there is no memory for an object's place in the pool, the object is dropped; nothing else happens.
 * Method: a malloc that fails while the test says so.
 */
#include "test.h"

#include "oom.h"

static long dropped;
static void *last;

static void drop(void *item, void *arg)
{
	(void)arg;
	last = item;
	dropped++;
}

TEST(without_memory_what_has_no_place_is_dropped)
{
	static char objects[100];
	leat_pool p = {.drop = drop};
	int n = 0;

	oom_skip();
	CHECK(leat_pool_get(&p) == NULL); /* the runtime has begun, which takes memory, too */
	oom_begin(0);
	for (; dropped == 0 && n < 100; n++)
		leat_pool_put(&p, &objects[n]);
	oom_end();
	CHECK_EQ(dropped, 1);
	CHECK(last == &objects[n - 1]);
	CHECK(n > 1);
	leat_pool_put(&p, &objects[n - 1]);
	CHECK_EQ(dropped, 1);
	oom_begin(0);
	for (int i = 0; i < n; i++)
		CHECK(leat_pool_get(&p) != NULL);
	CHECK(leat_pool_get(&p) == NULL);
	oom_end();
	leat_pool_trim(&p);
	CHECK_EQ(dropped, 1);
}

TEST_MAIN
