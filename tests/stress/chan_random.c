/* SPDX-License-Identifier: MIT */
/*
 * Goal: everything at once keeps the promises of channels.  Method: random channels, random parties
 * (goroutines and threads, senders that also receive, receivers by every form, time-outs that expire).
 * Every message is marked off once; what one receiver takes from one channel is in the order of
 * each sender; payload bytes follow from the number.  A round's choices all come from one seed.
 */
#include "chan_help.h"

enum {
	CHANS = 6,
	SENDERS = 10,
	RECEIVERS = 8,
	PARTIES = SENDERS + RECEIVERS + CHANS,
	MOST_BYTES = 300
};

struct message {
	uint32_t sender, seq, channel;
};

union box {
	struct message m;
	unsigned char bytes[MOST_BYTES];
};

struct world {
	leat_chan *c[CHANS];
	size_t bytes[CHANS];
	int messages; /* of each sender */
	_Atomic unsigned char *seen;
	_Atomic long received;
	leat_waitgroup senders, all;
};

struct party {
	struct world *w;
	int id;
	uint64_t state;
	leat_chan *open[CHANS];
	int64_t last[CHANS][SENDERS];
	union box in[CHANS], out[CHANS];
};

static unsigned char pattern(const struct message *m, size_t i)
{
	return (unsigned char)(m->sender * 31 + m->seq * 7 + m->channel * 3 + i);
}

static void pack(struct party *a, int k, int seq)
{
	union box *b = &a->out[k];

	b->m = (struct message){(uint32_t)a->id, (uint32_t)seq, (uint32_t)k};
	for (size_t i = sizeof b->m; i < a->w->bytes[k]; i++)
		b->bytes[i] = pattern(&b->m, i);
}

/* What arrived through channel k, or its close. */
static void unpack(struct party *a, int k, bool ok)
{
	union box *b = &a->in[k];
	struct message m = b->m;

	if (!ok) {
		for (size_t i = 0; i < a->w->bytes[k]; i++)
			CHECK_EQ(b->bytes[i], 0);
		a->open[k] = NULL;
		return;
	}
	CHECK_EQ(m.channel, k);
	CHECK(m.sender < SENDERS && (int)m.seq < a->w->messages);
	for (size_t i = sizeof m; i < a->w->bytes[k]; i++)
		CHECK_EQ(b->bytes[i], pattern(&m, i));
	CHECK_EQ(atomic_fetch_add(&a->w->seen[(size_t)m.sender * (size_t)a->w->messages + m.seq], 1),
	         0);
	CHECK((int64_t)m.seq > a->last[k][m.sender]);
	a->last[k][m.sender] = m.seq;
	atomic_fetch_add_explicit(&a->w->received, 1, memory_order_relaxed);
}

/* Now and then long enough to park, now and then gone before anybody comes. */
static int64_t some_time(struct party *a)
{
	switch (rnd_below(&a->state, 4)) {
	case 0:
		return 0;
	case 1:
		return rnd_below(&a->state, 30) * LEAT_MICROSECOND;
	case 2:
		return LEAT_MILLISECOND;
	default:
		return LEAT_FOREVER;
	}
}

/* A random select; sends are allowed for senders.  True when the message went out. */
static bool some_select(struct party *a, bool sends, int receives)
{
	leat_case cases[16];
	int which[16];
	size_t n = 0, most = 1 + rnd_below(&a->state, 16);
	bool ok = false;
	int chosen;

	while (n < most) {
		int k = (int)rnd_below(&a->state, CHANS);
		bool send = sends && (n == 0 || (int)rnd_below(&a->state, 4) >= receives);

		which[n] = k;
		cases[n++] = (leat_case){send ? a->w->c[k] : a->open[k], send ? LEAT_SEND : LEAT_RECV,
		                         send ? (void *)&a->out[k] : (void *)&a->in[k]};
	}
	chosen = leat_select(cases, n, sends ? some_time(a) : 50 * LEAT_MICROSECOND, &ok);
	if (chosen == LEAT_SELECT_NONE)
		return false;
	if (cases[chosen].dir == LEAT_SEND)
		return true;
	unpack(a, which[chosen], ok);
	return false;
}

static void send_one(struct party *a, int seq)
{
	int k = (int)rnd_below(&a->state, CHANS);

	for (int i = 0; i < CHANS; i++)
		pack(a, i, seq);
	switch (rnd_below(&a->state, 4)) {
	case 0:
		leat_chan_send(a->w->c[k], &a->out[k]);
		return;
	case 1:
		if (!leat_chan_try_send(a->w->c[k], &a->out[k]))
			leat_chan_send(a->w->c[k], &a->out[k]);
		return;
	case 2:
		while (!some_select(a, true, 0))
			;
		return;
	default:
		while (!some_select(a, true, 2))
			;
	}
}

