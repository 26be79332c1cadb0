/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* The conformance suite, over Unix sockets. */
#include "test.h"
#include "conn_listen.h"

#define CONN_BUFFERED 1
#define CONN_NETWORK  "unix"

static void conn_make(leat_conn **a, leat_conn **b)
{
	CHECK(listen_pair("unix", "@", a, b));
}

#include "conn_suite.h"

TEST_MAIN
