/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* The conformance suite, over a pair of Unix sockets. */
#include "test.h"

#define CONN_BUFFERED 1
#define CONN_NETWORK  "unix"

static void conn_make(leat_conn **a, leat_conn **b)
{
	CHECK(leat_conn_socketpair(a, b, NULL));
}

#include "conn_suite.h"

TEST_MAIN
