/* SPDX-License-Identifier: MIT */
/*
 * Goal: groups are joined and left, who joined gets what is sent to one and nobody else does; errors name what is wrong.
 * Method: the loopback interface alone.  Where the system has no multicast there, the tests skip.
 */
#include "packet_help.h"

#include <netinet/in.h>

#define LO "lo"

static leat_addr group4, group6;

static void parse_groups(int port)
{
	CHECK_EQ(leat_addr_parse(&group4, "239.255.77.1:0"), 0);
	CHECK_EQ(leat_addr_parse(&group6, "[ff01::4d01]:0"), 0);
	leat_addr_set_port(&group4, port);
	leat_addr_set_port(&group6, port);
}

/* A port that is free for group; 0 where nothing can be sent to a group here, or it does not arrive. */
static int try_here(bool six)
{
	leat_conn *c =
	    leat_listen_packet(six ? "udp6" : "udp4", six ? "[::]:0" : "0.0.0.0:0", NULL, NULL);
	leat_addr at;
	char byte;
	int err;

	if (!c)
		return 0;
	at = leat_conn_local(c);
	parse_groups(leat_addr_port(&at));
	err = leat_packet_set_multicast_interface(c, LO);
	if (!err)
		err = leat_packet_join(c, LO, six ? &group6 : &group4);
	if (!err)
		err = leat_packet_write_to(c, "x", 1, six ? &group6 : &group4, NULL);
	if (!err)
		err = leat_conn_set_read_deadline(c, leat_now() + 10 * LEAT_SECOND);
	if (!err && leat_conn_read(c, &byte, 1) != 1)
		err = -ETIMEDOUT;
	leat_conn_free(c);
	if (err)
		fprintf(stderr, "\tno multicast over " LO " (%d)\n", err);
	return err ? 0 : leat_addr_port(&at);
}

static leat_conn *sender(bool six)
{
	leat_conn *c =
	    leat_listen_packet(six ? "udp6" : "udp4", six ? "[::]:0" : "0.0.0.0:0", NULL, NULL);

	CHECK(c);
	CHECK_EQ(leat_packet_set_multicast_interface(c, LO), 0);
	CHECK_EQ(leat_packet_set_multicast_hops(c, 0), 0);
	return c;
}

static bool loops(leat_conn *c, bool six)
{
	int value = -1;
	socklen_t bytes = sizeof value;

	CHECK_EQ(getsockopt(leat_conn_fd(c), six ? IPPROTO_IPV6 : IPPROTO_IP,
	                    six ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP, &value, &bytes),
	         0);
	return value != 0;
}

static void check_group(bool six)
{
	const char *network = six ? "udp6" : "udp4";
	leat_addr *group = six ? &group6 : &group4, from, at, other;
	leat_conn *in[2], *out;
	char buffer[16], text[LEAT_ADDR_TEXT];

	if (!try_here(six))
		return;
	leat_addr_text(group, text);
	for (int i = 0; i < 2; i++) { /* two of one machine */
		in[i] = leat_listen_multicast(i ? "udp" : network, LO, text, NULL);
		CHECK(in[i]);
	}
	out = sender(six);
	at = leat_conn_local(out);
	CHECK_EQ(leat_packet_write_to(out, "hello", 5, group, NULL), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(leat_packet_read_from(in[i], buffer, sizeof buffer, &from, NULL), 5);
		CHECK_EQ(from.any.sa_family, six ? AF_INET6 : AF_INET);
		CHECK_EQ(leat_addr_port(&from), leat_addr_port(&at));
	}
	/* A further group, for one of them; the other does not get it, though it is at the same port. */
	CHECK_EQ(leat_addr_parse(&other, six ? "[ff01::4d02]:0" : "239.255.77.2:0"), 0);
	leat_addr_set_port(&other, leat_addr_port(group));
	CHECK_EQ(leat_packet_join(in[0], LO, &other), 0);
	CHECK_EQ(leat_packet_join(in[0], LO, &other), -EADDRINUSE);
	CHECK_EQ(leat_packet_write_to(out, "ab", 2, &other, NULL), 0);
	CHECK_EQ(leat_packet_write_to(out, "abc", 3, group, NULL), 0);
	CHECK_EQ(leat_conn_read(in[0], buffer, sizeof buffer), 2);
	CHECK_EQ(leat_conn_read(in[0], buffer, sizeof buffer), 3);
	CHECK_EQ(leat_conn_read(in[1], buffer, sizeof buffer), 3);
	/* Left again. */
	CHECK_EQ(leat_packet_leave(in[0], LO, &other), 0);
	CHECK_EQ(leat_packet_leave(in[0], LO, &other), -EADDRNOTAVAIL);
	CHECK_EQ(leat_packet_write_to(out, "ab", 2, &other, NULL), 0);
	/* What the listeners send does not come back, unless they want it to; lo brings it back in any case. */
	CHECK(!loops(in[1], six));
	CHECK_EQ(leat_packet_set_multicast_loop(in[1], true), 0);
	CHECK(loops(in[1], six));
	/* Not by way of a group at all. */
	leat_addr_parse(&at, six ? "[::1]:0" : "127.0.0.1:0");
	leat_addr_set_port(&at, leat_addr_port(group));
	leat_conn_free(in[1]);
	CHECK_EQ(leat_packet_write_to(out, "direct", 6, &at, NULL), 0);
	CHECK_EQ(leat_conn_read(in[0], buffer, sizeof buffer), 6);
	leat_conn_free(in[0]);
	leat_conn_free(out);
}

