/* SPDX-License-Identifier: MIT */
/* Goal: datagrams are sent and read one by one and several at once, of UDP and of Unix; none is cut in silence; errors say
   what Go's do. */
#include "packet_help.h"

#include <netinet/in.h>

static const char *const networks[] = {"udp", "udp4", "udp6", "unixgram"};
enum { NETWORKS = 4 };

/* There is no IPv6 on some machines. */
static bool is_here(const char *network)
{
	leat_conn *c;

	if (strcmp(network, "udp6") != 0)
		return true;
	c = leat_listen_packet("udp6", "[::1]:0", NULL, NULL);
	leat_conn_free(c);
	return c;
}

TEST(from_one_to_the_other_and_back)
{
	int before = test_descriptors();

	for (int i = 0; i < NETWORKS; i++) {
		leat_conn *a, *b;
		leat_addr at_a, at_b, from;
		char buffer[16];

		if (!is_here(networks[i]))
			continue;
		a = packet_listen(networks[i], &at_a);
		b = packet_listen(networks[i], &at_b);
		CHECK_STR(leat_conn_network(a), networks[i]);
		CHECK_EQ(leat_conn_remote(a).bytes, 0);
		CHECK_EQ(leat_packet_write_to(a, "hello", 5, &at_b, NULL), 0);
		CHECK_EQ(leat_packet_read_from(b, buffer, sizeof buffer, &from, NULL), 5);
		CHECK(memcmp(buffer, "hello", 5) == 0);
		CHECK(leat_addr_equal(&from, &at_a));
		CHECK_EQ(leat_packet_write_to(b, "you", 3, &from, NULL), 0);
		CHECK_EQ(leat_packet_write_to(b, "two", 3, &from, NULL), 0);
		CHECK_EQ(leat_packet_read_from(a, buffer, sizeof buffer, NULL, NULL), 3);
		CHECK_EQ(leat_conn_read(a, buffer, sizeof buffer), 3); /* from anybody */
		CHECK(memcmp(buffer, "two", 3) == 0);
		leat_conn_free(a);
		leat_conn_free(b);
	}
	CHECK(test_descriptors() <= before + 2);
}

TEST(connected)
{
	for (int i = 0; i < NETWORKS; i++) {
		leat_conn *server, *client, *stranger;
		leat_addr at, at_client, from;
		char buffer[16];
		size_t written;

		if (!is_here(networks[i]))
			continue;
		server = packet_listen(networks[i], &at);
		client = packet_dial(networks[i], &at);
		at_client = leat_conn_local(client);
		from = leat_conn_remote(client);
		CHECK(leat_addr_equal(&from, &at));
		CHECK_EQ(leat_conn_write(client, "ping", 4, &written), 0);
		CHECK_EQ(written, 4);
		CHECK_EQ(leat_packet_read_from(server, buffer, sizeof buffer, &from, NULL), 4);
		CHECK(leat_addr_equal(&from, &at_client));
		/* What others send it does not get; Unix's tells them. */
		stranger = packet_listen(networks[i], &from);
		CHECK_EQ(leat_packet_write_to(stranger, "spoof", 5, &at_client, NULL), i == 3 ? -EPERM : 0);
		leat_conn_free(stranger);
		CHECK_EQ(leat_packet_write_to(server, "pong!", 5, &at_client, NULL), 0);
		CHECK_EQ(leat_packet_read_from(client, buffer, sizeof buffer, &from, NULL), 5);
		CHECK(memcmp(buffer, "pong!", 5) == 0);
		CHECK(leat_addr_equal(&from, &at));
		CHECK_EQ(leat_packet_write_to(client, "x", 1, &at, NULL), -EISCONN);
		leat_conn_free(client);
		leat_conn_free(server);
	}
}

