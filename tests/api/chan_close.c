/* SPDX-License-Identifier: MIT */
/*
 * Goal: what close means to what is buffered, to who is parked and to who comes later.  Method: misuse
 * under leat_catch in the goroutine or thread that commits it; parked parties are waited for.
 */
#include "chan_help.h"

static void do_close(void *c)
{
	leat_chan_close(c);
}

static void do_send(void *c)
{
	int v = 1;

	leat_chan_send(c, &v);
}

static void do_try_send(void *c)
{
	int v = 1;

	leat_chan_try_send(c, &v);
}

static void do_select_send(void *c)
{
	int v = 1;
	leat_case one = {c, LEAT_SEND, &v};

	leat_select(&one, 1, LEAT_FOREVER, NULL);
}

static void do_select_try_send(void *c)
{
	int v = 1;
	leat_case one = {c, LEAT_SEND, &v};

	leat_select(&one, 1, 0, NULL);
}

static void do_chan_select_send(void *c)
{
	chan(int) typed = c;

	chan_select {
		case_send(typed, 1) {
		}
	}
}

static void do_chan_select_try_send(void *c)
{
	chan(int) typed = c;

	chan_select {
		case_default {
		}
		case_send(typed, 1) {
		}
	}
}

static void (*const senders[])(void *) = {
    do_send,
    do_try_send,
    do_select_send,
    do_select_try_send,
    do_chan_select_send,
    do_chan_select_try_send,
};

enum { SENDERS = sizeof senders / sizeof senders[0] };

/* Misuse of every kind, twice over, on a closed channel that still holds 5, 6. */
static void misuse(void *p)
{
	chan(int) c = p;
	bool ok = true;

	for (int turn = 0; turn < 2; turn++) {
		CHECK(test_panics(do_close, NULL, "close of nil channel"));
		CHECK(test_panics(do_close, (void *)c, "close of closed channel"));
		for (int i = 0; i < SENDERS; i++)
			CHECK(test_panics(senders[i], (void *)c, "send on closed channel"));
	}
	/* Usable still, and line 46: none of it left anything behind. */
	CHECK_EQ(chan_len(c), 2);
	CHECK_EQ(chan_recv(c), 5);
	CHECK_EQ(chan_recv(c), 6);
	CHECK(test_panics(do_send, (void *)c, "send on closed channel"));
	CHECK_EQ(chan_len(c), 0);
	CHECK(chan_try_recv(c, NULL, &ok));
	CHECK(!ok);
}

struct job {
	void (*fn)(void *);
	void *arg;
	leat_waitgroup *wg;
};

static void job(void *p)
{
	struct job *j = p;

	j->fn(j->arg);
	leat_waitgroup_done(j->wg);
}

static chan(int) closed_with_two(int cap)
{
	chan(int) c = chan_make(int, cap);

	chan_send(c, 5);
	chan_send(c, 6);
	chan_close(c);
	return c;
}

TEST(line_45_misuse_of_close_panics)
{
	leat_waitgroup wg = {0};

	/* With a full buffer and with room in it; on goroutine 1, another one, a plain thread. */
	for (int cap = 2; cap <= 4; cap += 2) {
		for (int k = -1; k < KINDS; k++) {
			chan(int) c = closed_with_two(cap);
			struct job j = {misuse, (void *)c, &wg};

			leat_waitgroup_add(&wg, 1);
			if (k < 0)
				job(&j);
			else
				start(k, job, &j);
			leat_waitgroup_wait(&wg);
			chan_free(c);
		}
	}
}

TEST(line_45_panics_name_their_goroutine)
{
	chan(int) c = chan_make(int, 0);
	leat_panic_info info;

	chan_close(c);
	memset(&info, 0xff, sizeof info);
	CHECK(leat_catch(do_send, (void *)c, &info));
	CHECK_STR(info.message, "send on closed channel");
	CHECK(info.runtime);
	CHECK_EQ(info.goid, leat_goid());
	chan_free(c);
}

static void typed_close(void *p)
{
	send_chan(int) *c = p;

	chan_close(*c);
}

