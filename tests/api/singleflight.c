/* SPDX-License-Identifier: MIT */
/*
 * Goal: of concurrent calls for one key leat_singleflight makes one, whose result, panic or goexit all have;
 * a caller may leave by a context, or take a channel.
 * Method: a function that waits at a gate until as many callers as the test wants are observably parked.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

/* What the function of a flight does. */
struct work {
	chan(int) gate; /* NULL: at once; else wait for what to return */
	atomic_int ran;
	int value;
	void (*end)(void *); /* instead of a return */
};

static int work(void *arg, void **value)
{
	struct work *w = arg;
	int err = 0;

	CHECK(*value == NULL);
	atomic_fetch_add(&w->ran, 1);
	if (w->gate)
		err = chan_recv(w->gate);
	w->value++; /* plainly: ordered before what the callers read */
	*value = &w->value;
	if (w->end)
		w->end(w);
	return err;
}

struct caller {
	leat_singleflight *g;
	const char *key;
	struct work *w;
	int err, value;
	bool shared;
	leat_ctx *ctx; /* NULL: without */
	atomic_int *returned;
	atomic_int *failed; /* with its context's error */
};

static void caller(struct caller *a)
{
	leat_singleflight_result r = {.err = 12345};

	if (!a->ctx) {
		leat_singleflight_do(a->g, a->key, work, a->w, &r);
	} else {
		int err = leat_singleflight_do_ctx(a->g, a->key, work, a->w, &r, a->ctx);

		if (err) {
			CHECK_EQ(err, leat_ctx_err(a->ctx));
			CHECK_EQ(r.err, 12345);
			atomic_fetch_add(a->failed, 1);
			return;
		}
	}
	CHECK_EQ(r.err, a->err);
	CHECK(r.value == &a->w->value);
	CHECK_EQ(*(int *)r.value, a->value);
	CHECK_EQ(r.shared, a->shared);
	atomic_fetch_add(a->returned, 1);
}

static void *call_in_thread(void *arg)
{
	caller(arg);
	return NULL;
}

/* --- one for all */

TEST(line_189_concurrent_calls_run_it_once_and_share_what_it_gives)
{
	enum { N = 20, THREADS = 3 };
	static leat_singleflight g;
	struct work w = {.gate = chan_make(int, 0)};
	atomic_int returned = 0;

	for (int round = 1; round <= 3; round++) {
		struct caller in_thread = {&g, "key", &w, -5, round, true, NULL, &returned, NULL};
		pthread_t threads[THREADS];

		atomic_store(&returned, 0);
		for (int i = 0; i < N; i++)
			go(caller, &g, "key", &w, -5, round, true, NULL, &returned, NULL);
		for (int i = 0; i < THREADS; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, call_in_thread, &in_thread), 0);
		test_parked(N + THREADS);
		CHECK_EQ(atomic_load(&w.ran), round);
		CHECK_EQ(atomic_load(&returned), 0);
		chan_send(w.gate, -5);
		test_until(atomic_load(&returned) == N + THREADS);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		CHECK_EQ(atomic_load(&w.ran), round);
	}
	test_goroutines(1);
	chan_free(w.gate);
}

TEST(line_189_alone_nothing_is_shared_and_each_call_runs)
{
	leat_singleflight g = {0};
	struct work w = {0};
	leat_singleflight_result r;

	for (int i = 1; i <= 5; i++) {
		leat_singleflight_do(&g, "", work, &w, &r);
		CHECK_EQ(r.err, 0);
		CHECK(!r.shared);
		CHECK(r.value == &w.value);
		CHECK_EQ(atomic_load(&w.ran), i);
	}
	leat_singleflight_do(&g, "", work, &w, NULL);
	CHECK_EQ(leat_singleflight_do_ctx(&g, "", work, &w, NULL, NULL), 0);
	CHECK_EQ(leat_singleflight_do_ctx(&g, "", work, &w, &r, leat_ctx_background()), 0);
	CHECK(!r.shared);
	CHECK_EQ(atomic_load(&w.ran), 8);
	leat_singleflight_forget(&g, "");
	test_goroutines(1);
}

