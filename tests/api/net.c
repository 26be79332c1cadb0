/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* Goal: listening, dialling, options, and descriptors that are passed; errors name what failed, word for word as Go's do. */
#define _GNU_SOURCE
#include "conn_suite_help.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static char text[LEAT_ADDR_TEXT], wanted[400];

/* The error of a call that must have failed: its text, and its end as an object. */
static void check_error(const leat_error **e, int code, const char *message)
{
	CHECK(*e);
	CHECK_STR(leat_error_message(*e), message);
	CHECK_EQ(leat_error_code(*e), code);
	leat_error_free(*e);
	*e = NULL;
}

static leat_listener *listen_on(const char *network, const char *address)
{
	leat_listener *l = leat_listen(network, address, NULL, NULL);
	leat_addr a;

	CHECK(l);
	a = leat_listener_addr(l);
	leat_addr_text(&a, text);
	return l;
}

TEST(errors_of_dialling)
{
	leat_listener *l = listen_on("tcp", "127.0.0.1:0");
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	const leat_error *e = NULL;

	leat_listener_free(l); /* nobody listens there now */
	CHECK(!leat_dial("tcp", text, NULL, &e));
	snprintf(wanted, sizeof wanted, "dial tcp %s: connect: connection refused", text);
	check_error(&e, -ECONNREFUSED, wanted);
	CHECK(!leat_dial("tcp", text, NULL, NULL));
	CHECK(!leat_dial("smtp", text, NULL, &e));
	check_error(&e, -EPROTONOSUPPORT, "dial smtp: unknown network smtp");
	CHECK(!leat_dial("tcp", "127.0.0.1", NULL, &e));
	check_error(&e, -EINVAL, "dial tcp: address 127.0.0.1: missing port in address");
	CHECK(!leat_dial("tcp6", text, NULL, &e));
	snprintf(wanted, sizeof wanted, "dial tcp6: address %s: no suitable address found", text);
	check_error(&e, -EAFNOSUPPORT, wanted);
	CHECK(!leat_dial("unix", "/no/such/socket", NULL, &e));
	check_error(&e, -ENOENT, "dial unix /no/such/socket: connect: no such file or directory");
	leat_ctx_cancel(ctx);
	CHECK(!leat_dial("tcp", text, ctx, &e));
	snprintf(wanted, sizeof wanted, "dial tcp %s: operation was canceled", text);
	check_error(&e, -ECANCELED, wanted);
	leat_ctx_free(ctx);
}

TEST(errors_of_listening)
{
	leat_listener *l = listen_on("tcp", "127.0.0.1:0");
	const leat_error *e = NULL;

	CHECK(!leat_listen("tcp", text, NULL, &e));
	snprintf(wanted, sizeof wanted, "listen tcp %s: bind: address already in use", text);
	check_error(&e, -EADDRINUSE, wanted);
	CHECK(!leat_listen("tcp", "192.0.2.1:0", NULL, &e));
	check_error(&e, -EADDRNOTAVAIL,
	            "listen tcp 192.0.2.1:0: bind: cannot assign requested address");
	CHECK(!leat_listen("unix", "/no/such/place", NULL, &e));
	check_error(&e, -ENOENT, "listen unix /no/such/place: bind: no such file or directory");
	CHECK(!leat_listen("unix", "", NULL, &e));
	check_error(&e, -EINVAL, "listen unix: address : missing path in address");
	CHECK(!leat_listen("udp", text, NULL, &e));
	snprintf(wanted, sizeof wanted, "listen udp %s: address %s: unexpected address type", text,
	         text);
	check_error(&e, -EPROTOTYPE, wanted);
	CHECK(!leat_listen("tcp4", "[::1]:0", NULL, &e));
	check_error(&e, -EAFNOSUPPORT, "listen tcp4: address [::1]:0: no suitable address found");
	leat_listener_free(l);
}

TEST(errors_of_accepting)
{
	leat_listener *l = listen_on("tcp", "127.0.0.1:0");
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	const leat_error *e = NULL;

	CHECK(!leat_accept(l, ctx, &e));
	snprintf(wanted, sizeof wanted, "accept tcp %s: i/o timeout", text);
	check_error(&e, -ETIMEDOUT, wanted);
	CHECK_EQ(leat_listener_set_deadline(l, 1), 0);
	CHECK(!leat_accept(l, NULL, &e));
	check_error(&e, -ETIMEDOUT, wanted);
	CHECK_EQ(leat_listener_close(l), 0);
	CHECK_EQ(leat_listener_close(l), -EBADF);
	CHECK(!leat_accept(l, NULL, &e));
	snprintf(wanted, sizeof wanted, "accept tcp %s: use of closed network connection", text);
	check_error(&e, -EBADF, wanted);
	leat_listener_free(l);
	leat_ctx_free(ctx);
}

