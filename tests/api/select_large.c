/* SPDX-License-Identifier: MIT */
/*
 * Goal: selects of more than 8 cases and more than 64 bytes of values, which need room beyond the
 * select object.  Method: macros written out for 20 cases; values of up to 4 KiB with a pattern.
 */
#include "chan_help.h"

#define CASE10(X, base)                                                                            \
	X(base + 0)                                                                                    \
	X(base + 1)                                                                                    \
	X(base + 2)                                                                                    \
	X(base + 3)                                                                                    \
	X(base + 4)                                                                                    \
	X(base + 5)                                                                                    \
	X(base + 6)                                                                                    \
	X(base + 7)                                                                                    \
	X(base + 8)                                                                                    \
	X(base + 9)

struct serve {
	chan(int) c;
	int v;
};

/* Serve main once it is parked: send v, or receive and compare with -v. */
static void serve(struct serve *a)
{
	test_parked(1);
	if (a->v > 0)
		chan_send(a->c, a->v);
	else
		CHECK_EQ(chan_recv(a->c), -a->v);
}

#define RECV_CASE(i)                                                                               \
	case_recv(c[i], v) {                                                                           \
		chosen = i;                                                                                \
		got = v;                                                                                   \
	}

static int recv_of_20(chan(int) *c, int *value)
{
	int chosen = -1, got = -1;

	chan_select {
		CASE10(RECV_CASE, 0)
		CASE10(RECV_CASE, 10)
	}
	*value = got;
	return chosen;
}

#define SEND_CASE(i)                                                                               \
	case_send(c[i], 1000 + i)                                                                      \
		chosen = i;

/* 20 values of 4 bytes are more than the 64 there is room for. */
static int send_of_20(chan(int) *c, int64_t wait)
{
	int chosen = -1;

	chan_select {
		CASE10(SEND_CASE, 0)
		case_timeout(wait)
			chosen = 100;
		CASE10(SEND_CASE, 10)
	}
	return chosen;
}

TEST(more_than_eight_cases)
{
	for (int cap = 0; cap < 2; cap++) {
		chan(int) c[20];

		for (int i = 0; i < 20; i++)
			c[i] = chan_make(int, cap);
		for (int i = 0; i < 20; i++) {
			int v = 0;

			/* Ready at once where there is a buffer, after a wait otherwise. */
			if (cap)
				chan_send(c[i], 50 + i);
			else
				go(serve, c[i], 50 + i);
			CHECK_EQ(recv_of_20(c, &v), i);
			CHECK_EQ(v, 50 + i);
			test_goroutines(1);
		}
		if (cap)
			for (int i = 0; i < 20; i++)
				chan_send(c[i], 1);
		CHECK_EQ(send_of_20(c, 0), 100);
		CHECK_EQ(send_of_20(c, LEAT_MILLISECOND), 100);
		for (int i = 0; i < 20; i++) {
			if (cap)
				CHECK_EQ(chan_recv(c[i]), 1);
			else
				go(serve, c[i], -(1000 + i));
			CHECK_EQ(send_of_20(c, LEAT_HOUR), i);
			if (cap) {
				CHECK_EQ(chan_recv(c[i]), 1000 + i);
				chan_send(c[i], 1);
			}
			test_goroutines(1);
		}
		for (int i = 0; i < 20; i++)
			chan_free(c[i]);
	}
}

struct large {
	uint64_t w[32];
};

struct huge {
	uint64_t w[512];
};

static struct large large(uint64_t seq)
{
	struct large v;

	for (size_t i = 0; i < 32; i++)
		v.w[i] = seq * 1000 + i;
	return v;
}

static struct huge huge(uint64_t seq)
{
	struct huge v;

	for (size_t i = 0; i < 512; i++)
		v.w[i] = seq * 100000 + i;
	return v;
}

static void check_large(const struct large *v, uint64_t seq)
{
	for (size_t i = 0; i < 32; i++)
		CHECK_EQ(v->w[i], seq * 1000 + i);
}

static void check_huge(const struct huge *v, uint64_t seq)
{
	for (size_t i = 0; i < 512; i++)
		CHECK_EQ(v->w[i], seq * 100000 + i);
}

struct pair {
	chan(struct large) l;
	chan(struct huge) h;
};

/* One select for both directions and both sizes, left by return and goto. */
static int exchange(struct pair in, struct pair out, uint64_t seq, bool *ok)
{
	chan_select {
		case_recv(in.l, v, is) {
			*ok = is;
			check_large(&v, 1);
			return 1;
		}
		case_send(out.h, huge(seq))
			return 2;
		case_recv(in.h, v, is) {
			*ok = is;
			check_huge(&v, 2);
			goto three;
		}
		case_send(out.l, large(seq + 1))
			return 4;
		case_default
			return 5;
	}
	return 0;
three:
	return 3;
}

static struct pair pair_make(int cap)
{
	return (struct pair){chan_make(struct large, cap), chan_make(struct huge, cap)};
}

static void pair_free(struct pair p)
{
	chan_free(p.l);
	chan_free(p.h);
}

