/* SPDX-License-Identifier: MIT */
/*
 * Goal: exactly one case of a select fires, whoever races for it.  Method: every value is numbered and
 * marked off where it arrives; what was sent twice, lost, or received by its own sender shows.
 */
#include "chan_help.h"

enum { WAYS = 4 };

struct ends {
	chan(int) c[WAYS];
	chan(int) out;
	int n, way;
	leat_waitgroup *wg;
};

/* A four-way select of sends of one value. */
static void send_once(chan(int) *c, int v, int way)
{
	leat_case cases[9];

	switch (way % 3) {
	case 0:
		chan_select {
			case_send(c[0], v) {
			}
			case_send(c[1], v) {
			}
			case_send(c[2], v) {
			}
			case_send(c[3], v) {
			}
		}
		break;
	case 1:
		chan_select {
			case_send(c[3], v) {
			}
			case_send(c[0], v) {
			}
			case_timeout(LEAT_HOUR) {
			}
			case_send(c[2], v) {
			}
			case_send(c[1], v) {
			}
			case_send(c[0], v) {
			}
		}
		break;
	default:
		for (int i = 0; i < 9; i++)
			cases[i] = (leat_case){(leat_chan *)(void *)c[(i + v) % WAYS], LEAT_SEND, &v};
		leat_select(cases, 9, LEAT_FOREVER, NULL);
	}
}

static void four_way_sender(void *p)
{
	struct ends *a = p;

	for (int i = 0; i < a->n; i++)
		send_once(a->c, i, a->way < 3 ? a->way : i);
	for (int i = 0; i < WAYS; i++)
		chan_close(a->c[i]);
	leat_waitgroup_done(a->wg);
}

struct forward {
	chan(int) in, out;
	leat_waitgroup *wg;
};

static void forward(void *p)
{
	struct forward *a = p;

	chan_range(v, a->in)
		chan_send(a->out, v);
	leat_waitgroup_done(a->wg);
}

TEST(line_66_four_way_sends_deliver_once)
{
	int n = test_count(100000);
	char *seen = malloc((size_t)n);

	CHECK(seen);
	for (int turn = 0; turn < 4 * KINDS; turn++) {
		leat_waitgroup wg = {0};
		struct ends a = {.out = chan_make(int, 0), .n = n, .way = turn / KINDS, .wg = &wg};
		struct forward f[WAYS];

		memset(seen, 0, (size_t)n);
		leat_waitgroup_add(&wg, WAYS + 1);
		for (int i = 0; i < WAYS; i++) {
			a.c[i] = chan_make(int, 0);
			f[i] = (struct forward){a.c[i], a.out, &wg};
			start(turn % KINDS && i == 1 ? THREAD : GOROUTINE, forward, &f[i]);
		}
		start(turn % KINDS, four_way_sender, &a);
		for (int i = 0; i < n; i++) {
			int v = chan_recv(a.out);

			CHECK(v >= 0 && v < n);
			CHECK_EQ(seen[v]++, 0);
		}
		leat_waitgroup_wait(&wg);
		CHECK(!chan_try_recv(a.out, NULL, NULL));
		for (int i = 0; i < WAYS; i++)
			chan_free(a.c[i]);
		chan_free(a.out);
	}
	free(seen);
}

/* The other way round: plain senders race for one receiving select; the losers keep their values. */
struct feed {
	chan(int) c;
	int id, n;
	leat_waitgroup *wg;
};

static void feed(void *p)
{
	struct feed *a = p;

	for (int i = 0; i < a->n; i++)
		chan_send(a->c, a->id * 10000000 + i);
	leat_waitgroup_done(a->wg);
}

TEST(line_67_senders_race_for_a_parked_select)
{
	int n = test_count(50000);

	for (int turn = 0; turn < 2 * KINDS; turn++) {
		leat_waitgroup wg = {0};
		chan(int) c[WAYS];
		struct feed f[WAYS];
		int next[WAYS] = {0};

		leat_waitgroup_add(&wg, WAYS);
		for (int i = 0; i < WAYS; i++) {
			c[i] = chan_make(int, turn / KINDS ? i : 0);
			f[i] = (struct feed){c[i], i, n, &wg};
			start(turn % KINDS && i % 2 ? THREAD : GOROUTINE, feed, &f[i]);
		}
		for (int i = 0; i < WAYS * n; i++) {
			int from = -1, v = -1;

			chan_select {
				case_recv(c[0], x) {
					from = 0;
					v = x;
				}
				case_recv(c[1], x) {
					from = 1;
					v = x;
				}
				case_recv(c[2], x) {
					from = 2;
					v = x;
				}
				case_recv(c[3], x) {
					from = 3;
					v = x;
				}
			}
			CHECK_EQ(v, from * 10000000 + next[from]);
			next[from]++;
		}
		for (int i = 0; i < WAYS; i++)
			CHECK_EQ(next[i], n);
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < WAYS; i++) {
			CHECK(!chan_try_recv(c[i], NULL, NULL));
			CHECK(!chan_cap(c[i]) == !chan_try_send(c[i], 1));
			chan_free(c[i]);
		}
	}
}

