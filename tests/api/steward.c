/* SPDX-License-Identifier: MIT */
/*
 * Goal: what leat/steward.h promises, and the book's two runs of a steward.
 * Method: the hook keeps what it is told; what is alive is counted by the wards themselves.  Times are waited for as
 * events; a time-out that must not come is a minute.
 */
#include "steward_help.h"

/* --- the book's runs */

TEST(pattern_21_a_ward_that_does_not_beat_is_restarted)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	struct record r = {.ctx = ctx, .stop_after = 3};
	leat_steward s = {.ward = irresponsible,
	                  .arg = &r,
	                  .timeout_ns = 10 * MS,
	                  .grace_ns = LEAT_MINUTE,
	                  .backoff_ns = -1,
	                  .hook = note,
	                  .hook_arg = &r};
	int64_t begin = leat_now();

	CHECK_EQ(leat_steward_run(&s, ctx), -ECANCELED);
	CHECK(leat_now() - begin >= 30 * MS);
	CHECK_EQ(r.n, 3);
	for (int i = 0; i < 3; i++)
		check_event(&r.events[i], LEAT_STEWARD_STALLED, (uint64_t)i, -ETIME);
	CHECK_EQ(r.starts, 3);
	CHECK_EQ(r.alive, 0);
	test_goroutines(1);
	leat_ctx_free(ctx);
}

struct list {
	struct record r;
	leat_scope *owner; /* of the channels */
	send_chan(recv_chan(int)) streams;
	int n, values[6];
};

static int ints(leat_ward *w)
{
	struct list *l = w->arg;
	chan(int) out = scope_chan(l->owner, int, 0);
	int err;

	born(w, &l->r);
	err = chan_send_ctx(l->streams, chan_receiver(out), w->scope);
	for (int i = 0; !err && i < l->n; i++) {
		if (l->values[i] < 0)
			err = -EINVAL; /* "negative value: -1" */
		else
			err = heartbeat_send(w->heartbeat, out, l->values[i], w->scope);
	}
	chan_close(out);
	return died(&l->r, err);
}

TEST(pattern_21_restarts_are_one_stream_by_a_channel_of_channels)
{
	chan(recv_chan(int)) streams = chan_make(recv_chan(int), 0);
	static const int expected[6] = {1, 2, 1, 2, 1, 2};
	struct list l = {.n = 6, .values = {1, 2, -1, 3, 4, 5}, .streams = chan_sender(streams)};
	leat_steward s = {.ward = ints,
	                  .arg = &l,
	                  .timeout_ns = LEAT_MINUTE,
	                  .backoff_ns = -1,
	                  .hook = note,
	                  .hook_arg = &l.r};
	int got = 0;

	{
		scope(owner, NULL);
		l.owner = owner;
		{
			scope(stewards, NULL);

			leat_steward_go(stewards, &s);
			while (got < 6) {
				recv_chan(int) stream = chan_recv(streams);

				chan_range(v, stream) {
					CHECK_EQ(v, expected[got++]);
					if (got == 6)
						break;
				}
			}
		}
	}
	CHECK(l.r.n >= 2);
	check_event(&l.r.events[0], LEAT_STEWARD_FAILED, 0, -EINVAL);
	check_event(&l.r.events[1], LEAT_STEWARD_FAILED, 1, -EINVAL);
	CHECK_EQ(l.r.alive, 0);
	test_goroutines(1);
	chan_free(streams);
}

/* A stream that was read to its end may be freed when the next one has come: the ward that sent it has been joined by
   then.  So they do not add up; the sanitizers see that all are freed, and none too early. */
struct emits {
	send_chan(recv_chan(int)) streams;
	int restarts;
};

static int emits(leat_ward *w)
{
	struct emits *a = w->arg;
	chan(int) out = chan_make(int, 0);

	chan_send(a->streams, chan_receiver(out));
	chan_send(out, (int)w->start);
	chan_close(out);
	leat_yield(); /* the reader may have seen the end before the ward comes to its own */
	return w->start < (uint64_t)a->restarts ? -EIO : 0;
}

struct stewards {
	leat_steward *s;
	send_chan(recv_chan(int)) streams;
};

