/* SPDX-License-Identifier: MIT */
/*
 * Goal: every way to send meets every way to receive.  Method: all pairs of forms, on goroutines and
 * threads, at several capacities, in both orders of arrival and then at full speed.
 */
#include "chan_help.h"

/* What it takes to do one operation some way; dummies are never ready. */
struct party {
	chan(long) c, dummy[3];
	long n, sum;
	int form;
	leat_waitgroup *wg;
};

enum { PLAIN, TRY, ONE, TWO, THREE, TWELVE, ARRAY1, ARRAY3, ARRAY20, TIMED, FORMS };

static void send_array(struct party *a, size_t n, long v)
{
	leat_case cases[20];
	long spare;

	for (size_t i = 0; i < n; i++)
		cases[i] = (leat_case){(leat_chan *)(void *)a->dummy[i % 3], i % 2 ? LEAT_SEND : LEAT_RECV,
		                       &spare};
	cases[n / 2] = (leat_case){(leat_chan *)(void *)a->c, LEAT_SEND, &v};
	spare = -1;
	CHECK_EQ(leat_select(cases, n, LEAT_FOREVER, NULL), n / 2);
}

static long recv_array(struct party *a, size_t n)
{
	leat_case cases[20];
	long spare = -1, v = -1;
	bool ok = false;

	for (size_t i = 0; i < n; i++)
		cases[i] = (leat_case){(leat_chan *)(void *)a->dummy[i % 3], i % 2 ? LEAT_SEND : LEAT_RECV,
		                       &spare};
	cases[n / 2] = (leat_case){(leat_chan *)(void *)a->c, LEAT_RECV, &v};
	CHECK_EQ(leat_select(cases, n, LEAT_FOREVER, &ok), n / 2);
	CHECK(ok);
	return v;
}

/* clang-format off */
#define IDLE_RECV(i) case_recv(a->dummy[i]) CHECK(!a);
#define IDLE_SEND(i) case_send(a->dummy[i], -1) CHECK(!a);
/* clang-format on */

static void send_by(struct party *a, long v)
{
	switch (a->form) {
	case PLAIN:
		chan_send(a->c, v);
		break;
	case TRY:
		test_until(chan_try_send(a->c, v));
		break;
	case ONE:
		chan_select {
			case_send(a->c, v) {
			}
		}
		break;
	case TWO:
		chan_select {
			IDLE_RECV(0)
			case_send(a->c, v) {
			}
		}
		break;
	case THREE:
		chan_select {
			case_send(a->c, v) {
			}
			IDLE_SEND(1)
			IDLE_RECV(0)
		}
		break;
	case TWELVE:
		chan_select {
			IDLE_RECV(0)
			IDLE_RECV(1)
			IDLE_RECV(2)
			IDLE_SEND(0)
			IDLE_SEND(1)
			IDLE_SEND(2)
			IDLE_RECV(0)
			IDLE_RECV(1)
			IDLE_RECV(2)
			IDLE_SEND(0)
			IDLE_SEND(1)
			case_send(a->c, v) {
			}
		}
		break;
	case TIMED:
		for (bool sent = false; !sent;) {
			chan_select {
				case_send(a->c, v)
					sent = true;
				case_timeout(LEAT_SECOND)
					CHECK(!sent);
			}
		}
		break;
	default:
		send_array(a, a->form == ARRAY1 ? 1 : a->form == ARRAY3 ? 3 : 20, v);
	}
}

static long recv_by(struct party *a)
{
	long got = -1;
	bool ok = false;

	switch (a->form) {
	case PLAIN:
		CHECK(chan_recv_ok(a->c, &got));
		return got;
	case TRY:
		test_until(chan_try_recv(a->c, &got, &ok));
		CHECK(ok);
		return got;
	case ONE:
		chan_select {
			case_recv(a->c, v)
				return v;
		}
		break;
	case TWO:
		chan_select {
			case_recv(a->c, v, is) {
				CHECK(is);
				got = v;
				break;
			}
			IDLE_SEND(0)
		}
		return got;
	case THREE:
		chan_select {
			IDLE_RECV(0)
			case_recv(a->c, v)
				got = v;
			IDLE_SEND(2)
		}
		return got;
	case TWELVE:
		chan_select {
			IDLE_RECV(0)
			IDLE_RECV(1)
			IDLE_RECV(2)
			IDLE_SEND(0)
			IDLE_SEND(1)
			case_recv(a->c, v)
				got = v;
			IDLE_SEND(2)
			IDLE_RECV(0)
			IDLE_RECV(1)
			IDLE_RECV(2)
			IDLE_SEND(0)
			IDLE_SEND(1)
		}
		return got;
	case TIMED:
		for (;;) {
			chan_select {
				case_timeout(LEAT_SECOND)
					CHECK(got < 0);
				case_recv(a->c, v)
					return v;
			}
		}
	default:
		return recv_array(a, a->form == ARRAY1 ? 1 : a->form == ARRAY3 ? 3 : 20);
	}
	return got;
}

