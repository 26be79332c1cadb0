/* SPDX-License-Identifier: MIT */
/*
 * Goal: the run queues give every goroutine that is put in to exactly one taker, in their order, at
 * every state of their counters, alone and against thieves, in both forms of the fences.
 *
 * Method: processors and descriptors made by hand; no runtime is started, so nothing else touches
 * them.  Few descriptors go round and round, so each is in a queue again while thieves still hold
 * what they read of it the time before.  Each says whether it is in a queue: two takers of one would
 * see that, and one that is lost never comes back to its owner.
 */
#define _GNU_SOURCE
#include "sched/scheduler.h"

#include "test.h"

#include <pthread.h>
#include <sched.h>

static struct leat__p *new_processor(void)
{
	struct leat__p *p = leat__os_map((sizeof *p + 4095) & ~(size_t)4095);

	CHECK(p != NULL);
	p->random = 1;
	return p;
}

static struct leat__g *new_goroutines(size_t n)
{
	struct leat__g *g = leat__os_map((n * sizeof *g + 4095) & ~(size_t)4095);

	CHECK(g != NULL);
	return g;
}

/* The ring's counters are about to wrap, the deque's stand where slots are used again. */
static void start_at(struct leat__p *p, uint32_t count)
{
	store_relaxed(&p->head, count);
	store_relaxed(&p->tail, count);
	store_relaxed(&p->top, count);
	store_relaxed(&p->bottom, count);
}

static size_t empty_global_queue(void)
{
	size_t n = load_relaxed(&leat__sched.queued);

	leat__sched.queue = (struct leat__g_list){0};
	store_relaxed(&leat__sched.queued, 0);
	return n;
}

static const uint32_t starts[] = {0, 1, 255, 1000, UINT32_MAX - 300, UINT32_MAX - 1, UINT32_MAX};

/* --- ring, alone */

TEST(ring_is_first_in_first_out)
{
	struct leat__p *p = new_processor();
	struct leat__g *g = new_goroutines(LEAT__RING);

	for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
		start_at(p, starts[s]);
		CHECK(leat__ring_empty(p));
		CHECK(leat__ring_get(p) == NULL);
		for (size_t i = 0; i < LEAT__RING; i++)
			CHECK(leat__ring_try_put(p, &g[i]));
		CHECK(!leat__ring_try_put(p, &g[0]));
		for (size_t i = 0; i < LEAT__RING; i++)
			CHECK(leat__ring_get(p) == &g[i]);
		CHECK(leat__ring_empty(p));
	}
}

TEST(full_ring_gives_its_older_half_to_the_global_queue)
{
	struct leat__p *p = new_processor();
	struct leat__g *g = new_goroutines(LEAT__RING + 1), *q;

	for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
		start_at(p, starts[s]);
		for (size_t i = 0; i <= LEAT__RING; i++)
			leat__ring_put(p, &g[i]);
		CHECK_EQ(load_relaxed(&leat__sched.queued), LEAT__RING / 2 + 1);
		q = leat__sched.queue.first;
		for (size_t i = 0; i < LEAT__RING / 2; i++, q = q->next)
			CHECK(q == &g[i]);
		CHECK(q == &g[LEAT__RING]);
		CHECK(q->next == NULL && leat__sched.queue.last == q);
		for (size_t i = LEAT__RING / 2; i < LEAT__RING; i++)
			CHECK(leat__ring_get(p) == &g[i]);
		CHECK(leat__ring_get(p) == NULL);
		empty_global_queue();
	}
}

TEST(thief_takes_half_of_what_it_saw)
{
	struct leat__p *victim = new_processor(), *p = new_processor();
	struct leat__g *g = new_goroutines(LEAT__RING);

	for (size_t s = 0; s < ARRAY_LEN(starts); s++)
		for (uint32_t n = 1; n <= LEAT__RING; n++) {
			uint32_t limit = starts[s] + n, taken = n - n / 2;

			start_at(victim, starts[s]);
			start_at(p, starts[s] * 7);
			for (uint32_t i = 0; i < LEAT__RING; i++)
				CHECK(leat__ring_try_put(victim, &g[i]));
			/* What came after the look stays. */
			CHECK(leat__ring_steal(p, victim, limit) == &g[0]);
			for (uint32_t i = 1; i < taken; i++)
				CHECK(leat__ring_get(p) == &g[i]);
			CHECK(leat__ring_get(p) == NULL);
			CHECK(leat__ring_get(victim) == &g[taken]);
		}
}

