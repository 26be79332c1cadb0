/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* The conformance suite, over a pair in memory. */
#include "test.h"

#define CONN_BUFFERED 0
#define CONN_NETWORK  "pipe"

static void conn_make(leat_conn **a, leat_conn **b)
{
	CHECK(leat_conn_pipe(a, b));
}

#include "conn_suite.h"

TEST_MAIN
