/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_cond wakes whom it must, in order, loses no signal and gives none for nothing; a context ends a
 * wait without taking a signal along.
 * Method: waiters that are counted under the mutex as they wait; then races of cancel against signal,
 * in each of which exactly one wait must have got the signal.
 */
#include "chan_help.h"

struct shared {
	leat_mutex mutex;
	leat_cond cond;
	int waiting; /* under the mutex, as all that follows: who are in the wait, or about to leave it */
	int woken;
	int order[16];
	bool ready;
};

/* So many wait.  Who has counted himself and unlocked the mutex can be signalled: that is the point. */
static void await_waiting(struct shared *s, int n)
{
	for (bool there = false; !there; leat_yield()) {
		with_lock(&s->mutex);
		CHECK(s->waiting <= n);
		there = s->waiting == n;
	}
}

static int woken_of(struct shared *s)
{
	int n;

	leat_mutex_lock(&s->mutex);
	n = s->woken;
	leat_mutex_unlock(&s->mutex);
	return n;
}

/* All others have ended; what they wrote under the mutex is seen. */
static void joined(struct shared *s)
{
	test_goroutines(1);
	leat_mutex_lock(&s->mutex);
	leat_mutex_unlock(&s->mutex);
}

struct waiter {
	struct shared *s;
	int me;
};

static void waiter(struct waiter *a)
{
	with_lock(&a->s->mutex);
	a->s->waiting++;
	leat_cond_wait(&a->s->cond, &a->s->mutex);
	a->s->waiting--;
	CHECK(!leat_mutex_trylock(&a->s->mutex));
	a->s->order[a->s->woken++] = a->me;
}

TEST(line_114_wait_unlocks_parks_and_locks_again)
{
	struct shared s = {0};

	go(waiter, &s, 1);
	await_waiting(&s, 1);
	test_parked(1);
	leat_mutex_lock(&s.mutex);
	leat_cond_signal(&s.cond);
	for (int i = 0; i < 100; i++)
		leat_yield();
	CHECK_EQ(s.woken, 0); /* it waits for the mutex */
	leat_mutex_unlock(&s.mutex);
	joined(&s);
	CHECK_EQ(s.woken, 1);
	CHECK(leat_mutex_trylock(&s.mutex));
}

struct pair {
	struct shared *s;
	int rounds;
	leat_waitgroup *wg;
};

/* One signal for each wait, sent as soon as the mutex can be had: to miss one is to wait for ever. */
static void wait_often(void *arg)
{
	struct pair *p = arg;

	for (int i = 0; i < p->rounds; i++) {
		with_lock(&p->s->mutex);
		p->s->ready = true;
		leat_cond_wait(&p->s->cond, &p->s->mutex);
		CHECK(!p->s->ready);
	}
	leat_waitgroup_done(p->wg);
}

static void signal_often(void *arg)
{
	struct pair *p = arg;

	for (int sent = 0; sent < p->rounds;) {
		bool ready;

		leat_mutex_lock(&p->s->mutex);
		ready = p->s->ready;
		p->s->ready = false;
		if (ready && sent % 2 == 0)
			leat_cond_signal(&p->s->cond);
		leat_mutex_unlock(&p->s->mutex);
		if (ready && sent % 2 == 1)
			leat_cond_signal(&p->s->cond);
		sent += ready;
		if (!ready)
			leat_yield();
	}
	leat_waitgroup_done(p->wg);
}

TEST(line_114_a_signal_after_the_unlock_is_not_missed)
{
	for (int kinds = 0; kinds < 4; kinds++) {
		struct shared s = {0};
		leat_waitgroup wg = {0};
		struct pair p = {&s, test_count(kinds ? 20000 : 500000), &wg};

		leat_waitgroup_add(&wg, 2);
		start(kinds & 1 ? THREAD : GOROUTINE, wait_often, &p);
		start(kinds & 2 ? THREAD : GOROUTINE, signal_often, &p);
		leat_waitgroup_wait(&wg);
	}
}

TEST(line_115_signal_wakes_one_and_the_longest_waiter_first)
{
	struct shared s = {0};

	for (int i = 0; i < 8; i++) {
		go(waiter, &s, i);
		await_waiting(&s, i + 1);
	}
	for (int i = 0; i < 8; i++) {
		leat_cond_signal(&s.cond);
		test_goroutines(8 - i);
		await_waiting(&s, 7 - i);
		CHECK_EQ(woken_of(&s), i + 1);
		CHECK_EQ(s.order[i], i);
	}
}