/* Both ends named, before the close and after, and after a reset too. */
TEST(errors_of_connections)
{
	char ends[2][LEAT_ADDR_TEXT];
	leat_conn *a, *b;
	leat_addr local, remote;
	const leat_error *e;
	char byte;

	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	local = leat_conn_local(a);
	remote = leat_conn_remote(a);
	leat_addr_text(&local, ends[0]);
	leat_addr_text(&remote, ends[1]);
	remote = leat_conn_remote(b);
	CHECK(leat_addr_equal(&local, &remote));
	CHECK_EQ(leat_conn_set_linger(b, 0), 0);
	leat_conn_free(b);
	CHECK_EQ(leat_conn_read(a, &byte, 1), -ECONNRESET);
	e = leat_conn_error(a, "read", -ECONNRESET);
	snprintf(wanted, sizeof wanted, "read tcp %s->%s: read: connection reset by peer", ends[0],
	         ends[1]);
	check_error(&e, -ECONNRESET, wanted);
	CHECK_EQ(leat_conn_write(a, "x", 1, NULL), -EPIPE);
	e = leat_conn_error(a, "write", -EPIPE);
	snprintf(wanted, sizeof wanted, "write tcp %s->%s: write: broken pipe", ends[0], ends[1]);
	check_error(&e, -EPIPE, wanted);
	leat_conn_close(a);
	e = leat_conn_error(a, "read", -EBADF);
	snprintf(wanted, sizeof wanted, "read tcp %s->%s: use of closed network connection", ends[0],
	         ends[1]);
	check_error(&e, -EBADF, wanted);
	leat_conn_free(a);
}

TEST(both_families_on_one_listener)
{
	leat_listener *l = leat_listen("tcp", "[::]:0", NULL, NULL);
	leat_addr a;
	leat_conn *c, *s;

	if (!l)
		return; /* no IPv6 here */
	a = leat_listener_addr(l);
	snprintf(text, sizeof text, "127.0.0.1:%d", leat_addr_port(&a));
	c = leat_dial("tcp", text, NULL, NULL);
	CHECK(c);
	s = leat_accept(l, NULL, NULL);
	CHECK(s);
	a = leat_conn_local(s);
	CHECK_STR(leat_addr_text(&a, wanted), text); /* not in IPv6's form */
	leat_conn_free(c);
	leat_conn_free(s);
	/* ":port" is this machine. */
	snprintf(wanted, sizeof wanted, ":%d", leat_addr_port(&a));
	c = leat_dial("tcp", wanted, NULL, NULL);
	CHECK(c);
	leat_conn_free(c);
	leat_listener_free(l);
}

TEST(from_a_local_address)
{
	leat_listener *l = listen_on("tcp", "127.0.0.1:0");
	leat_dial_opts o = {.local = "127.0.0.2:0"};
	const leat_error *e = NULL;
	leat_conn *c = leat_dial_with(&o, "tcp", text, NULL, &e);
	leat_addr a;

	CHECK(c);
	a = leat_conn_local(c);
	leat_addr_set_port(&a, 0);
	CHECK_STR(leat_addr_text(&a, wanted), "127.0.0.2:0");
	leat_conn_free(c);
	o.local = "192.0.2.1:0";
	CHECK(!leat_dial_with(&o, "tcp", text, NULL, &e));
	snprintf(wanted, sizeof wanted,
	         "dial tcp 192.0.2.1:0->%s: bind: cannot assign requested address", text);
	check_error(&e, -EADDRNOTAVAIL, wanted);
	leat_listener_free(l);
}

/* TCP connects a socket with itself; who asked for that port meant it. */
TEST(from_the_address_that_is_dialled)
{
	leat_listener *l = listen_on("tcp", "127.0.0.1:0");
	leat_dial_opts o = {.local = text};
	const leat_error *e = NULL;
	leat_conn *c;
	char byte;

	leat_listener_free(l);
	c = leat_dial_with(&o, "tcp", text, NULL, &e);
	CHECK(c);
	CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	CHECK_EQ(byte, 'x');
	leat_conn_free(c);
}

/* A listener whose queue is full, and who dials it has to wait: TCP drops the packet, Unix says EAGAIN. */
static void check_full_backlog(const char *network, const char *address)
{
	leat_listen_opts few = {.backlog = 1};
	leat_dial_opts brief = {.timeout_ns = 20 * LEAT_MILLISECOND};
	leat_listener *l = leat_listen(network, address, &few, NULL);
	leat_addr a;
	const leat_error *e = NULL;
	leat_conn *c[20];
	int n = 1;

	CHECK(l);
	a = leat_listener_addr(l);
	leat_addr_text(&a, text);
	c[0] = leat_dial(network, text, NULL, NULL);
	CHECK(c[0]);
	/* Where the machine is slow it seems full earlier. */
	while (n < 20 && (c[n] = leat_dial_with(&brief, network, text, NULL, &e)))
		n++;
	CHECK(n < 20);
	snprintf(wanted, sizeof wanted, "dial %s %s: i/o timeout", network, text);
	check_error(&e, -ETIMEDOUT, wanted);
	/* When there is room again it goes on. */
	for (int i = 0; i < n; i++)
		leat_conn_free(leat_accept(l, NULL, NULL));
	c[n] = leat_dial(network, text, NULL, NULL);
	CHECK(c[n]);
	for (int i = 0; i <= n; i++)
		leat_conn_free(c[i]);
	leat_listener_free(l);
}

