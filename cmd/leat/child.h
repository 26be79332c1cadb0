/* SPDX-License-Identifier: MIT */
/*
 * Start another program and wait for it, with signals going where they belong.
 *
 * leat itself reacts to SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1 and SIGUSR2 only here: they are
 * blocked, and SIGPIPE is ignored, from child_begin on, so that what was made can be removed whatever
 * happens.  The children find them as leat did.
 */
#ifndef LEAT_CMD_CHILD_H
#define LEAT_CMD_CHILD_H

#include <stdint.h>

enum child_kind {
	/* One of leat's own helpers: in a group of its own, and any of the signals ends all of it. */
	CHILD_TOOL,
	/*
	 * What the user asked to run.  It shares leat's group, hence the terminal: what is typed there
	 * reaches it without leat.  What another process sends to leat is sent on.
	 */
	CHILD_PROGRAM,
};

struct child_end {
	int error;       /* a negative errno code: it could not be started */
	int interrupted; /* the signal that ended the wait (CHILD_TOOL) or forestalled it (both), else 0 */
	int status;      /* as of waitpid, when neither is set */
	/* And of a program (CHILD_PROGRAM) that has run, besides: */
	int stop;        /* the last SIGINT, SIGTERM, SIGQUIT or SIGHUP that came meanwhile, else 0 */
	int64_t wall_ns; /* from before its start until its end was known */
	int64_t cpu_ns;  /* in user and system mode, its own children that it waited for included */
};

/* Descriptors that the child gets for its first three; -1 leaves one as it is. */
struct child_files {
	int in, out, error;
};

void child_begin(void);

/* argv[0] is looked up in PATH unless it has a slash in it. */
struct child_end child_run(char *const *argv, enum child_kind kind);

/* The same, with other files.  Those given are 3 or more, and stay the caller's. */
struct child_end child_run_with(char *const *argv, enum child_kind kind, struct child_files files);

/* End leat by a signal that child_begin has blocked, as the parent expects it. */
__attribute__((noreturn)) void child_die(int signal_number);

#endif
