/* SPDX-License-Identifier: MIT */
/* CTEST: nomigrate procs=1,2,4 env:LEAT_MIGRATE=1 */
/*
 * Goal: what is a goroutine's own stays its own, although each park resumes it on another thread:
 * errno, the floating-point control words, the stack that signal handlers run on, jump buffers; and
 * what is a thread's is found where the thread is.
 *
 * Method: goroutines that mean different values by the same names take turns.  tests/traps/matrix.sh
 * compiles this file in every way that ever mattered, also with a protection taken away:
 * LEAT_KEEP_ERRNO, OWN_KEEP_ADDRESS.
 */
#define _GNU_SOURCE
#include "test.h"

#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { WORKERS = 6, TURNS = 60 };

static int thread_id(void)
{
	return (int)syscall(SYS_gettid);
}

static leat_mutex mutex;
static leat_waitgroup all;

/* One of the ways to wait, or to have a chance to. */
static void turn(int i)
{
	switch (i % 5) {
	case 0:
		leat_yield();
		break;
	case 1:
		leat_sleep(1000);
		break;
	case 2: {
		chan(int) c = chan_make(int, 0);

		chan_select {
			case_recv(c) {
			}
			case_timeout(1000) {
			}
		}
		chan_free(c);
		break;
	}
	case 3: {
		with_lock(&mutex);
		leat_yield();
		break;
	}
	default: {
		recv_chan(int64_t) c = leat_after(1000);

		chan_recv(c);
		chan_free(c);
	}
	}
}

struct worker {
	void (*work)(int me);
	int me;
};

static void worker(struct worker *w)
{
	w->work(w->me);
	leat_waitgroup_done(&all);
}

