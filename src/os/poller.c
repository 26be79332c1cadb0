/* SPDX-License-Identifier: MIT */
/*
 * The contract of poller.h on Linux: epoll, edge-triggered, and an eventfd to interrupt it.
 *
 * The eventfd alone is level-triggered, and only a thread that blocks reads it.  An edge could be
 * collected by a thread that merely looks in, and the one that blocks would sleep on.  Its counter
 * cannot overflow: it is read at each interruption.
 *
 * Raw system calls, since the thread sanitizer intercepts the wrappers and would see edges from every
 * epoll_ctl to every epoll_wait that nobody promises.  close() is the exception: the sanitizer is to
 * know that the number begins a new life.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/poller.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define INTERRUPTED UINT64_MAX
#define SECONDS_MAX 1000000000 /* the kernel turns more into for ever, or complains */

static int epoll = -1, event = -1;
static _Atomic bool coarse; /* no epoll_pwait2 here (before Linux 5.11): whole milliseconds */

/* A system call's result as a negative code, and errno as it was. */
static long checked(long result, int saved)
{
	if (result < 0) {
		result = -errno;
		errno = saved;
	}
	return result;
}

static int control(int operation, int fd, uint32_t events, uint64_t token)
{
	struct epoll_event e = {.events = events, .data.u64 = token};
	int saved = errno;

	return (int)checked(syscall(SYS_epoll_ctl, epoll, operation, fd, &e), saved);
}

int leat__os_poller_open(void)
{
	int saved = errno, err;

	epoll = (int)checked(syscall(SYS_epoll_create1, EPOLL_CLOEXEC), saved);
	if (epoll < 0)
		return epoll;
	event = (int)checked(syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK), saved);
	err = event < 0 ? event : control(EPOLL_CTL_ADD, event, EPOLLIN, INTERRUPTED);
	if (err) {
		if (event >= 0)
			leat__os_fd_close(event);
		leat__os_fd_close(epoll);
	}
	return err;
}

void leat__os_poller_drop(void)
{
	leat__os_fd_close(event);
	leat__os_fd_close(epoll);
	epoll = event = -1;
}

int leat__os_poller_watch(int fd, uint64_t token, unsigned wanted)
{
	uint32_t events = EPOLLET;
	int err;

	if (wanted & LEAT__OS_READ)
		events |= EPOLLIN | EPOLLPRI | EPOLLRDHUP;
	if (wanted & LEAT__OS_WRITE)
		events |= EPOLLOUT;

	/* Others may do the same at the same time, and the file may have changed since. */
	do {
		err = control(EPOLL_CTL_MOD, fd, events, token);
		if (err == -ENOENT)
			err = control(EPOLL_CTL_ADD, fd, events, token);
	} while (err == -EEXIST);
	return err;
}

void leat__os_poller_unwatch(int fd)
{
	control(EPOLL_CTL_DEL, fd, 0, 0);
}

static long wait_coarsely(struct epoll_event *events, int max, const struct timespec *timeout)
{
	/* Up, lest the caller comes back too early again and again. */
	int64_t ms = (int64_t)timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000;

	return syscall(SYS_epoll_pwait, epoll, events, max, ms < INT_MAX ? (int)ms : INT_MAX, NULL, 0);
}

static long wait(struct epoll_event *events, int max, const struct timespec *timeout)
{
	long n;

	if (!load_relaxed(&coarse)) {
		n = syscall(SYS_epoll_pwait2, epoll, events, max, timeout, NULL, 0);
		if (n >= 0 || (errno != ENOSYS && errno != EPERM))
			return n;
		store_relaxed(&coarse, true);
	}
	return wait_coarsely(events, max, timeout);
}

static unsigned translate(uint32_t events)
{
	unsigned ready = 0;

	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		ready |= LEAT__OS_READ;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		ready |= LEAT__OS_WRITE;
	if (events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		ready |= LEAT__OS_LAST;
	return ready;
}

_Static_assert(sizeof(struct epoll_event) <= 2 * sizeof(uint64_t), "events have room in a batch");

int leat__os_poller_collect(struct leat__os_batch *batch, bool block, int64_t deadline_ns)
{
	struct epoll_event *raw = (struct epoll_event *)batch->room;
	struct timespec timeout = {0, 0};
	int64_t left = block ? deadline_ns - leat__os_now() : 0;
	int saved = errno, count = 0;
	long n;

	if (left > 0) {
		timeout.tv_sec = left / 1000000000 < SECONDS_MAX ? left / 1000000000 : SECONDS_MAX;
		timeout.tv_nsec = left % 1000000000;
	}
	n = checked(wait(raw, LEAT__OS_BATCH, &timeout), saved);
	if (n < 0 && n != -EINTR)
		return (int)n;
	for (long i = 0; i < n; i++) {
		if (raw[i].data.u64 == INTERRUPTED) {
			uint64_t interruptions;

			if (block)
				checked(syscall(SYS_read, event, &interruptions, sizeof interruptions), saved);
			continue;
		}
		batch->events[count++] = (struct leat__os_event){raw[i].data.u64, translate(raw[i].events)};
	}
	return count;
}

void leat__os_poller_interrupt(void)
{
	const uint64_t one = 1;
	int saved = errno;

	checked(syscall(SYS_write, event, &one, sizeof one), saved);
}

int leat__os_fd_ready(int fd, int events)
{
	struct pollfd p = {.fd = fd, .events = (short)events};
	struct timespec now = {0, 0};
	int saved = errno;
	long n;

	if (fd < 0)
		return -EBADF;
	do
		n = checked(syscall(SYS_ppoll, &p, 1, &now, NULL, 0), saved);
	while (n == -EINTR);
	if (n < 0)
		return (int)n;
	return p.revents & POLLNVAL ? -EBADF : p.revents;
}

int leat__os_fd_close(int fd)
{
	int saved = errno, err = (int)checked(close(fd), saved);

	return err == -EINTR ? 0 : err;
}
