/* SPDX-License-Identifier: MIT */
/*
 * Goal: chan_range.  Method: loops over channels filled beforehand, so that what each turn sees is
 * known; one test with a crowd of ranging workers.
 */
#include "chan_help.h"

static chan(int) filled(int n)
{
	chan(int) c = chan_make(int, n);

	for (int i = 0; i < n; i++)
		chan_send(c, i);
	return c;
}

TEST(line_73_range_sees_every_value_once_until_closed_and_drained)
{
	for (int n = 0; n < 50; n++) {
		chan(int) c = filled(n);
		int next = 0;

		chan_close(c);
		chan_range(v, c) {
			CHECK_EQ(v, next);
			next++;
			CHECK_EQ(chan_len(c), n - next);
		}
		CHECK_EQ(next, n);
		/* Again: nothing is left. */
		chan_range(v, c)
			CHECK(v < 0);
		chan_free(c);
	}
}

/* Values that come while it ranges, zeros among them: only a close ends the loop. */
struct feed {
	send_chan(int) out;
	int n;
};

static void feed(struct feed *a)
{
	for (int i = 0; i < a->n; i++)
		chan_send(a->out, i % 3 ? i : 0);
	chan_close(a->out);
}

TEST(line_73_only_close_ends_the_loop)
{
	int n = test_count(20000);

	for (int cap = 0; cap < 4; cap++) {
		chan(int) c = chan_make(int, cap);
		int next = 0;

		go(feed, chan_sender(c), n);
		chan_range(v, chan_receiver(c)) {
			CHECK_EQ(v, next % 3 ? next : 0);
			next++;
		}
		CHECK_EQ(next, n);
		test_goroutines(1);
		chan_free(c);
	}
}

TEST(line_73_break_keeps_what_is_unread_and_closes_nothing)
{
	chan(int) c = filled(5);
	int seen = 0;

	chan_range(v, c) {
		seen++;
		if (v == 1)
			break;
	}
	CHECK_EQ(seen, 2);
	CHECK_EQ(chan_len(c), 3);
	chan_send(c, 5);
	for (int i = 2; i <= 5; i++)
		CHECK_EQ(chan_recv(c), i);
	CHECK(!chan_try_recv(c, &seen, NULL));
	chan_free(c);
}

static int first_over(recv_chan(int) c, int limit)
{
	chan_range(v, c)
		if (v > limit)
			return v;
	return -1;
}

TEST(line_73_return_and_goto_leave_the_loop)
{
	chan(int) c = filled(8);

	CHECK_EQ(first_over(chan_receiver(c), 2), 3);
	CHECK_EQ(chan_len(c), 4);
	chan_range(v, c) {
		chan_range(w, c)
			if (w == v + 1)
				goto out;
		CHECK(v < 0);
	}
	CHECK(chan_len(c) > 100);
out:
	CHECK_EQ(chan_len(c), 2);
	chan_close(c);
	CHECK_EQ(first_over(chan_receiver(c), 100), -1);
	chan_free(c);
}

TEST(line_73_continue_goes_on_with_the_next_value)
{
	chan(int) c = filled(10);
	int sum = 0;

	chan_close(c);
	chan_range(v, c) {
		if (v % 2)
			continue;
		sum += v;
	}
	CHECK_EQ(sum, 0 + 2 + 4 + 6 + 8);
	chan_free(c);
}

static int calls;

static chan(int) counted(chan(int) c)
{
	calls++;
	return c;
}

TEST(line_73_the_channel_is_evaluated_once)
{
	chan(int) c = filled(4), d = filled(3), held = c;
	int sum = 0, n = 0;

	chan_close(c);
	chan_range(v, counted(held)) {
		/* The variable may change; the loop keeps its channel. */
		held = d;
		sum += v;
		n++;
	}
	CHECK_EQ(calls, 1);
	CHECK_EQ(n, 4);
	CHECK_EQ(sum, 6);
	CHECK_EQ(chan_len(d), 3);
	chan_free(c);
	chan_free(d);
}