static void stewards(struct stewards *a)
{
	CHECK_EQ(leat_steward_run(a->s, NULL), 0);
	chan_close(a->streams);
}

TEST(pattern_21_a_stream_is_freed_when_the_next_has_come)
{
	chan(recv_chan(int)) streams = chan_make(recv_chan(int), 0);
	struct emits e = {chan_sender(streams), 500};
	leat_steward s = {.ward = emits, .arg = &e, .backoff_ns = -1};
	recv_chan(int) last = NULL;
	int got = 0;

	go(stewards, &s, chan_sender(streams));
	chan_range(stream, streams) {
		chan_free(last);
		last = stream;
		chan_range(v, stream)
			CHECK_EQ(v, got++);
	}
	chan_free(last); /* the steward has returned */
	CHECK_EQ(got, e.restarts + 1);
	test_goroutines(1);
	chan_free(streams);
}

/* --- why */

struct script {
	struct record r;
	const char *acts; /* what the ward does at each start */
};

static int follow(leat_ward *w)
{
	struct script *s = w->arg;

	born(w, &s->r);
	died(&s->r, 0);
	switch (s->acts[w->start]) {
	case 'f':
		return -EIO;
	case 'g':
		leat_goexit();
	case 'p':
		leat_panic("ward %d", (int)w->start);
	case 'c':
		leat_heartbeat_close(w->heartbeat);
		chan_recv(leat_scope_done(w->scope));
		return 0; /* does not count */
	case 'r':     /* closes it, and ends at once: that is as it should be */
		leat_heartbeat_close(w->heartbeat);
		return 0;
	case 's':
		leat_heartbeat_beat(w->heartbeat);
		chan_recv(leat_scope_done(w->scope));
		return 0; /* neither does this */
	default:      /* 'o' */
		return 0;
	}
}

TEST(the_hook_is_told_why)
{
	struct script s = {.acts = "fgpr"};
	leat_steward st = {.ward = follow,
	                   .arg = &s,
	                   .timeout_ns = LEAT_MINUTE,
	                   .backoff_ns = -1,
	                   .catch_panics = true,
	                   .hook = note,
	                   .hook_arg = &s.r};

	CHECK_EQ(leat_steward_run(&st, NULL), 0);
	CHECK_EQ(s.r.n, 3);
	check_event(&s.r.events[0], LEAT_STEWARD_FAILED, 0, -EIO);
	CHECK(s.r.events[0].panic == NULL);
	check_event(&s.r.events[1], LEAT_STEWARD_ENDED, 1, -EPIPE);
	check_event(&s.r.events[2], LEAT_STEWARD_PANICKED, 2, -ENOTRECOVERABLE);
	CHECK_STR(s.r.panic, "ward 2");
	CHECK_EQ(s.r.starts, 4);
	test_goroutines(1);
}

TEST(pattern_21_a_closed_heartbeat_is_no_sign_of_health)
{
	struct script s = {.acts = "cco"};
	leat_steward st = {.ward = follow,
	                   .arg = &s,
	                   .timeout_ns = LEAT_MINUTE,
	                   .grace_ns = 5 * MS,
	                   .backoff_ns = -1,
	                   .hook = note,
	                   .hook_arg = &s.r};

	CHECK_EQ(leat_steward_run(&st, NULL), 0);
	for (int i = 0, k = 0; i < s.r.n; i++)
		if (s.r.events[i].reason != LEAT_STEWARD_STUCK) /* slow, but it ends */
			check_event(&s.r.events[i], LEAT_STEWARD_CLOSED, (uint64_t)k++, -EPIPE);
	CHECK(s.r.n >= 2);
	CHECK_EQ(s.r.starts, 3);
	test_goroutines(1);
}

TEST(what_a_stalled_ward_returns_does_not_count)
{
	struct script s = {.acts = "ssssssssssssssssssssssssssssssss"};
	leat_steward st = {.ward = follow,
	                   .arg = &s,
	                   .timeout_ns = 5 * MS,
	                   .grace_ns = LEAT_MINUTE,
	                   .max_restarts = 3,
	                   .backoff_ns = -1,
	                   .hook = note,
	                   .hook_arg = &s.r};

	CHECK_EQ(leat_steward_run(&st, NULL), -ETIME);
	CHECK_EQ(s.r.n, 4);
	for (int i = 0; i < 4; i++)
		check_event(&s.r.events[i], LEAT_STEWARD_STALLED, (uint64_t)i, -ETIME);
}

