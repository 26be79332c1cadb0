/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_pool hands out what was put in, each object to one at a time, and trim drops the rest.
 * Method: objects that know whether they are in somebody's hands, in plain fields that a race detector sees;
 * counts of what was made and dropped.
 */
#include "chan_help.h"

struct thing {
	atomic_int hands; /* that it is in */
	int uses;         /* plain: only who got it may touch it */
	long mark;
};

/* Of one pool: what it made and dropped. */
struct account {
	atomic_long made, dropped;
};

static void *make_thing(void *arg)
{
	struct account *a = arg;
	struct thing *t = calloc(1, sizeof *t);

	CHECK(t);
	atomic_fetch_add(&a->made, 1);
	return t;
}

static void drop_thing(void *item, void *arg)
{
	struct account *a = arg;
	struct thing *t = item;

	CHECK_EQ(atomic_load_explicit(&t->hands, memory_order_relaxed), 0);
	t->uses = -1;
	atomic_fetch_add(&a->dropped, 1);
	free(t);
}

static struct thing *get(leat_pool *p)
{
	struct thing *t = leat_pool_get(p);

	if (t)
		CHECK_EQ(atomic_fetch_add_explicit(&t->hands, 1, memory_order_relaxed), 0);
	return t;
}

static void put(leat_pool *p, struct thing *t)
{
	CHECK_EQ(atomic_fetch_sub_explicit(&t->hands, 1, memory_order_relaxed), 1);
	leat_pool_put(p, t);
}

static struct thing *new_thing(long mark)
{
	struct thing *t = calloc(1, sizeof *t);

	CHECK(t);
	atomic_init(&t->hands, 1);
	t->mark = mark;
	return t;
}

static leat_pool in_static_memory;

TEST(line_119_zero_is_empty_and_get_returns_null)
{
	leat_pool p = {0};

	CHECK(leat_pool_get(&p) == NULL);
	CHECK(leat_pool_get(&in_static_memory) == NULL);
	leat_pool_trim(&p);
	leat_pool_trim(&in_static_memory);
}

TEST(line_119_get_returns_an_earlier_put_or_makes_one)
{
	struct account a = {0};
	leat_pool p = {.make = make_thing, .drop = drop_thing, .arg = &a};
	struct thing *x = get(&p), *y = get(&p);

	CHECK(x && y && x != y);
	CHECK_EQ(atomic_load(&a.made), 2);
	x->mark = 7;
	put(&p, x);
	x = get(&p);
	CHECK_EQ(x->mark, 7);
	CHECK_EQ(atomic_load(&a.made), 2);
	put(&p, x);
	put(&p, y);
	leat_pool_trim(&p);
	CHECK_EQ(atomic_load(&a.dropped), 2);
}

TEST(line_119_put_of_null_is_ignored)
{
	leat_pool p = {0};

	leat_pool_put(&p, NULL);
	CHECK(leat_pool_get(&p) == NULL);
	put(&p, new_thing(1));
	leat_pool_put(&p, NULL);
	free(get(&p));
	CHECK(leat_pool_get(&p) == NULL);
}

static void *make_nothing(void *arg)
{
	(*(int *)arg)++;
	return NULL;
}

TEST(line_119_make_may_return_null)
{
	int calls = 0;
	leat_pool p = {.make = make_nothing, .arg = &calls};

	CHECK(leat_pool_get(&p) == NULL);
	CHECK_EQ(calls, 1);
}

/* Each comes back once, however many there are. */
TEST(line_119_many_objects)
{
	static const int counts[] = {1, 12, 13, 14, 21, 22, 29, 1000, 20000};
	leat_pool p = {0};

	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		int n = counts[k];
		unsigned char *seen = calloc((size_t)n, 1);

		CHECK(seen);
		for (int i = 0; i < n; i++)
			put(&p, new_thing(i));
		for (int i = 0; i < n; i++) {
			struct thing *t = get(&p);

			CHECK(t != NULL);
			CHECK(t->mark >= 0 && t->mark < n);
			CHECK_EQ(seen[t->mark]++, 0);
			free(t);
		}
		CHECK(leat_pool_get(&p) == NULL);
		free(seen);
	}
}

/* --- what one put in another gets */

struct move {
	leat_pool *p;
	int n;
	leat_waitgroup *wg;
};

