/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nosan nofenced */
/*
 * Goal: a program that hangs for good, the runtime itself included, still dies on SIGQUIT with a
 * report.
 * Method: a child process takes the scheduler's lock for ever, and waits until the monitor must
 * want it too, which then never comes to look for the signal; or libraries take for ever to load.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sched/scheduler.h"

#include "test.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum how { ALL_WELL, LOCKED, NO_LIBRARIES };

static atomic_bool spinning;
static bool no_libraries;

/* In place of libc's. */
void *dlopen(const char *file, int mode)
{
	static void *(*real)(const char *, int);

	while (no_libraries)
		pause();
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "dlopen");
	return real(file, mode);
}

static __attribute__((noinline)) void hang_inside(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void spinner(void)
{
	atomic_store(&spinning, true);
	hang_inside();
	__asm__ volatile("");
}

__attribute__((noreturn)) static void child(enum how how)
{
	no_libraries = how == NO_LIBRARIES;
	go0(spinner);
	while (!atomic_load(&spinning))
		leat_yield();
	if (how == LOCKED) {
		/* More than there are processors for, so that it wants to take one. */
		for (int i = 0; i < 16; i++)
			go0(spinner);
		leat__lock(&leat__sched.lock);
		/* While something runs it takes the lock at each look, every 5 ms or more often. */
		for (int64_t end = leat__os_now() + 300000000; leat__os_now() < end;)
			;
	}
	kill(getpid(), SIGQUIT);
	hang_inside();
	_exit(0);
}

/* What the child wrote to stderr, and its status. */
static char *report_of(enum how how, int *status)
{
	static char text[65536];
	size_t length = 0;
	ssize_t n;
	int ends[2];
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], 2);
		child(how);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	close(ends[0]);
	CHECK(waitpid(pid, status, 0) == pid);
	return text;
}

static void check(enum how how)
{
	int status;
	int64_t begun = leat__os_now();
	const char *text = report_of(how, &status), *last = text;

	/* If it was made anew, that is the one. */
	for (const char *at = text; (at = strstr(at, "SIGQUIT: quit\n")) != NULL; at++)
		last = at;
	if (strncmp(last, "SIGQUIT: quit\n\ngoroutine 1 [running]:\n", 38) != 0 ||
	    !strstr(last, "\n\ngoroutine 2 [running]:\n")) {
		fprintf(stderr, "the report is:\n%s\n", text);
		exit(1);
	}
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 2);
	/* It was the alarm clock's handler then, which waits for the monitor first. */
	CHECK(how != LOCKED || leat__os_now() - begun > 1500000000);
}

/* First, since the runtime must not have begun when the children are made. */
TEST(line_165_a_program_that_hangs)
{
	check(ALL_WELL);
}

TEST(line_165_a_runtime_that_hangs)
{
	check(LOCKED);
}

TEST(line_165_libraries_that_hang)
{
	check(NO_LIBRARIES);
}

TEST_MAIN
