/* SPDX-License-Identifier: MIT */
/*
 * Goal: in a coroutine a goroutine does all that it does outside: it parks, sleeps, locks, selects, starts
 * goroutines, moves to other threads, is dumped; and a coroutine may be resumed by one goroutine now and by another
 * later.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { MANY = 50 };

/* --- parked inside */

struct received {
	recv_chan(int) from;
};

static void received(coro(int) c, struct received *a)
{
	chan_range(v, a->from)
		coro_yield(c, v);
}

struct produce {
	send_chan(int) to;
	int n;
};

static void produce(struct produce *a)
{
	for (int i = 0; i < a->n; i++)
		chan_send(a->to, i);
	chan_close(a->to);
}

TEST(parks_on_a_channel)
{
	for (int cap = 0; cap < 3; cap++) {
		chan(int) values = chan_make(int, cap);
		int next = 0, n = test_count(20000);

		{
			coro_own(c, int, received, .from = chan_receiver(values));

			go(produce, .to = chan_sender(values), .n = n);
			coro_range(v, c)
				CHECK_EQ(v, next++);
			CHECK_EQ(next, n);
		}
		test_goroutines(1);
		chan_free(values);
	}
}

static void *receives_all(void *arg)
{
	chan(int) values = arg;
	int next = 0;
	coro_own(c, int, received, .from = chan_receiver(values));

	coro_range(v, c)
		CHECK_EQ(v, next++);
	CHECK_EQ(next, 1000);
	return NULL;
}

