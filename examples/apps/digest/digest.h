/* SPDX-License-Identifier: MIT */
/*
 * What the parts of digest have to do with each other: the jobs that go round, how all of it is
 * stopped, the stages, and the system calls.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "../arguments.h"

#include <leat.h>

#include <dirent.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>

/* One line to print.  It has one owner at a time: whoever received it last. */
struct job {
	char *path;       /* malloc'ed */
	int fd;           /* open for reading; -1 when there is only trouble to report */
	int err;          /* 0, or a negative errno code */
	const char *note; /* what is wrong with the file when errno has no word for it */
	unsigned char hash[32];
	chan(leat_empty) done; /* gets one event when the rest is filled in */
};

/* How the program is told to stop: the scope is cancelled, by a signal, by anybody. */
struct brake {
	leat_scope *scope;
	int wake; /* an eventfd, readable once the scope is cancelled: for those who sleep in poll */
};

/*
 * The first stage, a goroutine: goes through the operands and sends each file out as a job.  Its
 * arguments are a struct of its name, as go and scope_go want them.
 */
struct walk {
	leat_scope *scope;
	char **operands; /* ends with a NULL */
	recv_chan(struct job *) spare;
	send_chan(struct job *) work;
	send_chan(struct job *) ordered;
	recv_chan(leat_empty) stdin_turn;
	leat_pipe_stage *stage; /* for the monitor, or NULL */
};

void walk(struct walk *a);

/*
 * The last stage, run by main: print the jobs in order until there are no more.  Returns the exit
 * status.
 */
struct print {
	struct brake *brake;
	recv_chan(struct job *) ordered;
	send_chan(struct job *) spare;
	_Atomic uint64_t *bytes; /* hashed by all workers so far */
	leat_pipe_stage *stage;  /* for the monitor, or NULL */
};

int print(const struct print *a);

/*
 * System calls; each returns a negative errno code when it fails.
 *
 * Any call into leat may return on another thread, and compilers keep the address of errno, which
 * belongs to the thread, over calls.  So errno is read in functions of their own, in a file of their
 * own, never beside a call into leat.
 */
int try_open(int at, const char *name, int flags);
int try_stat(int at, const char *name, struct stat *st, int flags);
int try_fstat(int fd, struct stat *st);
int try_fdopendir(int fd, DIR **dir);             /* takes fd over, also when it fails */
int try_readdir(DIR *dir, struct dirent **entry); /* NULL at the end */
int try_wait(int fd, short events, int wake);     /* -ECANCELED when wake is ready and fd not */
ssize_t try_read(int fd, void *to, size_t bytes);
ssize_t try_write(int fd, const void *from, size_t bytes);

#endif