static void sender(void *p)
{
	struct party *a = p;

	for (int seq = 0; seq < a->w->messages; seq++)
		send_one(a, seq);
	leat_waitgroup_done(&a->w->senders);
	leat_waitgroup_done(&a->w->all);
}

static bool anything_open(struct party *a)
{
	for (int i = 0; i < CHANS; i++)
		if (a->open[i])
			return true;
	return false;
}

static void receive_all(struct party *a)
{
	leat_case cases[2 * CHANS];
	bool ok = false;
	int chosen;

	for (int i = 0; i < 2 * CHANS; i++)
		cases[i] = (leat_case){a->open[i % CHANS], LEAT_RECV, &a->in[i % CHANS]};
	chosen = leat_select(cases, CHANS + rnd_below(&a->state, CHANS + 1), LEAT_FOREVER, &ok);
	unpack(a, chosen % CHANS, ok);
}

static void receiver(void *p)
{
	struct party *a = p;

	while (anything_open(a)) {
		int k = (int)rnd_below(&a->state, CHANS);
		bool ok = false;

		switch (rnd_below(&a->state, 4)) {
		case 0:
			if (a->open[k]) {
				ok = leat_chan_recv(a->open[k], &a->in[k]);
				unpack(a, k, ok);
			}
			break;
		case 1:
			if (leat_chan_try_recv(a->open[k], &a->in[k], &ok))
				unpack(a, k, ok);
			break;
		case 2:
			some_select(a, false, 4);
			break;
		default:
			receive_all(a);
		}
	}
	leat_waitgroup_done(&a->w->all);
}

/* One per channel, so that no sender waits for ever on a channel that the others do not look at. */
static void drain(void *p)
{
	struct party *a = p;
	int k = a->id;

	while (a->open[k]) {
		bool ok = leat_chan_recv(a->open[k], &a->in[k]);

		unpack(a, k, ok);
		if (rnd_below(&a->state, 8) == 0)
			leat_yield();
	}
	leat_waitgroup_done(&a->w->all);
}

static void one_world(uint64_t *state, int messages, unsigned threads)
{
	struct world w = {.messages = messages};
	struct party *party = calloc(PARTIES, sizeof *party);

	w.seen = calloc((size_t)(SENDERS * messages), sizeof *w.seen);
	CHECK(party && w.seen);
	for (int i = 0; i < CHANS; i++) {
		w.bytes[i] = sizeof(struct message) + rnd_below(state, MOST_BYTES - sizeof(struct message));
		w.c[i] = leat_chan_make(w.bytes[i], rnd_below(state, 3) ? rnd_below(state, 6) : 0);
	}
	leat_waitgroup_add(&w.senders, SENDERS);
	leat_waitgroup_add(&w.all, PARTIES);
	for (int i = 0; i < PARTIES; i++) {
		struct party *a = &party[i];
		void (*fn)(void *) = i < SENDERS ? sender : i < SENDERS + RECEIVERS ? receiver : drain;

		a->w = &w;
		a->id = i < SENDERS ? i : i - SENDERS - RECEIVERS;
		a->state = rnd(state);
		memcpy(a->open, w.c, sizeof w.c);
		memset(a->last, 0xff, sizeof a->last);
		start(rnd_below(state, 100) < threads ? THREAD : GOROUTINE, fn, a);
	}
	leat_waitgroup_wait(&w.senders);
	for (int i = 0; i < CHANS; i++)
		leat_chan_close(w.c[i]);
	leat_waitgroup_wait(&w.all);
	CHECK_EQ(atomic_load(&w.received), (long)SENDERS * messages);
	for (int i = 0; i < SENDERS * messages; i++)
		CHECK_EQ(atomic_load(&w.seen[i]), 1);
	for (int i = 0; i < CHANS; i++) {
		CHECK_EQ(leat_chan_len(w.c[i]), 0);
		leat_chan_free(w.c[i]);
	}
	free((void *)w.seen);
	free(party);
	test_goroutines(1);
}

TEST(random_goroutines)
{
	uint64_t state = seed();
	int n = test_count(300000);

	for (int i = 0; i < 8; i++)
		one_world(&state, n / 8 + 1, 0);
}

TEST(random_goroutines_and_threads)
{
	uint64_t state = seed();
	int n = test_count(60000);

	for (int i = 0; i < 6; i++)
		one_world(&state, n / 6 + 1, i == 0 ? 100 : 30);
}

TEST_MAIN