/* Several selects on both sides of the same channels. */
struct party {
	chan(int) *c;
	_Atomic int *seen;
	int from, to;
	leat_waitgroup *wg;
};

static void select_sender(void *p)
{
	struct party *a = p;

	for (int i = a->from; i < a->to; i++)
		send_once(a->c, i, i);
	leat_waitgroup_done(a->wg);
}

static void select_receiver(void *p)
{
	struct party *a = p;

	for (int i = a->from; i < a->to; i++) {
		int got = -1;

		chan_select {
			case_recv(a->c[2], v)
				got = v;
			case_recv(a->c[0], v)
				got = v;
			case_recv(a->c[3], v)
				got = v;
			case_recv(a->c[1], v)
				got = v;
			case_recv(a->c[2], v)
				got = v;
		}
		CHECK_EQ(atomic_fetch_add(&a->seen[got], 1), 0);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_66_selects_meet_selects)
{
	enum { SIDE = 5 };
	int n = test_count(100000);
	_Atomic int *seen = calloc((size_t)n * SIDE, sizeof *seen);

	CHECK(seen);
	for (int threads = 0; threads < 2; threads++) {
		chan(int) c[WAYS];
		struct party s[SIDE], r[SIDE];
		leat_waitgroup wg = {0};

		for (int i = 0; i < n * SIDE; i++)
			atomic_store(&seen[i], 0);
		for (int i = 0; i < WAYS; i++)
			c[i] = chan_make(int, i < 2 ? 0 : i);
		leat_waitgroup_add(&wg, 2 * SIDE);
		for (int i = 0; i < SIDE; i++) {
			s[i] = (struct party){c, seen, i * n, (i + 1) * n, &wg};
			r[i] = s[i];
			start(threads && i == 0 ? THREAD : GOROUTINE, select_sender, &s[i]);
			start(threads && i < 2 ? THREAD : GOROUTINE, select_receiver, &r[i]);
		}
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < n * SIDE; i++)
			CHECK_EQ(atomic_load(&seen[i]), 1);
		for (int i = 0; i < WAYS; i++)
			chan_free(c[i]);
	}
	free(seen);
}

/* Line 65: two that send and receive on the same channel exchange with each other only. */
struct self {
	chan(int) c;
	int id, n;
	long sent, got;
	leat_waitgroup *wg;
};

static void self_select(void *p)
{
	struct self *a = p;
	bool unbuffered = chan_cap(a->c) == 0;

	for (int i = 0; i < a->n; i++) {
		if ((i + a->id) % 2)
			chan_select {
				case_send(a->c, a->id)
					a->sent++;
				case_recv(a->c, v) {
					CHECK(!unbuffered || v != a->id);
					CHECK(v == 0 || v == 1);
					a->got++;
				}
			}
		else
			chan_select {
				case_recv(a->c, v) {
					CHECK(!unbuffered || v != a->id);
					CHECK(v == 0 || v == 1);
					a->got++;
				}
				case_send(a->c, a->id)
					a->sent++;
			}
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_65_two_self_selects_exchange)
{
	int n = test_count(200000);

	for (int cap = 0; cap <= 10; cap += 5) {
		for (int threads = 0; threads < 3; threads++) {
			leat_waitgroup wg = {0};
			chan(int) c = chan_make(int, cap);
			struct self a = {c, 0, n, 0, 0, &wg}, b = {c, 1, n, 0, 0, &wg};

			leat_waitgroup_add(&wg, 2);
			start(threads > 0 ? THREAD : GOROUTINE, self_select, &a);
			start(threads > 1 ? THREAD : GOROUTINE, self_select, &b);
			leat_waitgroup_wait(&wg);
			CHECK_EQ(a.sent + b.sent, a.got + b.got + (long)chan_len(c));
			CHECK_EQ(a.sent + a.got, n);
			if (cap == 0) {
				CHECK_EQ(a.sent, b.got);
				CHECK_EQ(b.sent, a.got);
			}
			CHECK(a.sent > 0 && a.got > 0);
			chan_free(c);
		}
	}
}

TEST_MAIN