TEST(pieces_are_one_datagram)
{
	for (int i = 0; i < NETWORKS; i++) {
		enum { PIECES = 40 };
		struct iovec parts[PIECES];
		leat_conn *server, *client;
		leat_addr at;
		char buffer[100];
		size_t written;

		if (!is_here(networks[i]))
			continue;
		server = packet_listen(networks[i], &at);
		client = packet_dial(networks[i], &at);
		for (int k = 0; k < PIECES; k++)
			parts[k] = (struct iovec){&"0123456789"[k % 10], 1};
		CHECK_EQ(leat_conn_writev(client, parts, PIECES, NULL, &written), 0);
		CHECK_EQ(written, PIECES);
		CHECK_EQ(leat_conn_read(server, buffer, sizeof buffer), PIECES);
		CHECK(memcmp(buffer, "01234567890123456789", 20) == 0);
		leat_conn_free(client);
		leat_conn_free(server);
	}
}

TEST(no_bytes_are_a_datagram)
{
	for (int i = 0; i < NETWORKS; i++) {
		leat_conn *server, *client;
		leat_packet empty = {0};
		leat_addr at;
		char buffer[16];

		if (!is_here(networks[i]))
			continue;
		server = packet_listen(networks[i], &at);
		client = packet_dial(networks[i], &at);
		CHECK_EQ(leat_conn_write(client, NULL, 0, NULL), 0);
		CHECK_EQ(leat_conn_writev(client, NULL, 0, NULL, NULL), 0);
		CHECK_EQ(leat_packet_write_batch(client, &empty, 1, NULL, NULL), 0);
		CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(server, buffer, 0), 0); /* takes none */
		CHECK_EQ(leat_conn_read(server, buffer, sizeof buffer), 0);
		CHECK_EQ(leat_packet_read_from(server, buffer, 0, NULL, NULL), 0);
		CHECK_EQ(leat_packet_read_from(server, buffer, sizeof buffer, NULL, NULL), 0);
		CHECK_EQ(leat_conn_read(server, buffer, sizeof buffer), 1);
		leat_conn_free(client);
		leat_conn_free(server);
	}
}

TEST(what_has_no_room_is_told)
{
	for (int i = 0; i < NETWORKS; i++) {
		leat_conn *server, *client;
		leat_addr at, at_client, from;
		char buffer[16];

		if (!is_here(networks[i]))
			continue;
		server = packet_listen(networks[i], &at);
		client = packet_dial(networks[i], &at);
		at_client = leat_conn_local(client);
		for (int k = 0; k < 4; k++)
			CHECK_EQ(leat_conn_write(client, "0123456789", 10, NULL), 0);
		buffer[4] = '#';
		CHECK_EQ(leat_packet_read_from(server, buffer, 4, &from, NULL), -EMSGSIZE);
		CHECK(memcmp(buffer, "0123#", 5) == 0);
		CHECK(leat_addr_equal(&from, &at_client));
		CHECK_EQ(leat_conn_read(server, buffer, 9), -EMSGSIZE);
		CHECK_EQ(leat_packet_read_from(server, buffer, 0, NULL, NULL), -EMSGSIZE);
		CHECK_EQ(leat_conn_read(server, buffer, 10), 10); /* the next, whole */
		leat_conn_free(client);
		leat_conn_free(server);
	}
}

/* --- several at once */

enum { MANY = 200 };

static void check_batch(const char *network, bool connected)
{
	static char text[MANY][24], buffers[MANY][24];
	static leat_packet out[MANY], in[MANY];
	leat_addr at, at_client;
	leat_conn *server = packet_listen(network, &at), *client;
	size_t written;
	int got = 0;

	client = connected ? packet_dial(network, &at) : packet_listen(network, &at_client);
	at_client = leat_conn_local(client);
	for (int i = 0; i < MANY; i++) {
		out[i] = (leat_packet){.data = text[i], .bytes = (size_t)sprintf(text[i], "number %d", i)};
		if (!connected)
			out[i].addr = at;
		in[i] = (leat_packet){.data = buffers[i], .room = i % 2 ? 24 : 6};
	}
	/* In portions, for Unix's queue has few places. */
	for (int i = 0; i < MANY; i += 10) {
		CHECK_EQ(leat_packet_write_batch(client, out + i, 10, NULL, &written), 0);
		CHECK_EQ(written, 10);
		while (got < i + 10) {
			int n = leat_packet_read_batch(server, in + got, MANY - got, NULL);

			CHECK(n >= 1 && n <= i + 10 - got);
			got += n;
		}
	}
	for (int i = 0; i < MANY; i++) {
		size_t whole = strlen(text[i]);

		CHECK(leat_addr_equal(&in[i].addr, &at_client));
		CHECK_EQ(in[i].bytes, i % 2 ? whole : 6);
		CHECK_EQ(in[i].bytes + in[i].lost, whole);
		CHECK(memcmp(buffers[i], text[i], in[i].bytes) == 0);
		CHECK_EQ(buffers[i][in[i].bytes], 0);
		buffers[i][0] = buffers[i][5] = '\0';
		memset(buffers[i], 0, sizeof buffers[i]);
	}
	leat_conn_free(client);
	leat_conn_free(server);
}