/* Many keys at once, which land, are forgotten and are joined in a random order. */
TEST(line_189_keys_do_not_meet)
{
	enum { KEYS = 300 };
	leat_singleflight g = {0};
	static struct work w[KEYS];
	static char keys[KEYS][24];
	bool flying[KEYS] = {false};
	int values[KEYS] = {0}, order[KEYS], parked = 0;
	atomic_int returned = 0;

	srand(1);
	for (int i = 0; i < KEYS; i++) {
		snprintf(keys[i], sizeof keys[i], "%s%d", i % 2 ? "a longer key " : "", i);
		w[i].gate = chan_make(int, 0);
		order[i] = i;
	}
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < KEYS; i++)
			if (!flying[i]) {
				go(caller, &g, keys[i], &w[i], i, ++values[i], true, NULL, &returned, NULL);
				flying[i] = true;
				parked++;
			}
		test_parked(parked);
		for (int i = 0; i < KEYS; i++)
			CHECK_EQ(atomic_load(&w[i].ran), values[i]);
		for (int i = KEYS - 1; i > 0; i--) {
			int j = rand() % (i + 1), t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		for (int i = 0; i < (round < 3 ? KEYS / 2 : KEYS); i++) {
			int k = order[i];

			go(caller, &g, keys[k], &w[k], k, values[k], true, NULL, &returned, NULL);
			test_until(leat_num_parked() == (size_t)parked + 1);
			atomic_store(&returned, 0);
			chan_send(w[k].gate, k);
			test_until(atomic_load(&returned) == 2);
			CHECK_EQ(atomic_load(&w[k].ran), values[k]);
			flying[k] = false;
			parked--;
		}
	}
	test_goroutines(1);
	for (int i = 0; i < KEYS; i++)
		chan_free(w[i].gate);
}

TEST(line_189_after_forget_a_call_runs_beside)
{
	leat_singleflight g = {0};
	struct work old = {.gate = chan_make(int, 0)}, new = {.gate = chan_make(int, 0)};
	atomic_int returned = 0;

	go(caller, &g, "key", &old, 1, 1, true, NULL, &returned, NULL);
	go(caller, &g, "key", &old, 1, 1, true, NULL, &returned, NULL);
	test_parked(2);
	leat_singleflight_forget(&g, "key");
	leat_singleflight_forget(&g, "key");
	leat_singleflight_forget(&g, "other");
	go(caller, &g, "key", &new, 2, 1, true, NULL, &returned, NULL);
	test_parked(3);
	CHECK_EQ(atomic_load(&new.ran), 1);
	chan_send(old.gate, 1);
	test_until(atomic_load(&returned) == 2);
	/* The end of the old one is not that of the new one. */
	go(caller, &g, "key", &new, 2, 1, true, NULL, &returned, NULL);
	test_parked(2);
	CHECK_EQ(atomic_load(&new.ran), 1);
	chan_send(new.gate, 2);
	test_until(atomic_load(&returned) == 4);
	test_goroutines(1);
	chan_free(old.gate);
	chan_free(new.gate);
}

/* --- contexts */

TEST(a_caller_leaves_with_its_context_and_the_call_goes_on)
{
	leat_singleflight g = {0};
	struct work w = {.gate = chan_make(int, 0)};
	leat_ctx *first = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *second = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
	atomic_int returned = 0, failed = 0;

	go(caller, &g, "key", &w, 7, 1, true, first, &returned, &failed);
	test_parked(2); /* and the call itself */
	go(caller, &g, "key", &w, 7, 1, true, NULL, &returned, &failed);
	test_parked(3);
	go(caller, &g, "key", &w, 7, 1, true, second, &returned, &failed);
	test_parked(4);
	leat_ctx_cancel(first);
	test_until(atomic_load(&failed) == 1);
	test_parked(3);
	CHECK_EQ(leat_singleflight_do_ctx(&g, "key", work, &w, NULL, first), -ECANCELED);
	chan_send(w.gate, 7);
	test_until(atomic_load(&returned) == 2);
	CHECK_EQ(atomic_load(&w.ran), 1);
	test_goroutines(1);

	/* All leave; it goes on for nobody, and who comes meanwhile joins it. */
	go(caller, &g, "key", &w, 8, 2, true, second, &returned, &failed);
	test_parked(2);
	leat_ctx_cancel(second);
	test_until(atomic_load(&failed) == 2);
	test_parked(1);
	go(caller, &g, "key", &w, 8, 2, false, NULL, &returned, &failed);
	test_parked(2);
	CHECK_EQ(atomic_load(&w.ran), 2);
	chan_send(w.gate, 8);
	test_until(atomic_load(&returned) == 3);
	test_goroutines(1);
	leat_ctx_free(first);
	leat_ctx_free(second);
	chan_free(w.gate);
}

/* --- channels */

