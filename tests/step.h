/* SPDX-License-Identifier: MIT */
/*
 * A call that is stopped after its n-th instruction, for each n, while the test does something else in between.  So
 * what goes wrong only where another comes between two certain instructions goes wrong each time, which rounds at
 * random would hardly ever show.
 *
 *	for (long n = 1; step_start(n, take, &it) == STEP_STOPPED; n++) {
 *		... what comes in between ...
 *		step_go_on();
 *		... what must be true by now, or will be ...
 *		step_end();
 *	}
 *	step_go_on(), and whatever lets the last one return
 *	step_end();
 *
 * The call is made on a plain thread, which a trap flag of the CPU stops.  It goes on by itself after a while, for it
 * may hold a lock that the test needs; so to miss a point is possible, a false alarm is not.  Stopped is like
 * preempted: orders of memory that need two CPUs are not shown, the models and tests/litmus do that.
 *
 * Only on x86-64, where no sanitizer or emulator looks at each instruction, too ("CTEST: nosan noemulator"); elsewhere
 * step_skip ends the program with 77.  One call at a time.
 */
#ifndef STEP_H
#define STEP_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include: the names of registers need it"
#endif

#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <ucontext.h>

enum step_state { STEP_RUNS, STEP_STOPPED, STEP_PARKED, STEP_ENDED };

enum { STEP_LOOK_US = 50 };

static int step_longest_us = 20000; /* for which a call is stopped at most */

static struct {
	void (*fn)(void *);
	void *arg;
	long at, count;
	_Atomic int state;
	atomic_bool go_on;
	pthread_t thread;
} step;

#ifdef __x86_64__

enum { STEP_WORKS = 1, STEP_TRAP = 0x100 };

static void step_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)signal;
	(void)info;
	if (++step.count != step.at)
		return;
	c->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)STEP_TRAP;
	atomic_store(&step.state, STEP_STOPPED);
	for (int us = 0; us < step_longest_us && !atomic_load(&step.go_on); us += STEP_LOOK_US)
		nanosleep(&(struct timespec){.tv_nsec = STEP_LOOK_US * 1000}, NULL);
}

static inline void step_set_trap(bool on)
{
	unsigned long long flags = __builtin_ia32_readeflags_u64() & ~(unsigned long long)STEP_TRAP;

	__builtin_ia32_writeeflags_u64(on ? flags | STEP_TRAP : flags);
}

static inline void step_prepare(void)
{
	struct sigaction action = {.sa_sigaction = step_trap, .sa_flags = SA_SIGINFO};

	CHECK_EQ(sigaction(SIGTRAP, &action, NULL), 0);
}

#else

enum { STEP_WORKS = 0 };

static inline void step_set_trap(bool on)
{
	(void)on;
}

static inline void step_prepare(void)
{
}

#endif

static inline void *step_thread(void *arg)
{
	(void)arg;
	leat_yield(); /* a thread's first call into leat takes long */
	step_set_trap(true);
	step.fn(step.arg);
	step_set_trap(false);
	atomic_store(&step.state, STEP_ENDED);
	return NULL;
}

/* Call fn(arg), stopped after n instructions.  How far it came: it stands there, or it has parked or ended before. */
static inline enum step_state step_start(long n, void (*fn)(void *), void *arg)
{
	size_t parked = leat_num_parked();

	step_prepare();
	step.fn = fn;
	step.arg = arg;
	step.at = n;
	step.count = 0;
	atomic_store(&step.state, STEP_RUNS);
	atomic_store(&step.go_on, false);
	CHECK_EQ(pthread_create(&step.thread, NULL, step_thread, NULL), 0);
	test_until(atomic_load(&step.state) != STEP_RUNS || leat_num_parked() > parked);
	return atomic_load(&step.state) == STEP_RUNS ? STEP_PARKED : atomic_load(&step.state);
}

static inline void step_go_on(void)
{
	atomic_store(&step.go_on, true);
}

static inline bool step_ended(void)
{
	return atomic_load(&step.state) == STEP_ENDED;
}

/* The same, and wait until it has returned, or parked, or for some milliseconds, without letting goroutines run. */
static inline void step_go_on_alone(size_t parked)
{
	int64_t end = leat_now() + 5 * LEAT_MILLISECOND;

	step_go_on();
	while (atomic_load(&step.state) != STEP_ENDED && leat_num_parked() <= parked &&
	       leat_now() < end)
		continue;
}

/* Wait until the call has returned. */
static inline void step_end(void)
{
	test_until(step_ended());
	CHECK_EQ(pthread_join(step.thread, NULL), 0);
}

static inline void step_nowhere(void *arg)
{
	(void)arg;
}

/* Nothing can be stopped here. */
static inline void step_skip(void)
{
	bool works = STEP_WORKS && step_start(2, step_nowhere, NULL) == STEP_STOPPED;

	if (works) {
		step_go_on();
		step_end();
		return;
	}
	printf("no thread can be stopped after an instruction here\n");
	exit(77);
}

#endif