static void run_workers(void (*work)(int me))
{
	leat_waitgroup_add(&all, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		go(worker, work, i);
	leat_waitgroup_wait(&all);
}

/* --- migration itself */

static atomic_int moved, stayed;

static void move(int me)
{
	for (int i = 0; i < TURNS; i++) {
		int before = thread_id();

		turn(me + i);
		atomic_fetch_add(thread_id() == before ? &stayed : &moved, 1);
	}
}

TEST(line_25_every_park_resumes_elsewhere)
{
	const char *setting = getenv("LEAT_MIGRATE");

	if (!setting || strcmp(setting, "1") != 0)
		return;
	run_workers(move);
	/* A turn that parks twice may come back to where it began. */
	CHECK(moved > stayed);
}

TEST(line_25_a_single_goroutine_changes_threads_too)
{
	const char *setting = getenv("LEAT_MIGRATE");
	int changes = 0, before = thread_id();

	if (!setting || strcmp(setting, "1") != 0)
		return;
	for (int i = 0; i < TURNS; i++) {
		leat_yield();
		changes += thread_id() != before;
		before = thread_id();
	}
	CHECK(changes > TURNS / 2);
}

/* --- errno */

static void keep_errno(int me)
{
	CHECK_EQ(errno, 0); /* a new goroutine's */
	for (int i = 0; i < TURNS; i++) {
		errno = 1000 * me + i;
		turn(me + i);
		CHECK_EQ(errno, 1000 * me + i);
	}
	errno = -1;
}

TEST(line_25_errno_is_the_goroutines_own)
{
	errno = 77;
	run_workers(keep_errno);
	CHECK_EQ(errno, 77);
	for (int i = 0; i < TURNS; i++) {
		errno = 100000 + i;
		turn(i);
		CHECK_EQ(errno, 100000 + i);
	}
}

static void fail_in_a_call(int me)
{
	for (int i = 0; i < TURNS; i++) {
		CHECK_EQ(me % 2 ? close(-1) : (int)syscall(SYS_futex, NULL, -1), -1);
		turn(me + i);
		CHECK_EQ(errno, me % 2 ? EBADF : ENOSYS);
	}
}

TEST(line_25_errno_of_a_failed_call_may_be_read_later)
{
	run_workers(fail_in_a_call);
}

/* --- the floating-point control words */

static volatile double one = 1, three = 3;

static void keep_rounding(int me)
{
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	int mode = modes[me % 4];
	double expected, got;

	CHECK_EQ(fegetround(), FE_TONEAREST); /* a new goroutine's */
	CHECK_EQ(fesetround(mode), 0);
	expected = one / three;
	for (int i = 0; i < TURNS; i++) {
		turn(me + i);
		CHECK_EQ(fegetround(), mode);
		got = one / three;
		CHECK(got == expected);
	}
	/* It ends without tidying up: the next one on this stack must not notice. */
}

TEST(line_25_rounding_is_the_goroutines_own)
{
	run_workers(keep_rounding);
	run_workers(keep_rounding);
	CHECK_EQ(fegetround(), FE_TONEAREST);
}

static void leave_rounding(void)
{
	CHECK_EQ(fegetround(), FE_TONEAREST);
	CHECK_EQ(errno, 0);
	CHECK_EQ(fesetround(FE_UPWARD), 0);
	errno = 5;
	leat_waitgroup_done(&all);
}

TEST(line_25_a_new_goroutine_inherits_nothing_from_the_stacks_last_one)
{
	for (int i = 0; i < 20; i++) {
		leat_waitgroup_add(&all, 20);
		for (int k = 0; k < 20; k++)
			go0(leave_rounding);
		leat_waitgroup_wait(&all);
	}
}

/* --- what is the thread's */

static __thread int known_as;

/* The variable of the thread that runs now, looked up anew: a compiler may well keep an address that it
   took earlier in a function, and OWN_KEEP_ADDRESS does for certain what depends on options else. */
static __attribute__((noinline)) int *here(void)
{
	int *p = &known_as;

	__asm__ volatile("" : "+r"(p));
	return p;
}

/* Atomic: to the thread sanitizer goroutines that take turns on a thread are threads of their own. */
static void write_name(int *p)
{
	__atomic_store_n(p, thread_id(), __ATOMIC_RELAXED);
}

static bool is_name(const int *p)
{
	int name = __atomic_load_n(p, __ATOMIC_RELAXED);

	/* Nobody else writes this thread's: what stands there is its name, or nothing yet. */
	return name == 0 || name == thread_id();
}

/* Calls that want the address itself, as those of another library do. */
static void (*volatile sign)(int *p) = write_name;
static bool (*volatile signed_here)(const int *p) = is_name;

static void look_at_thread(int me)
{
	int *kept = here();

	for (int i = 0; i < TURNS; i++) {
		sign(here());
		turn(me + i);
#ifndef OWN_KEEP_ADDRESS
		kept = here();
#endif
		sign(kept);
		leat_yield();
		CHECK(signed_here(here()));
	}
}

TEST(line_25_a_thread_local_found_anew_is_that_of_the_thread)
{
	run_workers(look_at_thread);
}

/* Not atomic: each thread's is used by one goroutine, whose own the thread is meanwhile.  The thread
   sanitizer takes a thread's beginning for a write to it. */
static __thread int used;
static leat_waitgroup all_here;

static void use(void)
{
	leat_pin();
	used++;
	leat_waitgroup_done(&all_here);
	leat_waitgroup_wait(&all_here);
	used++;
	CHECK_EQ(used, 2);
	leat_waitgroup_done(&all);
}

TEST(line_25_a_thread_local_is_there_when_a_goroutine_runs)
{
	enum { PINNED = 20 };

	leat_waitgroup_add(&all, PINNED);
	leat_waitgroup_add(&all_here, PINNED);
	for (int i = 0; i < PINNED; i++)
		go0(use);
	leat_waitgroup_wait(&all);
}

/* --- signals and jumps */

/* The thread sanitizer takes two goroutines' handlers on one thread's stack for a race. */
#ifndef TEST_SANITIZED
static _Atomic int handled, handled_aside;

static void on_signal(int number)
{
	stack_t now;

	(void)number;
	atomic_fetch_add(&handled, 1);
	if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_ONSTACK))
		atomic_fetch_add(&handled_aside, 1);
}

static void raise_signals(int me)
{
	for (int i = 0; i < TURNS / 4; i++) {
		CHECK_EQ(raise(SIGUSR1), 0);
		turn(me + i);
	}
}

TEST(every_thread_of_goroutines_has_a_stack_for_signals)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK}, before;

	CHECK_EQ(sigaction(SIGUSR1, &action, &before), 0);
	run_workers(raise_signals);
	CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
	CHECK_EQ(handled, WORKERS * (TURNS / 4));
	CHECK_EQ(handled_aside, handled);
}
#endif

static void jump(int me)
{
	sigjmp_buf place;
	volatile int i = 0;

	if (sigsetjmp(place, 0) >= TURNS / 4)
		return;
	turn(me + i);
	i = i + 1;
	siglongjmp(place, i);
}

TEST(a_jump_buffer_outlives_a_park)
{
	run_workers(jump);
}

TEST_MAIN
