/* SPDX-License-Identifier: MIT */
/* Goal: what goes wrong with datagrams is told, in Go's words, and costs nothing but the call. */
#include "packet_help.h"

/* Go's words are glibc's; musl has its own. */
#ifdef __GLIBC__
#define IN_USE        "address already in use"
#define NOT_AVAILABLE "cannot assign requested address"
#define TOO_LONG      "message too long"
#else
#define IN_USE        "address in use"
#define NOT_AVAILABLE "address not available"
#define TOO_LONG      "message too large"
#endif

TEST(errors_of_listening)
{
	leat_addr at;
	leat_conn *c = packet_listen("udp", &at);
	const leat_error *e = NULL;

	CHECK(!leat_listen_packet("udp", packet_text, NULL, &e));
	snprintf(packet_wanted, sizeof packet_wanted, "listen udp %s: bind: " IN_USE, packet_text);
	packet_check_error(e, -EADDRINUSE, packet_wanted);
	CHECK(!leat_listen_packet("udp", packet_text, NULL, NULL));
	CHECK(!leat_listen_packet("smtp", ":0", NULL, &e));
	packet_check_error(e, -EPROTONOSUPPORT, "listen smtp: unknown network smtp");
	CHECK(!leat_listen_packet("tcp", "127.0.0.1:0", NULL, &e));
	packet_check_error(e, -EPROTOTYPE,
	                   "listen tcp 127.0.0.1:0: address 127.0.0.1:0: unexpected address type");
	CHECK(!leat_listen_packet("udp", "127.0.0.1", NULL, &e));
	packet_check_error(e, -EINVAL, "listen udp: address 127.0.0.1: missing port in address");
	CHECK(!leat_listen_packet("udp6", "127.0.0.1:0", NULL, &e));
	packet_check_error(e, -EAFNOSUPPORT,
	                   "listen udp6: address 127.0.0.1:0: no suitable address found");
	CHECK(!leat_listen_packet("udp", "192.0.2.1:0", NULL, &e));
	packet_check_error(e, -EADDRNOTAVAIL, "listen udp 192.0.2.1:0: bind: " NOT_AVAILABLE);
	CHECK(!leat_listen_packet("unixgram", "/no/such/place", NULL, &e));
	packet_check_error(e, -ENOENT,
	                   "listen unixgram /no/such/place: bind: no such file or directory");
	CHECK(!leat_dial("unixgram", "/no/such/place", NULL, &e));
	packet_check_error(e, -ENOENT,
	                   "dial unixgram /no/such/place: connect: no such file or directory");
	leat_conn_free(c);
}

TEST(errors_of_reading_and_writing)
{
	leat_addr at, to;
	leat_conn *c = packet_listen("udp", &at);
	char large[70000] = {0}, byte;

	CHECK_EQ(leat_conn_set_deadline(c, 1), 0);
	CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -ETIMEDOUT);
	snprintf(packet_wanted, sizeof packet_wanted, "read udp %s: i/o timeout", packet_text);
	packet_check_error(leat_conn_error(c, "read", -ETIMEDOUT), -ETIMEDOUT, packet_wanted);
	packet_check_error(leat_packet_error(c, "read", NULL, -ETIMEDOUT), -ETIMEDOUT, packet_wanted);
	CHECK_EQ(leat_addr_parse(&to, "127.0.0.1:9"), 0);
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &to, NULL), -ETIMEDOUT);
	snprintf(packet_wanted, sizeof packet_wanted, "write udp %s->127.0.0.1:9: i/o timeout",
	         packet_text);
	packet_check_error(leat_packet_error(c, "write", &to, -ETIMEDOUT), -ETIMEDOUT, packet_wanted);
	CHECK_EQ(leat_conn_set_deadline(c, LEAT_FOREVER), 0);
	CHECK_EQ(leat_packet_write_to(c, large, sizeof large, &to, NULL), -EMSGSIZE);
	snprintf(packet_wanted, sizeof packet_wanted, "write udp %s->127.0.0.1:9: sendto: " TOO_LONG,
	         packet_text);
	packet_check_error(leat_packet_error(c, "write", &to, -EMSGSIZE), -EMSGSIZE, packet_wanted);
	CHECK(leat_packet_error(c, "write", &to, 0) == NULL);
	CHECK_EQ(leat_conn_write(c, "x", 1, NULL), -EDESTADDRREQ);
	to.bytes = 0;
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &to, NULL), -EDESTADDRREQ);
	CHECK_EQ(leat_addr_parse(&to, "[::1]:9"), 0);
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &to, NULL), -EAFNOSUPPORT);
	/* None of it did any harm. */
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	CHECK_EQ(leat_conn_close(c), 0);
	CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -EBADF);
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), -EBADF);
	snprintf(packet_wanted, sizeof packet_wanted, "read udp %s: use of closed network connection",
	         packet_text);
	packet_check_error(leat_conn_error(c, "read", -EBADF), -EBADF, packet_wanted);
	leat_conn_free(c);
}

