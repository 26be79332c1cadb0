/* SPDX-License-Identifier: MIT */
/*
 * Goal: when sends and receives block, and who is served first.  Method: helpers are started one at
 * a time and are known to be parked before the next step; each says in an atomic how far it came.
 */
#include "chan_help.h"

struct party {
	chan(int) c;
	int v;
	_Atomic int done;
	int way; /* how to do it: 0 plain, 1 chan_select, 2 array form */
	chan(int) idle;
};

static void send_party(void *p)
{
	struct party *a = p;
	leat_case cases[] = {{(leat_chan *)(void *)a->c, LEAT_SEND, &a->v},
	                     {(leat_chan *)(void *)a->idle, LEAT_RECV, NULL}};

	if (a->way == 0) {
		chan_send(a->c, a->v);
	} else if (a->way == 1) {
		chan_select {
			case_recv(a->idle)
				CHECK(a->v != a->v);
			case_send(a->c, a->v) {
			}
		}
	} else {
		CHECK_EQ(leat_select(cases, 2, LEAT_FOREVER, NULL), 0);
	}
	atomic_store(&a->done, 1);
}

static void recv_party(void *p)
{
	struct party *a = p;
	leat_case cases[] = {{(leat_chan *)(void *)a->c, LEAT_RECV, &a->v},
	                     {(leat_chan *)(void *)a->idle, LEAT_RECV, NULL}};

	if (a->way == 0) {
		a->v = chan_recv(a->c);
	} else if (a->way == 1) {
		chan_select {
			case_recv(a->c, v)
				a->v = v;
			case_recv(a->idle)
				CHECK(a->v != a->v);
		}
	} else {
		CHECK_EQ(leat_select(cases, 2, LEAT_FOREVER, NULL), 0);
	}
	atomic_store(&a->done, 1);
}

TEST(line_38_send_blocks_iff_full_and_receive_iff_empty)
{
	for (int cap = 0; cap <= 200; cap++) {
		chan(int) c = chan_make(int, cap);
		struct party out = {.c = c}, in = {.c = c, .v = cap};
		size_t base = leat_num_parked();
		int v = -1;
		bool ok = false;

		/* Empty: a receive blocks, a try fails; a send finds the receiver whatever cap is. */
		CHECK(!chan_try_recv(c, &v, &ok));
		start(cap % KINDS, recv_party, &out);
		test_parked(base + 1);
		CHECK_EQ(atomic_load(&out.done), 0);
		chan_send(c, 77);
		test_until(atomic_load(&out.done));
		CHECK_EQ(out.v, 77);

		/* Room for exactly cap. */
		for (int i = 0; i < cap; i++) {
			if (i % 2)
				CHECK(chan_try_send(c, i));
			else
				chan_send(c, i);
			CHECK_EQ(chan_len(c), i + 1);
		}
		CHECK(!chan_try_send(c, -1));
		start(cap % KINDS, send_party, &in);
		test_parked(base + 1);
		CHECK(!chan_try_send(c, -1));
		CHECK_EQ(chan_len(c), cap);
		CHECK_EQ(atomic_load(&in.done), 0);

		/* One receive lets it through. */
		CHECK_EQ(chan_recv(c), 0);
		test_until(atomic_load(&in.done));
		for (int i = 1; i <= cap; i++) {
			if (i % 2) {
				CHECK_EQ(chan_recv(c), i);
			} else {
				CHECK(chan_try_recv(c, &v, &ok));
				CHECK(ok);
				CHECK_EQ(v, i);
			}
		}
		CHECK(!chan_try_recv(c, &v, &ok));

		/* Closed: nothing blocks. */
		chan_close(c);
		CHECK(!chan_recv_ok(c, &v));
		chan_free(c);
	}
}

/* A waiting party of the other side makes a try succeed at cap 0. */
TEST(line_38_tries_meet_parked_parties)
{
	chan(int) idle = chan_make(int, 0);

	for (int i = 0; i < 3 * KINDS; i++) {
		chan(int) c = chan_make(int, 0);
		struct party a = {.c = c, .v = 9, .way = i / KINDS, .idle = idle};
		size_t base = leat_num_parked();
		int v = 0;
		bool ok = false;

		start(i % KINDS, recv_party, &a);
		test_parked(base + 1);
		CHECK(chan_try_send(c, 3));
		CHECK(!chan_try_send(c, 4));
		test_until(atomic_load(&a.done));
		CHECK_EQ(a.v, 3);

		a = (struct party){.c = c, .v = 9, .way = i / KINDS, .idle = idle};
		start(i % KINDS, send_party, &a);
		test_parked(base + 1);
		CHECK(chan_try_recv(c, &v, &ok));
		CHECK(ok);
		CHECK_EQ(v, 9);
		CHECK(!chan_try_recv(c, &v, &ok));
		test_until(atomic_load(&a.done));
		chan_free(c);
	}
	chan_free(idle);
}

