/* SPDX-License-Identifier: MIT */
/*
 * Goal: a goroutine that is made available while a processor goes idle is run by that processor
 * (line 17: no lost wake-up), in both forms of the fences.
 *
 * Method: without the monitor, which would find it later in any case.  One goroutine starts another
 * and then stays in the program until that one has run, which must happen on another processor; it
 * starts the next at about the instant where that processor gives up searching.
 */
#include "sched/scheduler.h"

#include "test.h"

/* No monitor: the linker finds these first. */
void leat__monitor_start(void)
{
}

void leat__monitor_ring(void)
{
}

/* No goroutine runs that the time would be missed by. */
void leat__monitor_call(void)
{
	leat__threads_make();
}

bool leat__suspect_again(void)
{
	return false;
}

void leat__monitor_forget(void)
{
}

bool leat__monitor_of_others(void)
{
	return false;
}

static _Atomic uint32_t ran;

static void child(void)
{
	fetch_add_relaxed(&ran, 1);
}

/* Without a call into leat: the processor stays here, and so does what cannot be stolen. */
static void wait_in_program(uint32_t until, uint32_t round)
{
	int64_t end = leat__os_now() + 20 * LEAT_SECOND;

	for (unsigned spins = 0; load_acquire(&ran) != until; spins++) {
		leat__cpu_relax();
		if (spins % 1024 == 0)
			leat__os_backoff(0);
		if (spins % 65536 == 0 && leat__os_now() > end) {
			fprintf(stderr, "round %u: nobody ran the goroutine\n", round);
			fflush(NULL);
			_exit(1);
		}
	}
}

/* Until the other processor gives up its search, and up to some hundred instructions more. */
static void wait_for_idler(uint64_t *random)
{
	uint64_t end = leat__ticks() + 300 * leat__sched.ticks_per_us;

	while (!load_relaxed(&leat__sched.searching) && leat__ticks() < end)
		leat__cpu_relax();
	while (load_relaxed(&leat__sched.searching) && leat__ticks() < end)
		;
	for (uint32_t n = leat__random_next(random) % 512; n > 0; n--)
		compiler_barrier();
}

TEST(line_17_work_pushed_while_a_processor_goes_idle_is_run)
{
	uint64_t random = 42;
	int rounds = test_count(100000);

	if (leat_procs(0) < 2)
		return; /* nobody else could run it */
	for (int i = 0; i < rounds; i++) {
		/* A wake-up may be put off for the sake of speed, for the monitor to make up for it. */
		store_relaxed(&leat__sched.wake_gap, 0);
		go0(child);
		wait_in_program((uint32_t)i + 1, (uint32_t)i);
		wait_for_idler(&random);
	}
}

/* The same for one that was parked, by the ring. */
static leat_chan *turn;

static void woken(void)
{
	while (leat_chan_recv(turn, NULL))
		fetch_add_relaxed(&ran, 1);
}

TEST(line_17_woken_goroutine_is_stolen_from_the_ring)
{
	uint64_t random = 43;
	int rounds = test_count(20000);
	char nothing[1] = {0};

	if (leat_procs(0) < 2)
		return;
	store_relaxed(&ran, 0);
	turn = leat_chan_make(1, 0);
	/* Two of them: the first that is woken waits in next, which nobody takes, until the second one
	   pushes it into the ring. */
	go0(woken);
	go0(woken);
	test_parked(2);
	for (int i = 0; i < rounds; i++) {
		store_relaxed(&leat__sched.wake_gap, 0);
		leat_chan_send(turn, nothing);
		leat_chan_send(turn, nothing);
		wait_in_program(2 * (uint32_t)i + 1, (uint32_t)i);
		while (load_acquire(&ran) != 2 * (uint32_t)i + 2)
			leat_yield();
		test_parked(2);
		wait_for_idler(&random);
	}
	leat_chan_close(turn);
	test_goroutines(1);
	leat_chan_free(turn);
}

TEST_MAIN
