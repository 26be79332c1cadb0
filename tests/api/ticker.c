/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_ticker: ticks on a grid, of which a slow reader loses some; stop and reset.
 * Method: each tick is the instant it was due, so the grid can be checked exactly.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#define PERIOD LEAT_MILLISECOND

static void wait_until(int64_t at)
{
	test_until(leat_now() >= at);
}

static bool empty(recv_chan(int64_t) c)
{
	return !chan_try_recv(c, NULL, NULL);
}

TEST(line_148_ticks_lie_on_a_grid)
{
	int64_t before = leat_now(), last;
	leat_ticker *t = leat_ticker_new(PERIOD);
	int64_t after = leat_now();

	last = chan_recv(leat_ticker_chan(t));
	CHECK(last >= before + PERIOD && last <= after + PERIOD);
	for (int i = 0; i < 20; i++) {
		int64_t v = chan_recv(leat_ticker_chan(t));

		CHECK(v > last && (v - last) % PERIOD == 0);
		CHECK(v <= leat_now());
		last = v;
	}
	leat_ticker_free(t);
}

TEST(line_148_a_slow_reader_finds_one_tick_and_then_the_next)
{
	int64_t before = leat_now(), first, next;
	leat_ticker *t = leat_ticker_new(20 * PERIOD);
	int64_t after = leat_now();

	wait_until(after + 110 * PERIOD); /* five and a half periods */
	CHECK(chan_try_recv(leat_ticker_chan(t), &first, NULL));
	CHECK(first >= before + 20 * PERIOD && first <= after + 20 * PERIOD);
	next = chan_recv(leat_ticker_chan(t));
	CHECK((next - first) % (20 * PERIOD) == 0);
	CHECK(next >= first + 100 * PERIOD); /* those in between are lost */
	leat_ticker_free(t);
}

TEST(line_142_length_and_capacity_are_0)
{
	leat_ticker *t = leat_ticker_new(1);

	for (int i = 0; i < 10; i++) {
		CHECK_EQ(chan_len(leat_ticker_chan(t)), 0);
		CHECK_EQ(chan_cap(leat_ticker_chan(t)), 0);
		chan_recv(leat_ticker_chan(t));
	}
	leat_ticker_free(t);
}

static void new_ticker(void *period)
{
	leat_ticker_free(leat_ticker_new(*(int64_t *)period));
}

static leat_ticker *reset_this;

static void reset_ticker(void *period)
{
	leat_ticker_reset(reset_this, *(int64_t *)period);
}

TEST(line_149_periods_of_0_or_less)
{
	static int64_t periods[] = {0, -1, INT64_MIN};

	reset_this = leat_ticker_new(LEAT_HOUR);
	for (int i = 0; i < 3; i++) {
		CHECK(test_panics(new_ticker, &periods[i], "non-positive interval for NewTicker"));
		CHECK(test_panics(reset_ticker, &periods[i], "non-positive interval for Ticker.Reset"));
		CHECK(leat_tick(periods[i]) == NULL);
	}
	leat_ticker_free(reset_this);
}

TEST(line_150_stop_does_not_close_the_channel)
{
	leat_ticker *t = leat_ticker_new(1);

	wait_until(leat_now() + 10);
	leat_ticker_stop(t);
	leat_ticker_stop(t);
	leat_ticker_stop(NULL);
	for (int i = 0; i < 10; i++) {
		CHECK(empty(leat_ticker_chan(t)));
		leat_yield();
	}
	leat_ticker_free(t);
	leat_ticker_free(NULL);
	CHECK(leat_ticker_chan(NULL) == NULL);
}

TEST(line_150_reset_of_no_ticker_panics)
{
	static int64_t period = 1;

	reset_this = NULL;
	CHECK(test_panics(reset_ticker, &period, "time: Reset called on uninitialized Ticker"));
}

