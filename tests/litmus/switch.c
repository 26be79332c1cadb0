/* SPDX-License-Identifier: MIT */
/*
 * Goal: a goroutine that is made runnable before it has left its stack is not resumed until it has,
 * and then as it was.
 *
 * Method: goroutines that yield put themselves where thieves take them while they still run, and ones
 * that wait are woken by others at the instant when they park.  Each keeps a pattern on its stack and
 * in registers over the call, and says that it runs; two threads on one goroutine would see that.
 */
#include "litmus.h"

enum { WORDS = 32 };

struct witness {
	_Atomic int running;
};

/* Around every call that may switch. */
static inline void leaves(struct witness *w)
{
	CHECK_EQ(atomic_exchange(&w->running, 0), 1);
}

static inline void returns(struct witness *w)
{
	CHECK_EQ(atomic_exchange(&w->running, 1), 0);
}

static leat_waitgroup left;

struct yielder {
	int seed, rounds;
};

static void yielder(struct yielder *y)
{
	struct witness w = {1};
	volatile uint64_t pattern[WORDS];
	uint64_t random = (uint64_t)y->seed + 1, sum = 0;

	for (int i = 0; i < y->rounds; i++) {
		sum = 0;
		for (int k = 0; k < WORDS; k++)
			sum += pattern[k] = litmus_random(&random);
		leaves(&w);
		leat_yield();
		returns(&w);
		for (int k = 0; k < WORDS; k++)
			sum -= pattern[k];
		CHECK_EQ(sum, 0);
		litmus_round();
	}
	leat_waitgroup_done(&left);
}

TEST(yielding_goroutine_is_stolen_once_off_its_stack)
{
	enum { YIELDERS = 16 };
	int rounds = test_count(300000);

	leat_waitgroup_add(&left, YIELDERS);
	for (int i = 0; i < YIELDERS; i++)
		go(yielder, .seed = i, .rounds = rounds);
	leat_waitgroup_wait(&left);
}

/* One of a pair that wake each other; a plain thread is a partner that takes no processor. */
struct partner {
	leat_chan *in, *out;
	int rounds;
	bool first;
};

static void play(struct partner *p)
{
	struct witness w = {1};
	volatile uint64_t pattern[WORDS];
	uint64_t v = (uint64_t)(uintptr_t)p;

	for (int i = 0; i < p->rounds; i++) {
		for (int k = 0; k < WORDS; k++)
			pattern[k] = v + (uint64_t)k;
		leaves(&w);
		if (p->first)
			leat_chan_send(p->out, (void *)(uintptr_t)&v);
		CHECK(leat_chan_recv(p->in, &(uint64_t){0}));
		if (!p->first)
			leat_chan_send(p->out, (void *)(uintptr_t)&v);
		returns(&w);
		for (int k = 0; k < WORDS; k++)
			CHECK_EQ(pattern[k], v + (uint64_t)k);
		litmus_round();
	}
}

static void partner(struct partner *p)
{
	play(p);
	leat_waitgroup_done(&left);
}

static void *partner_thread(void *p)
{
	play(p);
	return NULL;
}

TEST(parking_goroutine_is_woken_by_threads)
{
	enum { PAIRS = 3 };
	int rounds = test_count(100000);
	pthread_t threads[PAIRS];
	struct partner other[PAIRS];

	leat_waitgroup_add(&left, PAIRS);
	for (int i = 0; i < PAIRS; i++) {
		leat_chan *a = leat_chan_make(8, 0), *b = leat_chan_make(8, 0);

		other[i] = (struct partner){.in = a, .out = b, .rounds = rounds, .first = true};
		threads[i] = litmus_thread(partner_thread, &other[i]);
		go(partner, .in = b, .out = a, .rounds = rounds);
	}
	leat_waitgroup_wait(&left);
	for (int i = 0; i < PAIRS; i++) {
		pthread_join(threads[i], NULL);
		leat_chan_free(other[i].in);
		leat_chan_free(other[i].out);
	}
}

/* All in one room: whoever is woken wakes any other, on whichever processor that one parks. */
static leat_chan *room;

struct guest {
	int rounds;
};

static void guest(struct guest *g)
{
	struct witness w = {1};
	volatile uint64_t pattern[WORDS];
	int v;

	for (int i = 0; i < g->rounds; i++) {
		for (int k = 0; k < WORDS; k++)
			pattern[k] = (uint64_t)(uintptr_t)&w + (uint64_t)k;
		leaves(&w);
		if (i % 2 == 0)
			leat_chan_send(room, &i);
		else
			leat_chan_recv(room, &v);
		returns(&w);
		for (int k = 0; k < WORDS; k++)
			CHECK_EQ(pattern[k], (uint64_t)(uintptr_t)&w + (uint64_t)k);
		litmus_round();
	}
	leat_waitgroup_done(&left);
}

/* Who receives has sent before, so there is always a value for everyone who waits for one. */
TEST(parking_goroutine_is_woken_by_goroutines)
{
	enum { GUESTS = 16 };
	int rounds = test_count(200000);

	room = leat_chan_make(sizeof(int), GUESTS / 2);
	leat_waitgroup_add(&left, GUESTS);
	for (int i = 0; i < GUESTS; i++)
		go(guest, .rounds = rounds / 2 * 2);
	leat_waitgroup_wait(&left);
	leat_chan_free(room);
}

TEST_MAIN
