/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_map does what Go's sync.Map does, with keys of each kind.  Method: each operation alone, then those
 * of which one alone may succeed, by many at once; values in plain memory, which a race detector watches.
 * stress/map_random.c compares with a model.
 */
#include "chan_help.h"

#include <ctype.h>

static char values[10]; /* whose addresses are values */

static void *key_of(uintptr_t n)
{
	return (void *)n;
}

/* --- each operation */

static void check_has(leat_map *m, const void *key, const void *value)
{
	void *got = NULL;

	CHECK(leat_map_load(m, key, &got));
	CHECK(got == value);
}

static void check_lacks(leat_map *m, const void *key)
{
	void *got = &values[9];

	CHECK(!leat_map_load(m, key, &got));
	CHECK(got == &values[9]);
}

static bool count_one(const void *key, void *value, void *arg)
{
	(void)key;
	(void)value;
	++*(size_t *)arg;
	return true;
}

static size_t count(leat_map *m)
{
	size_t n = 0;

	leat_map_range(m, count_one, &n);
	return n;
}

/* With two keys of one kind, a and b; same is another address of the key a, if there can be one. */
static void check_operations(leat_map *m, const void *a, const void *same, const void *b)
{
	void *got = &values[9];

	check_lacks(m, a);
	CHECK(!leat_map_load_and_delete(m, a, &got));
	leat_map_delete(m, a);
	CHECK(!leat_map_compare_and_swap(m, a, NULL, &values[1]));
	CHECK(!leat_map_compare_and_delete(m, a, NULL));
	leat_map_clear(m);
	CHECK_EQ(count(m), 0);
	CHECK(got == &values[9]);

	leat_map_store(m, a, &values[0]);
	check_has(m, same, &values[0]);
	check_lacks(m, b);
	CHECK(leat_map_load(m, a, NULL));
	leat_map_store(m, same, &values[1]);
	check_has(m, a, &values[1]);
	CHECK_EQ(count(m), 1);

	CHECK(leat_map_swap(m, same, &values[2], &got) && got == &values[1]);
	CHECK(leat_map_swap(m, a, NULL, NULL));
	check_has(m, a, NULL);
	got = &values[9];
	CHECK(!leat_map_swap(m, b, &values[3], &got) && got == &values[9]);
	check_has(m, b, &values[3]);
	CHECK_EQ(count(m), 2);

	CHECK(leat_map_load_or_store(m, same, &values[4], &got) && got == NULL);
	check_has(m, a, NULL);
	CHECK(leat_map_load_and_delete(m, same, &got) && got == NULL);
	CHECK(!leat_map_load_or_store(m, a, &values[4], &got) && got == &values[4]);
	CHECK(leat_map_load_or_store(m, a, &values[5], NULL));
	check_has(m, a, &values[4]);

	CHECK(!leat_map_compare_and_swap(m, a, &values[5], &values[6]));
	check_has(m, a, &values[4]);
	CHECK(leat_map_compare_and_swap(m, same, &values[4], &values[6]));
	check_has(m, a, &values[6]);
	CHECK(!leat_map_compare_and_delete(m, a, &values[4]));
	check_has(m, a, &values[6]);
	CHECK(leat_map_compare_and_delete(m, same, &values[6]));
	check_lacks(m, a);
	CHECK_EQ(count(m), 1);

	leat_map_delete(m, b);
	check_lacks(m, b);
	leat_map_store(m, a, &values[7]);
	leat_map_store(m, b, &values[8]);
	leat_map_clear(m);
	check_lacks(m, a);
	check_lacks(m, b);
	CHECK_EQ(count(m), 0);
	leat_map_store(m, a, &values[7]);
	check_has(m, a, &values[7]);
	leat_map_free(m);
	check_lacks(m, a);
	leat_map_store(m, a, &values[0]);
	check_has(m, a, &values[0]);
	leat_map_free(m);
}

TEST(line_121_addresses_and_integers)
{
	leat_map m = {0};

	check_operations(&m, &m, &m, &values);
	check_operations(&m, key_of(1), key_of(1), key_of(UINTPTR_MAX));
	check_operations(&m, key_of(7), key_of(7), NULL);
	check_operations(&m, NULL, NULL, key_of(1));
}