static void send_party(void *p)
{
	struct party *a = p;

	for (long i = 1; i <= a->n; i++)
		send_by(a, i);
	leat_waitgroup_done(a->wg);
}

static void recv_party(void *p)
{
	struct party *a = p;

	for (long i = 1; i <= a->n; i++) {
		long v = recv_by(a);

		CHECK_EQ(v, i);
		a->sum += v;
	}
	leat_waitgroup_done(a->wg);
}

/* Each party has its own three, or their idle cases would meet. */
static chan(long) dummy[6];

/* first: which side is known to be parked before the other starts; 0 neither, 1 send, 2 receive. */
static void meet(int s, int r, enum kind ks, enum kind kr, int cap, int first, long n)
{
	chan(long) c = chan_make(long, cap);
	leat_waitgroup wg = {0};
	struct party in = {c, {dummy[0], dummy[1], dummy[2]}, n, 0, s, &wg};
	struct party out = {c, {dummy[3], dummy[4], dummy[5]}, n, 0, r, &wg};
	size_t base = leat_num_parked();

	leat_waitgroup_add(&wg, 2);
	if (first == 2) {
		start(kr, recv_party, &out);
		if (r != TRY)
			test_parked(base + 1);
		start(ks, send_party, &in);
	} else {
		start(ks, send_party, &in);
		if (first == 1 && s != TRY && cap == 0)
			test_parked(base + 1);
		start(kr, recv_party, &out);
	}
	leat_waitgroup_wait(&wg);
	CHECK_EQ(out.sum, n * (n + 1) / 2);
	for (int i = 0; i < 6; i++) {
		CHECK(!chan_try_recv(dummy[i], NULL, NULL));
		CHECK(!chan_try_send(dummy[i], 1));
	}
	CHECK_EQ(chan_len(c), 0);
	chan_free(c);
}

static void make_dummies(void)
{
	for (int i = 0; i < 6; i++)
		dummy[i] = chan_make(long, 0);
}

static void free_dummies(void)
{
	for (int i = 0; i < 6; i++)
		chan_free(dummy[i]);
}

TEST(line_68_every_pair_of_forms_meets_parked)
{
	make_dummies();
	for (int s = 0; s < FORMS; s++)
		for (int r = 0; r < FORMS; r++)
			for (int kinds = 0; kinds < KINDS * KINDS; kinds++)
				for (int first = 1; first <= 2; first++)
					if (s != TRY || r != TRY)
						meet(s, r, kinds / KINDS, kinds % KINDS, 0, first, 1);
	free_dummies();
}

TEST(line_68_every_pair_of_forms_at_speed)
{
	make_dummies();
	for (int s = 0; s < FORMS; s++)
		for (int r = 0; r < FORMS; r++)
			for (int cap = 0; cap <= 6; cap += 3)
				if (s != TRY || r != TRY || cap > 0)
					meet(s, r, GOROUTINE, GOROUTINE, cap, 0, test_count(5000));
	free_dummies();
}

TEST(line_68_every_pair_of_forms_with_threads)
{
	make_dummies();
	for (int s = 0; s < FORMS; s++) {
		for (int r = 0; r < FORMS; r++) {
			int cap = (s + r) % 3;

			if (s == TRY && r == TRY)
				cap = 1;
			meet(s, r, THREAD, (s + r) % 2 ? THREAD : GOROUTINE, cap, 0, test_count(500));
			meet(s, r, GOROUTINE, THREAD, cap, 0, test_count(500));
		}
	}
	free_dummies();
}

TEST_MAIN
