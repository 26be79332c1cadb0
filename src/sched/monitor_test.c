/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: a processor that is taken from a goroutine has one owner at every instant, what its old owner
 * did with it is seen by the new one, and no goroutine is lost on the way.
 *
 * Method: the monitor's own code, but with a thread that takes processors as fast as it can, whatever
 * the goroutines do, in place of the one that waits until they had their share.  The goroutines enter
 * and leave the runtime, touch words of their processor with plain instructions while they are inside,
 * and check that nobody else does.
 */
#define leat__monitor_start real_monitor_start
#include "sched/monitor.c"
#undef leat__monitor_start

#include "test.h"

#include <pthread.h>

enum { WORKERS = 4 };

/* What goes with a processor. */
static struct {
	_Atomic(struct leat__m *) owner;
	uint64_t uses;          /* plain: one owner at a time */
	_Atomic uint64_t count; /* the same, by locked instructions */
} mine[LEAT__MAX_PROCS];

static _Atomic uint64_t taken, enough;
static int64_t end;
static leat_waitgroup left;

/* In place of the real one, which never begins: the linker finds this one first. */
void leat__monitor_start(void);

static void *greedy_main(void *arg)
{
	static struct leat__m self;

	(void)arg;
	self.tid = leat__os_tid();
	self.g = &self.g0;
	leat__os_block_signals();
	for (uint64_t turn = 0;; turn++) {
		int made = load_acquire(&leat__sched.made);

		leat__threads_make();
		for (int i = 0; i < made; i++) {
			struct leat__p *p = load_relaxed(&leat__sched.p[i]);
			struct leat__m *m = load_acquire(&p->m);

			if (!m || m->tid == 0)
				continue;
			retake(p, m, load_relaxed(&p->tick), turn % 2, false);
			if ((load_relaxed(&m->retake) & LEAT__RETAKE_TAKEN))
				fetch_add_relaxed(&taken, 1);
		}
		if (leat__timers_first() <= leat__os_now())
			leat__timers_run(&self);
		if (load_relaxed(&leat__sched.queued))
			leat__wake_now();
		/* Every so often the others need the CPU. */
		if (turn % 64 == 0)
			leat__os_backoff(0);
	}
	return NULL;
}

void leat__monitor_start(void)
{
	(void)real_monitor_start;
	if (begun)
		return;
	begun = true;
	CHECK(leat__os_thread_start(greedy_main, NULL, THREAD_STACK) == 0);
}

static struct leat__m *use_processor(struct leat__m *m)
{
	struct leat__p *p = m->p;
	struct leat__m *none = NULL;

	CHECK(p != NULL);
	CHECK(load_relaxed(&p->m) == m);
	CHECK(cas_acq_rel(&mine[p->id].owner, &none, m));
	mine[p->id].uses++;
	fetch_add_relaxed(&mine[p->id].count, 1);
	CHECK_EQ(mine[p->id].uses, load_relaxed(&mine[p->id].count));
	store_release(&mine[p->id].owner, NULL);
	return m;
}

struct worker {
	int seed;
};

/* Until processors were taken often enough, or for some seconds: that depends on how busy the machine
   is with others. */
static bool goes_on(void)
{
	return load_relaxed(&taken) < load_relaxed(&enough) && leat__os_now() < end;
}

static void spinner(struct worker *w)
{
	uint64_t random = leat__random_seed((uint64_t)w->seed);

	while (goes_on()) {
		struct leat__m *m = use_processor(leat__enter());

		if (leat__random_next(&random) % 4 == 0)
			m = use_processor(leat__yield(m));
		leat__leave(m);
		/* In the program for a while, which is when the processor is taken. */
		for (uint32_t n = leat__random_next(&random) % 300; n > 0; n--)
			compiler_barrier();
	}
	leat_waitgroup_done(&left);
}

static void blocker(struct worker *w)
{
	uint64_t random = leat__random_seed((uint64_t)w->seed);

	while (goes_on()) {
		nanosleep(&(struct timespec){.tv_nsec = leat__random_next(&random) % 3000}, NULL);
		leat__leave(use_processor(leat__enter()));
	}
	leat_waitgroup_done(&left);
}

static void take_so_often(uint64_t times, void (*fn)(struct worker *))
{
	store_relaxed(&taken, 0);
	store_relaxed(&enough, times);
	end = leat__os_now() + test_count(30) * LEAT_SECOND;
	leat_waitgroup_add(&left, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		go_as(worker, fn, .seed = i);
	leat_waitgroup_wait(&left);
	test_goroutines(1);
	fprintf(stderr, "  taken %llu times\n", (unsigned long long)load_relaxed(&taken));
	CHECK(load_relaxed(&taken) > 0);
	CHECK(load_relaxed(&leat__sched.detached) <= 1); /* main itself at most */
	CHECK(load_relaxed(&leat__sched.hogs) <= load_relaxed(&leat__sched.detached));
}

TEST(processor_taken_from_spinning_goroutines_has_one_owner)
{
	take_so_often((uint64_t)test_count(200000), spinner);
}

TEST(processor_taken_from_blocked_goroutines_has_one_owner)
{
	take_so_often((uint64_t)test_count(200000), blocker);
}

TEST_MAIN