TEST(large_values_ready)
{
	struct pair in = pair_make(4), out = pair_make(4), none = {NULL, NULL};
	bool ok = false;

	for (uint64_t i = 0; i < 300; i++) {
		chan_send(in.l, large(1));
		CHECK_EQ(exchange(in, none, i, &ok), 1);
		CHECK(ok);
		chan_send(in.h, huge(2));
		CHECK_EQ(exchange(in, none, i, &ok), 3);
		CHECK(ok);
		CHECK_EQ(exchange(none, (struct pair){out.l, NULL}, i, &ok), 4);
		CHECK_EQ(exchange(none, (struct pair){NULL, out.h}, i, &ok), 2);
		CHECK_EQ(exchange(in, none, i, &ok), 5);
		struct large l = chan_recv(out.l);
		check_large(&l, i + 1);
		struct huge h = chan_recv(out.h);
		check_huge(&h, i);
	}
	pair_free(in);
	pair_free(out);
}

struct stream {
	struct pair p;
	int n;
	leat_waitgroup *wg;
};

/* Sends and receives cross: each side selects over both all the time. */
static void peer(void *p)
{
	struct stream *a = p;
	uint64_t sent = 0, got = 0, n = (uint64_t)a->n;
	chan(struct large) l = a->p.l;
	chan(struct huge) h = a->p.h;

	while (sent < n || got < n) {
		chan_select {
			case_send_if(sent < n, l, large(sent))
				sent++;
			case_recv_if(got < n, h, v, ok) {
				CHECK(ok);
				check_huge(&v, got);
				got++;
			}
		}
	}
	leat_waitgroup_done(a->wg);
}

TEST(large_values_parked)
{
	int n = test_count(20000);
	leat_waitgroup wg = {0};

	for (int k = 0; k < KINDS; k++) {
		for (int cap = 0; cap < 3; cap += 2) {
			struct pair p = pair_make(cap);
			struct stream a = {p, n, &wg};
			uint64_t sent = 0, got = 0;

			leat_waitgroup_add(&wg, 1);
			start(k, peer, &a);
			while (sent < (uint64_t)n || got < (uint64_t)n) {
				chan_select {
					case_recv_if(got < (uint64_t)n, p.l, v) {
						check_large(&v, got);
						got++;
					}
					case_send_if(sent < (uint64_t)n, p.h, huge(sent))
						sent++;
				}
			}
			leat_waitgroup_wait(&wg);
			pair_free(p);
		}
	}
}

/* The room beyond the select object is the select's own: operands and bodies may select too. */
static uint64_t relay(chan(struct huge) in, chan(struct huge) out, int depth)
{
	uint64_t first = 0;

	chan_select {
		case_recv(in, v, ok) {
			CHECK(ok);
			first = v.w[0];
			if (depth > 0)
				first += relay(in, out, depth - 1);
			chan_select {
				case_send(out, v) {
				}
				case_send((chan(struct huge))NULL, huge(9)) {
				}
				case_recv((chan(struct huge))NULL) {
				}
			}
			CHECK_EQ(v.w[511], v.w[0] + 511);
		}
		case_send((chan(struct huge))NULL, huge(7)) {
		}
	}
	return first;
}

static struct huge relayed(chan(struct huge) in, chan(struct huge) out)
{
	struct huge v;

	relay(in, out, 2);
	for (int i = 0; i < 2; i++)
		chan_recv(out);
	v = chan_recv(out);
	return v;
}

TEST(large_selects_nest)
{
	chan(struct huge) in = chan_make(struct huge, 8), out = chan_make(struct huge, 8);
	int turn = 0;

	for (int i = 0; i < 4; i++)
		chan_send(in, huge((uint64_t)i));
	CHECK_EQ(relay(in, out, 3), 0 + 100000 + 200000 + 300000);
	for (uint64_t i = 4; i-- > 0;) {
		struct huge v = chan_recv(out);
		check_huge(&v, i);
	}
	for (; turn < 50; turn++) {
		for (int i = 0; i < 3; i++)
			chan_send(in, huge((uint64_t)(turn + i)));
		chan_select {
			case_send((chan(struct huge))NULL, huge(1))
				CHECK(turn < 0);
			/* Selects twice while this one has registered a value already. */
			case_send(out, relayed(in, out)) {
			}
			case_recv((chan(struct huge))NULL, v)
				CHECK(v.w[0] == 1);
		}
		struct huge v = chan_recv(out);
		check_huge(&v, (uint64_t)turn);
	}
	chan_free(in);
	chan_free(out);
}

/* The operand parks, so that the select may have begun on one thread and go on upon another. */
static struct huge slow(uint64_t seq)
{
	leat_sleep(10 * LEAT_MICROSECOND);
	leat_yield();
	return huge(seq);
}

struct slow_user {
	int n;
	leat_waitgroup *wg;
};

static void slow_user(void *p)
{
	struct slow_user *a = p;
	chan(struct huge) c = chan_make(struct huge, 1);

	for (int i = 0; i < a->n; i++) {
		chan_select {
			case_send(c, slow((uint64_t)i)) {
			}
			case_send((chan(struct huge))NULL, slow(1)) {
			}
		}
		chan_select {
			case_send((chan(struct huge))NULL, slow(2)) {
			}
			case_recv(c, v)
				check_huge(&v, (uint64_t)i);
		}
	}
	chan_free(c);
	leat_waitgroup_done(a->wg);
}

TEST(large_operands_may_park)
{
	leat_waitgroup wg = {0};
	struct slow_user a = {test_count(500), &wg};

	leat_waitgroup_add(&wg, 12);
	for (int i = 0; i < 12; i++)
		start(i % 4 == 3 ? THREAD : GOROUTINE, slow_user, &a);
	leat_waitgroup_wait(&wg);
}

TEST_MAIN
