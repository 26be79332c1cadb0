/* SPDX-License-Identifier: MIT */
/* The contract of fdset.h on Linux: an epoll, which can be waited for in another.  Raw system calls, as in poller.c. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/fdset.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BATCH_MAX 8

static int checked(long result, int saved)
{
	if (result >= 0)
		return (int)result;
	result = -errno;
	errno = saved;
	return (int)result;
}

int leat__os_fdset_open(void)
{
	int saved = errno;

	return checked(syscall(SYS_epoll_create1, EPOLL_CLOEXEC), saved);
}

int leat__os_fdset_want(int set, int fd, bool read, bool write)
{
	struct epoll_event e = {.data.fd = fd};
	int saved = errno, err;

	if (read)
		e.events |= EPOLLIN;
	if (write)
		e.events |= EPOLLOUT;
	if (!e.events)
		return checked(syscall(SYS_epoll_ctl, set, EPOLL_CTL_DEL, fd, &e), saved);
	err = checked(syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, fd, &e), saved);
	if (err == -EEXIST)
		err = checked(syscall(SYS_epoll_ctl, set, EPOLL_CTL_MOD, fd, &e), saved);
	return err;
}

int leat__os_fdset_ready(int set, struct leat__os_event *events, int max)
{
	struct epoll_event found[BATCH_MAX];
	int saved = errno, n;

	if (max > BATCH_MAX)
		max = BATCH_MAX;
	do
		n = checked(syscall(SYS_epoll_pwait, set, found, max, 0, NULL, 0), saved);
	while (n == -EINTR);
	for (int i = 0; i < n; i++) {
		bool failed = found[i].events & (EPOLLERR | EPOLLHUP);

		events[i] = (struct leat__os_event){.token = (uint64_t)found[i].data.fd};
		if (failed || found[i].events & EPOLLIN)
			events[i].ready |= LEAT__OS_READ;
		if (failed || found[i].events & EPOLLOUT)
			events[i].ready |= LEAT__OS_WRITE;
	}
	return n;
}
