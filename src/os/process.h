/* SPDX-License-Identifier: MIT */
/*
 * The part of the platform's contract that is about other processes, and what they are given.
 *
 * Descriptors that are made here are closed on exec.  As everywhere in src/os failures are negative errno codes, and errno
 * is left alone.
 */
#ifndef LEAT_OS_PROCESS_H
#define LEAT_OS_PROCESS_H

#include "base/compiler.h"

#include <sys/resource.h>
#include <sys/types.h>

struct leat__os_spawn {
	const char *path; /* no search */
	char *const *args, *const *env;
	const char *dir; /* NULL: where we are */
	const int *fds;  /* what is to be descriptor 0, 1, ... there; -1: none */
	size_t fds_n;
	bool group; /* it leads a process group of its own */
};

/*
 * A child, or the reason why it did not come to run the file.  It has the descriptors that were asked for and no others,
 * no signal blocked, and of those that are ignored only what was so before leat or its callers had a hand in it.  Blocks
 * until the file runs, some 500 us.
 */
int leat__os_spawn(const struct leat__os_spawn *s, int *pid);

struct leat__os_exit {
	int code, signal; /* one of them is 0 */
	bool core;
	struct rusage usage;
};

/* Has the child ended?  0, with *e; -EAGAIN: not yet; -ECHILD: somebody else took it.  reap: it is forgotten, and its
   number may mean another process from then on.  block: wait for it. */
int leat__os_process_wait(int pid, bool reap, bool block, struct leat__os_exit *e);

/* A descriptor that becomes readable when the child ends. */
int leat__os_process_fd(int pid);

/* fd: what leat__os_process_fd gave, -1: nothing; then the child must not have been reaped.  group: all of the group that
   it leads, and it must not have been reaped. */
int leat__os_process_signal(int pid, int fd, bool group, int sig);

/* --- descriptors for them */

/* Another one for the same, whose number is least or more. */
int leat__os_dup_above(int fd, int least);

/* Whether fd is open; and whether it is a pipe, and may be read or written. */
bool leat__os_is_open(int fd);
int leat__os_is_pipe(int fd, bool *reads, bool *writes);

/* --- files as programs */

/* 0: a file that this process may run.  -EACCES, -EISDIR, or why it cannot be found. */
int leat__os_is_program(const char *path);

/* 0: there is a folder. */
int leat__os_is_folder(const char *path);

#endif