TEST(line_190_a_channel_gets_one_result_and_is_not_closed)
{
	leat_singleflight g = {0};
	struct work w = {.gate = chan_make(int, 0)};
	recv_chan(leat_singleflight_result) c[3];
	leat_singleflight_result r;
	atomic_int returned = 0;
	bool ok;

	for (int i = 0; i < 3; i++) {
		c[i] = leat_singleflight_do_chan(&g, "key", work, &w);
		CHECK_EQ(chan_cap(c[i]), 1);
	}
	test_parked(1);
	CHECK(!chan_try_recv(c[0], &r, &ok));
	go(caller, &g, "key", &w, -3, 1, true, NULL, &returned, NULL);
	test_parked(2);
	chan_send(w.gate, -3);
	for (int i = 0; i < 3; i++) {
		CHECK(chan_recv_ok(c[i], &r));
		CHECK_EQ(r.err, -3);
		CHECK(r.value == &w.value);
		CHECK_EQ(*(int *)r.value, 1);
		CHECK(r.shared);
	}
	test_goroutines(1);
	test_until(atomic_load(&returned) == 1);
	for (int i = 0; i < 3; i++) {
		CHECK(!chan_try_recv(c[i], &r, &ok)); /* neither a second one nor closed */
		chan_free(c[i]);
	}

	/* For a call that is flown by another. */
	go(caller, &g, "key", &w, 4, 2, true, NULL, &returned, NULL);
	test_parked(1);
	c[0] = leat_singleflight_do_chan(&g, "key", work, &w);
	chan_send(w.gate, 4);
	r = chan_recv(c[0]);
	CHECK_EQ(r.err, 4);
	CHECK(r.shared);
	chan_free(c[0]);
	test_until(atomic_load(&returned) == 2);

	c[0] = leat_singleflight_do_chan(&g, "key", work, &w);
	chan_send(w.gate, 0);
	r = chan_recv(c[0]);
	CHECK(!r.shared);
	chan_free(c[0]);
	test_goroutines(1);
	chan_free(w.gate);
}

/* --- panic and goexit */

static void panic(void *w)
{
	(void)w;
	leat_panic("no luck");
}

static void misuse(void *w)
{
	(void)w;
	leat_chan_free(leat_chan_make(1, -1));
}

static void goexit(void *w)
{
	(void)w;
	leat_goexit();
}

static void call(void *arg)
{
	struct caller *a = arg;

	if (a->ctx)
		(void)!leat_singleflight_do_ctx(a->g, a->key, work, a->w, NULL, a->ctx);
	else
		leat_singleflight_do(a->g, a->key, work, a->w, NULL);
}

/* Counts as returned when the expected panic came. */
static void catcher(struct caller *a)
{
	leat_panic_info info;

	CHECK(leat_catch(call, a, &info));
	CHECK_STR(info.message, a->value ? "makechan: size out of range" : "no luck");
	CHECK_EQ(info.runtime, a->value);
	CHECK_EQ(info.goid, leat_goid());
	atomic_fetch_add(a->returned, 1);
}

static void *catch_in_thread(void *arg)
{
	catcher(arg);
	return NULL;
}

static void all_panic(void (*end)(void *), bool runtime, leat_ctx *ctx)
{
	enum { N = 5 };
	leat_singleflight g = {0};
	struct work w = {.gate = chan_make(int, 0), .end = end};
	atomic_int returned = 0;
	struct caller in_thread = {&g, "key", &w, 0, runtime, true, NULL, &returned, NULL};
	pthread_t thread;

	for (int i = 0; i < N; i++) {
		go_as(caller, catcher, &g, "key", &w, 0, runtime, true, ctx, &returned, NULL);
		test_parked(i + 1 + (ctx != NULL));
	}
	CHECK_EQ(pthread_create(&thread, NULL, catch_in_thread, &in_thread), 0);
	test_parked(N + 1 + (ctx != NULL));
	chan_send(w.gate, 0);
	test_until(atomic_load(&returned) == N + 1);
	pthread_join(thread, NULL);
	test_goroutines(1);
	w.end = NULL;
	go(caller, &g, "key", &w, 3, 2, false, NULL, &returned, NULL);
	chan_send(w.gate, 3);
	test_until(atomic_load(&returned) == N + 2);
	CHECK_EQ(atomic_load(&w.ran), 2);
	test_goroutines(1);
	chan_free(w.gate);
}

TEST(line_190_a_panic_reaches_every_caller)
{
	all_panic(panic, false, NULL);
	all_panic(misuse, true, NULL);
}

TEST(line_190_a_panic_of_a_call_in_its_own_goroutine_reaches_every_caller)
{
	all_panic(panic, false, leat_ctx_background());
	all_panic(misuse, true, leat_ctx_background());
}

static void note_end(void *ended)
{
	atomic_fetch_add((atomic_int *)ended, 1);
}

/* Its caller ends without returning. */
static void leaver(struct caller *a)
{
	defer(note_end, a->failed);
	call(a);
	atomic_fetch_add(a->returned, 1);
}

static void *leave_in_thread(void *arg)
{
	leaver(arg);
	return NULL;
}

