/* SPDX-License-Identifier: MIT */
/*
 * Goal: buffers keep and lose what their policies say, and count it; batches and their values; a type assertion fails
 * loudly or skips.
 * Method: the input is closed before the consumer begins, or the stage is observed to be done with what was sent, so
 * that what is kept and lost is known.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

struct count_up {
	int next, end;
};

static bool count_up(int *out, struct count_up *a)
{
	*out = a->next++;
	return *out < a->end;
}

/* --- buffers */

TEST(a_buffer_that_blocks_keeps_all)
{
	for (int room = 0; room < 20; room += 5) {
		size_t n;
		int *got;
		scope(s, NULL);
		recv_chan(int) c =
		    pipe_buffer(s, pipe_from(s, int, count_up, .end = 1000), room, LEAT_PIPE_BLOCK);

		CHECK_EQ(chan_cap(c), room);
		test_until((int)chan_len(c) == room);
		got = pipe_collect(s, c, &n);
		CHECK_EQ(n, 1000);
		for (int i = 0; i < 1000; i++)
			CHECK_EQ(got[i], i);
		CHECK_EQ(pipe_lost(s, c), 0);
	}
}

/* PATTERNS 12: the first stage is done sooner, and not before. */
TEST(a_buffer_lets_its_sender_go_on)
{
	chan(int) in = chan_make(int, 0);
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_buffer(s, in, 5, LEAT_PIPE_BLOCK);

		for (int i = 0; i < 6; i++) /* and one in hand */
			chan_send(in, i);
		CHECK(!chan_try_send(in, 6));
		test_until(chan_len(c) == 5);
		CHECK(!chan_try_send(in, 6));
		CHECK_EQ(chan_recv(c), 0);
		chan_send(in, 6);
	}
	chan_free(in);
}

/* Send 0 to 99 to a buffer nobody receives from, and say what it has kept in the end. */
static size_t overflow(leat_scope *s, recv_chan(int) c, chan(int) in, uint64_t lost, int **got)
{
	size_t n;

	for (int i = 0; i < 100; i++)
		chan_send(in, i); /* never waits for a consumer */
	chan_close(in);
	test_until(chan_closed(c));
	CHECK_EQ(pipe_lost(s, c), lost);
	*got = pipe_collect(s, c, &n);
	CHECK_EQ(pipe_lost(s, c), lost);
	return n;
}

TEST(a_buffer_that_drops_the_newest)
{
	chan(int) in = chan_make(int, 0);
	int *got;
	{
		scope(s, NULL);

		CHECK_EQ(overflow(s, pipe_buffer(s, in, 10, LEAT_PIPE_DROP_NEWEST), in, 90, &got), 10);
		for (int i = 0; i < 10; i++)
			CHECK_EQ(got[i], i);
	}
	chan_free(in);
}

TEST(a_buffer_that_drops_the_oldest)
{
	chan(int) in = chan_make(int, 0);
	int *got;
	{
		scope(s, NULL);

		CHECK_EQ(overflow(s, pipe_buffer(s, in, 10, LEAT_PIPE_DROP_OLDEST), in, 90, &got), 10);
		for (int i = 0; i < 10; i++)
			CHECK_EQ(got[i], 90 + i);
	}
	chan_free(in);
}

TEST(a_buffer_that_keeps_the_latest)
{
	chan(int) in = chan_make(int, 0);
	int *got;
	{
		scope(s, NULL);

		CHECK_EQ(overflow(s, pipe_buffer(s, in, 0, LEAT_PIPE_LATEST), in, 99, &got), 1);
		CHECK_EQ(got[0], 99);
	}
	chan_free(in);
}

struct refuse {
	int *sum;
};

static void refuse(const int *in, struct refuse *a)
{
	*a->sum += *in;
}

static atomic_int refused;

static void count_refused(const int *in)
{
	(void)in;
	atomic_fetch_add(&refused, 1);
}

TEST(a_buffer_that_rejects)
{
	chan(int) in = chan_make(int, 0), other = chan_make(int, 0);
	int *got, sum = 0;
	{
		scope(s, NULL);

		CHECK_EQ(overflow(s, pipe_reject(s, in, 10, refuse, .sum = &sum), in, 90, &got), 10);
		for (int i = 0; i < 10; i++)
			CHECK_EQ(got[i], i);
		CHECK_EQ(sum, 99 * 100 / 2 - 9 * 10 / 2);
		CHECK_EQ(overflow(s, pipe_reject0(s, other, 3, count_refused), other, 97, &got), 3);
		CHECK_EQ(refused, 97);
	}
	chan_free(in);
	chan_free(other);
}

