/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_rwmutex lets readers in together and writers alone, in Go's order, and loses nobody, with its
 * readers counted in the lock or by processor, and while it changes from one to the other.
 * Method: a counter of what is inside, as Go's HammerRWMutex; waiters that are observably parked before they are
 * let go.  A lock that was read often enough (striped) is counted by processor.
 */
#include "test.h"

#include <pthread.h>

enum { OFTEN = 5000, LOCKS = 300 /* more than can be counted by processor at a time */ };

static void read_often(leat_rwmutex *m)
{
	for (int i = 0; i < OFTEN; i++) {
		leat_rwmutex_rlock(m);
		leat_rwmutex_runlock(m);
	}
}

/* Each test of an order is run with a new lock and with one that is striped. */
static leat_rwmutex *made(leat_rwmutex *m, int striped)
{
	*m = (leat_rwmutex){0};
	if (striped)
		read_often(m);
	return m;
}

#define BOTH(m)                                                                                    \
	for (int both = 0; both < 2; both++)                                                           \
		for (leat_rwmutex space, *m = made(&space, both); m; m = NULL)

static leat_rwmutex in_static_memory;

TEST(zero_is_unlocked)
{
	leat_rwmutex_lock(&in_static_memory);
	leat_rwmutex_unlock(&in_static_memory);
	leat_rwmutex_rlock(&in_static_memory);
	leat_rwmutex_runlock(&in_static_memory);
	CHECK(leat_rwmutex_trylock(&in_static_memory));
	leat_rwmutex_unlock(&in_static_memory);
	CHECK(leat_rwmutex_tryrlock(&in_static_memory));
	leat_rwmutex_runlock(&in_static_memory);
}

TEST(line_112_tryrlock_and_trylock)
{
	BOTH(m)
	{
		leat_rwmutex_rlock(m);
		CHECK(!leat_rwmutex_trylock(m));
		CHECK(leat_rwmutex_tryrlock(m));
		CHECK(!leat_rwmutex_trylock(m));
		leat_rwmutex_runlock(m);
		CHECK(!leat_rwmutex_trylock(m));
		leat_rwmutex_runlock(m);
		CHECK(leat_rwmutex_trylock(m));
		CHECK(!leat_rwmutex_trylock(m));
		CHECK(!leat_rwmutex_tryrlock(m));
		leat_rwmutex_unlock(m);
		CHECK(leat_rwmutex_tryrlock(m));
		leat_rwmutex_runlock(m);
		for (int i = 0; i < OFTEN; i++) {
			CHECK(leat_rwmutex_tryrlock(m));
			leat_rwmutex_runlock(m);
		}
		CHECK(leat_rwmutex_tryrlock(m));
		CHECK(!leat_rwmutex_trylock(m));
		leat_rwmutex_runlock(m);
	}
}

struct log {
	int count; /* atomic */
	char text[16];
};

static void note(struct log *log, char c)
{
	log->text[__atomic_fetch_add(&log->count, 1, __ATOMIC_ACQ_REL)] = c;
}

struct visitor {
	leat_rwmutex *m;
	struct log *log;
	leat_waitgroup *wg;
};

static void reader(struct visitor *v)
{
	leat_rwmutex_rlock(v->m);
	note(v->log, 'R');
	leat_rwmutex_runlock(v->m);
	leat_waitgroup_done(v->wg);
}

static void writer(struct visitor *v)
{
	leat_rwmutex_lock(v->m);
	note(v->log, 'W');
	leat_rwmutex_unlock(v->m);
	leat_waitgroup_done(v->wg);
}

TEST(line_110_a_waiting_writer_blocks_new_readers)
{
	BOTH(m)
	{
		struct log log = {0};
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 2);
		leat_rwmutex_rlock(m);
		leat_rwmutex_rlock(m);
		go_as(visitor, writer, m, &log, &wg);
		test_parked(1);
		CHECK(!leat_rwmutex_tryrlock(m));
		go_as(visitor, reader, m, &log, &wg);
		test_parked(2);
		leat_rwmutex_runlock(m);
		test_parked(2);
		CHECK(!leat_rwmutex_tryrlock(m));
		CHECK_EQ(__atomic_load_n(&log.count, __ATOMIC_ACQUIRE), 0);
		leat_rwmutex_runlock(m);
		leat_waitgroup_wait(&wg);
		CHECK_STR(log.text, "WR");
	}
}

