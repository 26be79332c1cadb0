/* SPDX-License-Identifier: MIT */
/* CTEST: san timeout=300 */
/*
 * Goal: whatever is used together with whatever, nothing is lost, doubled, early or out of order.
 *
 * Method: rounds of producers and consumers over channels of random capacity, in which everybody does
 * something else between two values: whatever the library has, drawn from a seed.  Values are blocks of
 * memory that change hands with the channel, so a sanitizer sees a missing happens-before.  At the end
 * of a round every sum must be right and no goroutine left.  A thread that never calls leat watches
 * for a round that stands still.
 *
 * TEST_SEED=n repeats the draws (not the interleaving); the seed is printed first.  TEST_SECONDS=n is
 * how long it runs: 2, under TEST_FULL 60; an hour of it is the soak.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { CHANS = 4, STUCK_SECONDS = 60 };

static uint64_t seed;
static atomic_ulong progress; /* acts so far */

/* A value: its block is the consumer's once it is received. */
struct item {
	uint64_t value, check;
};

/* What one round is made of. */
struct world {
	chan(struct item *) chans[CHANS];
	leat_waitgroup producers, others;
	leat_mutex mutex;
	uint64_t under_lock; /* plain: the mutex must order it */
	atomic_ulong locked, sent, received, sent_sum, received_sum;
	atomic_ulong deferred, expected_deferred;
	int pipe[2];
	uint64_t piped; /* the writer's, until the reader saw the end */
};

struct actor {
	struct world *w;
	uint64_t random;
	int n;       /* values of a producer; number of a consumer */
	bool thread; /* a plain one */
};

static uint32_t draw(struct actor *a)
{
	a->random = a->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(a->random >> 33);
}

static uint32_t draw_below(struct actor *a, uint32_t n)
{
	return draw(a) % n;
}

/* --- what is done between two values */

static void nap(struct actor *a)
{
	int64_t ns = draw_below(a, 4) ? draw_below(a, 200000) : 0, begin = leat_now();

	leat_sleep(ns);
	CHECK(leat_now() - begin >= ns);
}

static void wait_for_timer(struct actor *a)
{
	int64_t ns = draw_below(a, 200000), begin = leat_now();
	recv_chan(int64_t) c = leat_after(ns);
	bool early = draw_below(a, 3) == 0;

	if (!early) {
		int64_t fired = chan_recv(c);
		CHECK(fired >= begin + ns);
	}
	chan_free(c);
}

static void block(struct actor *a)
{
	if (draw_below(a, 2)) {
		usleep(draw_below(a, 300));
	} else {
#ifdef LEAT_BLOCKING
		LEAT_BLOCKING();
#endif
		usleep(draw_below(a, 300));
	}
}

/* Mostly short; now and then longer than a time slice. */
static void compute(struct actor *a)
{
	int us = draw_below(a, 50) ? (int)draw_below(a, 50) : 12000;
	struct timespec t;
	int64_t end = leat_now() + us * LEAT_MICROSECOND, now;

	do {
		clock_gettime(CLOCK_MONOTONIC, &t);
		now = t.tv_sec * LEAT_SECOND + t.tv_nsec;
	} while (now < end);
}

static void count_locked(struct world *w)
{
	w->under_lock++;
	atomic_fetch_add(&w->locked, 1);
}

static void lock(struct actor *a)
{
	struct world *w = a->w;

	switch (draw_below(a, 3)) {
	case 0: {
		with_lock(&w->mutex);
		count_locked(w);
		if (!a->thread && draw_below(a, 8) == 0)
			leat_yield();
		break;
	}
	case 1:
		if (leat_mutex_trylock(&w->mutex)) {
			count_locked(w);
			leat_mutex_unlock(&w->mutex);
		}
		break;
	default:
		leat_mutex_lock(&w->mutex);
		count_locked(w);
		leat_mutex_unlock(&w->mutex);
	}
}