TEST(full_backlog)
{
	check_full_backlog("unix", "@");
	check_full_backlog("tcp", "127.0.0.1:0");
}

TEST(unix_sockets_files)
{
	leat_listen_opts keep = {.keep_file = true};
	char name[100];
	leat_listener *l;

	snprintf(name, sizeof name, "/tmp/leat-net-%d", (int)getpid());
	l = leat_listen("unix", name, NULL, NULL);
	CHECK(l);
	CHECK_EQ(access(name, F_OK), 0);
	leat_listener_free(l);
	CHECK_EQ(access(name, F_OK), -1);
	l = leat_listen("unix", name, &keep, NULL);
	CHECK(l);
	leat_listener_free(l);
	CHECK_EQ(access(name, F_OK), 0);
	unlink(name);
}

static int option(leat_conn *c, int level, int name)
{
	int value = -1;
	socklen_t bytes = sizeof value;

	CHECK_EQ(getsockopt(leat_conn_fd(c), level, name, &value, &bytes), 0);
	return value;
}

TEST(options)
{
	leat_conn *a, *b;

	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	for (int i = 0; i < 2; i++) {
		leat_conn *c = i ? a : b;

		CHECK(option(c, IPPROTO_TCP, TCP_NODELAY));
		CHECK(option(c, SOL_SOCKET, SO_KEEPALIVE));
		CHECK_EQ(option(c, IPPROTO_TCP, TCP_KEEPIDLE), 15);
		CHECK_EQ(leat_conn_set_no_delay(c, false), 0);
		CHECK(!option(c, IPPROTO_TCP, TCP_NODELAY));
		CHECK_EQ(leat_conn_set_keep_alive(c, 40 * LEAT_SECOND), 0);
		CHECK_EQ(option(c, IPPROTO_TCP, TCP_KEEPINTVL), 40);
		CHECK_EQ(leat_conn_set_keep_alive(c, -1), 0);
		CHECK(!option(c, SOL_SOCKET, SO_KEEPALIVE));
		CHECK_EQ(leat_conn_set_read_buffer(c, 20000), 0);
		CHECK_EQ(option(c, SOL_SOCKET, SO_RCVBUF), 40000); /* as socket(7) says */
		CHECK_EQ(leat_conn_set_write_buffer(c, 20000), 0);
		CHECK_EQ(option(c, SOL_SOCKET, SO_SNDBUF), 40000);
	}
	CHECK_EQ(leat_conn_close(a), 0);
	CHECK_EQ(leat_conn_set_no_delay(a, true), -EBADF);
	CHECK_EQ(leat_conn_fd(a), -1);
	leat_conn_free(a);
	leat_conn_free(b);
	CHECK(leat_conn_pipe(&a, &b));
	CHECK_EQ(leat_conn_set_no_delay(a, true), -ENOTSUP);
	leat_conn_free(a);
	leat_conn_free(b);
	CHECK(leat_conn_socketpair(&a, &b, NULL));
	CHECK_EQ(leat_conn_set_no_delay(a, true), -ENOTSUP);
	leat_conn_free(a);
	leat_conn_free(b);
}

/* A kind over a socket that is closed as soon as its descriptor was told, upon which another file gets the number. */
struct fleeting {
	leat_conn conn;
	leat_conn *under;
	int other;
};

static int fleeting_fd(leat_conn *c)
{
	struct fleeting *f = (struct fleeting *)(void *)c;
	int fd = leat_conn_fd(f->under);

	if (f->other < 0) {
		leat_conn_close(f->under);
		f->other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (f->other != fd) {
			CHECK_EQ(dup2(f->other, fd), fd);
			close(f->other);
			f->other = fd;
		}
	}
	return fd;
}

TEST(options_of_what_has_the_number_now)
{
	static const leat_conn_ops ops = {.network = "fleeting", .fd = fleeting_fd};
	struct fleeting f = {.conn.ops = &ops, .other = -1};
	leat_conn *b;
	int value = -1;
	socklen_t bytes = sizeof value;

	CHECK(listen_pair("tcp", "127.0.0.1:0", &f.under, &b));
	CHECK_EQ(leat_conn_set_no_delay(&f.conn, true), -EBADF);
	CHECK_EQ(getsockopt(f.other, IPPROTO_TCP, TCP_NODELAY, &value, &bytes), 0);
	CHECK_EQ(value, 0);
	close(f.other);
	leat_conn_free(f.under);
	leat_conn_free(b);
}

