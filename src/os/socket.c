/* SPDX-License-Identifier: MIT */
/*
 * The contract of socket.h on Linux.
 *
 * The C library's wrappers, not raw system calls: ThreadSanitizer is to know of what a program sends to itself through
 * a socket as it does of any other program's.  But without a sanitizer what each request does, recv and send, goes round
 * them, since there they announce to pthread_cancel that they may be cancelled, which nobody does to a goroutine: four
 * locked instructions a request.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/socket.h"

#include "arch/sanitizer.h"
#include "base/compiler.h"
#include "os/try.h"

#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int leat__os_socket(int family, int type, int protocol)
{
	return TRY(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int leat__os_socketpair(int type, int fds[2])
{
	return TRY(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
}

int leat__os_fd_adopt(int fd)
{
	int flags = TRY(fcntl(fd, F_GETFL));

	if (flags >= 0)
		flags = TRY(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
	if (flags >= 0)
		flags = TRY(fcntl(fd, F_SETFD, FD_CLOEXEC));
	return flags < 0 ? flags : 0;
}

int leat__os_bind(int fd, const struct sockaddr *addr, socklen_t bytes)
{
	return TRY(bind(fd, addr, bytes));
}

int leat__os_listen(int fd, int backlog)
{
	return TRY(listen(fd, backlog ? backlog : INT_MAX)); /* the kernel takes its maximum for more */
}

/* Interrupted, it goes on, and must not be called again: a non-blocking one is not interrupted. */
int leat__os_connect(int fd, const struct sockaddr *addr, socklen_t bytes)
{
	int saved = errno, result = connect(fd, addr, bytes);

	if (result < 0) {
		result = errno == EINTR ? -EINPROGRESS : -errno;
		errno = saved;
	}
	return result;
}

int leat__os_socket_error(int fd)
{
	int error = 0, err = leat__os_get_option(fd, SOL_SOCKET, SO_ERROR, &error);

	return err ? err : -error;
}

/* Being writable is not enough: a socket is that, and hung up, before it is connected to anything. */
int leat__os_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t bytes = sizeof peer;
	int err = leat__os_socket_error(fd);

	if (err)
		return err;
	err = leat__os_remote(fd, (struct sockaddr *)&peer, &bytes);
	return err == -ENOTCONN ? -EINPROGRESS : err;
}

int leat__os_accept(int fd)
{
	return TRY(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

ssize_t leat__os_read(int fd, void *to, size_t bytes)
{
	return TRY(read(fd, to, bytes));
}

ssize_t leat__os_recv(int fd, void *to, size_t bytes)
{
	if (unlikely(leat__sanitizers))
		return TRY(recv(fd, to, bytes, 0));
	return TRY(syscall(SYS_recvfrom, fd, to, bytes, 0, NULL, NULL));
}

ssize_t leat__os_send(int fd, const void *from, size_t bytes)
{
	if (unlikely(leat__sanitizers))
		return TRY(send(fd, from, bytes, MSG_NOSIGNAL));
	return TRY(syscall(SYS_sendto, fd, from, bytes, MSG_NOSIGNAL, NULL, 0));
}

ssize_t leat__os_sendmsg(int fd, const struct msghdr *msg)
{
	return TRY(sendmsg(fd, msg, MSG_NOSIGNAL));
}

ssize_t leat__os_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return TRY(recvmsg(fd, msg, flags | MSG_CMSG_CLOEXEC));
}

ssize_t leat__os_sendto(int fd, const void *from, size_t bytes, const struct sockaddr *to,
                        socklen_t to_bytes)
{
	return TRY(sendto(fd, from, bytes, MSG_NOSIGNAL, to, to_bytes));
}

ssize_t leat__os_recvfrom(int fd, void *to, size_t bytes, int flags, struct sockaddr *from,
                          socklen_t *from_bytes)
{
	return TRY(recvfrom(fd, to, bytes, flags, from, from_bytes));
}

int leat__os_sendmmsg(int fd, struct mmsghdr *messages, unsigned n)
{
	return TRY(sendmmsg(fd, messages, n, MSG_NOSIGNAL));
}

int leat__os_recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	return TRY(recvmmsg(fd, messages, n, flags | MSG_CMSG_CLOEXEC, NULL));
}

/*
 * What has no MSG_NOSIGNAL.  The signal for EPIPE is this thread's own and comes during the call, so it is blocked
 * meanwhile and taken back.  Where the program has blocked it and one is pending already, that one is left.
 */
struct quiet {
	sigset_t pipe;
	bool was_open, was_pending;
};

static void quiet_begin(struct quiet *q)
{
	sigset_t before, pending;

	sigemptyset(&q->pipe);
	sigaddset(&q->pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &q->pipe, &before);
	q->was_open = sigismember(&before, SIGPIPE) == 0;
	q->was_pending =
	    !q->was_open && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void quiet_end(const struct quiet *q, ssize_t done)
{
	const struct timespec now = {0, 0};

	if (done == -EPIPE && !q->was_pending)
		TRY(sigtimedwait(&q->pipe, NULL, &now));
	if (q->was_open)
		pthread_sigmask(SIG_UNBLOCK, &q->pipe, NULL);
}

ssize_t leat__os_sendfile(int to, int from, int64_t *offset, size_t bytes)
{
	off_t at = offset ? (off_t)*offset : 0;
	struct quiet q;
	ssize_t n;

	quiet_begin(&q);
	n = TRY(sendfile(to, from, offset ? &at : NULL, bytes));
	quiet_end(&q, n);
	if (n > 0 && offset)
		*offset = at;
	return n;
}

ssize_t leat__os_splice(int from, int to, size_t bytes)
{
	struct quiet q;
	ssize_t n;

	quiet_begin(&q);
	n = TRY(splice(from, NULL, to, NULL, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
	quiet_end(&q, n);
	return n;
}

ssize_t leat__os_writev(int fd, const struct iovec *parts, int n)
{
	struct quiet q;
	ssize_t done;

	quiet_begin(&q);
	done = TRY(writev(fd, parts, n));
	quiet_end(&q, done);
	return done;
}

ssize_t leat__os_read_at(int fd, void *to, size_t bytes, int64_t offset)
{
	return TRY(pread(fd, to, bytes, (off_t)offset));
}

int leat__os_shutdown(int fd, int how)
{
	return TRY(shutdown(fd, how));
}

int leat__os_unlink(const char *path)
{
	return TRY(unlink(path));
}

int leat__os_set_option(int fd, int level, int option, int value)
{
	return TRY(setsockopt(fd, level, option, &value, sizeof value));
}

int leat__os_set_option_of(int fd, int level, int option, const void *value, socklen_t bytes)
{
	return TRY(setsockopt(fd, level, option, value, bytes));
}

int leat__os_get_option(int fd, int level, int option, int *value)
{
	socklen_t bytes = sizeof *value;

	return TRY(getsockopt(fd, level, option, value, &bytes));
}

int leat__os_local(int fd, struct sockaddr *addr, socklen_t *bytes)
{
	return TRY(getsockname(fd, addr, bytes));
}

int leat__os_remote(int fd, struct sockaddr *addr, socklen_t *bytes)
{
	return TRY(getpeername(fd, addr, bytes));
}

int leat__os_interface(const char *name)
{
	int saved = errno;
	unsigned index = if_nametoindex(name);

	errno = saved;
	return index ? (int)index : -ENODEV;
}
