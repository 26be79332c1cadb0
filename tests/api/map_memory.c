/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/*
 * Goal: what needs memory in a leat_map panics where there is none, and the map is as before.
 * Method: a malloc whose n-th call fails, for each n until all goes well.
 */
#include "test.h"

#include "oom.h"

enum { MOST = 100 };

static void *key_of(uintptr_t n)
{
	return (void *)n;
}

struct attempt {
	leat_map *m;
	const void *key;
	void *value, *got;
	long visits;
};

static void store(void *arg)
{
	struct attempt *a = arg;

	leat_map_store(a->m, a->key, a->value);
}

static void load_or_store(void *arg)
{
	struct attempt *a = arg;

	CHECK(!leat_map_load_or_store(a->m, a->key, a->value, &a->got));
}

static void swap(void *arg)
{
	struct attempt *a = arg;

	CHECK(!leat_map_swap(a->m, a->key, a->value, &a->got));
}

static bool visit(const void *key, void *value, void *arg)
{
	(void)key;
	(void)value;
	((struct attempt *)arg)->visits++;
	return true;
}

static void range(void *arg)
{
	struct attempt *a = arg;

	leat_map_range(a->m, visit, a);
}

static long count(leat_map *m)
{
	struct attempt a = {.m = m};

	range(&a);
	return a.visits;
}

/* How many panics there are until fn succeeds. */
static int panics(void (*fn)(void *), struct attempt *a, long expected)
{
	int n = 0;

	for (;; n++) {
		leat_panic_info info;
		bool caught;

		CHECK(n < MOST);
		a->got = a;
		oom_begin(n);
		caught = leat_catch(fn, a, &info);
		oom_end();
		if (!caught)
			return n;
		CHECK_STR(info.message, "out of memory");
		CHECK(a->got == a);
		CHECK_EQ(count(a->m), expected);
		CHECK(!leat_map_load(a->m, a->key, NULL) || fn == range);
	}
}

TEST(what_stores_a_new_key_panics_and_stores_nothing)
{
	void (*const calls[])(void *) = {store, load_or_store, swap};

	oom_skip();
	CHECK_EQ(leat_num_goroutine(), 1); /* the runtime has begun, which takes memory, too */
	for (int i = 0; i < 6; i++) {
		leat_map m = {.strings = i % 2};
		struct attempt a = {.m = &m, .key = "key", .value = &m};
		void *got = NULL;

		CHECK_EQ(panics(calls[i / 2], &a, 0), 2); /* a table was made at the second, and stays */
		CHECK(leat_map_load(&m, "key", &got) && got == &m);
		a.key = "other";
		panics(calls[i / 2], &a, 1);
		CHECK_EQ(count(&m), 2);
		leat_map_free(&m);
	}
}

/* Chains get longer where tables cannot grow. */
TEST(what_needs_no_memory_succeeds_without)
{
	leat_map m = {0};
	void *got = NULL;

	for (uintptr_t k = 0; k < 50; k++)
		leat_map_store(&m, key_of(k), NULL);
	oom_begin(0);
	for (uintptr_t k = 0; k < 50; k++) {
		leat_map_store(&m, key_of(k), &m);
		CHECK(leat_map_load(&m, key_of(k), &got) && got == &m);
		CHECK(leat_map_compare_and_swap(&m, key_of(k), &m, NULL));
		CHECK(leat_map_load_or_store(&m, key_of(k), &m, &got) && !got);
		CHECK(leat_map_load_and_delete(&m, key_of(k), &got) && !got);
	}
	leat_map_clear(&m);
	leat_map_free(&m);
	oom_end();
}

TEST(tables_that_cannot_grow)
{
	leat_map m = {0};

	for (uintptr_t k = 0; k < 3000; k++) {
		for (int left = 0; left < 8; left++) {
			struct attempt a = {.m = &m, .key = key_of(k), .value = key_of(k)};
			leat_panic_info info;
			bool caught;

			oom_begin(left);
			caught = leat_catch(store, &a, &info);
			oom_end();
			if (!caught)
				break;
		}
	}
	CHECK_EQ(count(&m), 3000);
	for (uintptr_t k = 0; k < 3000; k++) {
		void *got = NULL;

		CHECK(leat_map_load(&m, key_of(k), &got) && got == key_of(k));
	}
	leat_map_free(&m);
}

TEST(range_panics_between_visits)
{
	leat_map m = {0};
	struct attempt a = {.m = &m};

	for (uintptr_t k = 0; k < 200; k++)
		leat_map_store(&m, key_of(k), NULL);
	CHECK(panics(range, &a, 200) > 1);
	CHECK(a.visits > 200);
	leat_map_free(&m);
}

TEST_MAIN