static void put_some(void *arg)
{
	struct move *a = arg;

	for (int i = 0; i < a->n; i++)
		put(a->p, new_thing(i));
	leat_waitgroup_done(a->wg);
}

/* Exactly: the things were put before. */
static void get_some(void *arg)
{
	struct move *a = arg;

	for (int i = 0; i < a->n; i++) {
		struct thing *t = get(a->p);

		CHECK(t != NULL);
		CHECK_EQ(++t->uses, 1);
		free(t);
	}
	leat_waitgroup_done(a->wg);
}

/* By goroutines on any processors, and threads, which have parts of the pool that no processor uses. */
TEST(line_119_no_object_is_made_while_there_is_one)
{
	struct account account = {0};
	leat_pool p = {.make = make_thing, .drop = drop_thing, .arg = &account};
	int rounds = test_count(200);

	for (int i = 0; i < rounds; i++) {
		leat_waitgroup wg = {0};
		struct move a = {&p, 1 + i * 7 % 50, &wg};

		for (int half = 0; half < 2; half++) {
			leat_waitgroup_add(&wg, 8);
			for (int k = 0; k < 8; k++)
				start(k < (half ? 3 : 5) ? GOROUTINE : THREAD, half ? get_some : put_some, &a);
			leat_waitgroup_wait(&wg);
		}
		CHECK_EQ(atomic_load(&account.made), 0);
	}
	test_goroutines(1);
	leat_pool_trim(&p);
	CHECK_EQ(atomic_load(&account.dropped), 0);
}

enum { USERS = 10 };

struct user {
	leat_pool *p;
	int turns;
	leat_waitgroup *wg;
};

/* One or a few things at a time, which come back in another order. */
static void user(void *arg)
{
	struct user *a = arg;
	struct thing *mine[4];

	for (int i = 0; i < a->turns; i++) {
		int n = i % 64 ? 1 : 4;

		for (int k = 0; k < n; k++) {
			mine[k] = get(a->p);
			mine[k]->uses++;
		}
		if (i % 256 == 0)
			leat_yield();
		for (int k = 0; k < n; k++)
			put(a->p, mine[k]);
	}
	leat_waitgroup_done(a->wg);
}

/* threads of USERS are plain ones; trims: somebody trims meanwhile. */
static void use(int turns, int threads, bool trims)
{
	struct account account = {0};
	leat_pool p = {.make = make_thing, .drop = drop_thing, .arg = &account};
	leat_waitgroup wg = {0};
	struct user a = {&p, turns, &wg};

	leat_waitgroup_add(&wg, USERS);
	for (int i = 0; i < USERS; i++)
		start(i < threads ? THREAD : GOROUTINE, user, &a);
	for (int i = 0; trims && i < turns / 10; i++) {
		leat_pool_trim(&p);
		leat_yield();
	}
	leat_waitgroup_wait(&wg);
	if (!trims) {
		CHECK_EQ(atomic_load(&account.dropped), 0);
		CHECK(atomic_load(&account.made) <= 4 * USERS);
	}
	leat_pool_trim(&p);
	CHECK_EQ(atomic_load(&account.dropped), atomic_load(&account.made));
	test_goroutines(1);
}

TEST(line_119_one_getter_at_a_time)
{
	use(test_count(1000000), 0, false);
}

TEST(line_119_one_getter_at_a_time_among_threads_too)
{
	use(test_count(300000), 5, false);
}

TEST(line_120_trim_beside_gets_and_puts)
{
	use(test_count(200000), 3, true);
}

/* One only gets and one only puts: what crosses from processor to processor. */
struct source {
	leat_pool *p;
	int n;
	atomic_int *got;
};

static void source(struct source *a)
{
	for (int i = 0; i < a->n; i++) {
		put(a->p, new_thing(i));
		/* Not more than some hundreds on the way. */
		while (i - atomic_load_explicit(a->got, memory_order_relaxed) > 500)
			leat_yield();
	}
}