TEST(line_121_strings)
{
	leat_map m = LEAT_MAP_STRINGS;
	char a[100] = "ada", other[100] = "ada";

	check_operations(&m, a, other, "grace");
	check_operations(&m, "", a + 3, "a");
	for (size_t n = 1; n < 40; n++) {
		memset(a, 'x', n);
		a[n] = 0;
		strcpy(other, a);
		check_operations(&m, a, other, other + 1);
		other[n / 2] = 'y';
		check_operations(&m, a, a, other);
	}
}

static uint64_t hash_lower(const void *key, void *arg)
{
	uint64_t hash = 0;

	CHECK(arg == values);
	for (const char *s = key; *s; s++)
		hash = hash * 31 + (unsigned char)tolower((unsigned char)*s);
	return hash;
}

static bool equal_lower(const void *kept, const void *asked, void *arg)
{
	const char *a = kept, *b = asked;

	CHECK(arg == values);
	for (; *a && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++, b++)
		;
	return !*a && !*b;
}

static uint64_t hash_badly(const void *key, void *arg)
{
	(void)key;
	(void)arg;
	return 1;
}

TEST(line_121_keys_of_the_programs_own_kind)
{
	leat_map m = {.hash = hash_lower, .equal = equal_lower, .arg = values};
	leat_map bad = {.hash = hash_badly, .equal = equal_lower, .arg = values};
	leat_map copied = {.strings = true, .hash = hash_lower, .equal = equal_lower, .arg = values};
	char key[] = "ADA";

	check_operations(&m, "Ada", "aDA", "Grace");
	check_operations(&bad, "Ada", "aDA", "Grace");
	check_operations(&copied, "Ada", "aDA", "Grace");
	leat_map_store(&copied, key, &values[1]);
	strcpy(key, "...");
	check_has(&copied, "ada", &values[1]);
	leat_map_free(&copied);
}

TEST(line_121_strings_are_copied)
{
	leat_map m = LEAT_MAP_STRINGS;
	char key[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "key number %d", i);
		leat_map_store(&m, key, key_of((uintptr_t)i));
	}
	for (int i = 0; i < 1000; i++) {
		char *own = malloc(32);

		CHECK(own);
		snprintf(own, 32, "key number %d", i);
		check_has(&m, own, key_of((uintptr_t)i));
		free(own);
	}
	leat_map_free(&m);
}

static void store_one(void *m)
{
	leat_map_store(m, "x", NULL);
}

TEST(equal_without_hash_panics)
{
	leat_map m = {.equal = equal_lower};

	CHECK(test_panics(store_one, &m, "leat_map: equal without hash"));
	leat_map_free(&m);
}

static leat_map in_static_memory;

TEST(zero_needs_no_destructor)
{
	leat_map m = {0};
	void *got;

	CHECK_EQ(count(&m), 0);
	CHECK(!leat_map_load(&m, &m, &got));
	CHECK(!leat_map_load(&in_static_memory, &m, &got));
	leat_map_free(&in_static_memory);
}

/* Tables grow and shrink, all is found meanwhile, and all memory comes back. */
TEST(line_121_many_keys)
{
	leat_map m = {0};
	uintptr_t n = (uintptr_t)test_count(300000), seven = 7; /* a fixed odd number spreads them */
	size_t before = test_heap_in_use();

	for (int round = 0; round < 3; round++) {
		for (uintptr_t i = 0; i < n; i++)
			leat_map_store(&m, key_of(i * seven), key_of(i));
		CHECK_EQ(count(&m), n);
		for (uintptr_t i = 0; i < n; i++)
			check_has(&m, key_of(i * seven), key_of(i));
		for (uintptr_t i = 0; i < n; i++) {
			if (i % 3 == 0)
				check_has(&m, key_of(n / 2 * seven), key_of(n / 2));
			if (i != n / 2)
				leat_map_delete(&m, key_of(i * seven));
			check_lacks(&m, key_of(i == n / 2 ? 1 : i * seven));
		}
		CHECK_EQ(count(&m), 1);
		if (round == 1)
			leat_map_clear(&m);
	}
	leat_map_free(&m);
	CHECK(test_heap_in_use() < before + 200000);
}

