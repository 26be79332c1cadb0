/* SPDX-License-Identifier: MIT */
/*
 * Goal: a writer of an RWMutex whose readers are counted by processor is in only when no reader is, and misses
 * none who leaves.
 *
 * Method: a goroutine that reads and a plain thread that writes meet, then the one comes, or leaves, as the other
 * one locks.  The reader sees halves of what the writer changes if they are in together, and a writer that
 * is missed sleeps for ever.  Each round begins with a new lock, made so by many reads.  The third test lets a
 * reader come too late to a lock whose entry is another's by then, who must not sleep on its account.
 */
#include "litmus.h"

enum { OFTEN = 4500 };

static leat_rwmutex lock;
static struct litmus_meeting meeting = {.parties = 2};
static int left, right; /* plain, under the lock: the same */
static int rounds;

static void make_striped(leat_rwmutex *m)
{
	*m = (leat_rwmutex){0};
	for (int i = 0; i < OFTEN; i++) {
		leat_rwmutex_rlock(m);
		leat_rwmutex_runlock(m);
	}
}

static void write_lock(uint64_t *random)
{
	leat_rwmutex_lock(&lock);
	left++;
	litmus_dither(random, 20);
	right++;
	leat_rwmutex_unlock(&lock);
}

static void *writer_thread(void *arg)
{
	uint64_t random = (uint64_t)(intptr_t)arg;

	for (int i = 0; i < rounds; i++) {
		litmus_meet(&meeting);
		litmus_dither(&random, 600);
		write_lock(&random);
		litmus_meet(&meeting);
		litmus_round();
	}
	return NULL;
}

static void read_halves(uint64_t *random)
{
	int l = *(volatile int *)&left;

	litmus_dither(random, 10);
	CHECK_EQ(l, *(volatile int *)&right);
}

TEST(who_comes_is_seen_or_sees)
{
	uint64_t random = 7;
	pthread_t t;

	rounds = test_count(40000);
	t = litmus_thread(writer_thread, (void *)11);
	for (int i = 0; i < rounds; i++) {
		make_striped(&lock);
		litmus_meet(&meeting);
		/* So often that the writer comes in the middle of it. */
		for (int k = 0; k < 200; k++) {
			leat_rwmutex_rlock(&lock);
			read_halves(&random);
			leat_rwmutex_runlock(&lock);
		}
		litmus_meet(&meeting);
	}
	pthread_join(t, NULL);
}

TEST(who_leaves_is_seen_or_wakes)
{
	uint64_t random = 9;
	pthread_t t;

	rounds = test_count(40000);
	t = litmus_thread(writer_thread, (void *)13);
	for (int i = 0; i < rounds; i++) {
		make_striped(&lock);
		leat_rwmutex_rlock(&lock);
		litmus_meet(&meeting);
		litmus_dither(&random, 60);
		read_halves(&random);
		leat_rwmutex_runlock(&lock);
		litmus_meet(&meeting);
	}
	pthread_join(t, NULL);
}

/* --- entries that change their owner under the readers' hands */

enum { LOCKS = 200 };

static leat_rwmutex locks[LOCKS];
static int halves[LOCKS][2]; /* plain, under their locks: the same */
static leat_waitgroup done;

struct wanderer {
	int seed, turns;
};

static void use(leat_rwmutex *m, int *half, uint64_t *random)
{
	if (litmus_random(random) % 4096 == 0) {
		leat_rwmutex_lock(m);
		half[0]++;
		litmus_dither(random, 20);
		half[1]++;
		leat_rwmutex_unlock(m);
	} else {
		int h;

		leat_rwmutex_rlock(m);
		h = *(volatile int *)&half[0];
		if (litmus_random(random) % 1024 == 0)
			leat_yield();
		CHECK_EQ(h, *(volatile int *)&half[1]);
		leat_rwmutex_runlock(m);
	}
}

static void wanderer(struct wanderer *a)
{
	uint64_t random = (uint64_t)a->seed;

	for (int i = 0; i < a->turns; i++) {
		unsigned at = litmus_random(&random) % LOCKS;

		for (int k = 0; k < 1000; k++)
			use(&locks[at], halves[at], &random);
		litmus_round();
	}
	leat_waitgroup_done(&done);
}

TEST(entries_change_hands)
{
	enum { WANDERERS = 4 };
	int turns = test_count(40000);

	leat_waitgroup_add(&done, WANDERERS);
	for (int i = 0; i < WANDERERS; i++)
		go(wanderer, .seed = i + 3, .turns = turns);
	leat_waitgroup_wait(&done);
	for (int i = 0; i < LOCKS; i++) {
		CHECK(leat_rwmutex_trylock(&locks[i]));
		CHECK_EQ(halves[i][0], halves[i][1]);
	}
}

TEST_MAIN