TEST(line_119_from_processor_to_processor)
{
	leat_pool p = {0};
	int n = test_count(500000);
	unsigned char *seen = calloc((size_t)n, 1);
	atomic_int got = 0;
	leat_waitgroup wg = {0};

	CHECK(seen);
	wg_go(&wg, source, &p, n, &got);
	while (atomic_load_explicit(&got, memory_order_relaxed) < n) {
		struct thing *t = get(&p);

		if (!t) {
			leat_yield();
			continue;
		}
		CHECK_EQ(seen[t->mark]++, 0);
		CHECK_EQ(++t->uses, 1);
		free(t);
		atomic_fetch_add_explicit(&got, 1, memory_order_relaxed);
	}
	CHECK(leat_pool_get(&p) == NULL);
	free(seen);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

/* --- trim */

TEST(line_120_trim_drops_all_once_and_the_pool_goes_on)
{
	struct account a = {0};
	leat_pool p = {.drop = drop_thing, .arg = &a};
	long dropped = 0;

	for (int round = 0; round < 10; round++) {
		leat_waitgroup wg = {0};
		struct move m = {&p, 1 + round * 10, &wg};

		leat_waitgroup_add(&wg, 6);
		for (int i = 0; i < 6; i++)
			start(i % 2 ? THREAD : GOROUTINE, put_some, &m);
		leat_waitgroup_wait(&wg);
		leat_pool_trim(&p);
		dropped += 6 * m.n;
		CHECK_EQ(atomic_load(&a.dropped), dropped);
		CHECK(leat_pool_get(&p) == NULL);
		leat_pool_trim(&p);
		CHECK_EQ(atomic_load(&a.dropped), dropped);
	}
	test_goroutines(1);
}

TEST(line_120_without_drop_objects_are_freed_and_so_is_what_the_pool_took)
{
	leat_pool p = {0};
	size_t before = test_heap_in_use();

	for (int i = 0; i < 10000; i++)
		leat_pool_put(&p, malloc(100));
	CHECK(before == 0 || test_heap_in_use() > before + 1000000);
	leat_pool_trim(&p);
	CHECK(test_heap_in_use() < before + 100000);
}

/* --- the program's functions run with no lock held */

struct busy {
	leat_pool *p;
	int calls;
};

/* Uses the same pool, and parks. */
static void *busy_make(void *arg)
{
	struct busy *b = arg;

	if (b->calls++ % 2)
		return calloc(1, sizeof(struct thing));
	leat_pool_put(b->p, calloc(1, sizeof(struct thing)));
	leat_sleep(LEAT_MICROSECOND);
	return leat_pool_get(b->p);
}

static void busy_drop(void *item, void *arg)
{
	struct busy *b = arg;

	if (b->calls++ < 100) {
		leat_pool_put(b->p, item);
		leat_yield();
		item = leat_pool_get(b->p);
	}
	free(item);
}

TEST(make_and_drop_may_use_the_pool_and_wait)
{
	struct busy b = {0};
	leat_pool p = {.make = busy_make, .drop = busy_drop, .arg = &b};
	void *all[20];

	b.p = &p;
	for (int i = 0; i < 20; i++)
		CHECK((all[i] = leat_pool_get(&p)) != NULL);
	for (int i = 0; i < 20; i++)
		leat_pool_put(&p, all[i]);
	b.calls = 0;
	leat_pool_trim(&p);
	CHECK(b.calls >= 20);
	leat_pool_trim(&p);
}

static void *make_panic(void *arg)
{
	leat_panic("%s", (const char *)arg);
}

static void get_one(void *arg)
{
	CHECK(leat_pool_get(arg) == NULL);
}

TEST(a_panic_in_make_is_the_callers)
{
	leat_pool p = {.make = make_panic, .arg = (char[]){"no more"}};
	struct thing *t = new_thing(1);

	CHECK(test_panics(get_one, &p, "no more"));
	put(&p, t);
	CHECK(get(&p) == t);
	free(t);
}

struct fussy {
	long dropped, panics_at;
};

static void fussy_drop(void *item, void *arg)
{
	struct fussy *f = arg;

	free(item);
	if (++f->dropped == f->panics_at)
		leat_panic("enough");
}

static void trim_it(void *arg)
{
	leat_pool_trim(arg);
}

TEST(after_a_panic_in_drop_the_rest_is_still_there)
{
	for (int at = 1; at <= 50; at++) {
		struct fussy f = {0, at};
		leat_pool p = {.drop = fussy_drop, .arg = &f};

		for (int i = 0; i < 50; i++)
			leat_pool_put(&p, malloc(10));
		CHECK(test_panics(trim_it, &p, "enough"));
		CHECK_EQ(f.dropped, at);
		leat_pool_trim(&p);
		CHECK_EQ(f.dropped, 50);
	}
}

TEST_MAIN
