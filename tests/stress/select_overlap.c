/* SPDX-License-Identifier: MIT */
/*
 * Goal: selects over overlapping sets of channels, in any order, cannot deadlock on each other's locks
 * (line 70), nor lose a wake-up.  Method: four channels, of capacity 0, 0, 2 and 3; every party
 * passes n values through each of them, the selecting ones in their own order of cases, setting
 * a channel to NULL when its share is done.
 */
#include "chan_help.h"

enum { CHANS = 4 };

struct party {
	chan(int) c[CHANS];
	int n, way;
	uint64_t seed;
	_Atomic long *sent, *got;
	leat_waitgroup *wg;
};

static void plain_sender(void *p)
{
	struct party *a = p;

	for (int i = 0; i < a->n; i++)
		chan_send(a->c[a->way], i);
	atomic_fetch_add(&a->sent[a->way], (long)a->n * (a->n - 1) / 2);
	leat_waitgroup_done(a->wg);
}

static void plain_receiver(void *p)
{
	struct party *a = p;
	long sum = 0;

	for (int i = 0; i < a->n; i++)
		sum += chan_recv(a->c[a->way]);
	atomic_fetch_add(&a->got[a->way], sum);
	leat_waitgroup_done(a->wg);
}

/* The orders in which the macros name the channels. */
static int send_macro(chan(int) *c, const int *v, int way)
{
	int k = -1;

	switch (way % 3) {
	case 0:
		chan_select {
			case_send(c[0], v[0])
				k = 0;
			case_send(c[1], v[1])
				k = 1;
			case_send(c[2], v[2])
				k = 2;
			case_send(c[3], v[3])
				k = 3;
		}
		break;
	case 1:
		chan_select {
			case_send(c[3], v[3])
				k = 3;
			case_send(c[2], v[2])
				k = 2;
			case_send(c[1], v[1])
				k = 1;
			case_send(c[0], v[0])
				k = 0;
		}
		break;
	default:
		chan_select {
			case_send(c[1], v[1])
				k = 1;
			case_send(c[3], v[3])
				k = 3;
			case_send(c[0], v[0])
				k = 0;
			case_send(c[1], v[1])
				k = 1;
			case_send(c[2], v[2])
				k = 2;
		}
	}
	return k;
}

static int recv_macro(chan(int) *c, int *v, int way)
{
	int k = -1, got = -1;

	switch (way % 3) {
	case 0:
		chan_select {
			case_recv(c[2], x) {
				k = 2;
				got = x;
			}
			case_recv(c[0], x) {
				k = 0;
				got = x;
			}
			case_recv(c[3], x) {
				k = 3;
				got = x;
			}
			case_recv(c[1], x) {
				k = 1;
				got = x;
			}
		}
		break;
	default:
		chan_select {
			case_recv(c[0], x) {
				k = 0;
				got = x;
			}
			case_recv(c[1], x) {
				k = 1;
				got = x;
			}
			case_recv(c[0], x) {
				k = 0;
				got = x;
			}
			case_recv(c[2], x) {
				k = 2;
				got = x;
			}
			case_recv(c[3], x) {
				k = 3;
				got = x;
			}
		}
	}
	*v = got;
	return k;
}

/* The array form over a random arrangement, with duplicates; returns the channel's index. */
static int any_array(struct party *a, enum leat_dir dir, int *values)
{
	leat_case cases[12];
	int which[12];
	size_t n = 4 + rnd_below(&a->seed, 9);

	for (size_t i = 0; i < n; i++) {
		/* The first four places hold all the channels, rotated; the rest is chance. */
		which[i] = i < CHANS ? (int)(i + n) % CHANS : (int)rnd_below(&a->seed, CHANS);
		cases[i] = (leat_case){(leat_chan *)(void *)a->c[which[i]], dir, &values[which[i]]};
	}
	for (size_t i = n; i-- > 1;) {
		size_t j = rnd_below(&a->seed, (unsigned)i + 1);
		leat_case c = cases[i];
		int w = which[i];

		cases[i] = cases[j];
		which[i] = which[j];
		cases[j] = c;
		which[j] = w;
	}
	return which[leat_select(cases, n, rnd_below(&a->seed, 2) ? LEAT_FOREVER : LEAT_HOUR, NULL)];
}

static void select_sender(void *p)
{
	struct party *a = p;
	int v[CHANS] = {0};

	for (int left = CHANS * a->n; left > 0; left--) {
		int k = a->way % 4 == 3 ? any_array(a, LEAT_SEND, v) : send_macro(a->c, v, a->way);

		CHECK(a->c[k]);
		atomic_fetch_add_explicit(&a->sent[k], v[k], memory_order_relaxed);
		if (++v[k] == a->n)
			a->c[k] = NULL;
	}
	leat_waitgroup_done(a->wg);
}

static void select_receiver(void *p)
{
	struct party *a = p;
	int count[CHANS] = {0};

	for (int left = CHANS * a->n; left > 0; left--) {
		int v[CHANS] = {0}, one = 0, k;

		if (a->way % 4 == 3) {
			k = any_array(a, LEAT_RECV, v);
			one = v[k];
		} else {
			k = recv_macro(a->c, &one, a->way);
		}
		CHECK(a->c[k]);
		atomic_fetch_add_explicit(&a->got[k], one, memory_order_relaxed);
		if (++count[k] == a->n)
			a->c[k] = NULL;
	}
	leat_waitgroup_done(a->wg);
}

static void overlap(int selectors, int n, int threads_every, uint64_t *state)
{
	static const int caps[CHANS] = {0, 0, 2, 3};
	static void (*const role[4])(void *) = {plain_sender, plain_receiver, select_sender,
	                                        select_receiver};
	static struct party party[64];
	_Atomic long sent[CHANS], got[CHANS];
	leat_waitgroup wg = {0};
	chan(int) c[CHANS];
	int count = 0;

	for (int i = 0; i < CHANS; i++) {
		c[i] = chan_make(int, caps[i]);
		atomic_store(&sent[i], 0);
		atomic_store(&got[i], 0);
	}
	leat_waitgroup_add(&wg, 2 * CHANS + 2 * selectors);
	for (int r = 0; r < 4; r++) {
		for (int i = 0; i < (r < 2 ? CHANS : selectors); i++) {
			struct party *a = &party[count++];

			*a = (struct party){{c[0], c[1], c[2], c[3]}, n, i, rnd(state), sent, got, &wg};
			start(threads_every && count % threads_every == 0 ? THREAD : GOROUTINE, role[r], a);
		}
	}
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < CHANS; i++) {
		CHECK_EQ(atomic_load(&sent[i]), atomic_load(&got[i]));
		CHECK_EQ(atomic_load(&sent[i]), (long)n * (n - 1) / 2 * (selectors + 1));
		CHECK_EQ(chan_len(c[i]), 0);
		chan_free(c[i]);
	}
}

TEST(line_70_ten_goroutines_four_channels)
{
	uint64_t state = seed();

	overlap(1, test_count(400000), 0, &state);
}

TEST(line_70_selects_in_every_order)
{
	uint64_t state = seed();

	overlap(4, test_count(200000), 0, &state);
	overlap(12, test_count(50000), 0, &state);
}

TEST(line_70_with_threads)
{
	uint64_t state = seed();

	overlap(4, test_count(40000), 3, &state);
	overlap(4, test_count(10000), 1, &state);
}

TEST_MAIN