/* A buffer without room hands over to who waits, and drops else. */
TEST(a_buffer_without_room_drops_what_nobody_waits_for)
{
	chan(int) in = chan_make(int, 0);
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_buffer(s, in, 0, LEAT_PIPE_DROP_NEWEST);

		chan_send(in, 1);
		test_until(pipe_lost(s, c) == 1);
		chan_close(in);
		CHECK(!chan_recv_ok(c, &(int){0}));
	}
	chan_free(in);
}

/* While both sides are at work: what came and what was lost make up the whole, in order. */
static void lose_some(leat_pipe_policy policy, int count)
{
	int last = -1, got = 0;
	scope(s, NULL);
	recv_chan(int) c = pipe_buffer(s, pipe_from(s, int, count_up, .end = count), 3, policy);

	chan_range(v, c) {
		CHECK(v > last);
		last = v;
		got++;
		if (v % 7 == 0)
			leat_yield();
	}
	CHECK_EQ(got + (int)pipe_lost(s, c), count);
	if (policy != LEAT_PIPE_DROP_NEWEST)
		CHECK_EQ(last, count - 1);
	CHECK(!chan_reason(c));
}

TEST(no_value_is_lost_uncounted)
{
	lose_some(LEAT_PIPE_DROP_NEWEST, test_count(100000));
	lose_some(LEAT_PIPE_DROP_OLDEST, test_count(100000));
	lose_some(LEAT_PIPE_LATEST, test_count(100000));
	lose_some(LEAT_PIPE_BLOCK, test_count(100000));
}

/* --- batches */

struct five {
	size_t n;
	int items[5];
};

TEST(batches_are_full_and_the_last_is_not)
{
	size_t n;
	struct five *got;
	scope(s, NULL);
	recv_chan(struct five) c =
	    pipe_batch(s, pipe_from(s, int, count_up, .end = 13), struct five, LEAT_FOREVER);

	got = pipe_collect(s, c, &n);
	CHECK_EQ(n, 3);
	CHECK(got[0].n == 5 && got[1].n == 5 && got[2].n == 3);
	for (int i = 0; i < 13; i++)
		CHECK_EQ(got[i / 5].items[i % 5], i);
}

TEST(no_batch_is_empty)
{
	size_t n;
	scope(s, NULL);

	pipe_collect(s, pipe_batch(s, pipe_from(s, int, count_up, .end = 0), struct five, LEAT_SECOND),
	             &n);
	CHECK_EQ(n, 0);
	pipe_collect(s, pipe_batch(s, pipe_from(s, int, count_up, .end = 10), struct five, LEAT_HOUR),
	             &n);
	CHECK_EQ(n, 2); /* no third one */
}

/* The input stays open: what is there comes when its time is over. */
TEST(a_batch_that_is_not_full_comes_in_time)
{
	chan(int) in = chan_make(int, 10);

	for (int foreign = 0; foreign < 2; foreign++) {
		scope(s, NULL);
		recv_chan(int) ints = chan_receiver(in);
		int64_t began = leat_now();
		recv_chan(struct five) c;
		struct five b;

		for (int i = 0; i < 3; i++)
			chan_send(in, i);
		if (!foreign)
			ints = pipe_buffer(s, in, 0, LEAT_PIPE_BLOCK);
		c = pipe_batch(s, ints, struct five, 100 * LEAT_MILLISECOND);
		b = chan_recv(c);
		/* A slow machine may have cut it sooner than the third came. */
		CHECK(b.n >= 1 && b.n <= 3);
		CHECK_EQ(b.items[0], 0);
		CHECK(leat_now() - began >= 100 * LEAT_MILLISECOND);
		for (size_t n = b.n; n < 3; n += b.n)
			b = chan_recv(c);
	}
	chan_free(in);
}

/* What is there at once, without waiting for more. */
TEST(batches_that_do_not_wait)
{
	chan(int) in = chan_make(int, 10);
	{
		scope(s, NULL);
		recv_chan(struct five) c;
		struct five b;

		for (int i = 0; i < 7; i++)
			chan_send(in, i);
		c = pipe_batch(s, in, struct five, 0);
		b = chan_recv(c);
		CHECK_EQ(b.n, 5);
		b = chan_recv(c);
		CHECK_EQ(b.n, 2);
		CHECK_EQ(b.items[1], 6);
		chan_send(in, 7);
		b = chan_recv(c);
		CHECK_EQ(b.n, 1);
		CHECK_EQ(b.items[0], 7);
		/* A negative wait is none, too. */
		c = pipe_batch(s, in, struct five, INT64_MIN);
		chan_close(in);
		CHECK(!chan_recv_ok(c, &b));
	}
	chan_free(in);
}

