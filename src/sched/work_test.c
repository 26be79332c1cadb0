/* SPDX-License-Identifier: MIT */
/*
 * Goal: a goroutine that is made available while a processor goes idle is run by that processor
 * (line 17: no lost wake-up), in both forms of the fences.
 *
 * Method: without the monitor, which would find it later in any case.  One goroutine starts another
 * and then stays in the program until that one has run, which must happen on another processor; it
 * starts the next at about the instant where that processor gives up searching.  They take some
 * microseconds: a processor that finds nothing worth its search rests, and the monitor is missed.
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

/* Longer than what a thief thinks light. */
static void work(void)
{
	uint64_t end = leat__ticks() + 4 * leat__sched.ticks_per_us;

	while (leat__ticks() < end)
		leat__cpu_relax();
}

static void child(void)
{
	fetch_add_relaxed(&ran, 1);
	work();
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
	while (leat_chan_recv(turn, NULL)) {
		fetch_add_relaxed(&ran, 1);
		work();
	}
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

/* What is not worth a search. */
static void light_child(void)
{
	fetch_add_relaxed(&ran, 1);
}

static void compute_ms(void)
{
	for (int64_t end = leat__os_now() + LEAT_MILLISECOND; leat__os_now() < end;)
		leat__cpu_relax();
}

TEST(who_finds_nothing_but_light_work_rests_while_there_is_more)
{
	enum { CHILDREN = 900, ENOUGH = 5 }; /* so many in a row are no accident */
	int64_t end = leat__os_now() + 20 * LEAT_SECOND;
	int rested = 0;
	uint32_t before, n;

	if (leat_procs(0) < 2 || leat__sanitizers || test_emulated())
		return; /* under these the least goroutine may take longer than what is light */
	leat_procs(2);
	/* A thief whom others keep from his CPU may take all of them, and find none light. */
	while (rested < ENOUGH && leat__os_now() < end) {
		store_relaxed(&ran, 0);
		for (n = 0; n < CHILDREN; n++)
			go0(light_child);
		/* The other may have gone to rest just now, and so be woken by none of these. */
		while (load_relaxed(&ran) == 0 && leat__os_now() < end) {
			store_relaxed(&leat__sched.wake_gap, 0);
			go0(light_child);
			n++;
			compute_ms();
		}
		while (!load_relaxed(&leat__sched.idle) || load_relaxed(&leat__sched.searching))
			leat__cpu_relax();
		before = load_relaxed(&ran);
		compute_ms();
		compute_ms();
		rested = before < n && load_relaxed(&ran) == before ? rested + 1 : 0;
		test_goroutines(1);
		CHECK_EQ(load_relaxed(&ran), n);
	}
	CHECK_EQ(rested, ENOUGH);
}

/* The other processor is idle, and who had it has looked for the last time. */
static void await_settled(void)
{
	for (bool settled = false; !settled; leat__cpu_relax()) {
		leat__lock(&leat__sched.lock);
		settled = load_relaxed(&leat__sched.idle) && !load_relaxed(&leat__sched.searching) &&
		          !leat__sched.settling;
		leat__unlock(&leat__sched.lock);
	}
}

TEST(where_nobody_is_to_be_woken_the_monitor_says_for_how_long)
{
	int64_t end = leat__os_now() + 20 * LEAT_SECOND;
	bool not_yet = false;

	if (leat_procs(0) < 2)
		return;
	leat_procs(2);
	store_relaxed(&ran, 0);
	while (!not_yet && leat__os_now() < end) { /* the thread may lose its CPU in between */
		await_settled();
		store_relaxed(&leat__sched.woke_at, leat__ticks());
		store_relaxed(&leat__sched.wake_gap, LEAT__WAKE_NOBODY);
		CHECK(leat__wake_nobody());
		not_yet = load_relaxed(&leat__sched.wake_gap) == LEAT__WAKE_NOBODY;
	}
	CHECK(not_yet);
	go0(child);
	for (int i = 0; i < 3; i++)
		compute_ms();
	CHECK_EQ(load_relaxed(&ran), 0);
	go0(child);
	for (int i = 0; i < 3; i++)
		compute_ms();
	CHECK_EQ(load_relaxed(&ran), 0); /* time alone does not end it */
	CHECK(leat__wake_nobody());
	CHECK(!leat__wake_nobody());
	while (load_relaxed(&ran) < 2 && leat__os_now() < end)
		leat__cpu_relax();
	CHECK_EQ(load_relaxed(&ran), 2);
	test_goroutines(1);
}

TEST_MAIN