struct fork {
	int n;
	long *sum;
	leat_waitgroup *wg;
};

static void fork_(struct fork *a);

/* 1 + ... + 2^n, each in a goroutine. */
static long fork_join(int n)
{
	leat_waitgroup wg = {0};
	long left = 0, right = 0;

	if (n == 0)
		return 1;
	leat_waitgroup_add(&wg, 2);
	go_as(fork, fork_, n - 1, &left, &wg);
	go_as(fork, fork_, n - 1, &right, &wg);
	leat_waitgroup_wait(&wg);
	return left + right + 1;
}

static void fork_(struct fork *a)
{
	*a->sum = fork_join(a->n);
	leat_waitgroup_done(a->wg);
}

static void fork_tree(struct actor *a)
{
	int n = (int)draw_below(a, 4);

	CHECK_EQ(fork_join(n), (2 << n) - 1);
}

/* --- scopes */

struct member {
	leat_scope *s;
	atomic_int *left;
	int fails;
};

/* Wait until the scope is done, or fail it. */
static void member(struct member *a)
{
	if (a->fails)
		scope_fail(a->s, -a->fails);
	else
		chan_recv(scope_done(a->s));
	CHECK(scope_err(a->s) != 0);
	atomic_fetch_add(a->left, 1);
}

static void in_scope(struct actor *a, int members, uint32_t how, atomic_int *left)
{
	scope(s, NULL);
	uint64_t *mine = scope_alloc(s, uint64_t, 1 + draw_below(a, 300));

	*mine = a->random;
	for (int i = 0; i < members; i++)
		scope_go(s, member, s, left, how == 1 && i == 0 ? EIO : 0);
	switch (how) {
	case 1:
		CHECK_EQ(scope_wait(s), members ? -EIO : 0);
		break;
	case 2:
		scope_timeout(s, draw_below(a, 200000));
		chan_recv(scope_done(s));
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
		break;
	case 3: {
		scope(inner, s);
		scope_go(inner, member, inner, left, 0);
		scope_cancel(s);
		CHECK_EQ(scope_err(inner), -ECANCELED);
		break;
	}
	default:
		break; /* the end of the block cancels */
	}
	CHECK(*mine == a->random || how == 2);
}

static void use_scope(struct actor *a)
{
	int members = (int)draw_below(a, 4);
	uint32_t how = draw_below(a, 4);
	atomic_int left = 0;

	in_scope(a, members, how, &left);
	CHECK_EQ(left, members + (how == 3));
}

/* --- panics, defer, goexit */

static void count_deferred(struct world *w)
{
	atomic_fetch_add(&w->deferred, 1);
}

static void fail(void *arg)
{
	struct actor *a = arg;
	struct world *w = a->w;

	atomic_fetch_add(&w->expected_deferred, 2);
	defer(count_deferred, w);
	if (!a->thread)
		leat_yield();
	with_lock(&w->mutex);
	count_locked(w);
	defer(count_deferred, w);
	leat_panic("drawn %d", 7);
}

struct leaver {
	struct world *w;
	leat_waitgroup *wg;
};

static void leaver(struct leaver *a)
{
	defer(leat_waitgroup_done, a->wg);
	defer(count_deferred, a->w);
	leat_goexit();
}

static void leave(struct actor *a)
{
	leat_go_opts opts = {.name = draw_below(a, 2) ? "leaver" : NULL,
	                     .stack_bytes =
	                         draw_below(a, 4) ? 0 : (size_t)64 << (10 + draw_below(a, 4))};
	leat_waitgroup wg = {0};

	atomic_fetch_add(&a->w->expected_deferred, 1);
	leat_waitgroup_add(&wg, 1);
	go_with(&opts, leaver, a->w, &wg);
	leat_waitgroup_wait(&wg);
}

/* --- everything */