TEST(line_144_after_a_reset_only_new_ticks_are_received)
{
	leat_ticker *t = leat_ticker_new(PERIOD);
	int64_t before, v;

	for (int i = 0; i < 5; i++) {
		wait_until(leat_now() + PERIOD);
		before = leat_now();
		leat_ticker_reset(t, (i + 1) * PERIOD);
		v = chan_recv(leat_ticker_chan(t));
		CHECK(v >= before + (i + 1) * PERIOD);
		CHECK_EQ((chan_recv(leat_ticker_chan(t)) - v) % ((i + 1) * PERIOD), 0);
		if (i % 2)
			leat_ticker_stop(t);
	}
	leat_ticker_free(t);
}

TEST(line_152_huge_periods_do_not_wrap)
{
	static const int64_t periods[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2};

	for (int i = 0; i < 3; i++) {
		leat_ticker *t = leat_ticker_new(LEAT_MICROSECOND);

		chan_recv(leat_ticker_chan(t));
		leat_ticker_reset(t, periods[i]);
		chan_select {
			case_recv(leat_ticker_chan(t))
				CHECK(!"it ticked");
			case_timeout(PERIOD) {
			}
		}
		leat_ticker_free(t);
	}
}

TEST(range_over_it)
{
	leat_ticker *t = leat_ticker_new(100 * LEAT_MICROSECOND);
	int n = 0;

	chan_range(at, leat_ticker_chan(t)) {
		CHECK(at <= leat_now());
		if (++n == 20)
			break;
	}
	CHECK_EQ(n, 20);
	leat_ticker_free(t);
}

TEST(tick_is_freed_as_a_channel)
{
	recv_chan(int64_t) c = leat_tick(100 * LEAT_MICROSECOND);
	int64_t last = chan_recv(c);

	for (int i = 0; i < 5; i++) {
		int64_t v = chan_recv(c);

		CHECK(v > last && (v - last) % (100 * LEAT_MICROSECOND) == 0);
		last = v;
	}
	chan_free(c);
}

enum { RECEIVERS = 4, TICKS = 100 };

struct reader {
	recv_chan(int64_t) ticks;
	recv_chan(leat_empty) quit;
	send_chan(int64_t) out;
};

static void reader(struct reader *a)
{
	for (bool go_on = true; go_on;) {
		chan_select {
			case_recv(a->ticks, v)
				chan_select { /* main may stop reading while out is full */
					case_send(a->out, v) {
					}
					case_recv(a->quit)
						go_on = false;
				}
			case_recv(a->quit)
				go_on = false;
		}
	}
}

/* Each tick to one of them: so no instant comes twice. */
TEST(line_154_several_share_the_ticks)
{
	leat_ticker *t = leat_ticker_new(50 * LEAT_MICROSECOND);
	chan(int64_t) out = chan_make(int64_t, TICKS + RECEIVERS);
	chan(leat_empty) quit = chan_make(leat_empty, 0);
	int64_t seen[TICKS];

	for (int i = 0; i < RECEIVERS; i++)
		go(reader, leat_ticker_chan(t), chan_receiver(quit), chan_sender(out));
	for (int i = 0; i < TICKS; i++) {
		seen[i] = chan_recv(out);
		CHECK((seen[i] - seen[0]) % (50 * LEAT_MICROSECOND) == 0);
		for (int k = 0; k < i; k++)
			CHECK(seen[k] != seen[i]);
	}
	leat_ticker_stop(t);
	chan_close(quit);
	test_goroutines(1);
	leat_ticker_free(t);
	chan_free(out);
	chan_free(quit);
}

static void *in_thread(void *arg)
{
	int64_t last = 0;

	for (int i = 0; i < 10; i++) {
		int64_t v = chan_recv(leat_ticker_chan(arg));

		CHECK(v > last);
		last = v;
	}
	return NULL;
}

TEST(plain_threads_use_it_too)
{
	leat_ticker *t = leat_ticker_new(100 * LEAT_MICROSECOND);
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, in_thread, t), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	leat_ticker_free(t);
}

TEST_MAIN