struct stream {
	chan(int) c;
	int id, n;
	leat_waitgroup *wg;
};

static void stream(void *p)
{
	struct stream *a = p;

	for (int i = 0; i < a->n; i++)
		chan_send(a->c, a->id * 1000000 + i);
	leat_waitgroup_done(a->wg);
}

TEST(line_39_one_senders_values_arrive_in_order)
{
	static const int caps[] = {0, 1, 2, 7, 100, 200};
	int n = test_count(30000);
	leat_waitgroup wg = {0};

	for (size_t k = 0; k < sizeof caps / sizeof caps[0]; k++) {
		enum { SENDERS = 3 };
		chan(int) c = chan_make(int, caps[k]);
		struct stream s[SENDERS];
		int next[SENDERS] = {0};

		leat_waitgroup_add(&wg, SENDERS);
		for (int i = 0; i < SENDERS; i++) {
			s[i] = (struct stream){c, i, n, &wg};
			start(i == 2 ? THREAD : GOROUTINE, stream, &s[i]);
		}
		for (int i = 0; i < SENDERS * n; i++) {
			int v = chan_recv(c);

			CHECK_EQ(v % 1000000, next[v / 1000000]);
			next[v / 1000000]++;
		}
		leat_waitgroup_wait(&wg);
		chan_free(c);
	}
}

TEST(line_39_a_buffer_is_fifo_wherever_it_wraps)
{
	for (int cap = 1; cap <= 9; cap++) {
		chan(int) c = chan_make(int, cap);
		int sent = 0, got = 0;

		for (int round = 0; round < 100; round++) {
			int fill = round * 7 % cap + 1, drain = round * 5 % cap + 1;

			while (fill-- > 0 && chan_try_send(c, sent))
				sent++;
			while (drain-- > 0 && sent > got)
				CHECK_EQ(chan_recv(c), got++);
			CHECK_EQ(chan_len(c), sent - got);
		}
		chan_free(c);
	}
}

enum { QUEUE = 24 };

TEST(line_40_blocked_senders_are_served_in_order)
{
	chan(int) idle = chan_make(int, 0);

	for (int cap = 0; cap < 4; cap++) {
		chan(int) c = chan_make(int, cap);
		struct party a[QUEUE];
		size_t base = leat_num_parked();

		for (int i = 0; i < cap; i++)
			chan_send(c, i);
		for (int i = 0; i < QUEUE; i++) {
			a[i] = (struct party){.c = c, .v = cap + i, .way = i % 3, .idle = idle};
			start(i % 4 == 3 ? THREAD : GOROUTINE, send_party, &a[i]);
			test_parked(base + (size_t)i + 1);
		}
		for (int i = 0; i < cap + QUEUE; i++)
			CHECK_EQ(chan_recv(c), i);
		for (int i = 0; i < QUEUE; i++)
			test_until(atomic_load(&a[i].done));
		chan_free(c);
	}
	chan_free(idle);
}

TEST(line_40_blocked_receivers_are_served_in_order)
{
	chan(int) idle = chan_make(int, 0);

	for (int cap = 0; cap < 4; cap++) {
		chan(int) c = chan_make(int, cap);
		struct party a[QUEUE];
		size_t base = leat_num_parked();

		for (int i = 0; i < QUEUE; i++) {
			a[i] = (struct party){.c = c, .v = -1, .way = i % 3, .idle = idle};
			start(i % 4 == 3 ? THREAD : GOROUTINE, recv_party, &a[i]);
			test_parked(base + (size_t)i + 1);
		}
		for (int i = 0; i < QUEUE; i++) {
			chan_send(c, 100 + i);
			CHECK_EQ(chan_len(c), 0);
		}
		for (int i = 0; i < QUEUE; i++) {
			test_until(atomic_load(&a[i].done));
			CHECK_EQ(a[i].v, 100 + i);
		}
		chan_free(c);
	}
	chan_free(idle);
}

