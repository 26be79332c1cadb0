/* SPDX-License-Identifier: MIT */
/*
 * Goal: case_cond waits for a cond in a select: the mutex is unlocked only while the select is parked, and no
 * signal is lost, neither between queueing and parking nor to a select that another case has served.
 * Method: selects that are counted under the mutex as they wait; who waits for the mutex meanwhile shows that it
 * stayed locked; signals that are sent as soon as the mutex can be had.
 */
#include "chan_help.h"

struct shared {
	leat_mutex mutex;
	leat_cond cond, other_cond;
	chan(int) c;
	leat_ctx *ctx;
	int woken, waiting; /* under the mutex, as what follows */
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

static bool is_locked(leat_mutex *m)
{
	if (!leat_mutex_trylock(m))
		return true;
	leat_mutex_unlock(m);
	return false;
}

/* All others have ended; what they wrote under the mutex is seen. */
static void joined(struct shared *s)
{
	test_goroutines(1);
	leat_mutex_lock(&s->mutex);
	leat_mutex_unlock(&s->mutex);
}

enum chosen { NOT_BACK, COND, RECV, CTX, TIMEOUT, DEFAULT, SEND, OTHER_COND };

static enum chosen back_of(struct shared *s, const enum chosen *chosen)
{
	with_lock(&s->mutex);
	return *chosen;
}

struct select_once {
	struct shared *s;
	int me;
	enum chosen *chosen;
};

static void select_once(struct select_once *a)
{
	struct shared *s = a->s;
	enum chosen chosen = NOT_BACK;

	with_lock(&s->mutex);
	s->waiting++;
	chan_select {
		case_cond(&s->cond, &s->mutex) {
			CHECK(is_locked(&s->mutex));
			chosen = COND;
		}
		case_recv(s->c, v) {
			CHECK(is_locked(&s->mutex));
			CHECK(v == 7 || v == 0);
			chosen = RECV;
		}
		case_recv(leat_ctx_done(s->ctx)) {
			CHECK(is_locked(&s->mutex));
			chosen = CTX;
		}
	}
	CHECK(is_locked(&s->mutex));
	*a->chosen = chosen;
	s->order[s->woken++] = a->me;
}

struct wait_plainly {
	struct shared *s;
	int me;
};

static void wait_plainly(struct wait_plainly *a)
{
	with_lock(&a->s->mutex);
	a->s->waiting++;
	leat_cond_wait(&a->s->cond, &a->s->mutex);
	a->s->order[a->s->woken++] = a->me;
}

struct lock_it {
	struct shared *s;
};

static void lock_it(struct lock_it *a)
{
	leat_mutex_lock(&a->s->mutex);
	leat_mutex_unlock(&a->s->mutex);
}

static struct shared shared_new(void)
{
	return (struct shared){.c = chan_make(int, 0)};
}

TEST(the_mutex_is_unlocked_while_the_select_is_parked_and_locked_in_the_body)
{
	struct shared s = shared_new();
	enum chosen chosen = NOT_BACK;

	go(select_once, &s, 0, &chosen);
	await_waiting(&s, 1);
	leat_mutex_lock(&s.mutex);
	leat_cond_signal(&s.cond);
	for (int i = 0; i < 100; i++)
		leat_yield();
	CHECK_EQ(chosen, NOT_BACK); /* it waits for the mutex */
	leat_mutex_unlock(&s.mutex);
	joined(&s);
	CHECK_EQ(chosen, COND);
	CHECK(!is_locked(&s.mutex));
	chan_free(s.c);
}

struct send_7 {
	struct shared *s;
};

static void send_7(struct send_7 *a)
{
	chan_send(a->s->c, 7);
}

/* Whatever another case's way of coming, the mutex is locked when its body begins; the next signal is for the
   next waiter. */
TEST(other_cases_are_chosen_with_the_mutex_locked)
{
	for (int way = 0; way < 3; way++) {
		struct shared s = shared_new();
		enum chosen chosen = NOT_BACK;

		s.ctx = leat_ctx_with_cancel(leat_ctx_background());
		go(select_once, &s, 0, &chosen);
		await_waiting(&s, 1);
		go(wait_plainly, &s, 1);
		await_waiting(&s, 2);
		if (way == 0)
			go(send_7, &s);
		else if (way == 1)
			chan_close(s.c);
		else
			leat_ctx_cancel(s.ctx);
		test_goroutines(2);
		CHECK_EQ(back_of(&s, &chosen), way == 2 ? CTX : RECV);
		leat_cond_signal(&s.cond);
		joined(&s);
		CHECK_EQ(s.order[1], 1);
		chan_free(s.c);
		leat_ctx_free(s.ctx);
	}
}

TEST(line_115_selects_and_plain_waits_are_signalled_in_their_order)
{
	struct shared s = shared_new();
	enum chosen chosen[8] = {NOT_BACK};

	for (int i = 0; i < 8; i++) {
		if (i % 2)
			go(wait_plainly, &s, i);
		else
			go(select_once, &s, i, &chosen[i]);
		await_waiting(&s, i + 1);
	}
	for (int i = 0; i < 8; i++) {
		leat_cond_signal(&s.cond);
		test_goroutines(8 - i);
		leat_mutex_lock(&s.mutex);
		CHECK_EQ(s.woken, i + 1);
		CHECK_EQ(s.order[i], i);
		leat_mutex_unlock(&s.mutex);
	}
	chan_free(s.c);
}

TEST(line_115_broadcast_wakes_selects_and_plain_waits)
{
	for (int i = test_count(5000); i > 0; i--) {
		struct shared s = shared_new();
		enum chosen chosen[8] = {NOT_BACK};

		for (int j = 0; j < 8; j++)
			if (j % 2)
				go(wait_plainly, &s, j);
			else
				go(select_once, &s, j, &chosen[j]);
		await_waiting(&s, 8);
		leat_cond_broadcast(&s.cond);
		joined(&s);
		CHECK_EQ(s.woken, 8);
		for (int j = 0; j < 8; j += 2)
			CHECK_EQ(chosen[j], COND);
		chan_free(s.c);
	}
}

/* Somebody waits for the mutex all the while; that he is parked still shows that it was never unlocked. */
TEST(what_is_ready_at_once_leaves_the_mutex_locked)
{
	struct shared s = shared_new();
	chan(int) closed = chan_make(int, 0), filled = chan_make(int, 1);
	enum chosen chosen = NOT_BACK;

	chan_close(closed);
	leat_mutex_lock(&s.mutex);
	go(lock_it, &s);
	test_parked(1);
	chan_select {
		case_cond(&s.cond, &s.mutex)
			chosen = COND;
		case_default
			chosen = DEFAULT;
	}
	CHECK_EQ(chosen, DEFAULT);
	chan_select {
		case_cond(&s.cond, &s.mutex)
			chosen = COND;
		case_timeout(-1)
			chosen = TIMEOUT;
	}
	CHECK_EQ(chosen, TIMEOUT);
	chan_select {
		case_cond(&s.cond, &s.mutex)
			chosen = COND;
		case_recv(closed)
			chosen = RECV;
	}
	CHECK_EQ(chosen, RECV);
	chan_select {
		case_cond(&s.cond, &s.mutex)
			chosen = COND;
		case_send(filled, 1)
			chosen = SEND;
	}
	CHECK_EQ(chosen, SEND);
	CHECK_EQ(leat_num_parked(), 1);
	leat_mutex_unlock(&s.mutex);
	joined(&s);
	chan_free(closed);
	chan_free(filled);
	chan_free(s.c);
}

/* A signal before the wait is none, even if the caller sent it with the mutex locked. */
TEST(line_115_the_case_is_never_ready_at_once)
{
	struct shared s = shared_new();
	bool ran = false;

	with_lock(&s.mutex);
	leat_cond_signal(&s.cond);
	leat_cond_broadcast(&s.cond);
	chan_select {
		case_cond(&s.cond, &s.mutex)
			CHECK(false);
		case_timeout(LEAT_MILLISECOND) {
			CHECK(is_locked(&s.mutex));
			ran = true;
		}
	}
	CHECK(ran);
	chan_free(s.c);
}

static void send_on_closed(struct shared *s)
{
	with_lock(&s->mutex);
	chan_select {
		case_cond(&s->cond, &s->mutex)
			CHECK(false);
		case_send(s->c, 1)
			CHECK(false);
	}
}

struct close_it {
	struct shared *s;
};

static void close_it(struct close_it *a)
{
	struct shared *s = a->s;
	chan(int) c = s->c;

	test_parked(1);
	leat_mutex_lock(&s->mutex); /* the select is in the queues, and has let go of it */
	leat_mutex_unlock(&s->mutex);
	chan_close(c);
}

TEST(a_channel_closed_under_a_send_panics_with_the_mutex_locked)
{
	struct shared s = shared_new();

	go(close_it, &s);
	CHECK(test_panics((void (*)(void *))send_on_closed, &s, "send on closed channel"));
	CHECK(!is_locked(&s.mutex)); /* what was deferred has unlocked it, which else were fatal */
	joined(&s);
	chan_free(s.c);
}

static leat_mutex another;

static void two_mutexes(struct shared *s)
{
	chan_select {
		case_cond(&s->cond, &s->mutex)
			CHECK(false);
		case_cond(&s->other_cond, &another)
			CHECK(false);
	}
}

TEST(two_mutexes_panic)
{
	struct shared s = shared_new();

	leat_mutex_lock(&s.mutex);
	CHECK(test_panics((void (*)(void *))two_mutexes, &s, "select: case_cond with two mutexes"));
	CHECK(is_locked(&s.mutex));
	leat_mutex_unlock(&s.mutex);
	chan_free(s.c);
}

struct two_conds {
	struct shared *s;
	enum chosen *chosen;
};

static void two_conds(struct two_conds *a)
{
	struct shared *s = a->s;
	int conds = 0, mutexes = 0; /* evaluated */

	with_lock(&s->mutex);
	s->waiting++;
	chan_select {
		case_cond((conds++, &s->cond), (mutexes++, &s->mutex))
			*a->chosen = COND;
		case_cond(&s->other_cond, &s->mutex)
			*a->chosen = OTHER_COND;
		case_cond(&s->cond, &s->mutex)
			*a->chosen = COND;
	}
	CHECK_EQ(conds, 1);
	CHECK_EQ(mutexes, 1);
}

TEST(several_conds_of_one_mutex_and_one_cond_twice)
{
	for (int i = 0; i < 4; i++) {
		struct shared s = shared_new();
		enum chosen chosen = NOT_BACK;

		go(two_conds, &s, &chosen);
		await_waiting(&s, 1);
		if (i & 1)
			leat_cond_broadcast(i & 2 ? &s.cond : &s.other_cond);
		else
			leat_cond_signal(i & 2 ? &s.cond : &s.other_cond);
		joined(&s);
		CHECK_EQ(chosen, i & 2 ? COND : OTHER_COND);
		/* It has left both. */
		leat_cond_broadcast(&s.cond);
		leat_cond_broadcast(&s.other_cond);
		chan_free(s.c);
	}
}

#define NEVER(c)                                                                                   \
	case_recv(c)                                                                                   \
		CHECK(false);

struct many_cases {
	struct shared *s;
	enum chosen *chosen;
};

static void many_cases(struct many_cases *a)
{
	struct shared *s = a->s;

	with_lock(&s->mutex);
	s->waiting++;
	chan_select {
		NEVER(s->c)
		NEVER(s->c)
		NEVER(s->c)
		NEVER(s->c)
		NEVER(s->c)
		NEVER(s->c)
		NEVER(s->c)
		NEVER(s->c)
		NEVER(s->c)
		case_cond(&s->cond, &s->mutex) {
			*a->chosen = COND;
			return; /* what did not fit must be gone by now */
		}
	}
}

TEST(beyond_what_the_select_has_room_for)
{
	struct shared s = shared_new();
	enum chosen chosen = NOT_BACK;
	size_t before = 0;
	int rounds = 1500;

	for (int i = 0; i < 2 * rounds; i++) {
		if (i == rounds) /* the threads that it takes are there by now */
			before = test_heap_in_use();
		chosen = NOT_BACK;
		go(many_cases, &s, &chosen);
		await_waiting(&s, i + 1);
		leat_cond_signal(&s.cond);
		joined(&s);
		CHECK_EQ(chosen, COND);
	}
	/* Each time it took 384 bytes and more; a thread that the scheduler starts meanwhile takes some, too. */
	CHECK(test_heap_in_use() < before + 128 * (size_t)rounds);
	chan_free(s.c);
}

static void select_in_thread(void *arg)
{
	struct shared *s = arg;
	enum chosen chosen = NOT_BACK;

	select_once(&(struct select_once){s, 0, &chosen});
	CHECK_EQ(chosen, COND);
	__atomic_store_n(&s->ready, true, __ATOMIC_RELEASE);
}

TEST(on_a_plain_thread)
{
	struct shared s = shared_new();

	start(THREAD, select_in_thread, &s);
	await_waiting(&s, 1);
	leat_cond_signal(&s.cond);
	test_until(__atomic_load_n(&s.ready, __ATOMIC_ACQUIRE));
	chan_free(s.c);
}

/* --- nothing is missed between the queueing and the park */

struct pair {
	struct shared *s;
	int rounds;
	leat_waitgroup *wg;
};

static void select_often(void *arg)
{
	struct pair *p = arg;
	struct shared *s = p->s;

	for (int i = 0; i < p->rounds; i++) {
		with_lock(&s->mutex);
		s->ready = true;
		chan_select {
			case_recv(s->c)
				CHECK(false);
			case_cond(&s->cond, &s->mutex)
				CHECK(!s->ready);
		}
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
		leat_mutex_unlock(&p->s->mutex);
		if (ready)
			leat_cond_signal(&p->s->cond);
		else
			leat_yield();
		sent += ready;
	}
	leat_waitgroup_done(p->wg);
}

TEST(line_114_a_signal_after_the_unlock_is_not_missed)
{
	for (int kinds = 0; kinds < 4; kinds++) {
		struct shared s = shared_new();
		leat_waitgroup wg = {0};
		struct pair p = {&s, test_count(kinds ? 5000 : 500000), &wg};

		leat_waitgroup_add(&wg, 2);
		start(kinds & 1 ? THREAD : GOROUTINE, select_often, &p);
		start(kinds & 2 ? THREAD : GOROUTINE, signal_often, &p);
		leat_waitgroup_wait(&wg);
		chan_free(s.c);
	}
}

TEST_MAIN