TEST(line_73_the_variable_is_a_copy)
{
	chan(int) c = filled(4);
	int sum = 0;

	chan_close(c);
	chan_range(v, c) {
		sum += v;
		v = 1000;
		CHECK_EQ(v, 1000);
	}
	CHECK_EQ(sum, 6);
	chan_free(c);
}

TEST(line_73_nested_and_without_braces)
{
	chan(chan(int)) all = chan_make(chan(int), 3);
	chan(int) c[3];
	int sum = 0, other = 0;

	for (int i = 0; i < 3; i++) {
		c[i] = filled(i + 1);
		chan_close(c[i]);
		chan_send(all, c[i]);
	}
	chan_close(all);
	/* The else belongs to the outer if. */
	if (sum == 0)
		chan_range(inner, all)
			chan_range(v, inner)
				if (v > 0)
					sum += v;
				else
					other++;
	else
		other = 100;
	CHECK_EQ(sum, 1 + 1 + 2);
	CHECK_EQ(other, 3);
	if (sum == 0)
		chan_range(inner, all)
			CHECK(inner == NULL);
	else
		other = 200;
	CHECK_EQ(other, 200);
	for (int i = 0; i < 3; i++)
		chan_free(c[i]);
	chan_free(all);
}

TEST(line_73_large_and_empty_elements)
{
	struct large {
		int n;
		char text[500];
	};
	chan(struct large) c = chan_make(struct large, 3);
	chan(leat_empty) e = chan_make(leat_empty, 5);
	int n = 0;

	for (int i = 0; i < 3; i++)
		chan_send(c, {i, "large"});
	chan_close(c);
	chan_range(v, c) {
		CHECK_EQ(v.n, n++);
		CHECK_STR(v.text, "large");
	}
	for (int i = 0; i < 5; i++)
		chan_send(e, (leat_empty){});
	chan_close(e);
	chan_range(v, e) {
		(void)v;
		n++;
	}
	CHECK_EQ(n, 8);
	chan_free(c);
	chan_free(e);
}

/* Line 74: the work passes through the workers of one channel into another. */
struct mill {
	chan(int) in, out;
	unsigned id;
	_Atomic int *left;
	leat_waitgroup *wg;
};

static void mill(void *p)
{
	struct mill *a = p;
	unsigned turn = a->id;

	chan_range(v, a->in) {
		/* Now and then let the others overtake. */
		if (turn++ * 2654435761u >> 29 == 0)
			leat_yield();
		chan_send(a->out, v);
	}
	if (atomic_fetch_sub(a->left, 1) == 1)
		chan_close(a->out);
	leat_waitgroup_done(a->wg);
}

TEST(line_74_many_workers_range_over_one_channel)
{
	enum { WORKERS = 23 };
	int n = test_count(271828);

	for (int cap = 0; cap <= 23; cap += 23) {
		for (int threads = 0; threads < 5; threads += 4) {
			chan(int) in = chan_make(int, cap), out = chan_make(int, cap);
			_Atomic int left = WORKERS;
			leat_waitgroup wg = {0};
			struct mill m[WORKERS];
			long long sum = 0, count = 0;

			leat_waitgroup_add(&wg, WORKERS);
			for (unsigned i = 0; i < WORKERS; i++) {
				m[i] = (struct mill){in, out, i, &left, &wg};
				start((int)i < threads ? THREAD : GOROUTINE, mill, &m[i]);
			}
			go(feed, chan_sender(in), n);
			chan_range(v, out) {
				sum += v;
				count++;
			}
			long long expect = 0;
			for (int i = 0; i < n; i++)
				expect += i % 3 ? i : 0;
			CHECK_EQ(count, n);
			CHECK_EQ(sum, expect);
			leat_waitgroup_wait(&wg);
			test_goroutines(1);
			chan_free(in);
			chan_free(out);
		}
	}
}

TEST_MAIN
