/* SPDX-License-Identifier: MIT */
/*
 * Goal: of all who could complete a select exactly one does: two senders, a sender and a timeout, a
 * close and a sender, a select and another select.
 *
 * Method: plain threads meet and then act on different channels of one waiting select.  Every value is
 * counted where it was sent and where it was received; what lost the race must still be there.
 */
#include "litmus.h"

#include <leat/select.h>

static struct litmus_meeting meeting;
static int rounds;
static leat_chan *left, *right;
static _Atomic uint64_t sent[2], received[2];

static void *sender(void *arg)
{
	int me = (int)(intptr_t)arg;
	uint64_t random = (uint64_t)me + 3, v;

	for (int i = 0; i < rounds; i++) {
		v = (uint64_t)i;
		litmus_meet(&meeting);
		litmus_dither(&random, 200);
		leat_chan_send(me ? right : left, &v);
		atomic_fetch_add(&sent[me], 1);
		litmus_round();
	}
	return NULL;
}

/* Both threads send to one select; the value that was not taken is received by the next. */
static void choose(void)
{
	for (int i = 0; i < 2 * rounds; i++) {
		uint64_t a = UINT64_MAX, b = UINT64_MAX;
		bool ok = false;
		const leat_case cases[] = {{.chan = left, .dir = LEAT_RECV, .value = &a},
		                           {.chan = right, .dir = LEAT_RECV, .value = &b}};
		int chosen = leat_select(cases, 2, LEAT_FOREVER, &ok);

		CHECK(ok);
		CHECK(chosen == 0 || chosen == 1);
		/* The other one's element was left alone. */
		CHECK_EQ(chosen == 0 ? b : a, UINT64_MAX);
		CHECK_EQ(chosen == 0 ? a : b, atomic_fetch_add(&received[chosen], 1));
	}
}

static void *chooser_thread(void *arg)
{
	(void)arg;
	choose();
	return NULL;
}

static leat_waitgroup chosen_all;

static void chooser(void)
{
	choose();
	leat_waitgroup_done(&chosen_all);
}

static void two_senders(bool goroutine)
{
	pthread_t threads[3];

	rounds = test_count(200000);
	meeting = (struct litmus_meeting){.parties = 2};
	left = leat_chan_make(sizeof(uint64_t), 0);
	right = leat_chan_make(sizeof(uint64_t), 0);
	for (int i = 0; i < 2; i++) {
		atomic_store(&sent[i], 0);
		atomic_store(&received[i], 0);
	}
	if (goroutine) {
		leat_waitgroup_add(&chosen_all, 1);
		go0(chooser);
	} else {
		threads[2] = litmus_thread(chooser_thread, NULL);
	}
	for (int i = 0; i < 2; i++)
		threads[i] = litmus_thread(sender, (void *)(intptr_t)i);
	if (goroutine)
		leat_waitgroup_wait(&chosen_all);
	else
		pthread_join(threads[2], NULL);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		CHECK_EQ(atomic_load(&sent[i]), rounds);
		CHECK_EQ(atomic_load(&received[i]), rounds);
	}
	leat_chan_free(left);
	leat_chan_free(right);
}

TEST(two_threads_fire_the_select_of_a_goroutine)
{
	two_senders(true);
}

TEST(two_threads_fire_the_select_of_a_thread)
{
	two_senders(false);
}

/* A timeout of about the time until the value comes: either the one or the other, never both. */
static leat_chan *slow;

struct late {
	int rounds;
};

static void late(struct late *l)
{
	uint64_t random = 11;

	for (int i = 0; i < l->rounds; i++) {
		leat_sleep(litmus_random(&random) % 20000);
		leat_chan_send(slow, &i);
	}
	leat_waitgroup_done(&chosen_all);
}

