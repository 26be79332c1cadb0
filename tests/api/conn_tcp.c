/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* The conformance suite, over TCP and IPv4. */
#include "test.h"
#include "conn_listen.h"

#define CONN_BUFFERED 1
#define CONN_NETWORK  "tcp"

static void conn_make(leat_conn **a, leat_conn **b)
{
	CHECK(listen_pair("tcp", "127.0.0.1:0", a, b));
}

#include "conn_suite.h"

TEST_MAIN