TEST(line_45_close_through_the_macros)
{
	chan(int) c = chan_make(int, 1);
	send_chan(int) s = chan_sender(c), none = NULL;

	CHECK(test_panics(typed_close, &none, "close of nil channel"));
	chan_close(s);
	CHECK(test_panics(typed_close, &s, "close of closed channel"));
	chan_free(c);
}

TEST(line_46_failed_send_leaves_nothing)
{
	for (int cap = 0; cap < 4; cap++) {
		chan(int) c = chan_make(int, cap);
		int v = 9;

		chan_close(c);
		for (int i = 0; i < SENDERS; i++) {
			CHECK(test_panics(senders[i], (void *)c, "send on closed channel"));
			CHECK_EQ(chan_len(c), 0);
			CHECK(!chan_recv_ok(c, &v));
			CHECK_EQ(v, 0);
		}
		chan_free(c);
	}
}

TEST(line_47_buffered_values_outlive_the_close)
{
	for (int cap = 1; cap <= 20; cap++) {
		for (int held = 0; held <= cap; held++) {
			chan(int) c = chan_make(int, cap);
			int v;
			bool ok;

			for (int i = 0; i < held; i++)
				chan_send(c, i + 1);
			chan_close(c);
			for (int i = 0; i < held; i++) {
				v = -1;
				ok = false;
				if (i % 3 == 0) {
					ok = chan_recv_ok(c, &v);
				} else if (i % 3 == 1) {
					CHECK(chan_try_recv(c, &v, &ok));
				} else {
					chan_select {
						case_recv(c, w, is) {
							v = w;
							ok = is;
						}
					}
				}
				CHECK(ok);
				CHECK_EQ(v, i + 1);
			}
			for (int i = 0; i < 5; i++) {
				v = -1;
				CHECK(!chan_recv_ok(c, &v));
				CHECK_EQ(v, 0);
				CHECK_EQ(chan_recv(c), 0);
			}
			chan_free(c);
		}
	}
}

/* A parked party, and how its wait ended. */
struct party {
	leat_chan *c, *idle;
	int way;
	int v;
	bool ok, panicked;
	leat_panic_info info;
	uint64_t goid;
	leat_waitgroup *wg;
};

enum { WAYS = 4 };

static void send_one(void *p)
{
	struct party *a = p;
	chan(int) c = (void *)a->c, idle = (void *)a->idle;
	leat_case cases[] = {{a->idle, LEAT_RECV, NULL}, {a->c, LEAT_SEND, &a->v}};

	if (a->way == 0)
		chan_send(c, a->v);
	else if (a->way == 1)
		leat_select(cases, 2, LEAT_FOREVER, NULL);
	else if (a->way == 2)
		leat_select(cases, 2, LEAT_HOUR, NULL);
	else
		chan_select {
			case_send(c, a->v) {
			}
			case_recv(idle) {
			}
			case_send(c, a->v) {
			}
		}
}

static void parked_sender(void *p)
{
	struct party *a = p;

	a->goid = leat_goid();
	a->panicked = leat_catch(send_one, a, &a->info);
	leat_waitgroup_done(a->wg);
}

static void parked_receiver(void *p)
{
	struct party *a = p;
	chan(int) c = (void *)a->c, idle = (void *)a->idle;
	leat_case cases[] = {{a->idle, LEAT_RECV, NULL}, {a->c, LEAT_RECV, &a->v}};

	if (a->way == 0)
		a->ok = chan_recv_ok(c, &a->v);
	else if (a->way == 1)
		CHECK_EQ(leat_select(cases, 2, LEAT_FOREVER, &a->ok), 1);
	else if (a->way == 2)
		CHECK_EQ(leat_select(cases, 2, LEAT_HOUR, &a->ok), 1);
	else
		chan_select {
			case_recv(c, v, ok) {
				a->v = v;
				a->ok = ok;
			}
			case_recv(idle) {
			}
		}
	leat_waitgroup_done(a->wg);
}

enum { CROWD = 40 };