/* Without end, in a map that stays small. */
TEST(what_is_deleted_is_given_back)
{
	leat_map m = LEAT_MAP_STRINGS;
	size_t before = 0;
	int n = test_count(400000);

	for (int i = 0; i < n; i++) {
		char key[32];

		snprintf(key, sizeof key, "%d", i);
		leat_map_store(&m, key, NULL);
		leat_map_delete(&m, key);
		if (i == n / 4)
			before = test_heap_in_use();
	}
	CHECK(test_heap_in_use() < before + 200000);
	leat_map_free(&m);
}

/* --- panics of the program's functions */

struct moody {
	leat_map map;
	bool hash_panics, equal_panics, goexit;
};

static uint64_t moody_hash(const void *key, void *arg)
{
	struct moody *p = arg;

	(void)key;
	if (p->hash_panics)
		leat_panic("hash");
	return 1;
}

static bool moody_equal(const void *kept, const void *asked, void *arg)
{
	struct moody *p = arg;

	if (p->goexit)
		leat_goexit();
	if (p->equal_panics)
		leat_panic("equal");
	return kept == asked;
}

static void moody_load(void *arg)
{
	struct moody *p = arg;

	CHECK(!leat_map_load(&p->map, key_of(3), NULL));
}

static void moody_store(void *arg)
{
	struct moody *p = arg;

	leat_map_store(&p->map, key_of(3), NULL);
}

static void moody_delete(void *arg)
{
	struct moody *p = arg;

	leat_map_delete(&p->map, key_of(3));
}

struct moody_go {
	struct moody *p;
	leat_waitgroup *wg;
};

static void moody_go(struct moody_go *a)
{
	leat_waitgroup *wg = a->wg;

	defer(leat_waitgroup_done, wg);
	moody_store(a->p);
}

TEST(hash_and_equal_may_panic)
{
	struct moody p = {0};
	void (*const calls[])(void *) = {moody_load, moody_store, moody_delete};
	leat_waitgroup wg = {0};

	p.map = (leat_map){.hash = moody_hash, .equal = moody_equal, .arg = &p};
	leat_map_store(&p.map, key_of(1), &values[1]);
	leat_map_store(&p.map, key_of(2), &values[2]);
	for (int i = 0; i < 30; i++) {
		p.hash_panics = i % 2;
		p.equal_panics = !p.hash_panics;
		CHECK(test_panics(calls[i % 3], &p, i % 2 ? "hash" : "equal"));
		p.hash_panics = p.equal_panics = false;
		check_has(&p.map, key_of(1), &values[1]);
		check_has(&p.map, key_of(2), &values[2]);
		CHECK_EQ(count(&p.map), 2);
	}
	p.goexit = true;
	leat_waitgroup_add(&wg, 1);
	go(moody_go, &p, &wg);
	leat_waitgroup_wait(&wg);
	p.goexit = false;
	check_has(&p.map, key_of(1), &values[1]);
	leat_map_free(&p.map);
}

/* --- many at once */

enum { PARTIES = 8 };

struct party {
	leat_map *m;
	int turns;
	atomic_long *won;
	leat_waitgroup *wg;
};