static void all_leave(leat_ctx *ctx)
{
	enum { N = 5 };
	leat_singleflight g = {0};
	struct work w = {.gate = chan_make(int, 0), .end = goexit};
	atomic_int returned = 0, ended = 0;
	struct caller in_thread = {&g, "key", &w, 0, 0, true, NULL, &returned, &ended};
	recv_chan(leat_singleflight_result) c;
	leat_singleflight_result r;
	pthread_t thread;

	for (int i = 0; i < N; i++) {
		go_as(caller, leaver, &g, "key", &w, 0, 0, true, ctx, &returned, &ended);
		test_parked(i + 1 + (ctx != NULL));
	}
	CHECK_EQ(pthread_create(&thread, NULL, leave_in_thread, &in_thread), 0);
	test_parked(N + 1 + (ctx != NULL));
	c = leat_singleflight_do_chan(&g, "key", work, &w);
	chan_send(w.gate, 0);
	r = chan_recv(c);
	CHECK_EQ(r.err, -ECANCELED);
	CHECK(r.value == NULL);
	test_until(atomic_load(&ended) == N + 1);
	pthread_join(thread, NULL);
	CHECK_EQ(atomic_load(&returned), 0);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&w.ran), 1);
	chan_free(c);
	chan_free(w.gate);
}

TEST(line_190_a_goexit_ends_every_caller)
{
	all_leave(NULL);
	all_leave(leat_ctx_background());
}

/* A call made by what another panic runs: that panic is not this call's. */
static void call_while_panicking(void *arg)
{
	struct caller *a = arg;

	caller(a);
}

static void panic_and_call(void *arg)
{
	defer(call_while_panicking, arg);
	leat_panic("outer");
}

TEST(line_190_a_call_while_panicking_is_an_ordinary_one)
{
	leat_singleflight g = {0};
	struct work w = {0};
	atomic_int returned = 0;
	struct caller a = {&g, "key", &w, 0, 1, false, NULL, &returned, NULL};

	CHECK(test_panics(panic_and_call, &a, "outer"));
	CHECK_EQ(atomic_load(&returned), 1);
}

/* --- many */

static int quick(void *arg, void **value)
{
	int times = atomic_fetch_add((atomic_int *)arg, 1) % 4;

	(void)value;
	for (int i = 0; i < times; i++)
		leat_yield();
	return -1;
}

struct canceler {
	leat_ctx *ctx;
	int spin;
	atomic_int *over;
};

static void canceler(struct canceler *a)
{
	for (volatile int i = 0; i < a->spin; i++)
		;
	leat_ctx_cancel(a->ctx);
	atomic_store(a->over, 1);
}

struct racer {
	leat_singleflight *g;
	atomic_int *ran;
	int rounds, me;
	leat_waitgroup *done;
};

/* Calls of all kinds that join, begin, leave and forget at the same time. */
static void racer(struct racer *a)
{
	static const char *const keys[] = {"a", "b", "c"};

	for (int i = 0; i < a->rounds; i++) {
		const char *key = keys[(i + a->me) % 3];
		leat_singleflight_result r = {.err = 5};

		if (i % 4 == 0) {
			leat_singleflight_do(a->g, key, quick, a->ran, &r);
			CHECK_EQ(r.err, -1);
		} else if (i % 4 == 1) {
			recv_chan(leat_singleflight_result) c =
			    leat_singleflight_do_chan(a->g, key, quick, a->ran);

			r = chan_recv(c);
			CHECK_EQ(r.err, -1);
			chan_free(c);
		} else {
			leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
			atomic_int over = 0;
			int err;

			go(canceler, ctx, i % 128, &over);
			err = leat_singleflight_do_ctx(a->g, key, quick, a->ran, &r, ctx);
			CHECK(err ? err == -ECANCELED && r.err == 5 : r.err == -1);
			while (!atomic_load(&over))
				leat_yield();
			leat_ctx_free(ctx);
		}
		if (i % 32 == 31)
			leat_singleflight_forget(a->g, key);
	}
	leat_waitgroup_done(a->done);
}

TEST(callers_that_race)
{
	enum { GOROUTINES = 6 };
	int rounds = test_count(20000);
	static leat_singleflight g, none;
	leat_waitgroup done = {0};
	atomic_int ran = 0;

	leat_waitgroup_add(&done, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		go(racer, &g, &ran, rounds, i, &done);
	leat_waitgroup_wait(&done);
	test_goroutines(1); /* flights that all have left have landed */
	CHECK(atomic_load(&ran) >= 1 && atomic_load(&ran) <= GOROUTINES * rounds);
	CHECK(memcmp(&g, &none, sizeof g) == 0); /* nothing is left in it */
}

TEST_MAIN