TEST(stale_look_takes_nothing)
{
	struct leat__p *victim = new_processor(), *p = new_processor();
	struct leat__g *g = new_goroutines(LEAT__RING);

	for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
		start_at(victim, starts[s]);
		start_at(p, 0);
		CHECK(leat__ring_steal(p, victim, starts[s]) == NULL); /* empty then */
		CHECK(leat__ring_try_put(victim, &g[0]));
		CHECK(leat__ring_steal(p, victim, starts[s]) == NULL);      /* later than the look */
		CHECK(leat__ring_steal(p, victim, starts[s] - 50) == NULL); /* all it saw is gone */
		/* No pair of counters can be that far apart but by a mistake. */
		CHECK(leat__ring_steal(p, victim, starts[s] + 2 * LEAT__RING) == NULL);
		CHECK(leat__ring_get(p) == NULL);
		CHECK(leat__ring_get(victim) == &g[0]);
	}
}

/* --- deque, alone */

TEST(deque_is_a_stack_for_its_owner_and_a_queue_for_thieves)
{
	enum { N = 100 };
	struct leat__p *p = new_processor();
	struct leat__g *g = new_goroutines(N);

	CHECK(leat__os_has_membarrier() || (leat__fenced = true));
	for (size_t s = 0; s < ARRAY_LEN(starts); s++)
		for (int stolen = 0; stolen <= N; stolen++) {
			start_at(p, starts[s]);
			CHECK(leat__deque_empty(p));
			CHECK(leat__deque_pop(p) == NULL);
			CHECK(leat__deque_steal(p, false) == NULL);
			for (int i = 0; i < N; i++) {
				leat__deque_push(p, &g[i]);
				if (i == N / 2)
					leat__deque_offer(p);
			}
			for (int i = 0; i < stolen; i++)
				CHECK(leat__deque_steal(p, i % 2) == &g[i]);
			for (int i = N; i-- > stolen;)
				CHECK(leat__deque_pop(p) == &g[i]);
			CHECK(leat__deque_pop(p) == NULL);
			CHECK(leat__deque_steal(p, true) == NULL);
			CHECK(!leat__p_has_shared_work(p));
		}
}

TEST(what_was_there_before_is_told_from_what_came_since)
{
	struct leat__p *p = new_processor();
	struct leat__g *g = new_goroutines(4);

	for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
		uint32_t tail, spawned;

		start_at(p, starts[s]);
		leat__ring_put(p, &g[0]);
		leat__deque_push(p, &g[1]);
		tail = load_relaxed(&p->tail);
		spawned = load_relaxed(&p->spawned);
		leat__ring_put(p, &g[2]);
		leat__deque_push(p, &g[3]);
		CHECK(leat__ring_has_before(p, tail) && leat__deque_has_before(p, spawned));
		CHECK(!leat__ring_has_before(p, tail - 1) && !leat__deque_has_before(p, spawned - 1));
		CHECK(leat__ring_get(p) == &g[0] && leat__deque_steal(p, true) == &g[1]);
		CHECK(!leat__ring_has_before(p, tail) && !leat__deque_has_before(p, spawned));
		CHECK(leat__ring_get(p) == &g[2] && leat__deque_pop(p) == &g[3]);
		CHECK(!leat__deque_has_before(p, spawned + 1));
	}
}