struct pair {
	short items[2];
	size_t n;
};

struct pairs {
	size_t n;
	struct pair items[100];
};

static void to_short(const int *in, short *out)
{
	*out = (short)*in;
}

TEST(batches_of_batches_and_back)
{
	int count = test_count(100000);
	size_t n;
	short *got;
	scope(s, NULL);
	recv_chan(short) all = pipe_map0(s, pipe_from(s, int, count_up, .end = count), short, to_short);
	recv_chan(struct pair) two = pipe_batch(s, all, struct pair, LEAT_MINUTE);
	recv_chan(struct pairs) many = pipe_batch(pipe_at(s, .cap = 2), two, struct pairs, 0);

	got = pipe_collect(s, pipe_unbatch(s, pipe_unbatch(s, many)), &n);
	CHECK_EQ(n, count);
	for (int i = 0; i < count; i++)
		CHECK_EQ(got[i], (short)i);
}

static void too_many(const int *in, struct five *out)
{
	out->n = (size_t)*in;
	memset(out->items, 0, sizeof out->items);
}

TEST(a_batch_that_claims_too_much)
{
	static const int sizes[] = {0, 5, 6};
	size_t n;
	scope(s, NULL);
	recv_chan(struct five) b = pipe_map0(s, pipe_from_array(s, sizes, 3), struct five, too_many);
	recv_chan(int) c = pipe_unbatch(pipe_at(s, .panics = LEAT_PIPE_FAIL), b);

	pipe_collect(s, c, &n);
	CHECK(n <= 5);
	CHECK_STR(leat_error_message(chan_reason(c)),
	          "unbatch: panic: pipe: 6 values in a batch that has room for 5");
}

/* --- type assertions */

LEAT_TYPE(meters, int);

static void send_anys(chan(leat_any) in)
{
	chan_send(in, any_of(1));
	chan_send(in, any_of(2));
	chan_send(in, any_of("three"));
	chan_send(in, any_of(4));
	chan_send(in, any_of_type(meters, 5));
	chan_send(in, (leat_any){0});
	chan_send(in, any_of(7));
	chan_close(in);
}

TEST(a_value_of_another_type_fails_the_scope)
{
	chan(leat_any) in = chan_make(leat_any, 10);
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_cast(s, in, int);

		send_anys(in);
		CHECK_EQ(chan_recv(c), 1);
		CHECK_EQ(chan_recv(c), 2);
		CHECK(!chan_recv_ok(c, &(int){0}));
		CHECK_STR(leat_error_message(chan_reason(c)), "cast: value 3 is string, not int");
		CHECK_EQ(leat_error_code(chan_reason(c)), -EINVAL);
		CHECK(leat_ctx_cause(s) == chan_reason(c));
		CHECK_EQ(scope_wait(s), -EINVAL);
		CHECK_EQ(chan_len(in), 4); /* received no more */
	}
	chan_free(in);
}

TEST(nil_is_of_no_type)
{
	chan(leat_any) in = chan_make(leat_any, 10);
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_cast(pipe_at(s, .name = "lengths"), in, meters);

		chan_send(in, (leat_any){0});
		CHECK(!chan_recv_ok(c, &(int){0}));
		CHECK_STR(leat_error_message(chan_reason(c)), "lengths: value 1 is nil, not meters");
	}
	chan_free(in);
}

TEST(values_of_another_type_are_skipped_and_counted)
{
	chan(leat_any) in = chan_make(leat_any, 10);
	size_t n;
	int *got;
	{
		scope(s, NULL);
		recv_chan(int) c = pipe_cast_ok(s, in, int);

		send_anys(in);
		got = pipe_collect(s, c, &n);
		CHECK_EQ(n, 4);
		CHECK(got[0] == 1 && got[1] == 2 && got[2] == 4 && got[3] == 7);
		CHECK_EQ(pipe_lost(s, c), 3);
		CHECK_EQ(scope_err(s), 0);
	}
	chan_free(in);
}

static void to_any(const int *in, leat_any *out)
{
	*out = any_of(*in);
}

TEST(through_any_and_back)
{
	size_t n;
	int *got;
	scope(s, NULL);
	recv_chan(leat_any) any =
	    pipe_map0(s, pipe_from(s, int, count_up, .end = 1000), leat_any, to_any);

	got = pipe_collect(s, pipe_cast(s, any, int), &n);
	CHECK_EQ(n, 1000);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(got[i], i);
}

