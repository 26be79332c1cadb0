/* SPDX-License-Identifier: MIT */
/*
 * Goal: a signal that meets another case of a select ends that select or the next wait, one of the two.
 * Method: a select and a plain wait behind it; then at the same time a signal and a value for the select.  If
 * the select chose the value, or its time was over, the plain wait must have got the signal.
 */
#include "chan_help.h"

struct shared {
	leat_mutex mutex;
	leat_cond cond;
	chan(int) c;
	int waiting; /* under the mutex */
};

enum chosen { NOT_BACK, COND, RECV, TIMEOUT };

static enum chosen back_of(struct shared *s, const enum chosen *chosen)
{
	with_lock(&s->mutex);
	return *chosen;
}

struct race {
	struct shared s;
	int rounds;
	chan(leat_empty) go_selector, go_second;
	_Atomic int round, sent; /* how many began, and are over for the sender */
	enum chosen chosen;      /* the selector's; under the mutex */
	bool second_woken;       /* likewise */
	leat_waitgroup done;
};

static void selector(void *arg)
{
	struct race *r = arg;
	struct shared *s = &r->s;

	for (int i = 0; i < r->rounds; i++) {
		chan_recv(r->go_selector);
		with_lock(&s->mutex);
		s->waiting++;
		chan_select {
			case_cond(&s->cond, &s->mutex)
				r->chosen = COND;
			case_recv(s->c)
				r->chosen = RECV;
			case_timeout(i % 8 ? LEAT_MINUTE : 2000)
				r->chosen = TIMEOUT;
		}
	}
	leat_waitgroup_done(&r->done);
}

static void second(void *arg)
{
	struct race *r = arg;

	for (int i = 0; i < r->rounds; i++) {
		chan_recv(r->go_second);
		with_lock(&r->s.mutex);
		r->s.waiting++;
		leat_cond_wait(&r->s.cond, &r->s.mutex);
		r->second_woken = true;
	}
	leat_waitgroup_done(&r->done);
}

static void sender(void *arg)
{
	struct race *r = arg;
	uint64_t random = 1;

	for (int i = 1; i <= r->rounds; i++) {
		await_round(&r->round, i);
		pause_for(rnd_below(&random, 256));
		chan_send(r->s.c, 7);
		atomic_store(&r->sent, i);
	}
	leat_waitgroup_done(&r->done);
}

static bool are_waiting(struct race *r, int n)
{
	with_lock(&r->s.mutex);
	return r->s.waiting == n;
}

static bool second_of(struct race *r)
{
	with_lock(&r->s.mutex);
	return r->second_woken;
}

static void one_race(struct race *r, int i, uint64_t *random)
{
	enum chosen got;

	r->chosen = NOT_BACK;
	r->second_woken = false;
	r->s.waiting = 0;
	chan_send(r->go_selector, (leat_empty){});
	test_until(are_waiting(r, 1));
	chan_send(r->go_second, (leat_empty){});
	test_until(are_waiting(r, 2));
	atomic_store(&r->round, i);
	pause_for(rnd_below(random, 1024));
	if (rnd_below(random, 8) == 0)
		leat_yield(); /* with one processor nobody comes first otherwise */
	leat_cond_signal(&r->s.cond);
	test_until((got = back_of(&r->s, &r->chosen)) != NOT_BACK);
	if (got != RECV)
		chan_recv(r->s.c);
	test_until(atomic_load(&r->sent) == i);
	if (got == COND) {
		CHECK(!second_of(r));
		leat_cond_signal(&r->s.cond);
	}
	test_until(second_of(r)); /* the signal that the select did not take */
}

static void races(int rounds, enum kind a, enum kind b, enum kind c)
{
	struct race r = {.s = {.c = chan_make(int, 0)},
	                 .rounds = rounds,
	                 .go_selector = chan_make(leat_empty, 0),
	                 .go_second = chan_make(leat_empty, 0)};
	uint64_t random = 2;

	leat_waitgroup_add(&r.done, 3);
	start(a, selector, &r);
	start(b, second, &r);
	start(c, sender, &r);
	for (int i = 1; i <= rounds; i++)
		one_race(&r, i, &random);
	leat_waitgroup_wait(&r.done);
	chan_free(r.go_selector);
	chan_free(r.go_second);
	chan_free(r.s.c);
}

TEST(a_signal_that_meets_another_case_goes_to_one_of_the_two)
{
	races(test_count(20000), GOROUTINE, GOROUTINE, GOROUTINE);
}

TEST(the_same_with_plain_threads)
{
	races(test_count(2000), THREAD, GOROUTINE, GOROUTINE);
	races(test_count(2000), GOROUTINE, THREAD, THREAD);
	races(test_count(2000), THREAD, THREAD, THREAD);
}

TEST_MAIN
