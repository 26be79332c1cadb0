/* SPDX-License-Identifier: MIT */
/* Connections of descriptors that exist, pairs of Unix sockets, and descriptors that are passed over them. */
#include "io/fifo.h"
#include "io/network.h"
#include "io/sock.h"

#include <leat/fd.h>

#include <errno.h>
#include <string.h>

#define FDS_MAX 64

/* --- connections of descriptors */

/* The network of fd; NULL with *err. */
static const char *network_of(int fd, int *err)
{
	int type = 0, family = 0;

	*err = leat__os_get_option(fd, SOL_SOCKET, SO_TYPE, &type);
	if (!*err)
		*err = leat__os_get_option(fd, SOL_SOCKET, SO_DOMAIN, &family);
	if (*err)
		return NULL;
	switch (type) {
	case SOCK_STREAM:
		return family == AF_UNIX ? "unix" : "tcp";
	case SOCK_SEQPACKET:
		if (family == AF_UNIX)
			return "unixpacket";
		break;
	case SOCK_DGRAM:
		return family == AF_UNIX ? "unixgram" : "udp";
	}
	*err = -EPROTOTYPE;
	return NULL;
}

leat_conn *leat_conn_from_fd(int fd, const leat_error **error)
{
	leat_conn *c = NULL;
	int err;
	const char *network = network_of(fd, &err);

	if (network)
		err = leat__os_fd_adopt(fd);
	if (!err)
		c = leat__conn_of_socket(fd, network, &err);
	else if (err == -ENOTSOCK)
		c = leat__conn_of_pipe(fd, &err);
	if (!c && error)
		*error = leat__op_error("file", "fd", NULL, NULL, "conn", err);
	return c;
}

bool leat_conn_socketpair(leat_conn **a, leat_conn **b, const leat_error **error)
{
	leat_conn *one = NULL, *other = NULL;
	int fds[2], err = leat__os_socketpair(SOCK_STREAM, fds);

	if (!err) {
		one = leat__conn_of_socket(fds[0], "unix", &err);
		if (one)
			other = leat__conn_of_socket(fds[1], "unix", &err);
		if (!one)
			leat_close_fd(fds[0]);
		if (!other)
			leat_close_fd(fds[1]);
	}
	if (err) {
		leat_conn_free(one);
		if (error)
			*error = leat__op_error("socketpair", "unix", NULL, NULL, "socketpair", err);
		return false;
	}
	*a = one;
	*b = other;
	return true;
}

/* --- passing descriptors */

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static bool passes(leat_conn *c, struct leat__sock **s)
{
	*s = leat__conn_sock(c);
	return *s && (*s)->local.any.sa_family == AF_UNIX;
}

int leat_conn_send_fds(leat_conn *c, const int *fds, int n, const void *from, size_t bytes,
                       leat_any_ctx ctx)
{
	struct iovec part = {(void *)(uintptr_t)from, bytes};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {0};
	struct leat__sock *s;
	size_t written;

	if (!passes(c, &s))
		return -ENOTSUP;
	if (n < 1 || n > FDS_MAX || !bytes)
		return -EINVAL;
	msg.msg_control = control.room;
	msg.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, (size_t)n * sizeof(int));
	return leat__sock_send_all(s, &msg, ctx.leat__ctx, &written);
}

/* Take the descriptors out of msg, up to *n of them; false when there were more, or it is a record that was cut: then none is
   kept. */
static bool take_fds(struct msghdr *msg, int *fds, int *n)
{
	int got[FDS_MAX], count = 0;
	bool fits = !(msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC));

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t there = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		if (there > (size_t)(FDS_MAX - count))
			there = (size_t)(FDS_MAX - count);
		memcpy(got + count, CMSG_DATA(h), there * sizeof(int));
		count += (int)there;
	}
	fits = fits && count <= *n;
	for (int i = 0; !fits && i < count; i++)
		leat_close_fd(got[i]);
	*n = fits ? count : 0;
	if (fits)
		memcpy(fds, got, (size_t)count * sizeof(int));
	return fits;
}

ssize_t leat_conn_recv_fds(leat_conn *c, int *fds, int *n, void *to, size_t bytes, leat_any_ctx ctx)
{
	struct iovec part = {to, bytes};
	union control control;
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	struct leat__sock *s;
	ssize_t got = 0;
	int err;

	if (!passes(c, &s))
		return -ENOTSUP;
	if (*n < 0 || !bytes)
		return -EINVAL;
	err = leat__sock_begin(s, LEAT__POLL_READ, ctx.leat__ctx);
	if (err)
		return err;
	do {
		if (leat__sock_at_end(s)) {
			*n = 0;
			got = 0;
			break;
		}
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof control.room;
		got = leat__os_recvmsg(s->fd, &msg, 0);
	} while (got == -EAGAIN && !(err = leat__sock_wait(s, LEAT__POLL_READ, ctx.leat__ctx)));
	leat__sock_end(s, LEAT__POLL_READ);
	if (err || got <= 0)
		return err ? err : got;
	return take_fds(&msg, fds, n) ? got : -EMSGSIZE;
}
