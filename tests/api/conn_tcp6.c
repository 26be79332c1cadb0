/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* The conformance suite, over TCP and IPv6. */
#include "test.h"
#include "conn_listen.h"

#define CONN_BUFFERED 1
#define CONN_NETWORK  "tcp6"

static void conn_make(leat_conn **a, leat_conn **b)
{
	if (listen_pair("tcp6", "[::1]:0", a, b))
		return;
	printf("no IPv6 here\\n");
	exit(77);
}

#include "conn_suite.h"

TEST_MAIN
