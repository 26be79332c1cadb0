/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: a biased lock excludes, whoever owns it; who has it often comes to own it, and who wants it takes
 * it away; where fences are real ones nobody owns anything.
 *
 * Method: plain counters under the lock; its streaks are moved on so that nearly each lock makes an owner,
 * and each by another takes that away.
 */
#include "sched/biased.h"
#include "sched/scheduler.h"

#include "test.h"

#include <pthread.h>

/* With this many locks by one processor, alone. */
enum { LOCKS_TO_OWN = 16 * (LEAT__STREAK + 1) };

static struct leat__biased lock;
static int64_t count;
static int inside;

static void lock_once(struct leat__biased *b, bool hurry)
{
	struct leat__m *m = leat__enter();
	uint16_t mark = leat__mark(m);

	leat__biased_lock(b, mark);
	CHECK_EQ(++inside, 1);
	count++;
	if (hurry) {
		b->streak = LEAT__STREAK;
		b->streaks = 15;
	}
	CHECK_EQ(inside--, 1);
	leat__biased_unlock(b, mark);
	leat__leave(m);
}

static bool owned(const struct leat__biased *b)
{
	return __atomic_load_n(&b->owner, __ATOMIC_RELAXED) & LEAT__OWNED;
}

/* So that one is alone for some time. */
static void pause_between_bursts(uint64_t *random)
{
	if (leat__random_next(random) % 8 == 0)
		for (uint32_t n = leat__random_next(random) % 200; n > 0; n--)
			leat__cpu_relax();
}

struct by_thread {
	int n;
	bool hurry;
};

static void *lock_in_thread(void *arg)
{
	const struct by_thread *a = arg;
	uint64_t random = leat__random_seed((uint64_t)(uintptr_t)&random);

	for (int i = 0; i < a->n; i++) {
		lock_once(&lock, a->hurry && i % 3 == 0);
		if (a->hurry)
			pause_between_bursts(&random);
	}
	return NULL;
}

static void join_one(int n)
{
	struct by_thread args = {.n = n};
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, lock_in_thread, &args), 0);
	pthread_join(thread, NULL);
}

TEST(who_has_it_often_owns_it_until_another_comes)
{
	lock = (struct leat__biased){0};
	leat_procs(1);
	for (int i = 0; i < LOCKS_TO_OWN + 2; i++)
		lock_once(&lock, false);
	CHECK_EQ(owned(&lock), !leat__fenced);
	join_one(1);
	CHECK(!owned(&lock));
	/* The second time it takes longer. */
	for (int i = 0; i < 10 * LOCKS_TO_OWN; i++)
		lock_once(&lock, false);
	CHECK(!owned(&lock));
	for (int i = 0; i < 6 * LOCKS_TO_OWN; i++)
		lock_once(&lock, false);
	CHECK_EQ(owned(&lock), !leat__fenced);
}

TEST(threads_without_a_processor_never_own_it)
{
	lock = (struct leat__biased){0};
	join_one(3 * LOCKS_TO_OWN);
	CHECK(!owned(&lock));
}

/* What one who is not the owner finds: owner is to part, or has. */
static void owned_by(uint16_t owner)
{
	lock = (struct leat__biased){.owner = owner};
}

TEST(who_is_asked_parts)
{
	struct leat__m *m;
	uint16_t mark;

	leat_procs(1);
	m = leat__enter();
	mark = leat__mark(m);
	owned_by(0x1234);
	lock.former = mark;
	lock.crowded = LEAT__ASKED;
	leat__biased_lock_slow(&lock, mark);
	CHECK_EQ(lock.held, LEAT__PARTED);
	leat__biased_unlock(&lock, mark);
	owned_by(0x1234);
	lock.former = mark ^ 1;
	lock.crowded = LEAT__ASKED;
	leat__biased_lock_slow(&lock, mark);
	CHECK_EQ(lock.held, 0);
	leat__biased_unlock(&lock, mark);
	leat__leave(m);
}

TEST(who_parts_has_not_to_be_minded)
{
	struct leat__m *m = leat__enter();
	uint16_t mark = leat__mark(m), other = mark ^ 1;

	/* One who has parted, */
	owned_by(other);
	lock.held = LEAT__PARTED;
	leat__biased_lock_slow(&lock, mark);
	CHECK_EQ(lock.owner, mark & ~LEAT__OWNED); /* he had not used it densely */
	CHECK_EQ(lock.former, 0);
	CHECK_EQ(lock.crowded & LEAT__ASKED, 0);
	leat__biased_unlock(&lock, mark);
	CHECK_EQ(lock.word, 0);
	/* and one who says nothing. */
	owned_by(other);
	leat__biased_lock_slow(&lock, mark);
	CHECK_EQ(lock.owner, mark & ~LEAT__OWNED);
	CHECK_EQ(lock.former, other);
	CHECK_EQ(lock.crowded & LEAT__ASKED, 0);
	leat__biased_unlock(&lock, mark);
	CHECK_EQ(lock.word, 0);
	leat__leave(m);
}

struct locker {
	int n;
	leat_waitgroup *done;
};

static void locker(struct locker *a)
{
	uint64_t random = leat__random_seed((uint64_t)(uintptr_t)a);

	for (int i = 0; i < a->n; i++) {
		lock_once(&lock, true);
		pause_between_bursts(&random);
		if (leat__random_next(&random) % 8 == 0)
			leat_yield();
	}
	leat_waitgroup_done(a->done);
}

TEST(it_excludes)
{
	leat_waitgroup done = {0};
	int n = test_count(300000);
	struct by_thread args = {.n = n, .hurry = true};
	pthread_t threads[2];

	lock = (struct leat__biased){0};
	count = 0;
	leat_waitgroup_add(&done, 6);
	for (int i = 0; i < 6; i++)
		go(locker, n, &done);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, lock_in_thread, &args), 0);
	leat_waitgroup_wait(&done);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(count, 8 * (int64_t)n);
	CHECK_EQ(lock.word, 0);
	CHECK(lock.held == 0 || lock.held == LEAT__PARTED);
}

TEST_MAIN