/* Waits again at once, for ever more. */
struct wait_again {
	struct shared *s;
	int times;
};

static void wait_again(struct wait_again *a)
{
	with_lock(&a->s->mutex);
	for (int i = 0; i < a->times; i++) {
		a->s->waiting++;
		leat_cond_wait(&a->s->cond, &a->s->mutex);
		a->s->woken++;
	}
}

TEST(line_115_broadcast_wakes_all_present_and_nobody_who_comes_later)
{
	struct shared s = {0};
	int rounds = test_count(2000);

	for (int i = 0; i < 5; i++)
		go(wait_again, &s, rounds);
	for (int i = 0; i < rounds; i++) {
		await_waiting(&s, 5 * (i + 1));
		CHECK_EQ(woken_of(&s), 5 * i);
		leat_cond_broadcast(&s.cond);
	}
	joined(&s);
	CHECK_EQ(s.woken, 5 * rounds);
}

struct note {
	struct shared *s;
	bool *got;
};

static void note(struct note *a)
{
	with_lock(&a->s->mutex);
	a->s->waiting++;
	leat_cond_wait(&a->s->cond, &a->s->mutex);
	*a->got = true;
}

TEST(line_115_who_comes_later_does_not_steal_the_signal)
{
	for (int i = test_count(20000); i > 0; i--) {
		struct shared s = {0};
		bool first = false, second = false;

		go(note, &s, &first);
		await_waiting(&s, 1);
		leat_mutex_lock(&s.mutex);
		leat_cond_signal(&s.cond);
		go(note, &s, &second);
		leat_mutex_unlock(&s.mutex);
		for (bool done = false; !done; leat_yield()) {
			with_lock(&s.mutex);
			done = first && s.waiting == 2;
			CHECK(!second);
		}
		leat_cond_signal(&s.cond);
		joined(&s);
		CHECK(second);
	}
}

TEST(line_115_without_waiters_both_do_nothing)
{
	struct shared s = {0};
	size_t before = test_heap_in_use();

	for (int i = 0; i < 1000; i++) {
		leat_cond_signal(&s.cond);
		leat_cond_broadcast(&s.cond);
	}
	CHECK(test_heap_in_use() < before + 1000);
	go(waiter, &s, 1);
	await_waiting(&s, 1);
	test_parked(1); /* nothing was remembered */
	leat_cond_signal(&s.cond);
	joined(&s);
}

static struct shared copied;

static void use(int *how)
{
	leat_mutex_lock(&copied.mutex);
	defer(leat_mutex_unlock, &copied.mutex);
	switch (*how) {
	case 0:
		leat_cond_wait(&copied.cond, &copied.mutex);
		break;
	case 1:
		CHECK(leat_cond_wait_ctx(&copied.cond, &copied.mutex, NULL));
		break;
	case 2:
		leat_cond_signal(&copied.cond);
		break;
	case 3:
		leat_cond_broadcast(&copied.cond);
		break;
	case 4:
		chan_select {
			case_cond(&copied.cond, &copied.mutex)
				CHECK(false);
		}
	}
}

TEST(line_116_used_after_a_copy_it_panics)
{
	static leat_cond a, b;

	for (int how = 0; how < 5; how++) {
		a = (leat_cond){0};
		b = a; /* of an unused one, which is none */
		leat_cond_signal(&b);
		leat_cond_signal(&a);
		copied.cond = a;
		CHECK(test_panics((void (*)(void *))use, &how, "sync.Cond is copied"));
		CHECK(leat_mutex_trylock(&copied.mutex));
		leat_mutex_unlock(&copied.mutex);
	}
}

struct count_in {
	struct shared *s;
	int times;
};

static void count_in(struct count_in *a)
{
	for (int i = 0; i < a->times; i++) {
		with_lock(&a->s->mutex);
		a->s->waiting++;
		leat_cond_wait(&a->s->cond, &a->s->mutex);
		a->s->woken++;
	}
}

/* Four who wait over and over get as many wake-ups as were sent while each of them waited. */
TEST(line_116_no_wake_up_is_for_nothing)
{
	struct shared s = {0};
	int rounds = test_count(100000), sent = 0;

	for (int i = 0; i < 4; i++)
		go(count_in, &s, rounds);
	for (; sent < 4 * rounds; leat_yield()) {
		with_lock(&s.mutex);
		CHECK(s.woken <= sent);
		if (s.waiting > sent) {
			leat_cond_signal(&s.cond);
			sent++;
		}
	}
	joined(&s);
	CHECK_EQ(s.woken, sent);
}

TEST_MAIN
