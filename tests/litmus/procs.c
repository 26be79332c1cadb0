/* SPDX-License-Identifier: MIT */
/* CTEST: nomigrate */
/*
 * Goal: while the number of processors changes all the time, each has one owner and no goroutine is
 * lost with one that is given up (line 13).
 *
 * Method: a plain thread sets the number at random, while goroutines start others, park and yield:
 * so the queues of a processor that is to retire have something in them, and processors are between
 * two owners when they are counted.  Every goroutine is counted in and out.
 */
#include "litmus.h"

enum { SPAWNERS = 6 };

static _Atomic uint64_t began, ended;
static _Atomic int stop;
static leat_waitgroup left;

struct leaf {
	leat_chan *reply;
};

static void leaf(struct leaf *l)
{
	char nothing[1] = {0};

	atomic_fetch_add(&ended, 1);
	leat_chan_send(l->reply, nothing);
}

struct spawner {
	int seed, rounds;
};

static void spawner(struct spawner *s)
{
	uint64_t random = (uint64_t)s->seed + 1;
	leat_chan *reply = leat_chan_make(1, 8);

	for (int i = 0; i < s->rounds; i++) {
		int n = (int)(litmus_random(&random) % 20);

		for (int k = 0; k < n; k++) {
			atomic_fetch_add(&began, 1);
			go(leaf, .reply = reply);
		}
		if (litmus_random(&random) % 4 == 0)
			leat_yield();
		for (int k = 0; k < n; k++)
			CHECK(leat_chan_recv(reply, NULL));
		litmus_round();
	}
	leat_chan_free(reply);
	leat_waitgroup_done(&left);
}

static void *changer(void *arg)
{
	uint64_t random = 99;

	(void)arg;
	while (!atomic_load(&stop)) {
		leat_procs(1 + (int)(litmus_random(&random) % 12));
		litmus_dither(&random, 20000);
	}
	return NULL;
}

TEST(line_13_processors_come_and_go)
{
	int rounds = test_count(200000);
	pthread_t thread = litmus_thread(changer, NULL);

	leat_waitgroup_add(&left, SPAWNERS);
	for (int i = 0; i < SPAWNERS; i++)
		go(spawner, .seed = i, .rounds = rounds);
	leat_waitgroup_wait(&left);
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&began), atomic_load(&ended));
}

TEST_MAIN
