/* SPDX-License-Identifier: MIT */
/*
 * Goal: code that runs before main may use leat: goroutines it started go on into main.
 * Method: a constructor starts one, meets it, and leaves it running for main to meet.
 */
#include "test.h"

#include <stdatomic.h>

struct serve {
	chan(int) in;
	send_chan(int) out;
};

static void serve(struct serve *a)
{
	chan_range(v, a->in)
		chan_send(a->out, v + 1);
	chan_close(a->out);
}

static chan(int) in, out;
static uint64_t id_before_main;

__attribute__((constructor)) static void before_main(void)
{
	in = chan_make(int, 0);
	out = chan_make(int, 0);
	id_before_main = leat_goid();
	go(serve, in, chan_sender(out));
	for (int i = 0; i < 10; i++) {
		chan_send(in, i);
		CHECK_EQ(chan_recv(out), i + 1);
	}
}

TEST(line_08_a_constructor_is_goroutine_1_too)
{
	CHECK_EQ(id_before_main, 1);
	CHECK_EQ(leat_goid(), 1);
	CHECK_EQ(leat_num_goroutine(), 2);
	chan_send(in, 41);
	CHECK_EQ(chan_recv(out), 42);
	chan_close(in);
	CHECK(!chan_recv_ok(out, &(int){0}));
	test_goroutines(1);
	chan_free(in);
	chan_free(out);
}

TEST_MAIN
