/* SPDX-License-Identifier: MIT */
/* CTEST: san */
/*
 * Goal: broadcasts under everything at once: senders whose contexts are cancelled and run out, subscribers that are
 * slow, that come and go while a send waits for them, and a close in the midst of it.
 * Method: who stays from the beginning to the end must have received or missed each value that anybody was given:
 * the same number for all of them, in orders that agree; and every value whose send returned 0 was missed by nobody.
 */
#include "chan_help.h"

#include <errno.h>

enum { SENDERS = 4, STAYERS = 3, GUESTS = 3 };

struct storm {
	broadcast_chan(int64_t) b;
	leat_ctx *ctx;
	int sends;
	atomic_int panicked;
	_Atomic int64_t given; /* how many sends returned 0 */
	leat_waitgroup sending, guests, staying;
	atomic_bool over;
};

struct sender {
	struct storm *s;
	int id, i;
	leat_ctx *ctx; /* of the send that goes on */
};

static int64_t pick_timeout(uint64_t *random)
{
	return (int64_t)rnd_below(random, 60) * LEAT_MICROSECOND;
}

static void send_all(void *p)
{
	struct sender *me = p;
	uint64_t random = leat_goid();

	for (; me->i < me->s->sends; me->i++) {
		int err;

		if (rnd_below(&random, 2))
			me->ctx = leat_ctx_with_timeout(me->s->ctx, pick_timeout(&random));
		err = broadcast_send_ctx(me->s->b, (int64_t)me->id << 32 | me->i, me->ctx);
		CHECK(err == 0 || err == -ETIMEDOUT || err == -ECANCELED);
		leat_ctx_free(me->ctx);
		me->ctx = NULL;
		if (err == 0)
			atomic_fetch_add(&me->s->given, 1);
	}
}

static void send_until_closed(void *p)
{
	struct sender *me = p;
	leat_panic_info info;

	if (leat_catch(send_all, me, &info)) {
		CHECK_STR(info.message, "send on closed broadcast");
		atomic_fetch_add(&me->s->panicked, 1);
		leat_ctx_free(me->ctx);
	}
	leat_waitgroup_done(&me->s->sending);
}

static void come_and_go(void *p)
{
	struct storm *s = p;
	uint64_t random = leat_goid();

	while (!atomic_load(&s->over)) {
		recv_chan(int64_t) c = broadcast_subscribe(s->b);

		for (unsigned n = rnd_below(&random, 5); n > 0; n--)
			(void)!chan_recv_ctx(c, NULL, s->ctx);
		for (unsigned n = rnd_below(&random, 5); n > 0; n--)
			leat_yield();
		broadcast_unsubscribe(s->b, c);
	}
	leat_waitgroup_done(&s->guests);
}

struct stayer {
	struct storm *s;
	recv_chan(int64_t) c;
	int64_t received, missed;
};

static void stay(void *p)
{
	struct stayer *me = p;
	int64_t last[SENDERS] = {-1, -1, -1, -1};
	uint64_t random = leat_goid();

	chan_range(v, me->c) {
		CHECK((v & 0xffffffff) > last[v >> 32]);
		last[v >> 32] = v & 0xffffffff;
		me->received++;
		if (rnd_below(&random, 8) == 0)
			leat_yield();
		if (rnd_below(&random, 50) == 0)
			leat_sleep(50 * LEAT_MICROSECOND);
	}
	me->missed = (int64_t)broadcast_lagged(me->c);
	leat_waitgroup_done(&me->s->staying);
}

static void storm(leat_broadcast_policy policy, ptrdiff_t cap, bool close_early)
{
	struct storm s = {.b = broadcast_make(int64_t, cap, policy), .sends = test_count(5000)};
	struct sender senders[SENDERS];
	struct stayer stayers[STAYERS];

	s.ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_waitgroup_add(&s.sending, SENDERS);
	leat_waitgroup_add(&s.staying, STAYERS);
	leat_waitgroup_add(&s.guests, GUESTS);
	for (int i = 0; i < STAYERS; i++) {
		stayers[i] = (struct stayer){.s = &s, .c = broadcast_subscribe(s.b)};
		start(i == 2 ? THREAD : GOROUTINE, stay, &stayers[i]);
	}
	for (int i = 0; i < GUESTS; i++)
		start(i == 2 ? THREAD : GOROUTINE, come_and_go, &s);
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.s = &s, .id = i};
		start(i == 3 ? THREAD : GOROUTINE, send_until_closed, &senders[i]);
	}
	if (close_early) {
		test_until(atomic_load(&s.given) > s.sends / 4);
		broadcast_close(s.b);
	}
	leat_waitgroup_wait(&s.sending);
	atomic_store(&s.over, true);
	leat_ctx_cancel(s.ctx);
	leat_waitgroup_wait(&s.guests);
	if (!close_early)
		broadcast_close(s.b);
	leat_waitgroup_wait(&s.staying);
	fprintf(stderr,
	        "\tpolicy %d, cap %td: %" PRId64 " given, %" PRId64 " received, %" PRId64 " missed\n",
	        (int)policy, cap, atomic_load(&s.given), stayers[0].received, stayers[0].missed);
	for (int i = 0; i < STAYERS; i++) {
		int64_t all = stayers[i].received + stayers[i].missed;

		/* In a close that meets a send that waits, some have its value and others do not. */
		if (!close_early)
			CHECK_EQ(all, stayers[0].received + stayers[0].missed);
		CHECK(all >= atomic_load(&s.given));
		if (policy == LEAT_BROADCAST_BLOCK)
			CHECK(stayers[i].received >= atomic_load(&s.given));
	}
	CHECK(close_early || atomic_load(&s.panicked) == 0);
	broadcast_free(s.b);
	leat_ctx_free(s.ctx);
}

TEST(storms)
{
	for (ptrdiff_t cap = 0; cap < 4; cap += 1 + cap) {
		storm(LEAT_BROADCAST_BLOCK, cap, false);
		storm(LEAT_BROADCAST_DROP_OLDEST, cap, false);
		storm(LEAT_BROADCAST_DROP_NEWEST, cap, false);
	}
}

TEST(closed_in_the_midst)
{
	for (int i = 0; i < 5; i++) {
		storm(LEAT_BROADCAST_BLOCK, 0, true);
		storm(LEAT_BROADCAST_BLOCK, 2, true);
		storm(LEAT_BROADCAST_DROP_OLDEST, 1, true);
	}
}

TEST_MAIN
