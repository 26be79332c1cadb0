/* SPDX-License-Identifier: MIT */
/*
 * Goal: line 123: what leat_memory_model(7) says of atomics: sequentially consistent ones are, among goroutines
 * that change threads as well.
 * Method: the store-load litmus test, in which both loads may be 0 unless each store comes before the load
 * of the same goroutine; many rounds, started together.
 */
#include "test.h"

#include <stdatomic.h>

enum { BATCH = 64 };

struct pair {
	_Alignas(64) atomic_int x;
	_Alignas(64) atomic_int y;
	_Alignas(64) atomic_int here;
	int seen[2]; /* by the one who stored x, and y */
};

static struct pair pairs[BATCH];

struct side {
	bool y;
	atomic_int *start;
	int round;
	leat_waitgroup *done;
};

/* Both come to p at once, if the other runs now. */
static void meet(struct pair *p)
{
	atomic_fetch_add_explicit(&p->here, 1, memory_order_relaxed);
	for (int i = 0; i < 2000 && atomic_load_explicit(&p->here, memory_order_relaxed) < 2; i++)
		;
}

static void side(struct side *a)
{
	while (atomic_load_explicit(a->start, memory_order_acquire) < a->round)
		leat_yield();
	for (int i = 0; i < BATCH; i++) {
		struct pair *p = &pairs[i];

		meet(p);
		atomic_store(a->y ? &p->y : &p->x, 1);
		p->seen[a->y] = atomic_load(a->y ? &p->x : &p->y);
		if (i % 16 == 15)
			leat_yield(); /* a chance to go on elsewhere */
	}
	leat_waitgroup_done(a->done);
}

TEST(line_123_store_then_load_is_seen_in_one_order_by_all)
{
	atomic_int start = 0;

	for (int round = 1; round <= test_count(5000); round++) {
		leat_waitgroup done = {0};

		for (int i = 0; i < BATCH; i++) {
			atomic_store_explicit(&pairs[i].x, 0, memory_order_relaxed);
			atomic_store_explicit(&pairs[i].y, 0, memory_order_relaxed);
			atomic_store_explicit(&pairs[i].here, 0, memory_order_relaxed);
		}
		leat_waitgroup_add(&done, 2);
		go(side, false, &start, round, &done);
		go(side, true, &start, round, &done);
		atomic_store_explicit(&start, round, memory_order_release);
		leat_waitgroup_wait(&done);
		for (int i = 0; i < BATCH; i++)
			CHECK(pairs[i].seen[0] || pairs[i].seen[1]);
	}
}

TEST_MAIN
