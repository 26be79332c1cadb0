/* SPDX-License-Identifier: MIT */
/*
 * Goal: line 122: leat_map_range visits what is there from beginning to end, each key at most once, and what was
 * removed no more, whatever its function does.  Method: counts per key; values that are freed as they are removed,
 * which a race detector and ASan watch.
 */
#include "chan_help.h"

enum { KEYS = 1000 };

static void *key_of(uintptr_t n)
{
	return (void *)n;
}

struct visits {
	leat_map *m;
	int stop_after, n, depth;
	unsigned char seen[KEYS];
};

static void fill(leat_map *m)
{
	for (uintptr_t k = 0; k < KEYS; k++) {
		int *value = malloc(sizeof *value);

		CHECK(value);
		*value = (int)k;
		leat_map_store(m, key_of(k), value);
	}
}

static bool mark(const void *key, void *value, void *arg)
{
	struct visits *v = arg;
	uintptr_t k = (uintptr_t)key;

	CHECK(k < KEYS);
	CHECK_EQ(*(int *)value, k);
	CHECK_EQ(v->seen[k]++, 0);
	return ++v->n != v->stop_after;
}

static bool free_it(const void *key, void *value, void *arg)
{
	struct visits *v = arg;

	mark(key, value, arg);
	CHECK(leat_map_compare_and_delete(v->m, key, value));
	free(value);
	return true;
}

/* Remove and free all. */
static void empty(leat_map *m)
{
	struct visits v = {.m = m};

	leat_map_range(m, free_it, &v);
	memset(&v, 0, sizeof v);
	leat_map_range(m, mark, &v);
	CHECK_EQ(v.n, 0);
	leat_map_free(m);
}

TEST(line_122_each_key_is_visited_once)
{
	leat_map m = {0};
	struct visits v = {0};

	leat_map_range(&m, mark, &v);
	CHECK_EQ(v.n, 0);
	fill(&m);
	leat_map_range(&m, mark, &v);
	CHECK_EQ(v.n, KEYS);
	empty(&m);
}

TEST(line_122_false_ends_it)
{
	leat_map m = {0};

	fill(&m);
	for (int i = 1; i < KEYS; i += 7) {
		struct visits v = {.stop_after = i};

		leat_map_range(&m, mark, &v);
		CHECK_EQ(v.n, i);
	}
	empty(&m);
}

TEST(line_122_the_current_key_may_be_deleted_and_freed)
{
	leat_map m = {0};
	struct visits v = {.m = &m};

	fill(&m);
	leat_map_range(&m, free_it, &v);
	CHECK_EQ(v.n, KEYS);
	leat_map_free(&m);
}

/* Take out another key than the current one, and free its value: it is not visited any more. */
static bool free_another(const void *key, void *value, void *arg)
{
	struct visits *v = arg;
	uintptr_t other = ((uintptr_t)key + KEYS / 2) % KEYS;
	void *got;

	mark(key, value, arg);
	if (leat_map_load_and_delete(v->m, key_of(other), &got)) {
		free(got);
		CHECK(!v->seen[other]);
		v->seen[other] = 1; /* it must not be seen any more */
	}
	return true;
}

TEST(line_122_what_was_deleted_is_not_visited)
{
	leat_map m = {0};
	struct visits v = {.m = &m};

	fill(&m);
	leat_map_range(&m, free_another, &v);
	CHECK_EQ(v.n, KEYS / 2);
	empty(&m);
}

/* Each visit replaces the value of the next key: the visit there finds the new one. */
static bool replace_all(const void *key, void *value, void *arg)
{
	struct visits *v = arg;

	mark(key, value, arg);
	for (uintptr_t k = 0; k < KEYS; k += 97) {
		int *fresh = malloc(sizeof *fresh);
		void *was;

		CHECK(fresh);
		*fresh = (int)k;
		CHECK(leat_map_swap(v->m, key_of(k), fresh, &was));
		free(was);
	}
	return true;
}

TEST(line_122_a_visit_sees_the_value_of_now)
{
	leat_map m = {0};
	struct visits v = {.m = &m};

	fill(&m);
	leat_map_range(&m, replace_all, &v);
	CHECK_EQ(v.n, KEYS);
	empty(&m);
}

/* A key that is deleted and stored again is visited no second time. */
static bool again(const void *key, void *value, void *arg)
{
	struct visits *v = arg;

	mark(key, value, arg);
	for (int i = 0; i < 3; i++) {
		leat_map_delete(v->m, key);
		leat_map_store(v->m, key, value);
	}
	return true;
}

TEST(line_122_a_key_stored_again_is_not_visited_again)
{
	leat_map m = {0};
	struct visits v = {.m = &m};

	fill(&m);
	leat_map_range(&m, again, &v);
	CHECK_EQ(v.n, KEYS);
	empty(&m);
}

/* As Go's TestMapRangeNestedCall. */
static bool nested(const void *key, void *value, void *arg)
{
	struct visits *outer = arg, inner = {.m = outer->m, .depth = outer->depth + 1};
	void *got;

	mark(key, value, arg);
	if (outer->depth == 1)
		return outer->n < 10;
	leat_map_range(outer->m, nested, &inner);
	CHECK_EQ(inner.n, 10);
	CHECK(leat_map_load_and_delete(outer->m, key, &got));
	CHECK(got == value);
	CHECK(!leat_map_load_or_store(outer->m, key, value, NULL));
	return true;
}