TEST(always_restarts_one_that_returned_0)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	struct script s = {.r = {.ctx = ctx, .stop_after = 4}, .acts = "oooo"};
	leat_steward st = {.ward = follow,
	                   .arg = &s,
	                   .backoff_ns = -1,
	                   .always = true,
	                   .hook = note,
	                   .hook_arg = &s.r};

	CHECK_EQ(leat_steward_run(&st, ctx), -ECANCELED);
	CHECK_EQ(s.r.n, 4);
	for (int i = 0; i < 4; i++)
		check_event(&s.r.events[i], LEAT_STEWARD_ENDED, (uint64_t)i, 0);
	/* Done already: nothing is started. */
	CHECK_EQ(leat_steward_run(&st, ctx), -ECANCELED);
	CHECK_EQ(s.r.starts, 4);
	leat_ctx_free(ctx);
}

static int healthy(leat_ward *w)
{
	struct record *r = w->arg;

	born(w, r);
	for (int i = 0; i < 20; i++)
		if (leat_heartbeat_sleep(w->heartbeat, MS, w->scope) != 0)
			return died(r, -ECANCELED);
	return died(r, 0);
}

TEST(a_ward_that_was_cancelled_has_not_finished)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *late = leat_ctx_with_timeout(leat_ctx_background(), 5 * MS);
	struct record r = {.ctx = ctx}, none = {0};
	leat_steward s = {.ward = until_done, .arg = &r, .hook = note, .hook_arg = &r};

	CHECK_EQ(leat_steward_run(&s, ctx), -ECANCELED);
	CHECK_EQ(r.starts, 1);
	s.arg = &none;
	CHECK_EQ(leat_steward_run(&s, late), -ETIMEDOUT);
	CHECK_EQ(r.n, 0);
	test_goroutines(1);
	leat_ctx_free(ctx);
	leat_ctx_free(late);
}

TEST(a_healthy_ward_is_left_alone)
{
	struct record r = {0};
	leat_steward s = {.ward = healthy,
	                  .arg = &r,
	                  .interval_ns = MS,
	                  .timeout_ns = LEAT_MINUTE,
	                  .hook = note,
	                  .hook_arg = &r};

	CHECK_EQ(leat_steward_run(&s, NULL), 0);
	CHECK_EQ(r.n, 0);
	CHECK_EQ(r.starts, 1);
}

/* --- join before restart */

struct child {
	leat_scope *s;
	struct record *r;
};

static void child(struct child *a)
{
	chan_recv(leat_scope_done(a->s));
	for (int i = 0; i < 20; i++)
		leat_yield();
	atomic_fetch_sub(&a->r->alive, 1);
}

/* Leaves its child behind, which the steward's hook and the next ward must not meet. */
static int with_child(leat_ward *w)
{
	struct record *r = w->arg;

	born(w, r);
	scope_go(w->scope, child, w->scope, r);
	return w->start < 50 ? -EAGAIN : 0;
}

TEST(what_a_ward_has_started_is_joined_before_the_next_one)
{
	struct record r = {0};
	leat_steward s = {
	    .ward = with_child, .arg = &r, .backoff_ns = -1, .hook = note, .hook_arg = &r};

	CHECK_EQ(leat_steward_run(&s, NULL), 0);
	CHECK_EQ(r.n, 50);
	CHECK_EQ(r.alive, 0);
	test_goroutines(1);
}

static void increment(int **n)
{
	++**n;
}

static int waits_for_child(leat_ward *w)
{
	int n = 0;
	int *at = &n;

	leat_scope_go(w->scope, (void (*)(void *))(void (*)(void))increment, &at, sizeof at);
	CHECK_EQ(scope_wait(w->scope), 0);
	return n == 1 ? 0 : -EIO;
}

TEST(a_ward_may_wait_for_what_it_has_started)
{
	leat_steward s = {.ward = waits_for_child, .max_restarts = -1};

	CHECK_EQ(leat_steward_run(&s, NULL), 0);
}