TEST(groups_of_ipv4)
{
	check_group(false);
}

TEST(groups_of_ipv6)
{
	check_group(true);
}

/* One socket of both families joins groups of both. */
TEST(groups_of_both_families_on_one_socket)
{
	leat_conn *in, *out;
	char buffer[16];
	leat_addr at;

	if (!try_here(false) || !try_here(true))
		return;
	in = leat_listen_packet("udp", ":0", NULL, NULL);
	CHECK(in);
	at = leat_conn_local(in);
	parse_groups(leat_addr_port(&at));
	CHECK_EQ(leat_packet_set_multicast_interface(in, LO), 0);
	CHECK_EQ(leat_packet_join(in, LO, &group4), 0);
	CHECK_EQ(leat_packet_join(in, LO, &group6), 0);
	out = sender(false);
	CHECK_EQ(leat_packet_write_to(out, "four", 4, &group4, NULL), 0);
	CHECK_EQ(leat_packet_read_from(in, buffer, sizeof buffer, &at, NULL), 4);
	CHECK_EQ(at.any.sa_family, AF_INET);
	leat_conn_free(out);
	out = sender(true);
	CHECK_EQ(leat_packet_write_to(out, "six", 3, &group6, NULL), 0);
	CHECK_EQ(leat_conn_read(in, buffer, sizeof buffer), 3);
	leat_conn_free(out);
	leat_conn_free(in);
}

TEST(what_is_wrong)
{
	leat_addr at, text;
	leat_conn *c = packet_listen("udp4", &at), *u = packet_listen("unixgram", &text);
	const leat_error *e = NULL;

	parse_groups(1234);
	CHECK_EQ(leat_packet_join(c, LO, &at), -EINVAL);
	CHECK_EQ(leat_packet_join(c, "no-such-one", &group4), -ENODEV);
	CHECK_EQ(leat_packet_join(c, LO, &group6), -EAFNOSUPPORT);
	CHECK_EQ(leat_packet_leave(c, LO, &group4), -EADDRNOTAVAIL);
	CHECK_EQ(leat_packet_set_multicast_interface(c, "no-such-one"), -ENODEV);
	CHECK_EQ(leat_packet_set_multicast_interface(c, NULL), 0);
	CHECK_EQ(leat_packet_set_multicast_hops(c, -1), -EINVAL);
	CHECK_EQ(leat_packet_set_multicast_hops(c, 256), -EINVAL);
	CHECK_EQ(leat_packet_set_multicast_hops(c, 255), 0);
	CHECK_EQ(leat_packet_join(u, LO, &group4), -ENOTSUP);
	CHECK_EQ(leat_packet_set_multicast_loop(u, true), -ENOTSUP);
	CHECK_EQ(leat_conn_close(c), 0);
	CHECK_EQ(leat_packet_join(c, LO, &group4), -EBADF);
	leat_conn_free(c);
	leat_conn_free(u);
	CHECK(!leat_listen_multicast("udp", LO, "127.0.0.1:1234", &e));
	packet_check_error(e, -EINVAL, "listen udp: address 127.0.0.1:1234: not a multicast address");
	CHECK(!leat_listen_multicast("udp", "no-such-one", "239.255.77.1:1234", &e));
	packet_check_error(e, -ENODEV, "listen udp 239.255.77.1:1234: setsockopt: no such device");
	CHECK(!leat_listen_multicast("unixgram", LO, "@", &e));
	packet_check_error(e, -EPROTOTYPE, "listen unixgram @: address @: unexpected address type");
	CHECK(!leat_listen_multicast("smtp", LO, "239.255.77.1:1234", &e));
	packet_check_error(e, -EPROTONOSUPPORT, "listen smtp: unknown network smtp");
	CHECK(!leat_listen_multicast("udp", LO, "239.255.77.1", &e));
	packet_check_error(e, -EINVAL, "listen udp: address 239.255.77.1: missing port in address");
	CHECK(!leat_listen_multicast("udp6", LO, "239.255.77.1:1234", NULL));
}

/* The system has a limit of groups for a socket of IPv4: that one is told, and what was joined stays. */
TEST(too_many_groups)
{
	leat_addr at, group;
	leat_conn *c = packet_listen("udp4", &at);
	char text[40];
	int err = 0, n = 0;

	for (; !err && n < 5000; n++) {
		snprintf(text, sizeof text, "239.255.%d.%d:1", 100 + n / 250, 1 + n % 250);
		CHECK_EQ(leat_addr_parse(&group, text), 0);
		err = leat_packet_join(c, LO, &group);
	}
	if (n == 1) {
		fprintf(stderr, "\tno multicast over " LO " (%d)\n", err);
	} else if (err) {
		CHECK_EQ(err, -ENOBUFS);
		CHECK_EQ(leat_addr_parse(&group, "239.255.100.1:1"), 0);
		CHECK_EQ(leat_packet_leave(c, LO, &group), 0);
	}
	leat_conn_free(c);
}

TEST_MAIN