TEST(line_111_readers_that_waited_come_before_the_next_writer)
{
	BOTH(m)
	{
		struct log log = {0};
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 4);
		leat_rwmutex_lock(m);
		go_as(visitor, writer, m, &log, &wg);
		test_parked(1);
		for (int i = 0; i < 3; i++)
			go_as(visitor, reader, m, &log, &wg);
		test_parked(4);
		leat_rwmutex_unlock(m);
		leat_waitgroup_wait(&wg);
		CHECK_STR(log.text, "RRRW");
	}
}

struct meeting {
	leat_rwmutex *m;
	int *inside; /* atomic */
	int parties;
	leat_waitgroup *wg;
};

static void meet(struct meeting *a)
{
	leat_rwmutex_rlock(a->m);
	__atomic_fetch_add(a->inside, 1, __ATOMIC_ACQ_REL);
	test_until(__atomic_load_n(a->inside, __ATOMIC_ACQUIRE) == a->parties);
	leat_rwmutex_runlock(a->m);
	leat_waitgroup_done(a->wg);
}

static void *meet_in_thread(void *a)
{
	meet(a);
	return NULL;
}

/* Each waits for all others while it reads. */
TEST(line_113_readers_are_inside_together)
{
	BOTH(m)
	{
		int inside = 0;
		leat_waitgroup wg = {0};
		struct meeting a = {m, &inside, 6, &wg};
		pthread_t threads[2];

		leat_waitgroup_add(&wg, 6);
		for (int i = 0; i < 2; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, meet_in_thread, &a), 0);
		for (int i = 0; i < 4; i++)
			go_as(meeting, meet, m, &inside, 6, &wg);
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		CHECK(leat_rwmutex_trylock(m));
		leat_rwmutex_unlock(m);
	}
}

/* --- Go's HammerRWMutex: readers count one each, a writer 10,000 */

struct hammer {
	leat_rwmutex m;
	int activity; /* atomic */
	long sum;     /* plain, changed by writers */
	leat_waitgroup wg;
};

struct hand {
	struct hammer *h;
	int n, seed;
};

static void come(struct hammer *h, int who, int alone)
{
	int n = __atomic_add_fetch(&h->activity, who, __ATOMIC_RELAXED);

	CHECK(alone ? n == who : n >= 1 && n < 10000);
}

static void read_once(struct hammer *h, int i)
{
	bool tried = i % 8 == 3 && leat_rwmutex_tryrlock(&h->m);
	long sum;

	if (!tried)
		leat_rwmutex_rlock(&h->m);
	come(h, 1, false);
	sum = h->sum;
	if (i % 64 == 5)
		leat_yield();
	CHECK_EQ(h->sum, sum);
	__atomic_fetch_sub(&h->activity, 1, __ATOMIC_RELAXED);
	leat_rwmutex_runlock(&h->m);
}

static void write_once(struct hammer *h, int i)
{
	if (i % 4 || !leat_rwmutex_trylock(&h->m))
		leat_rwmutex_lock(&h->m);
	come(h, 10000, true);
	h->sum++;
	if (i % 16 == 5)
		leat_yield();
	__atomic_fetch_sub(&h->activity, 10000, __ATOMIC_RELAXED);
	leat_rwmutex_unlock(&h->m);
}

static void hammer_reader(struct hand *a)
{
	for (int i = 0; i < a->n; i++)
		read_once(a->h, i + a->seed);
	leat_waitgroup_done(&a->h->wg);
}

static void hammer_writer(struct hand *a)
{
	for (int i = 0; i < a->n; i++)
		write_once(a->h, i + a->seed);
	leat_waitgroup_done(&a->h->wg);
}

static void *hammer_reader_thread(void *a)
{
	hammer_reader(a);
	return NULL;
}

static void *hammer_writer_thread(void *a)
{
	hammer_writer(a);
	return NULL;
}