TEST(descriptors_are_passed)
{
	int before = test_descriptors(), fds[3], got[3], n;
	leat_conn *a, *b;
	char byte = 0;

	CHECK(leat_conn_socketpair(&a, &b, NULL));
	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	go(conn_reader, .c = a, .expected = 1);
	CHECK_EQ(leat_conn_send_fds(a, fds, 2, "x", 1, NULL), 0);
	n = 3;
	CHECK_EQ(leat_conn_recv_fds(b, got, &n, &byte, 1, NULL), 1);
	CHECK_EQ(n, 2);
	CHECK_EQ(byte, 'x');
	CHECK(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
	CHECK_EQ(write(got[1], "y", 1), 1);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	close(got[0]);
	close(got[1]);
	/* More than there is room for: none, and none is left open. */
	CHECK_EQ(leat_conn_send_fds(a, fds, 2, "x", 1, NULL), 0);
	n = 1;
	CHECK_EQ(leat_conn_recv_fds(b, got, &n, &byte, 1, NULL), -EMSGSIZE);
	/* Bytes alone. */
	CHECK_EQ(leat_conn_write(a, "z", 1, NULL), 0);
	n = 3;
	CHECK_EQ(leat_conn_recv_fds(b, got, &n, &byte, 1, NULL), 1);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_conn_send_fds(a, fds, 0, "x", 1, NULL), -EINVAL);
	CHECK_EQ(leat_conn_send_fds(a, fds, 65, "x", 1, NULL), -EINVAL);
	close(fds[0]);
	close(fds[1]);
	CHECK_EQ(leat_conn_write(b, "r", 1, NULL), 0);
	conn_await(1);
	leat_conn_free(a);
	leat_conn_free(b);
	CHECK(test_descriptors() <= before + 2);
	CHECK(leat_conn_pipe(&a, &b));
	CHECK_EQ(leat_conn_send_fds(a, fds, 1, "x", 1, NULL), -ENOTSUP);
	leat_conn_free(a);
	leat_conn_free(b);
}

/* A record is not cut in silence, nor are the descriptors that came with it left open. */
TEST(records_with_descriptors_are_not_cut)
{
	int fds[2], passed[2], got[2], before, n = 2;
	char buffer[16];
	leat_conn *a, *b;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	a = leat_conn_from_fd(fds[0], NULL);
	b = leat_conn_from_fd(fds[1], NULL);
	CHECK(a && b);
	CHECK_EQ(pipe2(passed, O_CLOEXEC), 0);
	CHECK_EQ(leat_conn_send_fds(a, passed, 2, "0123456789", 10, NULL), 0);
	CHECK_EQ(leat_conn_send_fds(a, passed, 2, "0123456789", 10, NULL), 0);
	before = test_descriptors();
	CHECK_EQ(leat_conn_recv_fds(b, got, &n, buffer, 9, NULL), -EMSGSIZE);
	CHECK_EQ(n, 0);
	CHECK_EQ(test_descriptors(), before);
	n = 2;
	CHECK_EQ(leat_conn_recv_fds(b, got, &n, buffer, 10, NULL), 10);
	CHECK_EQ(n, 2);
	for (int i = 0; i < 2; i++) {
		close(got[i]);
		close(passed[i]);
	}
	leat_conn_free(a);
	leat_conn_free(b);
}

TEST(connections_of_descriptors)
{
	int fds[2];
	const leat_error *e = NULL;
	leat_conn *c;
	char byte;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	c = leat_conn_from_fd(fds[0], &e);
	CHECK(c);
	CHECK_STR(leat_conn_network(c), "unix");
	CHECK_EQ(leat_conn_set_read_deadline(c, leat_now() + LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_read_deadline(c, LEAT_FOREVER), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	leat_conn_free(c);
	CHECK_EQ(send(fds[1], "x", 1, MSG_NOSIGNAL), -1);
	close(fds[1]);
	CHECK_EQ(pipe2(fds, 0), 0);
	c = leat_conn_from_fd(fds[0], &e);
	CHECK(c);
	CHECK_STR(leat_conn_network(c), "pipe");
	leat_conn_free(c);
	CHECK_EQ(close(fds[1]), 0);
	fds[0] = open("/dev/null", O_RDONLY);
	CHECK(!leat_conn_from_fd(fds[0], &e));
	CHECK_EQ(leat_error_code(e), -ENOTSOCK);
	leat_error_free(e);
	CHECK_EQ(close(fds[0]), 0); /* stayed ours */
}

TEST_MAIN
