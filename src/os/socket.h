/* SPDX-License-Identifier: MIT */
/*
 * The part of the platform's contract that is about sockets.
 *
 * All of them are made non-blocking and closed on exec, and raise no SIGPIPE.  Nothing here waits: what would is -EAGAIN.
 * As everywhere in src/os failures are negative errno codes, EINTR is tried again, and errno is left alone.
 */
#ifndef LEAT_OS_SOCKET_H
#define LEAT_OS_SOCKET_H

#include "base/compiler.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* A socket, or a pair of connected ones of Unix's. */
int leat__os_socket(int family, int type, int protocol);
int leat__os_socketpair(int type, int fds[2]);

/* A descriptor of the program's becomes non-blocking and closed on exec. */
int leat__os_fd_adopt(int fd);

int leat__os_bind(int fd, const struct sockaddr *addr, socklen_t bytes);
int leat__os_listen(int fd, int backlog); /* 0: as many as the system allows */

/* 0: connected; -EINPROGRESS: it will be writable when it is, or has failed, as leat__os_socket_error tells then. */
int leat__os_connect(int fd, const struct sockaddr *addr, socklen_t bytes);
int leat__os_socket_error(int fd);

/* After a wait: 0 when it is connected, -EINPROGRESS when it is not yet, or why it failed. */
int leat__os_connected(int fd);

/* A connection's descriptor. */
int leat__os_accept(int fd);

/* 0 at the end.  recv: for a socket, and quicker. */
ssize_t leat__os_read(int fd, void *to, size_t bytes);
ssize_t leat__os_recv(int fd, void *to, size_t bytes);
ssize_t leat__os_send(int fd, const void *from, size_t bytes);

/* To a pipe, or another descriptor that is no socket; without SIGPIPE too. */
ssize_t leat__os_writev(int fd, const struct iovec *parts, int n);

/* The same with addresses, pieces and control messages, all of which may be none.  flags: MSG_TRUNC and the like. */
ssize_t leat__os_sendmsg(int fd, const struct msghdr *msg);
ssize_t leat__os_recvmsg(int fd, struct msghdr *msg, int flags);

/* A datagram.  to and from may be NULL: there is one other end, or it does not matter.  *from_bytes is as for leat__os_local;
   flags as above. */
ssize_t leat__os_sendto(int fd, const void *from, size_t bytes, const struct sockaddr *to,
                        socklen_t to_bytes);
ssize_t leat__os_recvfrom(int fd, void *to, size_t bytes, int flags, struct sockaddr *from,
                          socklen_t *from_bytes);

/* Several: how many were sent, or came, at least 1. */
struct mmsghdr;
int leat__os_sendmmsg(int fd, struct mmsghdr *messages, unsigned n);
int leat__os_recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags);

/* From the file at *offset, which is moved on (NULL: where it is), to the socket; -EINVAL for files that cannot. */
ssize_t leat__os_sendfile(int to, int from, int64_t *offset, size_t bytes);

/* From or to a pipe, where the other is; as much as can be had, or taken, without waiting for a socket or the pipe; -EINVAL for
   what cannot. */
ssize_t leat__os_splice(int from, int to, size_t bytes);

/* From a file at an offset; where it is now stays. */
ssize_t leat__os_read_at(int fd, void *to, size_t bytes, int64_t offset);

int leat__os_shutdown(int fd, int how);

/* Remove the file of a Unix socket. */
int leat__os_unlink(const char *path);

/* An option that is an int, or anything. */
int leat__os_set_option(int fd, int level, int option, int value);
int leat__os_set_option_of(int fd, int level, int option, const void *value, socklen_t bytes);
int leat__os_get_option(int fd, int level, int option, int *value);

/* The number of the interface of this name, or -ENODEV. */
int leat__os_interface(const char *name);

/* Where it is, and where its other end: *bytes is the room before, and the length after. */
int leat__os_local(int fd, struct sockaddr *addr, socklen_t *bytes);
int leat__os_remote(int fd, struct sockaddr *addr, socklen_t *bytes);

#endif