static void act(struct actor *a)
{
	uint64_t id = leat_goid();

	atomic_fetch_add_explicit(&progress, 1, memory_order_relaxed);
	switch (draw_below(a, 16)) {
	case 0:
		nap(a);
		break;
	case 1:
		wait_for_timer(a);
		break;
	case 2:
		block(a);
		break;
	case 3:
		compute(a);
		break;
	case 4:
	case 5:
		lock(a);
		break;
	case 6:
		fork_tree(a);
		break;
	case 7:
		use_scope(a);
		break;
	case 8:
		CHECK(test_panics(fail, a, "drawn 7"));
		break;
	case 9:
		leave(a);
		break;
	case 10: {
		int was = leat_procs(1 + (int)draw_below(a, 9));

		CHECK(was >= 1 && was <= 1024);
		break;
	}
	case 11:
		chan_select {
			case_timeout(draw_below(a, 50000)) {
			}
		}
		break;
	default:
		leat_yield();
	}
	CHECK_EQ(leat_goid(), id);
}

/* --- producers and consumers */

static void send_one(struct actor *a, struct item *it)
{
	struct world *w = a->w;
	chan(struct item *) one = w->chans[draw_below(a, CHANS)],
	                    other = w->chans[draw_below(a, CHANS)];
	bool sent = false;

	switch (draw_below(a, 3)) {
	case 0:
		chan_send(one, it);
		break;
	case 1:
		while (!chan_try_send(one, it))
			leat_yield();
		break;
	default:
		while (!sent) {
			chan_select {
				case_send(one, it)
					sent = true;
				case_send(other, it)
					sent = true;
				case_timeout(draw_below(a, 100000)) {
				}
			}
		}
	}
}

static void produce(struct actor *a)
{
	struct world *w = a->w;

	for (int i = 0; i < a->n; i++) {
		struct item *it = malloc(sizeof *it);

		CHECK(it != NULL);
		it->value = draw(a);
		it->check = ~it->value;
		atomic_fetch_add(&w->sent, 1);
		atomic_fetch_add(&w->sent_sum, it->value);
		send_one(a, it);
		act(a);
	}
	leat_waitgroup_done(&w->producers);
}

static void take(struct actor *a, struct item *it)
{
	struct world *w = a->w;

	CHECK_EQ(it->check, ~it->value);
	atomic_fetch_add(&w->received, 1);
	atomic_fetch_add(&w->received_sum, it->value);
	free(it);
}

/* Receive from two channels until both are closed, half of the time by a select. */
static void consume(struct actor *a)
{
	struct world *w = a->w;
	int first = a->n % CHANS;
	chan(struct item *) open[2] = {w->chans[first], w->chans[(first + 1) % CHANS]};

	if (draw_below(a, 2)) {
		for (int i = 0; i < 2; i++) {
			chan_range(it, open[i]) {
				take(a, it);
				if (draw_below(a, 4) == 0)
					act(a);
			}
		}
	}
	while (open[0] || open[1]) {
		chan_select {
			case_recv(open[0], it, ok) {
				if (ok)
					take(a, it);
				else
					open[0] = NULL;
			}
			case_recv(open[1], it, ok) {
				if (ok)
					take(a, it);
				else
					open[1] = NULL;
			}
			case_timeout(LEAT_MILLISECOND)
				leat_yield();
		}
		if (draw_below(a, 4) == 0)
			act(a);
	}
	leat_waitgroup_done(&w->others);
}

/* --- calls that block, on a pipe */

static void write_pipe(struct actor *a)
{
	struct world *w = a->w;

	for (int i = 0; i < a->n; i++) {
		unsigned char byte = (unsigned char)draw(a);

		w->piped += byte;
		CHECK_EQ(write(w->pipe[1], &byte, 1), 1);
		act(a);
	}
	CHECK_EQ(close(w->pipe[1]), 0);
	leat_waitgroup_done(&w->others);
}

