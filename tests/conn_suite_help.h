/* SPDX-License-Identifier: MIT */
/* What the tests of connections share: goroutines that read or write once. */
#ifndef CONN_SUITE_HELP_H
#define CONN_SUITE_HELP_H

#include "conn_listen.h"
#include "descriptors.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

#define CONN_LARGE (32 << 20) /* more than any kind has buffers for */

static char conn_zeros[CONN_LARGE];
static _Atomic int conn_ended;

static inline void conn_await(int n)
{
	test_until(atomic_load(&conn_ended) == n);
}

/* --- goroutines */

struct conn_reader {
	leat_conn *c;
	leat_ctx *ctx;
	int expected; /* of one read, which is not to bring anything where it is below 0 */
};

LEAT__UNUSED static void conn_reader(struct conn_reader *r)
{
	char byte;

	CHECK_EQ(leat_conn_read_ctx(r->c, &byte, 1, r->ctx), r->expected);
	atomic_fetch_add(&conn_ended, 1);
}

struct conn_writer {
	leat_conn *c;
	leat_ctx *ctx;
	int expected;
};

LEAT__UNUSED static void conn_writer(struct conn_writer *w)
{
	size_t written;

	CHECK_EQ(leat_conn_write_ctx(w->c, conn_zeros, CONN_LARGE, w->ctx, &written), w->expected);
	CHECK(w->expected ? written < CONN_LARGE : written == CONN_LARGE);
	atomic_fetch_add(&conn_ended, 1);
}

#endif
