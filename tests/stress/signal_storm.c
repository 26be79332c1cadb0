/* SPDX-License-Identifier: MIT */
/* CTEST: san */
/*
 * Goal: each signal is either sent to who asked for it or handled as without leat, whatever comes at the same time.
 * Method: goroutines that raise one, of which each comes; others that ask and stop all the time, with room for all; a
 * handler of the program's that counts the rest.  At the end the sum must be right.
 */
#include "test.h"

#include <signal.h>
#include <stdatomic.h>

enum { RAISERS = 4, ASKERS = 3 };

static _Atomic int handled, raised, received;

static void count(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
}

struct raiser {
	int n;
};

static void raiser(struct raiser *a)
{
	for (int i = 0; i < a->n; i++) {
		raise(SIGUSR1);
		atomic_fetch_add(&raised, 1);
		if (i % 8 == 0)
			leat_yield();
	}
}

/* Only one at a time: what two are sent would count twice. */
struct asker {
	leat_mutex *turn;
	_Atomic bool *over;
	int room;
};

static void asker(struct asker *a)
{
	chan(int) c = chan_make(int, a->room);
	int sig;

	while (!atomic_load(a->over)) {
		leat_mutex_lock(a->turn);
		signal_notify(c, SIGUSR1);
		leat_yield();
		signal_stop(c);
		leat_mutex_unlock(a->turn);
		while (chan_try_recv(c, &sig, NULL)) {
			CHECK_EQ(sig, SIGUSR1);
			atomic_fetch_add(&received, 1);
		}
	}
	chan_free(c);
}

TEST(each_signal_goes_somewhere)
{
	struct sigaction own = {.sa_handler = count, .sa_flags = SA_ONSTACK | SA_RESTART};
	int n = test_count(20000);
	_Atomic bool over = false;
	leat_mutex turn = {0};

	CHECK(sigaction(SIGUSR1, &own, NULL) == 0);
	{
		scope(askers, NULL);
		for (int i = 0; i < ASKERS; i++)
			scope_go(askers, asker, &turn, &over, RAISERS * n);
		{
			scope(raisers, NULL);
			for (int i = 0; i < RAISERS; i++)
				scope_go(raisers, raiser, n);
			scope_wait(raisers);
		}
		atomic_store(&over, true);
		scope_wait(askers);
	}
	fprintf(stderr, "%d received, %d handled\n", atomic_load(&received), atomic_load(&handled));
	CHECK_EQ(atomic_load(&raised), RAISERS * n);
	CHECK_EQ(atomic_load(&received) + atomic_load(&handled), RAISERS * n);
}

TEST_MAIN
