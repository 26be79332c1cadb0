/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=1200 */
/*
 * Goal: 100,000,000 cycles of park and ready, and never a stall (line 17).
 *
 * Method: whatever parks, in numbers that keep one, several or no processor busy; the last test has
 * all of them asleep, or just about to be, whenever something becomes ready.  Each cycle depends on
 * the one before, so a wake-up that is lost stops its chain for good; a thread that never calls leat
 * watches for chains that all stand still.  Every chain of a test must come to its end.
 *
 * All of it under TEST_FULL, some two minutes at each width where the CPUs are free; else a hundredth.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STUCK_LOOKS = 600, LOOK_MS = 100 };

static atomic_ulong steps; /* of the chains: for the watch */

static long share(int full)
{
	return getenv("TEST_FULL") ? full : full / 100;
}

static void *watch(void *arg)
{
	unsigned long seen = 0;

	for (int still = 0; still < STUCK_LOOKS;) {
		unsigned long now = atomic_load_explicit(&steps, memory_order_relaxed);

		still = now == seen ? still + 1 : 0;
		seen = now;
		usleep(LOOK_MS * 1000);
	}
	fprintf(stderr, "stuck after %lu steps\n", seen);
	fflush(NULL);
	_exit(1);
	return arg;
}

__attribute__((constructor)) static void begin(void)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, watch, NULL), 0);
	pthread_detach(t);
}

static void step(void)
{
	atomic_fetch_add_explicit(&steps, 1, memory_order_relaxed);
}

/* --- two that wake each other */

struct echo {
	chan(long) in, out;
	leat_waitgroup *wg;
};

static void echo(struct echo *a)
{
	chan_range(v, a->in)
		chan_send(a->out, v + 1);
	leat_waitgroup_done(a->wg);
}

struct caller {
	long n;
	int cap;
	leat_waitgroup *wg;
};

static void caller(struct caller *a)
{
	chan(long) to = chan_make(long, a->cap), from = chan_make(long, a->cap);
	leat_waitgroup ended = {0};

	leat_waitgroup_add(&ended, 1);
	go(echo, to, from, &ended);
	for (long i = 0; i < a->n; i++) {
		chan_send(to, i);
		CHECK_EQ(chan_recv(from), i + 1);
		if (i % 100 == 0)
			step();
	}
	chan_close(to);
	leat_waitgroup_wait(&ended);
	chan_free(to);
	chan_free(from);
	leat_waitgroup_done(a->wg);
}

/* n pairs; each parks twice for each of its trips. */
static void pairs(int n, int cap, long trips)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(caller, trips, cap, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

TEST(line_17_a_pair)
{
	pairs(1, 0, share(5000000));
	pairs(1, 1, share(5000000));
}

TEST(line_17_more_pairs_than_processors)
{
	pairs(10, 0, share(2500000));
}

/* --- a ring with some tokens: most wait, several processors wake each other */

struct link {
	chan(long) from, to;
	leat_waitgroup *wg;
};

static void pass_on(struct link *a)
{
	chan_range(v, a->from)
		chan_send(a->to, v - 1);
	chan_close(a->to);
	leat_waitgroup_done(a->wg);
}

enum { MEMBERS = 101, TOKENS = 5 };

TEST(line_17_a_ring)
{
	long hops = share(20000000) / TOKENS;
	chan(long) links[MEMBERS + 1];
	leat_waitgroup wg = {0};
	int over = 0;

	for (int i = 0; i <= MEMBERS; i++)
		links[i] = chan_make(long, i == MEMBERS ? TOKENS : 0);
	leat_waitgroup_add(&wg, MEMBERS);
	for (int i = 0; i < MEMBERS; i++)
		go_as(link, pass_on, links[i], links[i + 1], &wg);
	for (int i = 0; i < TOKENS; i++)
		chan_send(links[0], hops);
	while (over < TOKENS) {
		long v = chan_recv(links[MEMBERS]);

		step();
		if (v > 0)
			chan_send(links[0], v);
		else
			over++;
	}
	chan_close(links[0]);
	leat_waitgroup_wait(&wg);
	for (int i = 0; i <= MEMBERS; i++)
		chan_free(links[i]);
}

/* --- joins */

struct part {
	leat_waitgroup *wg;
	int *slot;
};

static void part(struct part *a)
{
	++*a->slot;
	leat_waitgroup_done(a->wg);
}

struct joiner {
	long n;
	leat_waitgroup *wg;
};

/* The waiter is woken by the last to end, wherever that ran. */
static void joiner(struct joiner *a)
{
	for (long i = 0; i < a->n; i++) {
		leat_waitgroup wg = {0};
		int slots[2] = {0};

		leat_waitgroup_add(&wg, 2);
		go(part, &wg, &slots[0]);
		go(part, &wg, &slots[1]);
		leat_waitgroup_wait(&wg);
		CHECK_EQ(slots[0] + slots[1], 2);
		if (i % 100 == 0)
			step();
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_17_joins)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(joiner, share(10000000) / 4, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

/* --- a mutex that is held while others come */

static leat_mutex mutex;
static long under_lock;

static void locker(struct joiner *a)
{
	for (long i = 0; i < a->n; i++) {
		leat_mutex_lock(&mutex);
		under_lock++;
		leat_yield();
		leat_mutex_unlock(&mutex);
		if (i % 100 == 0)
			step();
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_17_a_mutex)
{
	long each = share(2000000) / 8;
	leat_waitgroup wg = {0};

	under_lock = 0;
	leat_waitgroup_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go_as(joiner, locker, each, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(under_lock, 8 * each);
}

/* --- all asleep, or about to be */

struct dither {
	chan(long) in, out;
	leat_waitgroup *wg;
	uint64_t random;
};

/* Nothing, or a wait as long as a processor searches for work before it sleeps, or twice that. */
static void dither(uint64_t *random)
{
	int64_t end;

	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	if (*random >> 62)
		return;
	end = leat_now() + (int64_t)(*random >> 33) % 120000;
	while (leat_now() < end)
		;
}

static void echo_late(struct dither *a)
{
	chan_range(v, a->in) {
		dither(&a->random);
		chan_send(a->out, v + 1);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_17_while_processors_fall_asleep)
{
	chan(long) to = chan_make(long, 0), from = chan_make(long, 0);
	long trips = share(1000000) / 2;
	leat_waitgroup wg = {0};
	uint64_t random = 1;

	leat_waitgroup_add(&wg, 1);
	go_as(dither, echo_late, to, from, &wg, 2);
	for (long i = 0; i < trips; i++) {
		dither(&random);
		chan_send(to, i);
		CHECK_EQ(chan_recv(from), i + 1);
		step();
	}
	chan_close(to);
	leat_waitgroup_wait(&wg);
	chan_free(to);
	chan_free(from);
}

TEST_MAIN
