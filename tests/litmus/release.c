/* SPDX-License-Identifier: MIT */
/*
 * Goal: who sees that something is over may free it at once: a wait group after the last done, a
 * channel after a hand-over, a scope after its last goroutine.  The other side touches it no more.
 *
 * Method: the memory is given to malloc and taken again and filled, and later looked at, once the
 * other side has gone on; under AddressSanitizer a late read shows, too.
 */
#include "litmus.h"

enum { BYTES = 256 };

static struct litmus_meeting meeting = {.parties = 2};
static int rounds;

/* What was just freed, most likely; nobody else may write there. */
static unsigned char *fill_anew(size_t bytes)
{
	unsigned char *p = malloc(bytes);

	CHECK(p != NULL);
	memset(p, 0xa5, bytes);
	return p;
}

static void check_filled(unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		CHECK_EQ(((volatile unsigned char *)p)[i], 0xa5);
	free(p);
}

/* --- wait group */

static leat_waitgroup *_Atomic group;

static void *done_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < rounds; i++) {
		litmus_meet(&meeting);
		leat_waitgroup_done(atomic_load(&group));
		litmus_meet(&meeting);
	}
	return NULL;
}

static void *wait_thread(void *arg)
{
	uint64_t random = 21;

	(void)arg;
	for (int i = 0; i < rounds; i++) {
		leat_waitgroup *wg = calloc(1, sizeof *wg);
		unsigned char *p;

		CHECK(wg != NULL);
		leat_waitgroup_add(wg, 1);
		atomic_store(&group, wg);
		litmus_meet(&meeting);
		litmus_dither(&random, 100);
		leat_waitgroup_wait(wg);
		free(wg);
		p = fill_anew(sizeof *wg);
		litmus_meet(&meeting);
		check_filled(p, sizeof *wg);
		litmus_round();
	}
	return NULL;
}

static void run_pair(void *(*a)(void *), void *(*b)(void *), int n)
{
	pthread_t threads[2];

	rounds = n;
	threads[0] = litmus_thread(a, NULL);
	threads[1] = litmus_thread(b, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

TEST(waitgroup_is_freed_after_its_last_done)
{
	run_pair(wait_thread, done_thread, test_count(200000));
}

/* The same by goroutines, which end while the group goes. */

struct finisher {
	leat_waitgroup *wg;
};

static void finisher(struct finisher *f)
{
	leat_waitgroup_done(f->wg);
}

TEST(waitgroup_is_freed_after_its_last_goroutine)
{
	for (int i = 0; i < test_count(200000); i++) {
		leat_waitgroup *wg = calloc(1, sizeof *wg);
		int n = 1 + i % 4;

		CHECK(wg != NULL);
		leat_waitgroup_add(wg, n);
		for (int k = 0; k < n; k++)
			go(finisher, .wg = wg);
		leat_waitgroup_wait(wg);
		memset(wg, 0xff, sizeof *wg);
		free(wg);
		litmus_round();
	}
	test_goroutines(1);
}

/* --- channel */

static leat_chan *_Atomic channel;
static int capacity;

static void *send_thread(void *arg)
{
	uint64_t random = 22;

	(void)arg;
	for (int i = 0; i < rounds; i++) {
		litmus_meet(&meeting);
		litmus_dither(&random, 100);
		leat_chan_send(atomic_load(&channel), &i);
		litmus_meet(&meeting);
	}
	return NULL;
}

static void *receive_thread(void *arg)
{
	uint64_t random = 23;

	(void)arg;
	for (int i = 0; i < rounds; i++) {
		leat_chan *c = leat_chan_make(sizeof(int), capacity);
		unsigned char *p;
		int v = -1;

		atomic_store(&channel, c);
		litmus_meet(&meeting);
		litmus_dither(&random, 100);
		CHECK(leat_chan_recv(c, &v));
		leat_chan_free(c);
		p = fill_anew(BYTES);
		CHECK_EQ(v, i);
		litmus_meet(&meeting);
		check_filled(p, BYTES);
		litmus_round();
	}
	return NULL;
}

TEST(unbuffered_channel_is_freed_by_its_receiver)
{
	capacity = 0;
	run_pair(receive_thread, send_thread, test_count(200000));
}

TEST(buffered_channel_is_freed_by_its_receiver)
{
	capacity = 1;
	run_pair(receive_thread, send_thread, test_count(200000));
}

struct closer {
	leat_chan *c;
};

static void closer(struct closer *k)
{
	leat_chan_close(k->c);
}

TEST(closed_channel_is_freed_by_its_receiver)
{
	for (int i = 0; i < test_count(200000); i++) {
		leat_chan *c = leat_chan_make(sizeof(int), 0);
		int v;

		go(closer, .c = c);
		CHECK(!leat_chan_recv(c, &v));
		leat_chan_free(c);
		litmus_round();
	}
	test_goroutines(1);
}

/* --- scope */

struct child {
	_Atomic int *sum;
	int v;
};

static void child(struct child *c)
{
	atomic_fetch_add(c->sum, c->v);
}

/* Its memory is this frame's: the next turn writes over it. */
static int __attribute__((noinline)) sum_in_scope(int n)
{
	_Atomic int sum = 0;

	{
		scope(s, NULL);
		for (int k = 1; k <= n; k++)
			scope_go(s, child, .sum = &sum, .v = k);
		leat_scope_wait(s);
	}
	return sum;
}

TEST(scope_goes_after_its_last_goroutine)
{
	for (int i = 0; i < test_count(200000); i++) {
		int n = i % 8;

		CHECK_EQ(sum_in_scope(n), n * (n + 1) / 2);
		litmus_round();
	}
	test_goroutines(1);
}

TEST_MAIN
