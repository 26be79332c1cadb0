/* SPDX-License-Identifier: MIT */
/*
 * What the tests of channels and select share: workers that are goroutines or plain threads, seeded random
 * numbers, and rounds of a race.
 */
#ifndef CHAN_HELP_H
#define CHAN_HELP_H

#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

/* What a worker is; mixed tests alternate by i % KINDS. */
enum kind { GOROUTINE, THREAD, KINDS };

struct start_args {
	void (*fn)(void *);
	void *arg;
};

static inline void start_goroutine(void *p)
{
	struct start_args *s = p;

	s->fn(s->arg);
}

static inline void *start_thread(void *p)
{
	struct start_args s = *(struct start_args *)p;

	free(p);
	s.fn(s.arg);
	return NULL;
}

/* Run fn(arg) as a goroutine or on a detached plain thread; arg must live until fn is done. */
static inline void start(enum kind kind, void (*fn)(void *), void *arg)
{
	struct start_args s = {fn, arg};

	if (kind == GOROUTINE) {
		leat_go(start_goroutine, &s, sizeof s);
	} else {
		struct start_args *copy = malloc(sizeof s);
		pthread_attr_t attr;
		pthread_t thread;

		CHECK(copy);
		*copy = s;
		CHECK(pthread_attr_init(&attr) == 0);
		CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
		CHECK(pthread_create(&thread, &attr, start_thread, copy) == 0);
		pthread_attr_destroy(&attr);
	}
}

/* The seed of this run, printed so that a failure can be tried again with LEAT_SEED. */
static inline uint64_t seed(void)
{
	const char *given = getenv("LEAT_SEED");
	uint64_t s = given ? strtoull(given, NULL, 0) : (uint64_t)leat_now();

	fprintf(stderr, "\tLEAT_SEED=%" PRIu64 "\n", s);
	return s;
}

/* splitmix64: any seed will do, and neighbouring seeds give unrelated numbers. */
static inline uint64_t rnd(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline unsigned rnd_below(uint64_t *state, unsigned n)
{
	return (unsigned)((rnd(state) >> 32) * n >> 32);
}

/* Two who are to do something at the same time: one says which round it is, the other looks for that. */
static inline void await_round(const atomic_int *round, int i)
{
	for (int n = 0; atomic_load(round) < i; n++)
		if (n % 256 == 255)
			leat_yield();
}

/* Some n cycles, without a look at anything. */
static inline void pause_for(unsigned n)
{
	for (; n > 0; n--)
		__asm__ volatile("");
}

#endif