/* Rarely: a writer comes once in so many turns of a reader, so that the lock is striped in between. */
static void hammer(int procs, int readers, int reads, int writes)
{
	struct hammer h = {0};
	struct hand r = {&h, reads, 3}, w = {&h, writes, 1};
	pthread_t threads[2];
	int before = procs ? leat_procs(procs) : 0;

	leat_waitgroup_add(&h.wg, readers + 4);
	CHECK_EQ(pthread_create(&threads[0], NULL, hammer_reader_thread, &r), 0);
	go_as(hand, hammer_writer, &h, writes, 2);
	for (int i = 0; i < readers; i++)
		go_as(hand, hammer_reader, &h, reads, i);
	go_as(hand, hammer_writer, &h, writes, 3);
	CHECK_EQ(pthread_create(&threads[1], NULL, hammer_writer_thread, &w), 0);
	leat_waitgroup_wait(&h.wg);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (procs)
		leat_procs(before);
	CHECK_EQ(h.sum, 3 * writes);
	CHECK(leat_rwmutex_trylock(&h.m));
	leat_rwmutex_unlock(&h.m);
}

TEST(line_113_hammer)
{
	int n = test_count(20000);

	hammer(1, 1, n, n / 4);
	hammer(1, 10, n, n / 4);
	hammer(4, 1, n, n / 4);
	hammer(4, 10, n, n / 4);
	hammer(10, 1, n, n / 4);
	hammer(10, 10, n, n / 4);
	hammer(10, 5, n, n / 4);
}

TEST(line_113_hammer_with_few_writers)
{
	int n = test_count(400000);

	hammer(0, 4, n, n / 20000 + 5);
	hammer(4, 4, n, n / 20000 + 5);
}

/* --- a read lock is nobody's */

struct carried {
	leat_rwmutex *m;
	chan(int) there, back;
};

static void unlocker(struct carried *c)
{
	int v;

	while (chan_recv_ok(c->there, &v)) {
		leat_rwmutex_runlock(c->m);
		chan_send(c->back, v);
	}
}

TEST(others_may_unlock_what_one_locked)
{
	BOTH(m)
	{
		int n = test_count(100000), v;
		chan(int) there = chan_make(int, 4), back = chan_make(int, 0);

		go_as(carried, unlocker, m, there, back);
		for (int i = 0; i < n; i++) {
			leat_rwmutex_rlock(m);
			chan_send(there, i);
			v = chan_recv(back);
			CHECK_EQ(v, i);
			if (i % 1000 == 0) {
				CHECK(leat_rwmutex_trylock(m));
				leat_rwmutex_unlock(m);
				if (both)
					read_often(m);
			}
		}
		chan_close(there);
		test_goroutines(1);
		CHECK(leat_rwmutex_trylock(m));
		leat_rwmutex_unlock(m);
		chan_free(there);
		chan_free(back);
	}
}

/* Read locks that are held while the lock becomes striped, and while it ceases to be. */
TEST(who_is_in_moves_with_the_count)
{
	for (int round = 0; round < 20; round++) {
		leat_rwmutex m = {0};

		for (int i = 0; i < 5; i++)
			leat_rwmutex_rlock(&m);
		for (int i = 0; i < 30; i++)
			read_often(&m);
		for (int i = 0; i < 5; i++) {
			CHECK(!leat_rwmutex_trylock(&m));
			leat_rwmutex_runlock(&m);
		}
		CHECK(leat_rwmutex_trylock(&m));
		leat_rwmutex_unlock(&m);
	}
}

static void unlock_later(struct visitor *v)
{
	leat_yield();
	leat_rwmutex_runlock(v->m);
	leat_waitgroup_done(v->wg);
}

static void *unlock_in_thread(void *m)
{
	leat_rwmutex_runlock(m);
	return NULL;
}

TEST(a_plain_thread_unlocks_for_a_goroutine)
{
	BOTH(m)
	{
		pthread_t t;

		leat_rwmutex_rlock(m);
		CHECK_EQ(pthread_create(&t, NULL, unlock_in_thread, m), 0);
		leat_rwmutex_lock(m);
		leat_rwmutex_unlock(m);
		pthread_join(t, NULL);
	}
}

/* --- more locks than entries */

static void use_all(leat_rwmutex *m, int rounds)
{
	for (int r = 0; r < rounds; r++)
		for (int i = 0; i < LOCKS; i++) {
			for (int k = 0; k < OFTEN / 4; k++) {
				leat_rwmutex_rlock(&m[i]);
				leat_rwmutex_runlock(&m[i]);
			}
			if (r % 8 == 7) {
				leat_rwmutex_lock(&m[i]);
				leat_rwmutex_unlock(&m[i]);
			}
		}
}

struct user {
	leat_rwmutex *m;
	int rounds;
	leat_waitgroup *wg;
};

static void user(struct user *u)
{
	use_all(u->m, u->rounds);
	leat_waitgroup_done(u->wg);
}

