/* SPDX-License-Identifier: MIT */
/* CTEST: san */
/*
 * Goal: line 121: random operations on a leat_map have the results that they have on a plain table, alone and
 * beside others.
 *
 * Method: a model per party, of the keys that it alone changes.  All parties use one map, so their keys share
 * shards and chains, which grow, shrink and are freed under the others' eyes.  Each looks at the keys of the
 * others, too: a value is a number that tells whose and which key it belongs to, and when it was stored; of one
 * key nobody may see less than it saw before.  All choices come from one seed.
 */
#include "chan_help.h"

enum { PARTIES = 8, KEYS = 300 };

struct party {
	struct world *w;
	int id;
	uint64_t state;
	long turn;
	void *model[KEYS]; /* NULL: the map does not have it */
	long seen[PARTIES][KEYS];
};

struct world {
	leat_map map;
	bool strings;
	int turns;
	leat_waitgroup wg;
	struct party party[PARTIES];
};

/* What a key is called; text has the room for it. */
static const void *name(const struct world *w, int party, int key, char text[32])
{
	if (!w->strings)
		return (void *)((uintptr_t)key * PARTIES + (uintptr_t)party);
	snprintf(text, 32, "%*d/%d", key % 17, key, party);
	return text;
}

static void *fresh_value(struct party *a, int key)
{
	return (void *)(((uintptr_t)++a->turn * KEYS + (uintptr_t)key) * PARTIES + (uintptr_t)a->id);
}

/* When value, which somebody found under the key, was stored. */
static long turn_of(const void *value, int party, int key)
{
	uintptr_t v = (uintptr_t)value;

	CHECK_EQ(v % PARTIES, party);
	CHECK_EQ(v / PARTIES % KEYS, key);
	return (long)(v / PARTIES / KEYS);
}

/* --- operations on a's own keys */

static void store(struct party *a, int k, const void *key)
{
	void *value = fresh_value(a, k), *got = NULL;

	switch (rnd_below(&a->state, 3)) {
	case 0:
		leat_map_store(&a->w->map, key, value);
		break;
	case 1:
		CHECK_EQ(leat_map_swap(&a->w->map, key, value, &got), a->model[k] != NULL);
		CHECK(got == a->model[k]);
		break;
	default:
		CHECK_EQ(leat_map_load_or_store(&a->w->map, key, value, &got), a->model[k] != NULL);
		if (a->model[k])
			value = a->model[k];
		CHECK(got == value);
	}
	a->model[k] = value;
}

static void delete (struct party *a, int k, const void *key)
{
	void *got = NULL;

	if (rnd_below(&a->state, 2)) {
		leat_map_delete(&a->w->map, key);
	} else {
		CHECK_EQ(leat_map_load_and_delete(&a->w->map, key, &got), a->model[k] != NULL);
		CHECK(got == a->model[k]);
	}
	a->model[k] = NULL;
}

static void compare(struct party *a, int k, const void *key)
{
	void *old = rnd_below(&a->state, 3) ? a->model[k] : a, *value = fresh_value(a, k);
	bool equal = old == a->model[k] && old;

	if (rnd_below(&a->state, 2)) {
		CHECK_EQ(leat_map_compare_and_swap(&a->w->map, key, old, value), equal);
		if (equal)
			a->model[k] = value;
	} else {
		CHECK_EQ(leat_map_compare_and_delete(&a->w->map, key, old), equal);
		if (equal)
			a->model[k] = NULL;
	}
}

/* --- of anybody's */

static void look(struct party *a, int party, int k)
{
	char text[32];
	void *got = NULL;
	long turn;

	if (!leat_map_load(&a->w->map, name(a->w, party, k, text), &got)) {
		CHECK(party != a->id || !a->model[k]);
		return;
	}
	turn = turn_of(got, party, k);
	CHECK(turn >= a->seen[party][k]);
	a->seen[party][k] = turn;
	if (party == a->id)
		CHECK(got == a->model[k]);
}

struct tour {
	struct party *a;
	bool seen[PARTIES][KEYS];
};

static bool visit(const void *key, void *value, void *arg)
{
	struct tour *t = arg;
	uintptr_t v = (uintptr_t)value;
	int party = (int)(v % PARTIES), k = (int)(v / PARTIES % KEYS);
	char text[32];
	const void *expected = name(t->a->w, party, k, text);

	if (t->a->w->strings)
		CHECK_STR(key, expected);
	else
		CHECK(key == expected);
	CHECK(!t->seen[party][k]);
	t->seen[party][k] = true;
	return true;
}