TEST(line_48_close_wakes_every_receiver)
{
	leat_chan *idle = leat_chan_make(4, 0);
	leat_waitgroup wg = {0};

	for (int cap = 0; cap < 3; cap++) {
		leat_chan *c = leat_chan_make(4, cap);
		struct party a[CROWD];
		size_t base = leat_num_parked();

		leat_waitgroup_add(&wg, CROWD);
		for (int i = 0; i < CROWD; i++) {
			a[i] = (struct party){
			    .c = c, .idle = idle, .way = i % WAYS, .v = -1, .ok = true, .wg = &wg};
			start(i % 8 >= 4 ? THREAD : GOROUTINE, parked_receiver, &a[i]);
		}
		test_parked(base + CROWD);
		leat_chan_close(c);
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < CROWD; i++) {
			CHECK(!a[i].ok);
			CHECK_EQ(a[i].v, 0);
		}
		leat_chan_free(c);
	}
	leat_chan_free(idle);
}

TEST(line_48_close_makes_every_parked_sender_panic_itself)
{
	leat_chan *idle = leat_chan_make(4, 0);
	leat_waitgroup wg = {0};

	for (int cap = 0; cap < 3; cap++) {
		leat_chan *c = leat_chan_make(4, cap);
		struct party a[CROWD];
		size_t base = leat_num_parked();
		int v = 0;

		for (int i = 0; i < cap; i++)
			leat_chan_send(c, &i);
		leat_waitgroup_add(&wg, CROWD);
		for (int i = 0; i < CROWD; i++) {
			a[i] = (struct party){.c = c, .idle = idle, .way = i % WAYS, .v = 50 + i, .wg = &wg};
			start(i % 8 >= 4 ? THREAD : GOROUTINE, parked_sender, &a[i]);
		}
		test_parked(base + CROWD);
		leat_chan_close(c);
		/* Line 46 for parked senders: only what was buffered before is there. */
		CHECK_EQ(leat_chan_len(c), cap);
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < CROWD; i++) {
			CHECK(a[i].panicked);
			CHECK_STR(a[i].info.message, "send on closed channel");
			CHECK(a[i].info.runtime);
			CHECK_EQ(a[i].info.goid, a[i].goid);
			CHECK_EQ(a[i].goid == 0, i % 8 >= 4);
		}
		for (int i = 0; i < cap; i++) {
			CHECK(leat_chan_recv(c, &v));
			CHECK_EQ(v, i);
		}
		CHECK(!leat_chan_recv(c, &v));
		leat_chan_free(c);
	}
	leat_chan_free(idle);
}

TEST(line_49_try_receive_on_closed_succeeds)
{
	for (int cap = 0; cap < 3; cap++) {
		chan(int) c = chan_make(int, cap);
		int v = 7;
		bool ok = true, chosen = false;

		/* Open and empty: not ready, and nothing is touched. */
		CHECK(!chan_try_recv(c, &v, &ok));
		CHECK_EQ(v, 7);
		CHECK(ok);
		for (int i = 0; i < cap; i++)
			chan_send(c, i + 1);
		chan_close(c);
		for (int i = 0; i < cap; i++) {
			ok = false;
			CHECK(chan_try_recv(c, &v, &ok));
			CHECK(ok);
			CHECK_EQ(v, i + 1);
		}
		for (int i = 0; i < 3; i++) {
			v = 7;
			ok = true;
			CHECK(chan_try_recv(c, &v, &ok));
			CHECK(!ok);
			CHECK_EQ(v, 0);
			CHECK(chan_try_recv(c, NULL, NULL));
		}
		chan_select {
			case_default
				CHECK(cap < 0);
			case_recv(c, w, is) {
				CHECK(!is);
				CHECK_EQ(w, 0);
				chosen = true;
			}
		}
		CHECK(chosen);
		chan_free(c);
	}
}

TEST(line_50_try_send_on_closed_panics)
{
	for (int cap = 0; cap < 3; cap++) {
		chan(int) c = chan_make(int, cap);

		while (chan_len(c) < chan_cap(c) && chan_len(c) < 1)
			chan_send(c, 1);
		chan_close(c);
		CHECK(test_panics(do_try_send, (void *)c, "send on closed channel"));
		CHECK(test_panics(do_select_try_send, (void *)c, "send on closed channel"));
		CHECK(test_panics(do_chan_select_try_send, (void *)c, "send on closed channel"));
		chan_free(c);
	}
}

TEST_MAIN