static void together(void (*fn)(void *), leat_map *m, int turns, atomic_long *won)
{
	leat_waitgroup wg = {0};
	struct party a = {m, turns, won, &wg};

	leat_waitgroup_add(&wg, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		start(i < 3 ? THREAD : GOROUTINE, fn, &a);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

static void first_to_store(void *arg)
{
	struct party *a = arg;

	for (int i = 0; i < a->turns; i++) {
		int *mine = malloc(sizeof *mine);
		void *got;

		CHECK(mine);
		*mine = i;
		if (leat_map_load_or_store(a->m, key_of((uintptr_t)i), mine, &got))
			free(mine);
		else
			atomic_fetch_add_explicit(a->won, 1, memory_order_relaxed);
		CHECK_EQ(*(int *)got, i);
	}
	leat_waitgroup_done(a->wg);
}

static void last_to_delete(void *arg)
{
	struct party *a = arg;

	for (int i = 0; i < a->turns; i++) {
		void *got;

		if (leat_map_load_and_delete(a->m, key_of((uintptr_t)i), &got)) {
			CHECK_EQ(*(int *)got, i);
			free(got);
			atomic_fetch_add_explicit(a->won, 1, memory_order_relaxed);
		}
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_121_one_stores_and_one_deletes)
{
	leat_map m = {0};
	int n = test_count(50000);

	for (int i = 0; i < 3; i++) {
		atomic_long won = 0;

		together(first_to_store, &m, n, &won);
		CHECK_EQ(atomic_load(&won), n);
		CHECK_EQ(count(&m), n);
		atomic_store(&won, 0);
		together(last_to_delete, &m, n, &won);
		CHECK_EQ(atomic_load(&won), n);
		CHECK_EQ(count(&m), 0);
	}
	leat_map_free(&m);
}

/* A counter that is a value; now and then it is taken out and put back. */
static void count_by_swap(void *arg)
{
	struct party *a = arg;

	for (int i = 0; i < a->turns;) {
		void *was;

		if (!leat_map_load(a->m, "n", &was))
			continue;
		if (i % 8 == 0) {
			if (!leat_map_compare_and_delete(a->m, "n", was))
				continue;
			CHECK(!leat_map_load_or_store(a->m, "n", key_of((uintptr_t)was + 1), NULL));
			i++;
		} else if (leat_map_compare_and_swap(a->m, "n", was, key_of((uintptr_t)was + 1))) {
			i++;
		}
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_121_compare_and_swap_counts)
{
	leat_map m = LEAT_MAP_STRINGS;
	int n = test_count(20000);

	leat_map_store(&m, "n", NULL);
	together(count_by_swap, &m, n, NULL);
	check_has(&m, "n", key_of((uintptr_t)n * PARTIES));
	leat_map_free(&m);
}

/* What is stored comes out of a swap once. */
static void pass_by_swap(void *arg)
{
	struct party *a = arg;
	long sum = 0;

	for (int i = 1; i <= a->turns; i++) {
		void *was;

		if (leat_map_swap(a->m, key_of((uintptr_t)i % 5), key_of((uintptr_t)i), &was))
			sum += i - (long)(uintptr_t)was;
		else
			sum += i;
	}
	atomic_fetch_add(a->won, sum);
	leat_waitgroup_done(a->wg);
}

static bool add_value(const void *key, void *value, void *arg)
{
	(void)key;
	*(long *)arg += (long)(uintptr_t)value;
	return true;
}

TEST(line_121_swap_loses_nothing)
{
	leat_map m = {0};
	atomic_long in = 0;
	long there = 0;

	together(pass_by_swap, &m, test_count(50000), &in);
	leat_map_range(&m, add_value, &there);
	CHECK_EQ(atomic_load(&in), there);
	leat_map_free(&m);
}

/* --- clear, at one instant */

struct clearer {
	leat_map *m;
	atomic_int *turn; /* odd: the keys are there, and are to be cleared */
	int turns;
};

static void clearer(struct clearer *a)
{
	for (int i = 0; i < a->turns; i++) {
		test_until(atomic_load(a->turn) == 2 * i + 1);
		leat_map_clear(a->m);
		atomic_store(a->turn, 2 * i + 2);
	}
}

TEST(line_121_clear_happens_at_once)
{
	enum { KEYS = 40 };
	leat_map m = {0};
	atomic_int turn = 0;
	int turns = test_count(3000);

	go(clearer, &m, &turn, turns);
	for (int i = 0; i < turns; i++) {
		uint64_t state = (uint64_t)i;
		bool gone = false;

		for (uintptr_t k = 0; k < KEYS; k++)
			leat_map_store(&m, key_of(k), NULL);
		atomic_store(&turn, 2 * i + 1);
		while (atomic_load(&turn) == 2 * i + 1) {
			if (leat_map_load(&m, key_of(rnd_below(&state, KEYS)), NULL))
				CHECK(!gone);
			else
				gone = true;
			if (leat_procs(0) == 1)
				leat_yield();
		}
		CHECK_EQ(count(&m), 0);
	}
	test_goroutines(1);
	leat_map_free(&m);
}

TEST_MAIN
