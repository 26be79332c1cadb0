/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: 10,000 stages in a row, and a thousand side by side, work and end together.
 */
#include "test.h"

#include <stdatomic.h>

static void increment(const int *in, int *out)
{
	*out = *in + 1;
}

TEST(ten_thousand_stages_in_a_row)
{
	static const int numbers[] = {1, 2, 3};
	int stages = test_count(100000);
	size_t n, before = leat_num_goroutine();
	int *got;
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_from_array(s, numbers, 3);

		for (int i = 0; i < stages; i++)
			c = pipe_map0(s, c, int, increment);
		got = pipe_collect(s, c, &n);
		CHECK_EQ(n, 3);
		for (int i = 0; i < 3; i++)
			CHECK_EQ(got[i], i + 1 + stages);
		CHECK_EQ(scope_wait(s), 0);
		test_goroutines(before);
	}
}

TEST(ten_thousand_stages_are_cancelled)
{
	int stages = test_count(100000);
	size_t before = leat_num_goroutine();
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_repeat(s, int, 1), last = c;

		for (int i = 0; i < stages; i++)
			last = pipe_map0(s, last, int, increment);
		CHECK_EQ(chan_recv(last), 1 + stages);
		scope_cancel(s);
		while (chan_recv_ok(last, &(int){0}))
			;
		CHECK(chan_reason(last) == &leat_canceled);
		CHECK(chan_reason(c) == &leat_canceled);
	}
	test_goroutines(before);
}

TEST(a_thousand_stages_of_one_input)
{
	int stages = 1000, count = test_count(100000);
	size_t before = leat_num_goroutine();
	chan(int) in = chan_make(int, 100);
	atomic_int sum = 0;
	{
		scope(s, NULL);
		recv_chan(int) outs[1000];

		for (int i = 0; i < stages; i++)
			outs[i] = pipe_map0(pipe_at(s, .cap = count), in, int, increment);
		for (int i = 0; i < count; i++)
			chan_send(in, i);
		chan_close(in);
		for (int i = 0; i < stages; i++)
			chan_range(v, outs[i])
				sum += v > 0;
	}
	CHECK_EQ(sum, count);
	test_goroutines(before);
	chan_free(in);
}

TEST_MAIN