/* A machine where nobody is at that port says so, to who is connected; once for each datagram at most. */
TEST(nobody_is_there)
{
	leat_addr at, here;
	leat_conn *server = packet_listen("udp", &at), *client;
	char ends[2][LEAT_ADDR_TEXT], byte;

	leat_addr_text(&at, ends[1]);
	client = packet_dial("udp", &at);
	here = leat_conn_local(client);
	leat_addr_text(&here, ends[0]);
	leat_conn_free(server);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(client, &byte, 1), -ECONNREFUSED);
	snprintf(packet_wanted, sizeof packet_wanted, "read udp %s->%s: read: connection refused",
	         ends[0], ends[1]);
	packet_check_error(leat_conn_error(client, "read", -ECONNREFUSED), -ECONNREFUSED,
	                   packet_wanted);
	/* Who waits already is woken by it. */
	atomic_store(&packet_ended, 0);
	go(packet_reader, .c = client, .expected = -ECONNREFUSED);
	test_parked(1);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
	packet_await(1);
	/* Then somebody comes, and all is well. */
	server = leat_listen_packet("udp", ends[1], NULL, NULL);
	CHECK(server);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(server, &byte, 1), 1);
	CHECK_EQ(leat_packet_write_to(server, "y", 1, &here, NULL), 0);
	CHECK_EQ(leat_conn_read(client, &byte, 1), 1);
	leat_conn_free(client);
	leat_conn_free(server);
	test_goroutines(1);
}

/* Unix's says so to the writer, at once. */
TEST(nobody_is_there_of_unix)
{
	leat_addr at, mine;
	leat_conn *server = packet_listen("unixgram", &at), *client = packet_dial("unixgram", &at),
	          *other = packet_listen("unixgram", &mine);

	leat_conn_free(server);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), -ECONNREFUSED);
	CHECK_EQ(leat_packet_write_to(other, "x", 1, &at, NULL), -ECONNREFUSED);
	CHECK_EQ(leat_conn_write(other, "x", 1, NULL), -ENOTCONN);
	leat_conn_free(client);
	leat_conn_free(other);
}

/* An error that comes while a batch is taken loses none of what was there. */
TEST(nobody_is_there_and_a_batch)
{
	leat_addr at, here;
	leat_conn *server = packet_listen("udp", &at), *client = packet_dial("udp", &at);
	char bytes[4];
	leat_packet p[4];
	int got = 0, refused = 0;

	here = leat_conn_local(client);
	for (int i = 0; i < 4; i++)
		p[i] = (leat_packet){.data = bytes + i, .room = 1};
	CHECK_EQ(leat_packet_write_to(server, "a", 1, &here, NULL), 0);
	CHECK_EQ(leat_packet_write_to(server, "b", 1, &here, NULL), 0);
	leat_conn_free(server);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
	while (got < 2 || !refused) {
		int n = leat_packet_read_batch(client, p + got, 4 - got, NULL);

		CHECK(n > 0 || n == -ECONNREFUSED);
		if (n > 0)
			got += n;
		else
			refused++;
	}
	CHECK_EQ(got, 2);
	CHECK(memcmp(bytes, "ab", 2) == 0);
	leat_conn_free(client);
}

TEST_MAIN