TEST(full_deque_gives_its_older_half_to_the_global_queue)
{
	struct leat__p *p = new_processor();
	struct leat__g *g = new_goroutines(LEAT__DEQUE + 1), *q;

	for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
		start_at(p, starts[s]);
		for (size_t i = 0; i <= LEAT__DEQUE; i++)
			leat__deque_push(p, &g[i]);
		q = leat__sched.queue.first;
		for (size_t i = 0; i < LEAT__DEQUE / 2; i++, q = q->next)
			CHECK(q == &g[i]);
		CHECK(q == NULL);
		CHECK_EQ(empty_global_queue(), LEAT__DEQUE / 2);
		for (size_t i = LEAT__DEQUE + 1; i-- > LEAT__DEQUE / 2;)
			CHECK(leat__deque_pop(p) == &g[i]);
		CHECK(leat__deque_pop(p) == NULL);
	}
}

/* --- against thieves */

enum how { RING = 1, FULL = 2, FENCED = 4, OFFERS = 8, MIXES = 16 };

enum { THIEVES = 3, IN_FLIGHT = 24, FLOOD = 3 * LEAT__RING };

static struct contest {
	struct leat__p *victim;
	struct leat__g *g;
	_Atomic int queued[FLOOD]; /* 1: put in and not yet taken out */
	_Atomic uint64_t stolen;
	_Atomic int stop;
	unsigned how;
} contest;

static void took(struct leat__g *g)
{
	ptrdiff_t i = g - contest.g;

	CHECK(i >= 0 && i < FLOOD);
	CHECK_EQ(atomic_exchange(&contest.queued[i], 0), 1);
}

static void *thief(void *arg)
{
	struct leat__p *p = arg, *victim = contest.victim;
	uint32_t limit = load_acquire(&victim->tail);

	for (unsigned turn = 0; !load_acquire(&contest.stop); turn++) {
		struct leat__g *g;

		if (contest.how & RING) {
			g = leat__ring_steal(p, victim, limit);
			/* Sometimes by an old look. */
			if (turn % 4 || contest.how & FULL)
				limit = load_acquire(&victim->tail);
		} else {
			g = leat__deque_steal(victim, false);
		}
		for (; g; g = leat__ring_get(p)) {
			took(g);
			fetch_add_relaxed(&contest.stolen, 1);
		}
		if (contest.how & FULL ? turn % 4 == 0 : turn % 16 == 0)
			leat__os_backoff(contest.how & FULL ? 64 : 0);
	}
	return NULL;
}

/* A descriptor that is in no queue; it must come back from where it was put before. */
static int vacant(uint64_t *random)
{
	int64_t end = 0;

	for (unsigned tries = 0;; tries++) {
		int i = (int)(leat__random_next(random) % IN_FLIGHT);

		if (!load_acquire(&contest.queued[i]))
			return i;
		if (tries > 1000) {
			leat__os_backoff(0);
			if (!end)
				end = leat__os_now() + 30 * LEAT_SECOND;
			CHECK(leat__os_now() < end);
		}
	}
}

static struct leat__g *take_own(void)
{
	return contest.how & RING ? leat__ring_get(contest.victim) : leat__deque_pop(contest.victim);
}

/* Until thieves had so many, or for some seconds: that depends on how busy the machine is. */
static void put_and_take(uint64_t wanted)
{
	/* About as long as a thief takes from one look to the next. */
	uint32_t pause = contest.how & (RING | OFFERS) || leat__fenced ? 64 : 4096;
	int64_t end = leat__os_now() + test_count(10) * LEAT_SECOND;
	uint64_t random = 77;
	struct leat__g *g;

	for (uint64_t round = 0; load_relaxed(&contest.stolen) < wanted; round++) {
		if (round % 256 == 0 && leat__os_now() > end)
			break;
		uint32_t n = 1 + leat__random_next(&random) % 3;

		/* Few at a time: the last one is where owner and thief meet. */
		for (uint32_t i = 0; i < n; i++) {
			int at = vacant(&random);

			store_relaxed(&contest.queued[at], 1);
			if (contest.how & RING)
				leat__ring_put(contest.victim, &contest.g[at]);
			else
				leat__deque_push(contest.victim, &contest.g[at]);
			if (contest.how & OFFERS ||
			    (contest.how & MIXES && leat__random_next(&random) % 4 == 0))
				leat__deque_offer(contest.victim);
		}
		for (uint32_t k = leat__random_next(&random) % pause; k > 0; k--)
			compiler_barrier();
		for (uint32_t i = 0; i < n; i++) {
			g = take_own();
			if (g)
				took(g);
		}
	}
	while ((g = take_own()))
		took(g);
}