TEST(batches)
{
	for (int i = 0; i < NETWORKS; i++) {
		if (!is_here(networks[i]))
			continue;
		check_batch(networks[i], false);
		check_batch(networks[i], true);
	}
}

struct batch_sender {
	leat_conn *c;
	leat_addr to;
	bool connected;
};

static void batch_sender(struct batch_sender *s)
{
	static char letters[MANY];
	static leat_packet out[MANY];
	size_t written;

	for (int i = 0; i < MANY; i++) {
		letters[i] = (char)i;
		out[i] = (leat_packet){.data = letters + i, .bytes = 1};
		if (!s->connected)
			out[i].addr = s->to;
	}
	CHECK_EQ(leat_packet_write_batch(s->c, out, MANY, NULL, &written), 0);
	CHECK_EQ(written, MANY);
	atomic_fetch_add(&packet_ended, 1);
}

/* Unix's loses none: who sends more than there is room for waits, whether the kernel wakes him (connected) or not. */
TEST(a_full_queue_is_waited_for)
{
	for (int connected = 0; connected < 2; connected++) {
		leat_addr at, at_client;
		leat_conn *server = packet_listen("unixgram", &at), *client;
		char byte;

		client = connected ? packet_dial("unixgram", &at) : packet_listen("unixgram", &at_client);
		atomic_store(&packet_ended, 0);
		go(batch_sender, .c = client, .to = at, .connected = connected);
		test_parked(1);
		for (int i = 0; i < MANY; i++) {
			CHECK_EQ(leat_conn_read(server, &byte, 1), 1);
			CHECK_EQ(byte, (char)i);
		}
		packet_await(1);
		leat_conn_free(client);
		leat_conn_free(server);
		test_goroutines(1);
	}
}

struct one_writer {
	leat_conn *c;
	leat_addr to;
	bool connected;
};

static void one_writer(struct one_writer *w)
{
	CHECK_EQ(w->connected ? leat_conn_write(w->c, "last", 4, NULL)
	                      : leat_packet_write_to(w->c, "last", 4, &w->to, NULL),
	         0);
	atomic_fetch_add(&packet_ended, 1);
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * LEAT_SECOND + t.tv_nsec;
}

/* Filled by others: then nothing that the writer has sent is taken, which would wake him.  He waits, and does not spin. */
TEST(a_queue_that_others_filled_is_waited_for)
{
	for (int connected = 0; connected < 2; connected++) {
		leat_addr at, at_other, at_client;
		leat_conn *server = packet_listen("unixgram", &at), *client,
		          *other = packet_listen("unixgram", &at_other);
		int64_t cpu, since;
		char buffer[16];
		int n = 0;

		client = connected ? packet_dial("unixgram", &at) : packet_listen("unixgram", &at_client);
		atomic_store(&packet_ended, 0);
		while (sendto(leat_conn_fd(other), "x", 1, MSG_DONTWAIT, &at.any, at.bytes) == 1)
			n++;
		CHECK_EQ(errno, EAGAIN);
		go(one_writer, .c = client, .to = at, .connected = connected);
		test_parked(1);
		cpu = cpu_ns();
		since = leat_now();
		leat_sleep(400 * LEAT_MILLISECOND);
		CHECK(cpu_ns() - cpu < (leat_now() - since) / 8); /* less than 1 in 100, in truth */
		for (int i = 0; i < n; i++)
			CHECK_EQ(leat_conn_read(server, buffer, sizeof buffer), 1);
		CHECK_EQ(leat_conn_read(server, buffer, sizeof buffer), 4);
		packet_await(1);
		leat_conn_free(client);
		leat_conn_free(other);
		leat_conn_free(server);
		test_goroutines(1);
	}
}

