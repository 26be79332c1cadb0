/* SPDX-License-Identifier: MIT */
/*
 * What the race detector sees: cases that it must be silent about, and cases in which it must report.
 *
 *	ORDERED(unlock_then_lock) { ... }       the program's accesses are ordered: silence, exit status 0
 *	RACES(failed_trylock) { ... }           they are not, and a race on `shared` is reported
 *
 * tools/race builds each file of this folder as an ordinary user would, with -fsanitize=thread, against the
 * ordinary library, and runs each case.
 *
 * A case that races is no gamble: its accesses are apart in time, by what orders nothing for the detector.
 * reach and await are that: relaxed atomics.  So the one thing left that could hide the race is the library.
 */
#ifndef TEST_RACE_H
#define TEST_RACE_H

#include <leat.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The variable that all cases are about; its name is in the report.  Nothing lies beside it: of eight bytes the
   detector remembers no more than four accesses. */
static _Alignas(64) int shared;

static inline void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "the case went wrong: %s\n", what);
	_Exit(3);
}

#define MUST(condition) must(condition, #condition)

/* How far the case is. */
static _Alignas(64) atomic_int step;

static inline void reach(int n)
{
	int now = atomic_load_explicit(&step, memory_order_relaxed);

	while (now < n && !atomic_compare_exchange_weak_explicit(&step, &now, n, memory_order_relaxed,
	                                                         memory_order_relaxed))
		continue;
}

/* Between two looks.  The detector remembers only so much of what a goroutine did last, looks included, and
   reports no race of which it has forgotten the half. */
static inline void let_others(void)
{
	leat_yield();
	syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = 20000}, NULL);
}

static inline void await(int n)
{
	while (atomic_load_explicit(&step, memory_order_relaxed) < n)
		let_others();
}

/* So many goroutines and threads are parked. */
static inline void await_parked(size_t n)
{
	while (leat_num_parked() < n)
		let_others();
}

static atomic_size_t left;

static inline void *count_left(void *n)
{
	while (leat_num_goroutine() > (uintptr_t)n)
		let_others();
	atomic_store_explicit(&left, (uintptr_t)n, memory_order_relaxed);
	return NULL;
}

/* So many goroutines are left.  A thread counts them, since to count orders what ended before. */
static inline void await_left(size_t n)
{
	pthread_t counter;

	atomic_store_explicit(&left, n + 1, memory_order_relaxed);
	MUST(pthread_create(&counter, NULL, count_left, (void *)(uintptr_t)n) == 0);
	MUST(pthread_detach(counter) == 0);
	while (atomic_load_explicit(&left, memory_order_relaxed) > n)
		let_others();
}

static inline void write_shared(void)
{
	shared++;
}

/* The other access of the pair; then main may return. */
static inline void write_last(void)
{
	shared++;
	reach(100);
}

/* For main: wait until write_last was. */
static inline void await_last(void)
{
	await(100);
}

struct race_case {
	const char *name, *kind;
	void (*run)(void);
	struct race_case *next;
};

static struct race_case *race_cases, **race_cases_end = &race_cases;

#define RACE__CASE(name_, kind_)                                                                   \
	static void name_(void);                                                                       \
	__attribute__((constructor)) static void race_add_##name_(void)                                \
	{                                                                                              \
		static struct race_case case_ = {#name_, kind_, name_, NULL};                              \
                                                                                                   \
		*race_cases_end = &case_;                                                                  \
		race_cases_end = &case_.next;                                                              \
	}                                                                                              \
	static void name_(void)

#define ORDERED(name) RACE__CASE(name, "ordered")
#define RACES(name)   RACE__CASE(name, "races")

/* In a process of its own, made before this one knows leat: that is cheaper than a new start.  What the case
   is, and how it ended, stands around its reports. */
static void run_case(const struct race_case *c)
{
	int status = 0;
	pid_t child;

	fprintf(stderr, "--- %s\n", c->name);
	child = fork();
	if (child == 0) {
		c->run();
		exit(0);
	}
	MUST(child > 0 && waitpid(child, &status, 0) == child);
	fprintf(stderr, "--- %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Without arguments: say which cases there are.  Else run the named ones. */
int main(int argc, char **argv)
{
	for (struct race_case *c = race_cases; c; c = c->next) {
		if (argc < 2)
			printf("%s %s\n", c->kind, c->name);
		for (int i = 1; i < argc; i++)
			if (strcmp(c->name, argv[i]) == 0)
				run_case(c);
	}
	return 0;
}

#endif