TEST(many_locks_take_the_entries_from_each_other)
{
	leat_rwmutex *m = calloc(LOCKS, sizeof *m);
	leat_waitgroup wg = {0};
	int rounds = test_count(200) + 8;

	CHECK(m != NULL);
	leat_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(user, m, rounds, &wg);
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < LOCKS; i++) {
		CHECK(leat_rwmutex_trylock(&m[i]));
		CHECK(!leat_rwmutex_tryrlock(&m[i]));
		leat_rwmutex_unlock(&m[i]);
	}
	free(m);
}

/* Nothing is told when a lock's memory goes: others get what it had, also at the same address. */
TEST(locks_vanish_and_come_back)
{
	for (int round = 0; round < 20 + test_count(400); round++) {
		leat_rwmutex *m = calloc(LOCKS / 10, sizeof *m);

		CHECK(m != NULL);
		for (int i = 0; i < LOCKS / 10; i++) {
			read_often(&m[i]);
			leat_rwmutex_rlock(&m[i]);
			CHECK(!leat_rwmutex_trylock(&m[i]));
			CHECK(leat_rwmutex_tryrlock(&m[i]));
			leat_rwmutex_runlock(&m[i]);
			leat_rwmutex_runlock(&m[i]);
		}
		memset(m, 0x55, LOCKS / 10 * sizeof *m);
		free(m);
	}
}

struct counted {
	leat_rwmutex m;
	int count;
};

struct dropper {
	struct counted *c;
	leat_waitgroup *wg;
};

static void dropper(struct dropper *d)
{
	leat_rwmutex_runlock(&d->c->m);
	leat_waitgroup_done(d->wg);
}

/* The writer, once it has the lock, may free it. */
TEST(the_last_reader_touches_the_lock_no_more)
{
	int n = test_count(20000);

	for (int i = 0; i < n; i++) {
		struct counted *c = calloc(1, sizeof *c);
		leat_waitgroup wg = {0};

		CHECK(c != NULL);
		if (i % 16 == 0)
			read_often(&c->m);
		leat_waitgroup_add(&wg, 2);
		for (int k = 0; k < 2; k++) {
			leat_rwmutex_rlock(&c->m);
			go(dropper, c, &wg);
		}
		leat_rwmutex_lock(&c->m);
		memset(c, 0x55, sizeof *c);
		free(c);
		leat_waitgroup_wait(&wg);
	}
}

/* --- by declaration */

static int with(leat_rwmutex *m, bool write)
{
	if (write) {
		with_wlock(m);
		CHECK(!leat_rwmutex_tryrlock(m));
		return 1;
	}
	with_rlock(m);
	CHECK(!leat_rwmutex_trylock(m));
	CHECK(leat_rwmutex_tryrlock(m));
	leat_rwmutex_runlock(m);
	return 2;
}

static void panic_with(void *m)
{
	with_rlock(m);
	leat_panic("on purpose");
}

static void panic_with_write(void *m)
{
	with_wlock(m);
	leat_panic("on purpose");
}

TEST(with_rlock_and_with_wlock_end_with_the_block)
{
	BOTH(m)
	{
		CHECK_EQ(with(m, true), 1);
		CHECK_EQ(with(m, false), 2);
		CHECK(test_panics(panic_with, m, "on purpose"));
		CHECK(test_panics(panic_with_write, m, "on purpose"));
		CHECK(leat_rwmutex_trylock(m));
		leat_rwmutex_unlock(m);
	}
}

/* Processors come and go between lock and unlock. */
TEST(the_number_of_processors_may_change)
{
	leat_rwmutex m = {0};
	leat_waitgroup wg = {0};
	struct log log = {0};
	int before = leat_procs(1), n = test_count(3000);

	for (int i = 0; i < n; i++) {
		leat_procs(1 + i % 6);
		if (i % 200 == 0)
			read_often(&m);
		leat_waitgroup_add(&wg, 4);
		for (int k = 0; k < 4; k++) {
			leat_rwmutex_rlock(&m);
			go_as(visitor, unlock_later, &m, &log, &wg);
		}
		if (i % 8 == 0) {
			leat_rwmutex_lock(&m);
			leat_rwmutex_unlock(&m);
		}
		leat_waitgroup_wait(&wg);
	}
	leat_procs(before);
	CHECK(leat_rwmutex_trylock(&m));
	leat_rwmutex_unlock(&m);
}

TEST_MAIN