TEST(batches_that_are_wrong)
{
	leat_addr at, none = {0};
	leat_conn *a = packet_listen("udp", &at), *b = packet_dial("udp", &at);
	char large[70000] = {0}, byte = 0;
	leat_packet p[3] = {{.data = &byte, .bytes = 1}, {.data = &byte, .bytes = 1}, {0}};
	size_t written = 7;

	/* The second is too long: one is sent, and which could not be is told. */
	p[1] = (leat_packet){.data = large, .bytes = sizeof large};
	CHECK_EQ(leat_packet_write_batch(b, p, 3, NULL, &written), -EMSGSIZE);
	CHECK_EQ(written, 1);
	CHECK_EQ(leat_conn_read(a, &byte, 1), 1);
	p[1] = (leat_packet){.addr = at};
	CHECK_EQ(leat_packet_write_batch(b, p, 3, NULL, &written), -EISCONN);
	CHECK_EQ(written, 0);
	p[1].addr = none;
	CHECK_EQ(leat_packet_write_batch(a, p, 3, NULL, &written), -EDESTADDRREQ);
	CHECK_EQ(written, 0);
	CHECK_EQ(leat_packet_write_batch(a, p, 0, NULL, &written), 0);
	CHECK_EQ(leat_packet_read_batch(a, p, 0, NULL), 0);
	leat_conn_free(a);
	leat_conn_free(b);
}

static void read_below_none(void *c)
{
	leat_packet_read_batch(c, NULL, -1, NULL);
}

static void write_below_none(void *c)
{
	leat_packet_write_batch(c, NULL, -1, NULL, NULL);
}

TEST(batches_of_less_than_none_panic)
{
	leat_addr at;
	leat_conn *c = packet_listen("udp", &at);

	CHECK(test_panics(read_below_none, c, "packet_read_batch: negative number of packets"));
	CHECK(test_panics(write_below_none, c, "packet_write_batch: negative number of packets"));
	leat_conn_free(c);
}

/* --- addresses and files */

TEST(both_families_on_one_socket)
{
	leat_conn *server = leat_listen_packet("udp", ":0", NULL, NULL), *client;
	leat_addr at, here, from;
	char buffer[16];

	CHECK(server);
	at = leat_conn_local(server);
	snprintf(packet_text, sizeof packet_text, ":%d", leat_addr_port(&at));
	client = leat_dial("udp", packet_text, NULL, NULL);
	CHECK(client);
	here = leat_conn_local(client);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
	CHECK_EQ(leat_packet_read_from(server, buffer, sizeof buffer, &from, NULL), 1);
	CHECK(leat_addr_equal(&from, &here));
	CHECK_EQ(from.any.sa_family, AF_INET); /* in its own form, and good to answer to */
	CHECK_EQ(leat_packet_write_to(server, "y", 1, &from, NULL), 0);
	CHECK_EQ(leat_conn_read(client, buffer, sizeof buffer), 1);
	leat_conn_free(client);
	if (is_here("udp6")) {
		snprintf(packet_text, sizeof packet_text, "[::1]:%d", leat_addr_port(&at));
		client = leat_dial("udp", packet_text, NULL, NULL);
		CHECK(client);
		CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
		CHECK_EQ(leat_packet_read_from(server, buffer, sizeof buffer, &from, NULL), 1);
		CHECK_EQ(from.any.sa_family, AF_INET6);
		leat_conn_free(client);
	}
	leat_conn_free(server);
}

TEST(one_that_talks_to_itself)
{
	leat_addr at;
	leat_conn *c = packet_listen("udp", &at);
	char byte = 0;

	CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	leat_conn_free(c);
}

