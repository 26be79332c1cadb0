/* SPDX-License-Identifier: MIT */
/* CTEST: nomigrate */
/*
 * Goal: main locked to the initial thread stays there, while all else runs elsewhere.
 * Method: it locks itself first of all, before any other call into leat.
 */
#define _GNU_SOURCE
#include "test.h"

#include <stdatomic.h>
#include <sys/syscall.h>

struct echo {
	chan(int) in, out;
};

static void echo(struct echo *a)
{
	chan_range(v, a->in) {
		CHECK(syscall(SYS_gettid) != getpid());
		chan_send(a->out, v);
	}
	chan_close(a->out);
}

TEST(line_23_main_locked_to_the_initial_thread)
{
	chan(int) in, out;

	leat_lock_thread();
	in = chan_make(int, 0);
	out = chan_make(int, 0);
	go(echo, in, out);
	for (int i = 0; i < test_count(3000); i++) {
		chan_send(in, i);
		CHECK_EQ(chan_recv(out), i);
		if (i % 100 == 0)
			leat_sleep(LEAT_MICROSECOND);
		CHECK_EQ(syscall(SYS_gettid), getpid());
	}
	chan_close(in);
	test_goroutines(1);
	chan_free(in);
	chan_free(out);
	leat_unlock_thread();
}

TEST_MAIN