/* Ignores that it was cancelled, until it is let go. */
static int deaf(leat_ward *w)
{
	struct record *r = w->arg;

	born(w, r);
	if (w->start == 0)
		while (!atomic_load(&r->release))
			leat_sleep(MS);
	return died(r, 0);
}

static void note_stuck(const leat_steward_event *e, void *arg)
{
	struct record *r = arg;

	note(e, arg);
	if (e->reason == LEAT_STEWARD_STUCK && r->n == 3) {
		CHECK_EQ(atomic_load(&r->starts), 1);
		CHECK_EQ(atomic_load(&r->alive), 1);
		atomic_store(&r->release, 1);
	}
}

TEST(a_ward_that_ignores_its_end_is_told_of_and_waited_for)
{
	struct record r = {0};
	leat_steward s = {.ward = deaf,
	                  .arg = &r,
	                  .timeout_ns = 20 * MS,
	                  .grace_ns = 5 * MS,
	                  .backoff_ns = -1,
	                  .hook = note_stuck,
	                  .hook_arg = &r};
	int i;

	CHECK_EQ(leat_steward_run(&s, NULL), 0);
	for (i = 0; i < 63 && r.events[i].reason == LEAT_STEWARD_STUCK; i++) {
		check_event(&r.events[i], LEAT_STEWARD_STUCK, 0, 0);
		CHECK(r.events[i].waited_ns >= (i + 1) * 5 * MS);
	}
	CHECK(i >= 3);
	check_event(&r.events[i], LEAT_STEWARD_STALLED, 0, -ETIME);
	CHECK(r.starts >= 2);
	test_goroutines(1);
}

/* --- limits */

TEST(a_steward_gives_up)
{
	for (int limit = -1; limit < 10; limit++) {
		struct record r = {0};
		leat_steward s = {.ward = fails,
		                  .arg = &r,
		                  .max_restarts = limit,
		                  .window_ns = LEAT_HOUR,
		                  .backoff_ns = -1,
		                  .hook = note,
		                  .hook_arg = &r};
		int restarts = limit < 0 ? 0 : limit;

		if (limit == 0) { /* no limit */
			CHECK_EQ(leat_steward_run(&s, NULL), 0);
			CHECK_EQ(r.starts, 101);
			continue;
		}
		CHECK_EQ(leat_steward_run(&s, NULL), -EIO);
		CHECK_EQ(r.starts, restarts + 1);
		CHECK_EQ(r.n, restarts + 1);
		for (int i = 0; i < r.n; i++) {
			check_event(&r.events[i], LEAT_STEWARD_FAILED, (uint64_t)i, -EIO);
			CHECK_EQ(r.events[i].gives_up, i == restarts);
		}
	}
}

TEST(restarts_before_the_window_do_not_count)
{
	struct record r = {0};
	leat_steward s = {.ward = fails,
	                  .arg = &r,
	                  .max_restarts = 2,
	                  .window_ns = 1,
	                  .backoff_ns = 10,
	                  .hook = note,
	                  .hook_arg = &r};

	CHECK_EQ(leat_steward_run(&s, NULL), 0);
	CHECK_EQ(r.starts, 101);
}

TEST(the_back_off_doubles_up_to_its_most_less_a_random_share)
{
	struct record r = {0};
	leat_steward s = {.ward = fails,
	                  .arg = &r,
	                  .max_restarts = 40,
	                  .window_ns = LEAT_HOUR,
	                  .backoff_ns = 1000,
	                  .backoff_max_ns = 50000,
	                  .hook = note,
	                  .hook_arg = &r};
	int64_t begin = leat_now(), all = 0, delay = 1000;
	int below = 0;

	CHECK_EQ(leat_steward_run(&s, NULL), -EIO);
	for (int i = 0; i < 40; i++) {
		CHECK(r.events[i].delay_ns >= delay / 2 && r.events[i].delay_ns <= delay);
		below += r.events[i].delay_ns < delay * 3 / 4;
		all += r.events[i].delay_ns;
		delay = delay * 2 < 50000 ? delay * 2 : 50000;
	}
	CHECK(below > 0 && below < 40); /* each is as likely above as below: 2^-39 */
	CHECK(leat_now() - begin >= all);
}

TEST_MAIN
