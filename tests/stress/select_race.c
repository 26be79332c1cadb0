/* SPDX-License-Identifier: MIT */
/*
 * Goal: a select with default takes default only if at one instant no case was ready (line 62).
 * Method: one of two channels is ready at every instant, while the main goroutine moves the readiness
 * from the one to the other; a select that looked at them one after the other would miss both.
 */
#include "chan_help.h"

struct probe {
	chan(int) c, d;
	int way;
};

struct prober {
	chan(struct probe) in;
	chan(bool) result;
	leat_waitgroup wg;
};

/* True when the select found something. */
static bool found(struct probe *p)
{
	bool ready = true;
	leat_case cases[12];

	switch (p->way % 5) {
	case 0:
		chan_select {
			case_recv(p->c) {
			}
			case_recv(p->d) {
			}
			case_default
				ready = false;
		}
		return ready;
	case 1:
		chan_select {
			case_default
				ready = false;
			case_recv(p->d) {
			}
			case_recv((chan(int))NULL) {
			}
			case_recv(p->c) {
			}
			case_recv(p->d) {
			}
		}
		return ready;
	case 2:
		chan_select {
			case_recv(p->d) {
			}
			case_timeout(0)
				ready = false;
			case_recv(p->c) {
			}
		}
		return ready;
	case 3:
		/* A wait that may only end by the timer if nothing is ready when it begins. */
		chan_select {
			case_recv(p->c) {
			}
			case_recv(p->d) {
			}
			case_timeout(LEAT_HOUR)
				ready = false;
		}
		return ready;
	default:
		for (int i = 0; i < 12; i++)
			cases[i] = (leat_case){i % 3 ? (leat_chan *)(void *)(i % 2 ? p->c : p->d) : NULL,
			                       LEAT_RECV, NULL};
		return leat_select(cases, 12, 0, NULL) != LEAT_SELECT_NONE;
	}
}

static void prober(void *p)
{
	struct prober *a = p;

	chan_range(q, a->in)
		chan_send(a->result, found(&q));
	leat_waitgroup_done(&a->wg);
}

static void race(enum kind kind, int n, bool by_close)
{
	struct prober a = {chan_make(struct probe, 0), chan_make(bool, 1), {0}};

	leat_waitgroup_add(&a.wg, 1);
	start(kind, prober, &a);
	for (int i = 0; i < n; i++) {
		chan(int) c = chan_make(int, 1), d = chan_make(int, 1);

		chan_send(c, 1);
		chan_send(a.in, {c, d, i});
		if (by_close)
			chan_close(d);
		else
			chan_send(d, 1);
		/* From here on d is ready, until the prober takes its value; c may go. */
		chan_try_recv(c, NULL, NULL);
		CHECK(chan_recv(a.result));
		chan_free(c);
		chan_free(d);
	}
	chan_close(a.in);
	leat_waitgroup_wait(&a.wg);
	chan_free(a.in);
	chan_free(a.result);
}

TEST(line_62_default_beside_a_send)
{
	race(GOROUTINE, test_count(1000000), false);
}

TEST(line_62_default_beside_a_close)
{
	race(GOROUTINE, test_count(1000000), true);
}

TEST(line_62_default_beside_a_thread)
{
	race(THREAD, test_count(100000), false);
	race(THREAD, test_count(100000), true);
}

/* The mirror image: one of two has room at every instant. */
struct room {
	chan(struct probe) in;
	chan(int) result;
	leat_waitgroup wg;
};

static void room(void *p)
{
	struct room *a = p;

	chan_range(q, a->in) {
		int sent = 0;

		if (q.way % 2)
			chan_select {
				case_send(q.c, 2)
					sent = 1;
				case_send(q.d, 2)
					sent = 2;
				case_default {
				}
			}
		else
			chan_select {
				case_send(q.d, 2)
					sent = 2;
				case_timeout(0) {
				}
				case_send(q.c, 2)
					sent = 1;
			}
		chan_send(a->result, sent);
	}
	leat_waitgroup_done(&a->wg);
}

TEST(line_62_default_beside_a_receive)
{
	int n = test_count(500000);
	struct room a = {chan_make(struct probe, 0), chan_make(int, 1), {0}};
	chan(int) c = chan_make(int, 1), d = chan_make(int, 1);

	leat_waitgroup_add(&a.wg, 1);
	start(GOROUTINE, room, &a);
	for (int i = 0; i < n; i++) {
		int sent;

		/* c has room, d is full; d gets room before c is filled up. */
		CHECK(chan_try_send(d, 1));
		chan_send(a.in, {c, d, i});
		CHECK_EQ(chan_recv(d), 1);
		bool filled = chan_try_send(c, 1);
		sent = chan_recv(a.result);
		CHECK(sent == 1 || sent == 2);
		CHECK(filled || sent == 1);
		int v = 0;
		CHECK(chan_try_recv(sent == 1 ? c : d, &v, NULL));
		CHECK_EQ(v, 2);
		CHECK_EQ(chan_try_recv(sent == 1 ? d : c, &v, NULL), sent == 2);
	}
	chan_close(a.in);
	leat_waitgroup_wait(&a.wg);
	chan_free(a.in);
	chan_free(a.result);
	chan_free(c);
	chan_free(d);
}

TEST_MAIN