TEST(timeout_and_sender_race_for_a_select)
{
	int n = test_count(50000), got = 0, timeouts = 0;
	uint64_t random = 12;

	slow = leat_chan_make(sizeof(int), 0);
	leat_waitgroup_add(&chosen_all, 1);
	go(late, .rounds = n);
	while (got < n) {
		int v = -1;
		const leat_case cases[] = {{.chan = slow, .dir = LEAT_RECV, .value = &v}};
		int chosen = leat_select(cases, 1, 1 + litmus_random(&random) % 20000, NULL);

		CHECK_EQ(v, chosen == 0 ? got : -1);
		got += chosen == 0;
		timeouts += chosen == LEAT_SELECT_NONE;
		litmus_round();
	}
	leat_waitgroup_wait(&chosen_all);
	CHECK(timeouts > 0);
	leat_chan_free(slow);
}

/* Selects on both sides, each with both channels, in opposite order: a value is sent by one claim and
   received by another. */
static _Atomic uint64_t total_sent, total_received;

struct party {
	bool sends;
	int rounds;
};

static void party(struct party *p)
{
	for (int i = 0; i < p->rounds; i++) {
		uint64_t a = 1, b = 1;
		const leat_case cases[] = {
		    {.chan = p->sends ? left : right, .dir = p->sends ? LEAT_SEND : LEAT_RECV, .value = &a},
		    {.chan = p->sends ? right : left,
		     .dir = p->sends ? LEAT_SEND : LEAT_RECV,
		     .value = &b}};
		bool ok = false;
		int chosen = leat_select(cases, 2, LEAT_FOREVER, &ok);

		CHECK(ok && (chosen == 0 || chosen == 1));
		atomic_fetch_add(p->sends ? &total_sent : &total_received, 1);
		litmus_round();
	}
	leat_waitgroup_done(&chosen_all);
}

TEST(selects_fire_one_another)
{
	enum { PAIRS = 6 };
	int n = test_count(100000);

	left = leat_chan_make(sizeof(uint64_t), 0);
	right = leat_chan_make(sizeof(uint64_t), 0);
	leat_waitgroup_add(&chosen_all, 2 * PAIRS);
	for (int i = 0; i < 2 * PAIRS; i++)
		go(party, .sends = i % 2, .rounds = n);
	leat_waitgroup_wait(&chosen_all);
	CHECK_EQ(atomic_load(&total_sent), (uint64_t)PAIRS * (uint64_t)n);
	CHECK_EQ(atomic_load(&total_received), (uint64_t)PAIRS * (uint64_t)n);
	leat_chan_free(left);
	leat_chan_free(right);
}

/* What a select says that it waits for must not outlast the wait.  Who looks is another goroutine: the
   chooser is runnable then, and only the sender's thread is parked. */
static void *quick_sender(void *arg)
{
	uint64_t random = 31;

	(void)arg;
	for (int i = 0; i < rounds; i++) {
		litmus_dither(&random, 2000);
		leat_chan_send(slow, &i);
	}
	return NULL;
}

static _Atomic int looks;

static void look(void)
{
	CHECK(leat_num_parked() <= 1);
	atomic_fetch_add(&looks, 1);
}

TEST(fired_select_is_not_counted_as_parked)
{
	pthread_t thread;
	int v;

	rounds = test_count(100000);
	slow = leat_chan_make(sizeof(int), 0);
	atomic_store(&looks, 0);
	thread = litmus_thread(quick_sender, NULL);
	for (int i = 0; i < rounds; i++) {
		const leat_case cases[] = {{.chan = slow, .dir = LEAT_RECV, .value = &v}};

		CHECK_EQ(leat_select(cases, 1, LEAT_MINUTE, NULL), 0);
		CHECK_EQ(v, i);
		if (i % 8 == 0) {
			go0(look);
			leat_yield();
		}
		litmus_round();
	}
	test_until(atomic_load(&looks) == (rounds + 7) / 8);
	pthread_join(thread, NULL);
	leat_chan_free(slow);
}

TEST_MAIN
