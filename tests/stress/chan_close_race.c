/* SPDX-License-Identifier: MIT */
/*
 * Goal: a close in the midst of traffic loses nothing and leaves nothing.  Method: senders send until
 * they panic and add up what was sent, receivers receive until the close and add up what came; the
 * two sums must agree in every round, whatever the moment of the close.
 */
#include "chan_help.h"

struct round {
	chan(int) c;
	_Atomic long sent, received;
	_Atomic int panics;
	leat_waitgroup wg;
};

struct worker {
	struct round *r;
	int way, pause;
};

static void send_until_closed(void *p)
{
	struct worker *w = p;
	struct round *r = w->r;

	for (int i = 1;; i++) {
		bool done = true;
		int v = i & 0xffff;

		switch ((w->way + i) % 4) {
		case 0:
			chan_send(r->c, v);
			break;
		case 1:
			done = chan_try_send(r->c, v);
			break;
		case 2:
			chan_select {
				case_send(r->c, v) {
				}
				case_timeout(20 * LEAT_MICROSECOND)
					done = false;
			}
			break;
		default:
			chan_select {
				case_send(r->c, v) {
				}
				case_send(r->c, v) {
				}
				case_recv((chan(int))NULL) {
				}
			}
		}
		if (done)
			atomic_fetch_add_explicit(&r->sent, v, memory_order_relaxed);
		else
			leat_yield();
	}
}

static void sender(void *p)
{
	struct worker w = *(struct worker *)p;
	leat_panic_info info;

	free(p);
	CHECK(leat_catch(send_until_closed, &w, &info));
	CHECK_STR(info.message, "send on closed channel");
	CHECK_EQ(info.goid, leat_goid());
	atomic_fetch_add(&w.r->panics, 1);
	leat_waitgroup_done(&w.r->wg);
}

static void receiver(void *p)
{
	struct worker w = *(struct worker *)p;
	struct round *r = w.r;
	long sum = 0;

	free(p);
	for (int i = 0;; i++) {
		int v = 0;
		bool ok = false, got = true;

		switch ((w.way + i) % 4) {
		case 0:
			ok = chan_recv_ok(r->c, &v);
			break;
		case 1:
			got = chan_try_recv(r->c, &v, &ok);
			break;
		case 2:
			chan_select {
				case_recv(r->c, x, is) {
					v = x;
					ok = is;
				}
				case_timeout(20 * LEAT_MICROSECOND)
					got = false;
			}
			break;
		default:
			chan_select {
				case_recv((chan(int))NULL) {
				}
				case_recv(r->c, x, is) {
					v = x;
					ok = is;
				}
				case_recv(r->c, x, is) {
					v = x;
					ok = is;
				}
			}
		}
		if (!got) {
			leat_yield();
			continue;
		}
		if (!ok) {
			CHECK_EQ(v, 0);
			break;
		}
		sum += v;
	}
	atomic_fetch_add(&r->received, sum);
	leat_waitgroup_done(&r->wg);
}

static void closer(void *p)
{
	struct worker w = *(struct worker *)p;

	free(p);
	for (int i = 0; i < w.pause; i++)
		leat_yield();
	chan_close(w.r->c);
	leat_waitgroup_done(&w.r->wg);
}

static void begin(enum kind kind, void (*fn)(void *), struct round *r, int way, int pause)
{
	struct worker *w = malloc(sizeof *w);

	CHECK(w);
	*w = (struct worker){r, way, pause};
	leat_waitgroup_add(&r->wg, 1);
	start(kind, fn, w);
}