TEST(line_122_ranges_nest)
{
	leat_map m = {0};
	struct visits v = {.m = &m};

	fill(&m);
	leat_map_range(&m, nested, &v);
	CHECK_EQ(v.n, KEYS);
	empty(&m);
}

struct cleared {
	leat_map map;
	int old; /* visits of what is cleared at the first */
};

static bool clear_it(const void *key, void *value, void *arg)
{
	struct cleared *c = arg;

	(void)value;
	if ((uintptr_t)key == 200)
		return true;
	c->old++;
	leat_map_clear(&c->map);
	leat_map_store(&c->map, key_of(200), NULL);
	return true;
}

TEST(line_122_clear_ends_the_visits_of_what_was)
{
	struct cleared c = {0};

	for (uintptr_t k = 0; k < 100; k++)
		leat_map_store(&c.map, key_of(k), NULL);
	leat_map_range(&c.map, clear_it, &c);
	CHECK_EQ(c.old, 1);
	CHECK(!leat_map_load(&c.map, key_of(0), NULL));
	CHECK(leat_map_load(&c.map, key_of(200), NULL));
	leat_map_free(&c.map);
}

/* --- other ways out */

static bool panic_at(const void *key, void *value, void *arg)
{
	if (!mark(key, value, arg))
		leat_panic("in range");
	return true;
}

static void range_panics(void *arg)
{
	struct visits *v = arg;

	leat_map_range(v->m, panic_at, v);
}

TEST(a_panic_in_it_leaves_nothing_behind)
{
	leat_map m = {0};
	size_t before;

	fill(&m);
	before = test_heap_in_use();
	for (int i = 1; i < KEYS; i += 13) {
		struct visits v = {.m = &m, .stop_after = i};

		CHECK(test_panics(range_panics, &v, "in range"));
		CHECK_EQ(v.n, i);
	}
	CHECK(test_heap_in_use() < before + 20000);
	empty(&m);
}

/* A key that is the map's copy is good until fn returns, even if it is removed. */
static bool read_removed(const void *key, void *value, void *arg)
{
	leat_map *m = arg;
	char before[32];

	(void)value;
	strcpy(before, key);
	leat_map_delete(m, key);
	for (int i = 0; i < 300; i++) {
		char other[32];

		snprintf(other, sizeof other, "other %d", i);
		leat_map_store(m, other, m);
		leat_map_delete(m, other);
	}
	leat_map_clear(m);
	CHECK_STR(key, before);
	return true;
}

TEST(a_copied_key_is_good_until_fn_returns)
{
	leat_map m = LEAT_MAP_STRINGS;

	for (int i = 0; i < 20; i++) {
		leat_map_store(&m, "one", NULL);
		leat_map_store(&m, "another", NULL);
		leat_map_range(&m, read_removed, &m);
	}
	leat_map_free(&m);
}

/* --- beside others.  As Go's TestConcurrentRange */

struct storer {
	leat_map *m;
	uintptr_t step;
	atomic_bool *stop;
	leat_waitgroup *wg;
};

/* Keys from KEYS on come and go; the others' values change.  All values are k times something. */
static void storer(void *arg)
{
	struct storer *a = arg;

	for (uintptr_t i = 1; !atomic_load_explicit(a->stop, memory_order_relaxed); i++) {
		for (uintptr_t k = 1; k < KEYS; k += a->step)
			leat_map_store(a->m, key_of(k), key_of(k * i));
		for (uintptr_t k = KEYS; k < 3 * KEYS; k += a->step)
			leat_map_store(a->m, key_of(k), key_of(k * i));
		for (uintptr_t k = KEYS; k < 3 * KEYS; k += a->step)
			leat_map_delete(a->m, key_of(k));
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

static bool check_multiple(const void *key, void *value, void *arg)
{
	unsigned char *seen = arg;
	uintptr_t k = (uintptr_t)key;

	CHECK(k > 0 && k < 3 * KEYS);
	CHECK_EQ((uintptr_t)value % k, 0);
	CHECK_EQ(seen[k]++, 0);
	return true;
}

TEST(line_122_concurrent_range)
{
	leat_map m = {0};
	leat_waitgroup wg = {0};
	atomic_bool stop = false;
	struct storer a[4];
	int ranges = test_count(500);

	for (uintptr_t k = 1; k < KEYS; k++)
		leat_map_store(&m, key_of(k), key_of(k));
	leat_waitgroup_add(&wg, 4);
	for (uintptr_t i = 0; i < 4; i++) {
		a[i] = (struct storer){&m, 2 * i + 1, &stop, &wg};
		start(i % 2 ? THREAD : GOROUTINE, storer, &a[i]);
	}
	for (int i = 0; i < ranges; i++) {
		unsigned char seen[3 * KEYS] = {0};

		leat_map_range(&m, check_multiple, seen);
		for (int k = 1; k < KEYS; k++)
			CHECK_EQ(seen[k], 1);
	}
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
	leat_map_free(&m);
}

TEST_MAIN
