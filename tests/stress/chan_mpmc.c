/* SPDX-License-Identifier: MIT */
/*
 * Goal: with many senders and many receivers every value arrives, once.  Method: every sender sends
 * the same numbers, so that each must be received as often as there are senders; capacities, forms of
 * operation and the mix of goroutines and threads vary.
 */
#include "chan_help.h"

enum { MOST_VALUES = 10000 };

struct party {
	chan(int) c;
	int n, way;
	leat_waitgroup *wg;
	_Atomic int *seen;
};

static chan(int) idle;

static void send_by(chan(int) c, int v, int way)
{
	switch (way % 4) {
	case 0:
		chan_send(c, v);
		break;
	case 1:
		if (!chan_try_send(c, v))
			chan_send(c, v);
		break;
	case 2:
		chan_select {
			case_send(c, v) {
			}
			case_send(c, v) {
			}
			case_recv(idle) {
			}
		}
		break;
	default:
		chan_select {
			case_send(c, v) {
			}
		}
	}
}

static int recv_by(chan(int) c, int way)
{
	int v = -1;

	switch (way % 4) {
	case 0:
		return chan_recv(c);
	case 1:
		if (!chan_try_recv(c, &v, NULL))
			v = chan_recv(c);
		return v;
	case 2:
		chan_select {
			case_recv(idle) {
			}
			case_recv(c, w)
				v = w;
			case_timeout(LEAT_HOUR) {
			}
		}
		return v;
	default:
		chan_select {
			case_recv(c, w)
				return w;
		}
	}
	return v;
}

static void sender(void *p)
{
	struct party *a = p;

	for (int i = 0; i < a->n; i++)
		send_by(a->c, i, a->way == 4 ? i : a->way);
	leat_waitgroup_done(a->wg);
}

static void receiver(void *p)
{
	struct party *a = p;

	for (int i = 0; i < a->n; i++) {
		int v = recv_by(a->c, a->way == 4 ? i : a->way);

		CHECK(v >= 0 && v < MOST_VALUES);
		atomic_fetch_add_explicit(&a->seen[v], 1, memory_order_relaxed);
	}
	leat_waitgroup_done(a->wg);
}

static void crowd(int senders, int receivers, int cap, int n, int threads_every)
{
	static _Atomic int seen[MOST_VALUES];
	static struct party party[64];
	chan(int) c = chan_make(int, cap);
	leat_waitgroup wg = {0};

	for (int i = 0; i < n; i++)
		atomic_store(&seen[i], 0);
	leat_waitgroup_add(&wg, senders + receivers);
	for (int i = 0; i < senders + receivers; i++) {
		bool sends = i < senders;

		party[i] = (struct party){c, sends ? n : n * senders / receivers, i % 5, &wg, seen};
		start(threads_every && i % threads_every == 0 ? THREAD : GOROUTINE,
		      sends ? sender : receiver, &party[i]);
	}
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < n; i++)
		CHECK_EQ(atomic_load(&seen[i]), senders);
	CHECK_EQ(chan_len(c), 0);
	CHECK(!chan_try_recv(c, NULL, NULL));
	chan_free(c);
}

TEST(line_55_four_to_four_at_each_capacity)
{
	static const int caps[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 200};
	int n = test_count(10000);

	idle = chan_make(int, 0);
	for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
		crowd(4, 4, caps[i], n, 0);
	chan_free(idle);
}

TEST(line_55_other_shapes)
{
	static const int shapes[][2] = {{1, 1}, {1, 8}, {8, 1}, {2, 16}, {16, 2}, {24, 24}};
	int n = test_count(10000) / 4 * 4;

	if (n < 16)
		n = 16;
	idle = chan_make(int, 0);
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		for (int cap = 0; cap < 10; cap += 3)
			crowd(shapes[i][0], shapes[i][1], cap, n / 16 * 16, 0);
	chan_free(idle);
}

TEST(line_55_with_threads)
{
	int n = test_count(10000);

	idle = chan_make(int, 0);
	for (int cap = 0; cap < 8; cap += cap ? 6 : 1) {
		crowd(4, 4, cap, n, 1);
		crowd(4, 4, cap, n, 2);
		crowd(6, 6, cap, n, 3);
	}
	chan_free(idle);
}

TEST_MAIN