/* Its own keys stand still meanwhile. */
static void tour(struct party *a)
{
	struct tour t = {.a = a};

	leat_map_range(&a->w->map, visit, &t);
	for (int k = 0; k < KEYS; k++)
		CHECK_EQ(t.seen[a->id][k], a->model[k] != NULL);
}

static void step(struct party *a, unsigned grow)
{
	int k = (int)rnd_below(&a->state, KEYS);
	unsigned what = rnd_below(&a->state, 100);
	char text[32];
	const void *key = name(a->w, a->id, k, text);

	if (what < grow)
		store(a, k, key);
	else if (what < 30)
		delete (a, k, key);
	else if (what < 40)
		compare(a, k, key);
	else if (what < 60)
		look(a, a->id, k);
	else
		look(a, (int)rnd_below(&a->state, PARTIES), k);
}

static void party(void *arg)
{
	struct party *a = arg;
	unsigned grow = 0;

	for (int i = 0; i < a->w->turns; i++) {
		/* By turns it has nearly all of its keys, and nearly none. */
		if (i % 2000 == 0)
			grow = rnd_below(&a->state, 2) ? 27 : 3;
		if (i % 500 == 499)
			tour(a);
		step(a, grow);
		if (rnd_below(&a->state, 200) == 0)
			leat_yield();
	}
	leat_waitgroup_done(&a->w->wg);
}

static void one_world(uint64_t *state, int parties, int turns, bool strings, unsigned threads)
{
	struct world *w = calloc(1, sizeof *w);

	CHECK(w);
	w->strings = w->map.strings = strings;
	w->turns = turns;
	leat_waitgroup_add(&w->wg, parties);
	for (int i = 0; i < parties; i++) {
		w->party[i].w = w;
		w->party[i].id = i;
		w->party[i].state = rnd(state);
		start(rnd_below(state, 100) < threads ? THREAD : GOROUTINE, party, &w->party[i]);
	}
	leat_waitgroup_wait(&w->wg);
	for (int i = 0; i < parties; i++)
		tour(&w->party[i]);
	leat_map_clear(&w->map);
	for (int i = 0; i < parties; i++)
		memset(w->party[i].model, 0, sizeof w->party[i].model);
	tour(&w->party[0]);
	leat_map_free(&w->map);
	free(w);
	test_goroutines(1);
}

TEST(line_121_alone)
{
	uint64_t state = seed();

	for (int i = 0; i < 4; i++)
		one_world(&state, 1, test_count(200000), i % 2, 0);
}

TEST(line_121_among_goroutines)
{
	uint64_t state = seed();

	for (int i = 0; i < 4; i++)
		one_world(&state, PARTIES, test_count(200000), i % 2, 0);
}

TEST(line_121_among_goroutines_and_threads)
{
	uint64_t state = seed();

	for (int i = 0; i < 4; i++)
		one_world(&state, PARTIES, test_count(100000), i % 2, 40);
}

/* Deletes all the time, and large tables that come and go, under the eyes of those who only load. */
struct reader {
	leat_map *m;
	atomic_bool *stop;
	leat_waitgroup *wg;
};

enum { WIDE = 5000 };

static void reader(struct reader *a)
{
	uint64_t state = (uintptr_t)&state;
	char text[32];
	void *got;

	while (!atomic_load_explicit(a->stop, memory_order_relaxed)) {
		for (int i = 0; i < 200; i++) {
			unsigned k = rnd_below(&state, WIDE);

			snprintf(text, sizeof text, "%u", k);
			if (leat_map_load(a->m, text, &got))
				CHECK_EQ((uintptr_t)got % WIDE, k);
			/* This one is always there. */
			CHECK(leat_map_load(a->m, "always", &got));
		}
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_121_loads_beside_deletes)
{
	leat_map m = LEAT_MAP_STRINGS;
	leat_waitgroup wg = {0};
	atomic_bool stop = false;
	uint64_t state = seed();
	int rounds = test_count(100);
	char text[32];

	leat_map_store(&m, "always", NULL);
	leat_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(reader, &m, &stop, &wg);
	for (int i = 0; i < rounds; i++) {
		for (unsigned k = 0; k < WIDE; k++) {
			snprintf(text, sizeof text, "%u", k);
			leat_map_store(&m, text, (void *)(uintptr_t)(k + WIDE * rnd_below(&state, 9)));
		}
		for (unsigned k = 0; k < WIDE; k++) {
			snprintf(text, sizeof text, "%u", k);
			leat_map_delete(&m, text);
		}
	}
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	leat_map_free(&m);
}

TEST_MAIN
