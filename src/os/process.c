/* SPDX-License-Identifier: MIT */
/*
 * The contract of process.h on Linux.
 *
 * posix_spawn rather than fork: a fork of a process with threads copies its page tables, stops leat (sched/fork.c), and
 * leaves the child with whatever locks were held.  And rather than vfork by hand: between that and exec the child runs on
 * the parent's memory, where a compiler, a signal handler or a sanitizer may do harm.  The C library's runs there on a
 * stack of its own, all signals blocked, and tells why the exec failed.
 *
 * waitid(2) itself, since the C library's has no room for the usage.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/process.h"

#include "os/caught.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* A system call's result as a negative code, and errno as it was. */
static long checked(long result, int saved)
{
	if (result < 0) {
		result = -errno;
		errno = saved;
	}
	return result;
}

/* posix_spawn_file_actions_addclosefrom_np: glibc has it since 2.34, musl has not. */
int leat__add_closefrom(posix_spawn_file_actions_t *actions,
                        int from) __asm__("posix_spawn_file_actions_addclosefrom_np")
    __attribute__((weak));

/* --- a new one */

/* Without closefrom those that are open now and would stay so; one that another thread opens meanwhile, and does not
   have closed on exec, slips through. */
static int close_open_ones(posix_spawn_file_actions_t *actions, int from)
{
	long end = sysconf(_SC_OPEN_MAX);
	int err = 0;

	for (int fd = from; fd < end && fd < 65536 && !err; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			err = posix_spawn_file_actions_addclose(actions, fd);
	}
	return err;
}

static int add_actions(posix_spawn_file_actions_t *actions, const struct leat__os_spawn *s)
{
	int err = s->dir ? posix_spawn_file_actions_addchdir_np(actions, s->dir) : 0;

	/* The sources lie above all of them, or are what they are to be. */
	for (int i = 0; i < (int)s->fds_n && !err; i++)
		err = s->fds[i] >= 0 ? posix_spawn_file_actions_adddup2(actions, s->fds[i], i)
		                     : posix_spawn_file_actions_addclose(actions, i);
	if (err)
		return err;
	if (leat__add_closefrom)
		return leat__add_closefrom(actions, (int)s->fds_n);
	return close_open_ones(actions, (int)s->fds_n);
}

static int set_attributes(posix_spawnattr_t *attributes, const struct leat__os_spawn *s)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		if (leat__os_signal_is_usual_there(sig))
			sigaddset(&usual, sig);
	if (s->group)
		flags |= POSIX_SPAWN_SETPGROUP; /* 0, a new one, unless another is set */
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &usual);
	return posix_spawnattr_setflags(attributes, flags);
}

int leat__os_spawn(const struct leat__os_spawn *s, int *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int saved = errno, err = posix_spawn_file_actions_init(&actions);
	pid_t child;

	if (err)
		return -err;
	err = posix_spawnattr_init(&attributes);
	if (!err) {
		err = add_actions(&actions, s);
		if (!err)
			err = set_attributes(&attributes, s);
		if (!err)
			err = posix_spawn(&child, s->path, &actions, &attributes, s->args, s->env);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	errno = saved;
	if (!err)
		*pid = child;
	return -err;
}

/* --- one that there is */

int leat__os_process_wait(int pid, bool reap, bool block, struct leat__os_exit *e)
{
	int options = WEXITED | (reap ? 0 : WNOWAIT) | (block ? 0 : WNOHANG), saved = errno;
	siginfo_t info;
	long n;

	do {
		memset(&info, 0, sizeof info);
		n = checked(syscall(SYS_waitid, P_PID, pid, &info, options, &e->usage), saved);
	} while (n == -EINTR);
	if (n < 0)
		return (int)n;
	if (!info.si_pid)
		return -EAGAIN;
	e->code = info.si_code == CLD_EXITED ? info.si_status : 0;
	e->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	e->core = info.si_code == CLD_DUMPED;
	return 0;
}

int leat__os_process_fd(int pid)
{
	int saved = errno;

	return (int)checked(syscall(SYS_pidfd_open, pid, 0), saved); /* closed on exec always */
}

int leat__os_process_signal(int pid, int fd, bool group, int sig)
{
	int saved = errno;
	long err = -ENOSYS;

	if (!group && fd >= 0)
		err = checked(syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0), saved);
	if (err == -ENOSYS || err == -EPERM) /* a filter of system calls may say so */
		err = checked(kill(group ? -pid : pid, sig), saved);
	return (int)err;
}

/* --- descriptors */

int leat__os_dup_above(int fd, int least)
{
	int saved = errno;

	return (int)checked(fcntl(fd, F_DUPFD_CLOEXEC, least), saved);
}

bool leat__os_is_open(int fd)
{
	int saved = errno;

	return checked(fcntl(fd, F_GETFD), saved) >= 0;
}

int leat__os_is_pipe(int fd, bool *reads, bool *writes)
{
	int saved = errno, flags;
	struct stat st;
	long err = checked(fstat(fd, &st), saved);

	if (err)
		return (int)err;
	flags = (int)checked(fcntl(fd, F_GETFL), saved);
	if (flags < 0)
		return flags;
	*reads = (flags & O_ACCMODE) != O_WRONLY;
	*writes = (flags & O_ACCMODE) != O_RDONLY;
	return S_ISFIFO(st.st_mode);
}

/* --- files */

int leat__os_is_program(const char *path)
{
	int saved = errno;
	struct stat st;
	long err = checked(stat(path, &st), saved);

	if (err)
		return (int)err;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return (int)checked(faccessat(AT_FDCWD, path, X_OK, AT_EACCESS), saved);
}

int leat__os_is_folder(const char *path)
{
	int saved = errno;
	struct stat st;
	long err = checked(stat(path, &st), saved);

	return err ? (int)err : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