static void read_pipe(struct actor *a)
{
	struct world *w = a->w;
	unsigned char byte;
	uint64_t sum = 0;

	while (read(w->pipe[0], &byte, 1) == 1)
		sum += byte;
	CHECK_EQ(sum, w->piped);
	CHECK_EQ(close(w->pipe[0]), 0);
	leat_waitgroup_done(&w->others);
}

static void *produce_in_thread(void *arg)
{
	produce(arg);
	return NULL;
}

/* --- a round */

static void start_all(struct world *w, struct actor *root)
{
	int producers = 2 + (int)draw_below(root, 12), consumers = CHANS + (int)draw_below(root, 8);

	leat_waitgroup_add(&w->producers, producers + 1);
	leat_waitgroup_add(&w->others, consumers + 2);
	/* By their numbers each channel has one that is never anywhere else. */
	for (int i = 0; i < consumers; i++)
		go_as(actor, consume, w, draw(root), i, false);
	for (int i = 0; i < producers; i++)
		go_as(actor, produce, w, draw(root), 1 + (int)draw_below(root, 40), false);
	go_as(actor, write_pipe, w, draw(root), (int)draw_below(root, 30), false);
	go_as(actor, read_pipe, w, draw(root), 0, false);
}

static void play(uint64_t round_seed)
{
	struct world *w = calloc(1, sizeof *w);
	struct actor root = {w, round_seed, 0, false}, outside;
	pthread_t thread;

	CHECK(w != NULL);
	CHECK_EQ(pipe(w->pipe), 0);
	for (int i = 0; i < CHANS; i++)
		w->chans[i] = chan_make(struct item *, draw_below(&root, 3) ? draw_below(&root, 9) : 0);
	outside = (struct actor){w, draw(&root), 20, true};
	start_all(w, &root);
	CHECK_EQ(pthread_create(&thread, NULL, produce_in_thread, &outside), 0);

	leat_waitgroup_wait(&w->producers);
	for (int i = 0; i < CHANS; i++)
		chan_close(w->chans[i]);
	leat_waitgroup_wait(&w->others);
	pthread_join(thread, NULL);
	test_goroutines(1);

	CHECK_EQ(w->received, w->sent);
	CHECK_EQ(w->received_sum, w->sent_sum);
	CHECK(leat_mutex_trylock(&w->mutex));
	CHECK_EQ(w->under_lock, w->locked);
	leat_mutex_unlock(&w->mutex);
	CHECK_EQ(w->deferred, w->expected_deferred);
	for (int i = 0; i < CHANS; i++)
		chan_free(w->chans[i]);
	free(w);
}

static void *watch(void *arg)
{
	unsigned long seen = 0;

	for (int still = 0; still < STUCK_SECONDS;) {
		unsigned long now = atomic_load_explicit(&progress, memory_order_relaxed);

		still = now == seen ? still + 1 : 0;
		seen = now;
		sleep(1);
	}
	fprintf(stderr, "stuck after %lu acts; TEST_SEED=%" PRIu64 "\n", seen, seed);
	raise(SIGQUIT);
	sleep(10);
	_exit(1);
	return arg;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

TEST(everything_at_random)
{
	int procs = leat_procs(0), rounds = 0;
	int64_t end =
	    leat_now() + (int64_t)number("TEST_SECONDS", getenv("TEST_FULL") ? 60 : 2) * LEAT_SECOND;
	pthread_t watcher;

	seed = number("TEST_SEED", (uint64_t)leat_now());
	fprintf(stderr, "\tTEST_SEED=%" PRIu64 "\n", seed);
	CHECK_EQ(pthread_create(&watcher, NULL, watch, NULL), 0);
	pthread_detach(watcher);
	do
		play(seed + (uint64_t)rounds++);
	while (leat_now() < end);
	leat_procs(procs);
	fprintf(stderr, "\t%d rounds, %lu acts\n", rounds, atomic_load(&progress));
}

TEST_MAIN