TEST(line_41_receive_from_full_lets_the_first_sender_in)
{
	enum { WAITING = 4 };
	chan(int) idle = chan_make(int, 0);

	for (int cap = 1; cap <= 6; cap++) {
		/* turn shifts where in the buffer the head is */
		for (int turn = 0; turn < cap; turn++) {
			chan(int) c = chan_make(int, cap);
			struct party a[WAITING];
			size_t base = leat_num_parked();

			for (int i = 0; i < turn; i++) {
				chan_send(c, -1);
				chan_recv(c);
			}
			for (int i = 0; i < cap; i++)
				chan_send(c, i);
			for (int i = 0; i < WAITING; i++) {
				a[i] = (struct party){.c = c, .v = cap + i, .way = i % 3, .idle = idle};
				start((i + turn) % KINDS, send_party, &a[i]);
				test_parked(base + (size_t)i + 1);
			}
			for (int i = 0; i < WAITING; i++) {
				CHECK_EQ(chan_recv(c), i);
				CHECK_EQ(chan_len(c), cap);
				CHECK(!chan_try_send(c, -1));
				test_until(atomic_load(&a[i].done));
				for (int j = i + 1; j < WAITING; j++)
					CHECK_EQ(atomic_load(&a[j].done), 0);
			}
			for (int i = WAITING; i < WAITING + cap; i++)
				CHECK_EQ(chan_recv(c), i);
			CHECK_EQ(chan_len(c), 0);
			chan_free(c);
		}
	}
	chan_free(idle);
}

struct taker {
	chan(int) c, idle;
	int n;
	_Atomic int begun, done;
	int bad;
};

static void taker(void *p)
{
	struct taker *a = p;

	for (int i = 0; i < a->n; i++) {
		int got = -1;

		atomic_store(&a->begun, i + 1);
		if (i % 2) {
			got = chan_recv(a->c);
		} else {
			chan_select {
				case_recv(a->idle) {
				}
				case_recv(a->c, v)
					got = v;
			}
		}
		a->bad += got != i;
	}
	atomic_store(&a->done, 1);
}

TEST(line_42_a_send_goes_straight_to_the_waiting_receiver)
{
	int n = test_count(5000);
	chan(int) idle = chan_make(int, 0);

	for (int k = 0; k < 2 * KINDS; k++) {
		chan(int) c = chan_make(int, k / KINDS ? 4 : 0);
		struct taker a = {.c = c, .idle = idle, .n = n};
		size_t base = leat_num_parked();
		int thief = -1;

		start(k % KINDS, taker, &a);
		for (int i = 0; i < n; i++) {
			test_until(atomic_load(&a.begun) == i + 1);
			test_parked(base + 1);
			chan_send(c, i);
			CHECK_EQ(chan_len(c), 0);
			CHECK(!chan_try_recv(c, &thief, NULL));
		}
		test_until(atomic_load(&a.done));
		CHECK_EQ(a.bad, 0);
		chan_free(c);
	}
	chan_free(idle);
}

TEST(line_43_unbuffered_send_waits_for_its_receiver)
{
	chan(int) traffic = chan_make(int, 1);
	chan(int) idle = chan_make(int, 0);

	for (int i = 0; i < 3 * KINDS; i++) {
		chan(int) c = chan_make(int, 0);
		struct party a = {.c = c, .v = i, .way = i / KINDS, .idle = idle};
		size_t base = leat_num_parked();

		start(i % KINDS, send_party, &a);
		test_parked(base + 1);
		for (int j = 0; j < 1000; j++) {
			chan_send(traffic, j);
			leat_yield();
			CHECK_EQ(chan_recv(traffic), j);
			CHECK_EQ(atomic_load(&a.done), 0);
		}
		CHECK_EQ(leat_num_parked(), base + 1);
		CHECK_EQ(chan_recv(c), i);
		test_until(atomic_load(&a.done));
		chan_free(c);
	}
	chan_free(traffic);
	chan_free(idle);
}

struct order {
	chan(int) c, turn;
	int n;
	int *mark;
	leat_waitgroup *wg;
};

static void mark_then_receive(void *p)
{
	struct order *a = p;

	for (int i = 1; i <= a->n; i++) {
		for (int j = i % 5; j > 0; j--)
			leat_yield();
		*a->mark = i;
		CHECK_EQ(chan_recv(a->c), i);
		CHECK_EQ(chan_recv(a->turn), i);
	}
	leat_waitgroup_done(a->wg);
}

/* What the receiver did before its receive is done when the send returns; TSan sees it so too. */
TEST(line_43_receive_happens_before_the_send_returns)
{
	int n = test_count(50000);
	leat_waitgroup wg = {0};

	for (int k = 0; k < KINDS; k++) {
		chan(int) c = chan_make(int, 0), turn = chan_make(int, 0);
		int mark = 0;
		struct order a = {c, turn, n, &mark, &wg};

		leat_waitgroup_add(&wg, 1);
		start(k, mark_then_receive, &a);
		for (int i = 1; i <= n; i++) {
			chan_send(c, i);
			CHECK_EQ(mark, i);
			chan_send(turn, i);
		}
		leat_waitgroup_wait(&wg);
		chan_free(c);
		chan_free(turn);
	}
}

TEST_MAIN