/* The owner takes nothing out of its ring, so it is full all the time, and overflows while thieves make
   room. */
static void flood(uint64_t wanted)
{
	struct leat__p *victim = contest.victim;
	int64_t end = leat__os_now() + test_count(50) * LEAT_SECOND;
	size_t at = 0;
	struct leat__g *g;

	for (uint64_t round = 0; load_relaxed(&contest.stolen) < wanted; round++) {
		if (round % 256 == 0 && leat__os_now() > end)
			break;
		for (int tries = 0; tries < FLOOD && load_acquire(&contest.queued[at]); tries++)
			at = (at + 1) % FLOOD;
		if (load_acquire(&contest.queued[at])) {
			leat__os_backoff(0); /* thieves hold the rest */
			continue;
		}
		store_relaxed(&contest.queued[at], 1);
		leat__ring_put(victim, &contest.g[at]);
		CHECK(load_relaxed(&victim->tail) - load_acquire(&victim->head) <= LEAT__RING);
		for (g = leat__sched.queue.first; g; g = g->next)
			took(g);
		empty_global_queue();
	}
	while ((g = leat__ring_get(victim)))
		took(g);
}

static void compete(unsigned how, int thieves, uint32_t start)
{
	pthread_t threads[THIEVES];
	struct leat__p *own[THIEVES];

	leat__fenced = how & FENCED || !leat__os_has_membarrier();
	contest.victim = new_processor();
	contest.g = new_goroutines(FLOOD);
	contest.how = how;
	start_at(contest.victim, start);
	store_relaxed(&contest.stolen, 0);
	store_relaxed(&contest.stop, 0);
	for (int i = 0; i < thieves; i++) {
		own[i] = new_processor();
		CHECK(pthread_create(&threads[i], NULL, thief, own[i]) == 0);
	}
	(how & FULL ? flood : put_and_take)((uint64_t)test_count(how & FULL ? 20000000 : 1000000));
	/* Nothing was lost: what thieves still hold comes back. */
	for (int i = 0; i < FLOOD; i++) {
		int64_t end = leat__os_now() + 30 * LEAT_SECOND;

		while (load_acquire(&contest.queued[i])) {
			leat__os_backoff(0);
			CHECK(leat__os_now() < end);
		}
	}
	store_release(&contest.stop, 1);
	for (int i = 0; i < thieves; i++) {
		pthread_join(threads[i], NULL);
		leat__os_unmap(own[i], sizeof *own[i]);
	}
	fprintf(stderr, "  %d thieves, %s%s: %llu stolen\n", thieves,
	        how & FENCED ? "fenced" : "membarrier", how & (OFFERS | MIXES) ? ", offered" : "",
	        (unsigned long long)load_relaxed(&contest.stolen));
	CHECK_EQ(empty_global_queue(), 0);
	leat__os_unmap(contest.victim, sizeof *contest.victim);
}

TEST(ring_gives_each_goroutine_to_one_taker)
{
	for (int thieves = 1; thieves <= THIEVES; thieves++)
		compete(RING, thieves, UINT32_MAX - 5000);
}

TEST(full_ring_gives_each_goroutine_to_one_taker)
{
	cpu_set_t before, one;

	/* On one CPU a thief that wakes up takes it from the owner, wherever that is. */
	CHECK_EQ(sched_getaffinity(0, sizeof before, &before), 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
	compete(RING | FULL, THIEVES, UINT32_MAX - 5000);
	CHECK_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(deque_gives_each_goroutine_to_one_taker)
{
	for (int thieves = 1; thieves <= THIEVES; thieves++) {
		compete(0, thieves, 0);
		compete(FENCED, thieves, 0);
		compete(OFFERS, thieves, 0);
		compete(MIXES, thieves, 0);
	}
}

TEST_MAIN
