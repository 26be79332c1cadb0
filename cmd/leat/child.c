/* SPDX-License-Identifier: MIT */
/*
 * Start another program and wait for it: see child.h.
 *
 * Nothing here handles signals asynchronously: they are blocked and taken with sigwaitinfo, SIGCHLD
 * among them, so that neither can be missed between a look and a wait.
 */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigset_t awaited,
    found_mask; /* what is waited for; what was blocked when leat was started */

static void (*found_pipe)(int); /* what SIGPIPE did then */

static const int ours[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

void child_begin(void)
{
	sigemptyset(&awaited);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaddset(&awaited, ours[i]);
	sigaddset(&awaited, SIGCHLD);
	/* A parent that ignores it would make the kernel forget how children ended. */
	signal(SIGCHLD, SIG_DFL);
	/* A message that nobody reads any more is no reason to leave things behind. */
	found_pipe = signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &awaited, &found_mask);
}

/* One of the signals that came before there was anybody to send it to, else 0. */
static int pending(void)
{
	static const struct timespec no_time;
	siginfo_t info;
	int number;

	do
		number = sigtimedwait(&awaited, &info, &no_time);
	while (number == SIGCHLD);
	return number > 0 ? number : 0;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t used_ns(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * INT64_C(1000000000) +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * INT64_C(1000);
}

static int start(char *const *argv, enum child_kind kind, struct child_files files, pid_t *pid)
{
	const int given[] = {files.in, files.out, files.error};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	short flags = POSIX_SPAWN_SETSIGMASK;
	sigset_t to_default;
	int error;

	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &found_mask);
	if (found_pipe == SIG_DFL) {
		flags |= POSIX_SPAWN_SETSIGDEF;
		sigemptyset(&to_default);
		sigaddset(&to_default, SIGPIPE);
		posix_spawnattr_setsigdefault(&attributes, &to_default);
	}
	if (kind == CHILD_TOOL) {
		flags |= POSIX_SPAWN_SETPGROUP;
		posix_spawnattr_setpgroup(&attributes, 0);
	}
	posix_spawnattr_setflags(&attributes, flags);
	error = posix_spawn_file_actions_init(&actions);
	for (int fd = 0; !error && fd < 3; fd++)
		if (given[fd] >= 0)
			error = posix_spawn_file_actions_adddup2(&actions, given[fd], fd);
	if (!error)
		error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -error;
}

/* Wait until the child has ended; or, with a tool, for the signal that it is then killed for. */
static int wait_for(pid_t pid, enum child_kind kind, struct child_end *end)
{
	struct rusage usage;
	siginfo_t info;

	for (;;) {
		int number = sigwaitinfo(&awaited, &info);

		if (number < 0)
			continue; /* stopped and continued */
		if (number == SIGCHLD) {
			if (wait4(pid, &end->status, WNOHANG, &usage) == pid) {
				end->cpu_ns = used_ns(&usage);
				return 0;
			}
		} else if (kind == CHILD_TOOL) {
			kill(-pid, SIGKILL);
			while (waitpid(pid, &end->status, 0) < 0 && errno == EINTR)
				;
			return number;
		} else {
			if (number != SIGUSR1 && number != SIGUSR2)
				end->stop = number;
			if (info.si_code <= 0) /* it came from a process, not from the terminal */
				kill(pid, number);
		}
	}
}

struct child_end child_run(char *const *argv, enum child_kind kind)
{
	return child_run_with(argv, kind, (struct child_files){-1, -1, -1});
}

struct child_end child_run_with(char *const *argv, enum child_kind kind, struct child_files files)
{
	struct child_end end = {.interrupted = pending()};
	void (*old_ttou)(int) = SIG_DFL;
	int64_t begin_ns = now_ns();
	pid_t pid = 0;

	if (end.interrupted)
		return end;
	/* In the background as it is, a tool may write to the terminal all the same. */
	if (kind == CHILD_TOOL)
		old_ttou = signal(SIGTTOU, SIG_IGN);
	end.error = start(argv, kind, files, &pid);
	if (kind == CHILD_TOOL)
		signal(SIGTTOU, old_ttou);
	if (!end.error)
		end.interrupted = wait_for(pid, kind, &end);
	end.wall_ns = now_ns() - begin_ns;
	return end;
}

void child_die(int signal_number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal_number);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + signal_number);
}
