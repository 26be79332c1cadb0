/* SPDX-License-Identifier: MIT */
/*
 * What the litmus tests share: plain threads, points where they meet as exactly as a machine allows,
 * and a watch, since a wake-up that is lost shows in that nothing happens any more.
 */
#ifndef LITMUS_H
#define LITMUS_H

#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* Rounds done, for the watch.  Every test counts here. */
static _Atomic uint64_t litmus_rounds;

/* A plain thread that never calls leat: half a minute without a round fails the program. */
static void *litmus_watch(void *arg)
{
	uint64_t seen = UINT64_MAX;
	int still = 0;

	(void)arg;
	for (;;) {
		uint64_t now = atomic_load(&litmus_rounds);

		still = now == seen ? still + 1 : 0;
		seen = now;
		if (still == 300) {
			fprintf(stderr, "stuck in round %" PRIu64 "\n", now);
			fflush(NULL);
			_exit(1);
		}
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	return NULL;
}

static inline pthread_t litmus_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, fn, arg) == 0);
	return t;
}

__attribute__((constructor)) static void litmus_begin(void)
{
	pthread_detach(litmus_thread(litmus_watch, NULL));
}

static inline void litmus_round(void)
{
	atomic_fetch_add_explicit(&litmus_rounds, 1, memory_order_relaxed);
}

/* A small pseudo-random number; the state is the caller's and not 0. */
static inline uint32_t litmus_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

/* Let some time pass without giving up the CPU: up to so many turns. */
static inline void litmus_dither(uint64_t *random, uint32_t most)
{
	for (uint32_t n = litmus_random(random) % (most + 1); n > 0; n--)
		__asm__ volatile("" ::: "memory");
}

/* Where n parties meet, again and again, spinning: they leave it together within nanoseconds when each
   has a CPU.  For plain threads. */
struct litmus_meeting {
	_Atomic uint32_t arrived;
	uint32_t parties;
};

static inline void litmus_meet(struct litmus_meeting *meeting)
{
	uint32_t n = atomic_fetch_add(&meeting->arrived, 1) + 1;
	uint32_t all = (n + meeting->parties - 1) / meeting->parties * meeting->parties;

	for (unsigned spins = 0; (int32_t)(atomic_load(&meeting->arrived) - all) < 0; spins++)
		if (spins > 200)
			sched_yield();
}

#endif