static void one_round(uint64_t *state, bool threads)
{
	struct round r = {.c = chan_make(int, rnd_below(state, 5))};
	int senders = 1 + (int)rnd_below(state, 4), receivers = 1 + (int)rnd_below(state, 4);
	int total = senders + receivers + 1, close_at = (int)rnd_below(state, (unsigned)total);

	leat_waitgroup_add(&r.wg, 1);
	for (int i = 0; i < total; i++) {
		enum kind kind = threads && rnd_below(state, 3) == 0 ? THREAD : GOROUTINE;

		if (i == close_at)
			begin(kind, closer, &r, 0, (int)rnd_below(state, 30));
		else if (senders > 0 && (receivers == 0 || rnd_below(state, 2)))
			begin(kind, sender, &r, senders--, 0);
		else
			begin(kind, receiver, &r, receivers--, 0);
	}
	leat_waitgroup_done(&r.wg);
	leat_waitgroup_wait(&r.wg);
	CHECK_EQ(atomic_load(&r.sent), atomic_load(&r.received));
	CHECK_EQ(chan_len(r.c), 0);
	chan_free(r.c);
}

TEST(line_48_close_in_the_midst_of_goroutines)
{
	uint64_t state = seed();
	int n = test_count(12000);

	for (int i = 0; i < n; i++)
		one_round(&state, false);
	test_goroutines(1);
}

TEST(line_48_close_in_the_midst_of_threads)
{
	uint64_t state = seed();
	int n = test_count(2000);

	for (int i = 0; i < n; i++)
		one_round(&state, true);
	test_goroutines(1);
}

/* Many try to close; one succeeds, the others panic. */
static void close_it(void *c)
{
	leat_chan_close(c);
}

static void close_racer(void *p)
{
	struct worker w = *(struct worker *)p;
	leat_panic_info info;

	free(p);
	if (leat_catch(close_it, (void *)w.r->c, &info)) {
		CHECK_STR(info.message, "close of closed channel");
		atomic_fetch_add(&w.r->panics, 1);
	}
	leat_waitgroup_done(&w.r->wg);
}

TEST(line_45_one_close_wins)
{
	int n = test_count(5000);

	for (int i = 0; i < n; i++) {
		enum { CLOSERS = 6 };
		struct round r = {.c = chan_make(int, 0)};

		leat_waitgroup_add(&r.wg, 1);
		for (int k = 0; k < CLOSERS; k++)
			begin(i % 16 == 0 ? THREAD : GOROUTINE, close_racer, &r, 0, 0);
		CHECK_EQ(chan_recv(r.c), 0);
		leat_waitgroup_done(&r.wg);
		leat_waitgroup_wait(&r.wg);
		CHECK_EQ(atomic_load(&r.panics), CLOSERS - 1);
		chan_free(r.c);
	}
}

/* Line 51: one value held, somebody closes: a try always gets the one or the other. */
struct prober {
	chan(chan(int)) in;
	chan(int) result;
	leat_waitgroup wg;
};

static void prober(void *p)
{
	struct prober *a = p;

	chan_range(c, a->in) {
		chan_close(c);
		chan_send(a->result, 1);
	}
	leat_waitgroup_done(&a->wg);
}

TEST(line_51_try_receive_beside_a_close)
{
	int n = test_count(200000);

	for (int k = 0; k < KINDS; k++) {
		struct prober a = {chan_make(chan(int), 1), chan_make(int, 0), {0}};

		leat_waitgroup_add(&a.wg, 1);
		start(k, prober, &a);
		for (int i = 0; i < n; i++) {
			chan(int) c = chan_make(int, 1);
			bool chosen = false, ok = false;
			int v = -1;

			chan_send(c, 6);
			chan_send(a.in, c);
			for (int y = i % 3; y > 0; y--)
				leat_yield();
			if (i % 2) {
				chosen = chan_try_recv(c, &v, &ok);
			} else {
				chan_select {
					case_recv(c, x, is) {
						chosen = true;
						v = x;
						ok = is;
					}
					case_default {
					}
				}
			}
			CHECK(chosen);
			CHECK(ok);
			CHECK_EQ(v, 6);
			/* Now it is empty: not ready or closed, but never a value. */
			if (chan_try_recv(c, &v, &ok))
				CHECK(!ok);
			chan_recv(a.result);
			chan_free(c);
		}
		chan_close(a.in);
		leat_waitgroup_wait(&a.wg);
		chan_free(a.in);
		chan_free(a.result);
	}
}

TEST_MAIN