TEST(files_of_unix_sockets)
{
	leat_packet_opts keep = {.keep_file = true};
	char here[100], there[100];
	leat_dial_opts o = {.local = there};
	leat_conn *server, *client;
	leat_addr from;
	char buffer[16];

	snprintf(here, sizeof here, "/tmp/leat-packet-%d", (int)getpid());
	snprintf(there, sizeof there, "/tmp/leat-packet-%d-client", (int)getpid());
	server = leat_listen_packet("unixgram", here, NULL, NULL);
	CHECK(server);
	client = leat_dial_with(&o, "unixgram", here, NULL, NULL);
	CHECK(client);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
	CHECK_EQ(leat_packet_read_from(server, buffer, sizeof buffer, &from, NULL), 1);
	CHECK_STR(leat_addr_text(&from, packet_text), there);
	CHECK_EQ(access(there, F_OK), 0);
	leat_conn_free(client);
	CHECK_EQ(access(there, F_OK), -1);
	/* A client without a name cannot be answered. */
	client = leat_dial("unixgram", here, NULL, NULL);
	CHECK(client);
	CHECK_EQ(leat_conn_write(client, "y", 1, NULL), 0);
	CHECK_EQ(leat_packet_read_from(server, buffer, sizeof buffer, &from, NULL), 1);
	CHECK_EQ(from.bytes, 0);
	CHECK_EQ(leat_packet_write_to(server, "z", 1, &from, NULL), -EDESTADDRREQ);
	leat_conn_free(client);
	leat_conn_free(server);
	CHECK_EQ(access(here, F_OK), -1);
	server = leat_listen_packet("unixgram", here, &keep, NULL);
	CHECK(server);
	leat_conn_free(server);
	CHECK_EQ(access(here, F_OK), 0);
	unlink(here);
}

TEST(a_port_shared)
{
	leat_packet_opts share = {.reuse_port = true};
	leat_conn *a = leat_listen_packet("udp", "127.0.0.1:0", &share, NULL), *b;
	leat_addr at;

	CHECK(a);
	at = leat_conn_local(a);
	b = leat_listen_packet("udp", leat_addr_text(&at, packet_text), &share, NULL);
	CHECK(b);
	leat_conn_free(a);
	leat_conn_free(b);
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
	leat_addr at;
	leat_conn *c = packet_listen("udp", &at), *a, *b;
	char byte;

	CHECK_EQ(leat_conn_set_read_buffer(c, 20000), 0);
	CHECK_EQ(option(c, SOL_SOCKET, SO_RCVBUF), 40000); /* as socket(7) says */
	CHECK_EQ(leat_conn_set_write_buffer(c, 20000), 0);
	CHECK_EQ(option(c, SOL_SOCKET, SO_SNDBUF), 40000);
	CHECK_EQ(option(c, SOL_SOCKET, SO_BROADCAST), 1);
	CHECK_EQ(leat_packet_set_broadcast(c, false), 0);
	CHECK_EQ(leat_addr_parse(&at, "127.255.255.255:9"), 0);
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), -EACCES);
	CHECK_EQ(leat_packet_set_broadcast(c, true), 0);
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
	CHECK_EQ(leat_conn_set_no_delay(c, true), -ENOTSUP);
	CHECK_EQ(leat_conn_close_write(c), -ENOTSUP);
	CHECK_EQ(leat_conn_close(c), 0);
	CHECK_EQ(leat_packet_set_broadcast(c, true), -EBADF);
	leat_conn_free(c);
	/* Streams have nothing of all this. */
	CHECK(leat_conn_socketpair(&a, &b, NULL));
	CHECK_EQ(leat_packet_read_from(a, &byte, 1, NULL, NULL), -ENOTSUP);
	CHECK_EQ(leat_packet_write_to(a, &byte, 1, &at, NULL), -ENOTSUP);
	CHECK_EQ(leat_packet_read_batch(a, NULL, 1, NULL), -ENOTSUP);
	CHECK_EQ(leat_packet_write_batch(a, NULL, 1, NULL, NULL), -ENOTSUP);
	CHECK_EQ(leat_packet_set_broadcast(a, true), -ENOTSUP);
	leat_conn_free(a);
	leat_conn_free(b);
	CHECK(leat_conn_pipe(&a, &b));
	CHECK_EQ(leat_packet_write_to(a, &byte, 1, &at, NULL), -ENOTSUP);
	leat_conn_free(a);
	leat_conn_free(b);
}