TEST(parks_on_plain_threads)
{
	enum { THREADS = 3 };
	pthread_t threads[THREADS];
	chan(int) values[THREADS];

	for (int i = 0; i < THREADS; i++) {
		values[i] = chan_make(int, i);
		CHECK(pthread_create(&threads[i], NULL, receives_all, (void *)values[i]) == 0);
		go(produce, .to = chan_sender(values[i]), .n = 1000);
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	test_goroutines(1);
	for (int i = 0; i < THREADS; i++)
		chan_free(values[i]);
}

/* Everything that parks, a yield after each. */
struct all {
	leat_mutex *m;
	chan(int) tokens;
	int turns;
	uint64_t id;
	int *shared;
};

static void all(coro(int) c, struct all *a)
{
	for (int i = 0; i < a->turns; i++) {
		int got = -1;

		errno = i;
		CHECK_EQ(leat_goid(), a->id);
		leat_yield();
		CHECK_EQ(errno, i);
		coro_yield(c, 0);
		{
			with_lock(a->m);
			++*a->shared;
			leat_yield();
			coro_yield(c, 1); /* the lock stays locked */
			CHECK_EQ(leat_goid(), a->id);
		}
		leat_sleep(i % 16 ? 0 : 1000);
		chan_select {
			case_recv(a->tokens, v)
				got = v;
			case_timeout(LEAT_MINUTE)
				CHECK(false);
		}
		coro_yield(c, got);
		chan_send(a->tokens, got);
		{
			scope(s, NULL);
			chan(int) inner = scope_chan(s, int, 0);

			scope_go(s, produce, .to = chan_sender(inner), .n = 3);
			chan_range(v, inner)
				coro_yield(c, v);
		}
	}
}

struct run_all {
	leat_waitgroup *done;
	leat_mutex *m;
	chan(int) tokens;
	int turns;
	int *shared;
	bool early;
};

static void run_all(struct run_all *a)
{
	int n = 0;

	defer(leat_waitgroup_done, a->done);
	coro_own(c, int, all, .m = a->m, .tokens = a->tokens, .turns = a->turns, .id = leat_goid(),
	         .shared = a->shared);
	coro_range(v, c) {
		CHECK(v >= 0);
		leat_yield();
		n++;
		/* Not where it holds a token. */
		if (a->early && n == 6 * (a->turns / 2) + 2)
			return;
	}
	CHECK_EQ(n, 6 * a->turns);
}

TEST(many_goroutines_in_coroutines)
{
	leat_waitgroup done = {0};
	leat_mutex m = {0};
	chan(int) tokens = chan_make(int, 8);
	int shared = 0, turns = test_count(200) + 4;

	for (int i = 0; i < 8; i++)
		chan_send(tokens, i);
	leat_waitgroup_add(&done, MANY);
	for (int i = 0; i < MANY; i++)
		go(run_all, .done = &done, .m = &m, .tokens = tokens, .turns = turns, .shared = &shared,
		   .early = i % 5 == 0);
	leat_waitgroup_wait(&done);
	test_goroutines(1);
	CHECK_EQ(shared, MANY / 5 * (4 * turns + turns / 2 + 1));
	CHECK_EQ(chan_len(tokens), 8);
	chan_free(tokens);
}

/* --- from hand to hand */

struct counted {
	int to;
	int *ended;
};

static void end(void *ended)
{
	++*(int *)ended;
}

static void counted(coro(int) c, struct counted *a)
{
	defer(end, a->ended);
	for (int i = 0; i < a->to; i++) {
		if (i % 7 == 0)
			leat_yield();
		coro_yield(c, i);
	}
}

struct pass {
	recv_chan(coro(int)) in;
	send_chan(coro(int)) out;
	send_chan(leat_empty) over;
	int64_t *sum;
};

/* One value of each that comes along; one that ends is not passed on. */
static void pass(struct pass *a)
{
	chan_range(c, a->in) {
		int v;

		if (coro_next(c, &v)) {
			*a->sum += v;
			chan_send(a->out, c);
		} else {
			coro_free(c);
			chan_send(a->over, (leat_empty){});
		}
	}
}

TEST(passed_from_goroutine_to_goroutine)
{
	enum { COROS = 20, HANDS = 4 };
	int to = test_count(2000), ended[COROS] = {0};
	int64_t sums[HANDS] = {0}, sum = 0;
	chan(coro(int)) ring[HANDS];
	chan(leat_empty) over = chan_make(leat_empty, 0);

	for (int i = 0; i < HANDS; i++)
		ring[i] = chan_make(coro(int), COROS);
	{
		scope(s, NULL);

		for (int i = 0; i < HANDS; i++) {
			chan(coro(int)) out = i + 1 < HANDS ? ring[i + 1] : ring[0];

			scope_go(s, pass, .in = chan_receiver(ring[i]), .out = chan_sender(out),
			         .over = chan_sender(over), .sum = &sums[i]);
		}
		for (int i = 0; i < COROS; i++)
			chan_send(ring[i % HANDS], coro_make(int, counted, .to = to, .ended = &ended[i]));
		for (int i = 0; i < COROS; i++)
			chan_recv(over);
		for (int i = 0; i < HANDS; i++)
			chan_close(ring[i]);
	}
	for (int i = 0; i < HANDS; i++) {
		sum += sums[i];
		chan_free(ring[i]);
	}
	chan_free(over);
	CHECK_EQ(sum, (int64_t)COROS * to * (to - 1) / 2);
	for (int i = 0; i < COROS; i++)
		CHECK_EQ(ended[i], 1);
}

struct resume_one {
	coro(int) c;
	int want;
	leat_waitgroup *done;
};

static void resume_one(struct resume_one *a)
{
	int v;

	CHECK(coro_next(a->c, &v));
	CHECK_EQ(v, a->want);
	leat_waitgroup_done(a->done);
}

static void *resume_there(void *arg)
{
	resume_one(arg);
	return NULL;
}

/* The resumers' stacks differ: small, large, a thread's, another coroutine's. */
TEST(resumed_from_all_kinds_of_stacks)
{
	int ended = 0;
	coro(int) c = coro_make(int, counted, .to = 1000, .ended = &ended);

	for (int i = 0; i < 60; i++) {
		leat_waitgroup done = {0};
		struct resume_one a = {c, i, &done};
		pthread_t t;

		leat_waitgroup_add(&done, 1);
		switch (i % 4) {
		case 0:
			go(resume_one, .c = c, .want = i, .done = &done);
			break;
		case 1:
			go_with(&(leat_go_opts){.stack_bytes = 2048}, resume_one, .c = c, .want = i,
			        .done = &done);
			break;
		case 2:
			go_with(&(leat_go_opts){.stack_bytes = 1 << 20}, resume_one, .c = c, .want = i,
			        .done = &done);
			break;
		default:
			CHECK(pthread_create(&t, NULL, resume_there, &a) == 0);
			CHECK(pthread_join(t, NULL) == 0);
		}
		leat_waitgroup_wait(&done);
	}
	coro_free(c);
	CHECK_EQ(ended, 1);
	test_goroutines(1);
}

struct on_small {
	leat_waitgroup *done;
	int *ended;
	bool panics;
};

static void panics(void *c)
{
	coro_range(v, (coro(int))c)
		if (v == 20)
			leat_panic("small");
}

static void on_small(struct on_small *a)
{
	leat_panic_info info;
	int n = 0;

	defer(leat_waitgroup_done, a->done);
	coro_own(c, int, counted, .to = 100, .ended = a->ended);
	if (a->panics) {
		CHECK(leat_catch(panics, (void *)c, &info));
		CHECK_STR(info.message, "small");
	} else {
		coro_range(v, c)
			CHECK_EQ(v, n++);
		CHECK_EQ(n, 100);
	}
	leat_yield();
}

TEST(made_resumed_and_freed_on_packed_stacks)
{
	leat_waitgroup done = {0};
	int ended[2 * MANY] = {0};

	leat_waitgroup_add(&done, 2 * MANY);
	for (int i = 0; i < 2 * MANY; i++)
		go_with(&(leat_go_opts){.stack_bytes = i % 2 ? 2048 : 4096}, on_small, .done = &done,
		        .ended = &ended[i], .panics = i % 3 == 0);
	leat_waitgroup_wait(&done);
	test_goroutines(1);
	for (int i = 0; i < 2 * MANY; i++)
		CHECK_EQ(ended[i], 1);
}

/* --- names, dumps */

static void named_body(coro(int) c)
{
	CHECK_STR(leat_name(), "feeder");
	coro_yield(c, 1);
	CHECK_STR(leat_name(), "feeder");
	chan_recv((chan(int))NULL);
}

static void named(void)
{
	coro(int) b = coro_make0(int, named_body);

	defer(leat_coro_free, (leat_coro *)(void *)b);
	CHECK(coro_next(b, NULL));
	CHECK_STR(leat_name(), "feeder");
	coro_next(b, NULL);
}

struct named0 {
	char unused;
};

static void named0(struct named0 *unused)
{
	(void)unused;
	named();
}

static void parked_plainly(void)
{
	chan_recv((chan(int))NULL);
}

TEST(dump_shows_where_it_is_parked)
{
	char *text;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	go0(parked_plainly);
	go_with(&(leat_go_opts){.name = "feeder"}, named0);
	test_parked(2);
	leat_dump(f);
	fclose(f);
	CHECK(strstr(text, "\"feeder\" [chan receive (nil chan)]:\n") != NULL);
	if (strstr(text, "parked_plainly(...)\n")) /* frames of what is parked can be had here */
		CHECK(strstr(text, "named_body(...)\n") != NULL);
	free(text);
}

TEST_MAIN
