/* SPDX-License-Identifier: MIT */
/* What the tests of datagrams share: sockets on this machine, and goroutines that read or write once. */
#ifndef PACKET_HELP_H
#define PACKET_HELP_H

#include "descriptors.h"
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

static _Atomic int packet_ended;
static char packet_text[LEAT_ADDR_TEXT];
LEAT__UNUSED static char packet_wanted[400];

static inline void packet_await(int n)
{
	test_until(atomic_load(&packet_ended) == n);
}

/* The error of a call that must have failed: its text, and its end as an object. */
LEAT__UNUSED static inline void packet_check_error(const leat_error *e, int code,
                                                   const char *message)
{
	CHECK(e);
	CHECK_STR(leat_error_message(e), message);
	CHECK_EQ(leat_error_code(e), code);
	leat_error_free(e);
}

/* A socket on this machine; its address is in packet_text, too. */
LEAT__UNUSED static inline leat_conn *packet_listen(const char *network, leat_addr *at)
{
	bool local = strcmp(network, "unixgram") == 0;
	const char *address = local ? "@" : strcmp(network, "udp6") == 0 ? "[::1]:0" : "127.0.0.1:0";
	leat_conn *c = leat_listen_packet(network, address, NULL, NULL);

	CHECK(c);
	*at = leat_conn_local(c);
	leat_addr_text(at, packet_text);
	return c;
}

/* Two sockets that are connected to each other: c is the one at whose address the other is. */
LEAT__UNUSED static inline leat_conn *packet_dial(const char *network, const leat_addr *to)
{
	const leat_dial_opts named = {.local = "@"};
	char text[LEAT_ADDR_TEXT];
	leat_conn *c = leat_dial_with(strcmp(network, "unixgram") == 0 ? &named : NULL, network,
	                              leat_addr_text(to, text), NULL, NULL);

	CHECK(c);
	return c;
}

struct packet_reader {
	leat_conn *c;
	leat_ctx *ctx;
	int expected;
	bool batch;
};

LEAT__UNUSED static void packet_reader(struct packet_reader *r)
{
	char byte;
	leat_packet one = {.data = &byte, .room = 1};

	if (r->batch)
		CHECK_EQ(leat_packet_read_batch(r->c, &one, 1, r->ctx), r->expected);
	else
		CHECK_EQ(leat_packet_read_from(r->c, &byte, 1, NULL, r->ctx), r->expected);
	atomic_fetch_add(&packet_ended, 1);
}

/* Writes to who does not read, until it must wait; then what ends that. */
struct packet_writer {
	leat_conn *c;
	const leat_addr *to; /* NULL: c is connected */
	leat_ctx *ctx;
	int expected;
	bool batch;
};

LEAT__UNUSED static void packet_writer(struct packet_writer *w)
{
	char bytes[100] = {0};
	leat_packet one = {.data = bytes, .bytes = sizeof bytes};
	int err = 0;

	if (w->to)
		one.addr = *w->to;
	while (!err) {
		if (w->batch)
			err = leat_packet_write_batch(w->c, &one, 1, w->ctx, NULL);
		else if (w->to)
			err = leat_packet_write_to(w->c, bytes, sizeof bytes, w->to, w->ctx);
		else
			err = leat_conn_write_ctx(w->c, bytes, sizeof bytes, w->ctx, NULL);
	}
	CHECK_EQ(err, w->expected);
	atomic_fetch_add(&packet_ended, 1);
}

#endif