TEST(connections_of_descriptors)
{
	leat_addr at;
	leat_conn *server = packet_listen("udp", &at), *c;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	CHECK(fd >= 0);
	c = leat_conn_from_fd(fd, NULL);
	CHECK(c);
	CHECK_STR(leat_conn_network(c), "udp");
	CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
	CHECK_EQ(leat_conn_read(server, &byte, 1), 1);
	leat_conn_free(c);
	leat_conn_free(server);
}

/* Records of the connected kind: as datagrams, but that there is an end. */
TEST(unixpacket_keeps_records_apart)
{
	leat_listener *l = leat_listen("unixpacket", "@", NULL, NULL);
	struct iovec parts[20];
	leat_conn *a, *b;
	leat_addr at;
	char buffer[64];
	size_t written;

	CHECK(l);
	at = leat_listener_addr(l);
	a = leat_dial("unixpacket", leat_addr_text(&at, packet_text), NULL, NULL);
	CHECK(a);
	b = leat_accept(l, NULL, NULL);
	CHECK(b);
	for (int i = 0; i < 20; i++)
		parts[i] = (struct iovec){"abc", 2};
	CHECK_EQ(leat_conn_writev(a, parts, 20, NULL, &written), 0);
	CHECK_EQ(written, 40);
	CHECK_EQ(leat_conn_write(a, "longer", 6, NULL), 0);
	CHECK_EQ(leat_conn_write(a, NULL, 0, NULL),
	         0); /* is no record: the reader would take it for the end */
	CHECK_EQ(leat_conn_write(a, "last", 4, NULL), 0);
	leat_conn_free(a);
	CHECK_EQ(leat_conn_read(b, buffer, sizeof buffer), 40);
	CHECK_EQ(leat_conn_read(b, buffer, 5), -EMSGSIZE);
	CHECK_EQ(leat_conn_read(b, buffer, sizeof buffer), 4);
	CHECK_EQ(leat_conn_read(b, buffer, sizeof buffer), 0);
	leat_conn_free(b);
	leat_listener_free(l);
}

/* Names of hosts and ports, as for connections; a service's port is that of UDP. */
TEST(names)
{
	char services[] = "/tmp/leat-services-XXXXXX", byte = 0;
	leat_resolver named = {.services = services};
	leat_dial_opts by = {.resolver = &named};
	leat_packet_opts at = {.resolver = &named};
	leat_conn *server = leat_listen_packet("udp", "localhost:0", NULL, NULL), *client;
	const leat_error *e = NULL;
	leat_addr a = leat_conn_local(server);
	int fd = mkstemp(services);

	CHECK(leat_addr_is_loopback(&a));
	CHECK(fd >= 0);
	dprintf(fd, "game %d/tcp\ngame %d/udp\n", leat_addr_port(&a) ^ 1, leat_addr_port(&a));
	close(fd);
	client = leat_dial_with(&by, "udp4", "localhost:game", NULL, NULL);
	CHECK(client);
	CHECK_EQ(leat_conn_write(client, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(server, &byte, 1), 1);
	CHECK_EQ(byte, 'x');
	CHECK(!leat_listen_packet("udp", "localhost:game", &at, &e));
	CHECK_EQ(leat_error_code(e), -EADDRINUSE);
	leat_error_free(e);
	CHECK(!leat_listen_packet("udp", "localhost:nosuch", &at, &e));
	packet_check_error(e, -ENOENT, "listen udp: lookup udp/nosuch: unknown port");
	unlink(services);
	leat_conn_free(client);
	leat_conn_free(server);
}

TEST_MAIN