/* --- memory that values lead to */

struct node {
	int64_t a, b;
};

static void fill(struct node *const *in, struct node **out)
{
	(*in)->b = (*in)->a * 2;
	*out = *in;
}

struct nodes {
	size_t n;
	struct node *items[7];
};

struct total {
	int64_t *sum;
};

static void total(struct node *const *in, struct total *a)
{
	*a->sum += (*in)->a + (*in)->b;
}

/* What was written before a value was sent is there for who receives it, through each kind of wait, and what each
   has written is there after scope_wait: the race detector agrees. */
TEST(what_a_value_leads_to_is_ordered)
{
	int count = test_count(20000);
	struct node *nodes = calloc((size_t)count, sizeof *nodes);
	chan(struct node *) in = chan_make(struct node *, 3);
	int64_t sum = 0;

	CHECK(nodes != NULL);
	{
		scope(s, NULL);
		recv_chan(struct node *) c = pipe_map0(pipe_at(s, .workers = 3),
		                                       pipe_timeout(s, in, LEAT_HOUR), struct node *, fill);

		c = pipe_unbatch(s, pipe_batch(s, c, struct nodes, 10 * LEAT_MICROSECOND));
		pipe_each(s, pipe_buffer(s, c, 4, LEAT_PIPE_BLOCK), total, .sum = &sum);
		for (int i = 0; i < count; i++) {
			nodes[i].a = i;
			chan_send(in, &nodes[i]);
		}
		chan_close(in);
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(sum, 3 * ((int64_t)count * (count - 1) / 2));
	}
	chan_free(in);
	free(nodes);
}

/* --- misuse */

struct wrong {
	leat_scope *s;
	recv_chan(int) in, c;
	ptrdiff_t room;
	leat_pipe_policy policy;
};

static void buffer_wrongly(void *arg)
{
	struct wrong *a = arg;

	a->c = pipe_buffer(a->s, a->in, a->room, a->policy);
}

static void reject_wrongly(void *arg)
{
	struct wrong *a = arg;

	a->c = pipe_reject0(a->s, a->in, a->room, count_refused);
}

static void batch_wrongly(void *arg)
{
	struct wrong *a = arg;
	leat_pipe_batch_layout none = {0, 8, 0};

	a->c = (recv_chan(int))leat_pipe_batch((leat_pipe_opts){.scope = a->s}, NULL, 4, 8, &none, 0);
}

static void unbatch_wrongly(void *arg)
{
	struct wrong *a = arg;
	leat_pipe_batch_layout none = {0, 8, 0};

	a->c = (recv_chan(int))leat_pipe_unbatch((leat_pipe_opts){.scope = a->s}, NULL, 8, 4, &none);
}

static void lost_of_another(void *arg)
{
	struct wrong *a = arg;

	a->room = (ptrdiff_t)pipe_lost(a->s, a->in);
}

TEST(what_makes_no_sense_panics)
{
	chan(int) in = chan_make(int, 0);
	size_t goroutines = leat_num_goroutine();
	{
		scope(s, NULL);
		struct wrong a = {s, chan_receiver(in), NULL, -1, LEAT_PIPE_BLOCK};

		CHECK(test_panics(lost_of_another, &a, "pipe: not the output of a stage of the scope"));
		CHECK(test_panics(buffer_wrongly, &a, "pipe: negative capacity"));
		CHECK(test_panics(reject_wrongly, &a, "pipe: negative capacity"));
		a.room = 0;
		a.policy = LEAT_PIPE_DROP_OLDEST;
		CHECK(test_panics(buffer_wrongly, &a, "pipe: buffer without room"));
		a.policy = (leat_pipe_policy)4;
		CHECK(test_panics(buffer_wrongly, &a, "pipe: no such policy"));
		CHECK(test_panics(batch_wrongly, &a, "pipe: batches without room"));
		CHECK(test_panics(unbatch_wrongly, &a, "pipe: batches without room"));
		test_goroutines(goroutines);
		a.policy = LEAT_PIPE_BLOCK;
		buffer_wrongly(&a);
		CHECK(test_panics(lost_of_another, &a, "pipe: not the output of a stage of the scope"));
		CHECK_EQ(pipe_lost(s, a.c), 0);
		a.s = NULL;
		CHECK(test_panics(lost_of_another, &a, "pipe of nil scope"));
	}
	chan_free(in);
}

TEST_MAIN
