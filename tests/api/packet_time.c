/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* Goal: deadlines, contexts and closes end the waits of those who read and write datagrams, as they do those of streams; many
   may be at it at once. */
#include "packet_help.h"

/*
 * Reads are of both kinds of sockets.  Writes that wait are Unix's, of one that is connected, which the kernel wakes, and of
 * one that is not, which has to look again.
 */
static const char *const networks[] = {"udp", "unixgram"};
enum { NETWORKS = 2 };

TEST(line_169_past_deadline_though_one_is_ready)
{
	for (int i = 0; i < NETWORKS; i++) {
		leat_addr at;
		leat_conn *c = packet_listen(networks[i], &at);
		leat_packet one = {.addr = at};
		size_t written = 1;
		char byte;

		CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
		CHECK_EQ(leat_conn_set_read_deadline(c, leat_now() - LEAT_SECOND), 0);
		for (int k = 0; k < 100; k++) {
			CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -ETIMEDOUT);
			CHECK_EQ(leat_packet_read_batch(c, &one, 1, NULL), -ETIMEDOUT);
		}
		CHECK_EQ(leat_conn_set_write_deadline(c, 0), 0);
		for (int k = 0; k < 100; k++) {
			CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), -ETIMEDOUT);
			CHECK_EQ(leat_packet_write_batch(c, &one, 1, NULL, &written), -ETIMEDOUT);
			CHECK_EQ(written, 0);
		}
		/* It is still there. */
		CHECK_EQ(leat_conn_set_deadline(c, LEAT_FOREVER), 0);
		CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), 1);
		leat_conn_free(c);
	}
}

TEST(line_170_what_is_there_first_then_the_time_never_early)
{
	for (int i = 0; i < 10 * NETWORKS; i++) {
		leat_addr at;
		leat_conn *c = packet_listen(networks[i % NETWORKS], &at);
		int64_t until = leat_now() + (i + 1) * LEAT_MILLISECOND;
		char byte;

		CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
		CHECK_EQ(leat_conn_set_read_deadline(c, until), 0);
		/* The machine may be slow: what was read before its time was there. */
		if (leat_packet_read_from(c, &byte, 1, NULL, NULL) != 1)
			CHECK(leat_now() >= until);
		CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -ETIMEDOUT);
		CHECK(leat_now() >= until);
		leat_conn_free(c);
	}
}

TEST(line_171_sticky_until_it_is_moved)
{
	for (int i = 0; i < NETWORKS; i++) {
		leat_addr at;
		leat_conn *c = packet_listen(networks[i], &at);
		char byte;

		atomic_store(&packet_ended, 0);
		for (int k = 0; k < 2; k++) {
			CHECK_EQ(leat_conn_set_read_deadline(c, 1), 0);
			CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -ETIMEDOUT);
			CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -ETIMEDOUT);
		}
		CHECK_EQ(leat_conn_set_read_deadline(c, LEAT_FOREVER), 0);
		go(packet_reader, .c = c, .expected = 1);
		test_parked(1);
		CHECK_EQ(atomic_load(&packet_ended), 0);
		CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
		packet_await(1);
		leat_conn_free(c);
		test_goroutines(1);
	}
}

TEST(line_172_moved_while_a_read_waits)
{
	for (int i = 0; i < 3 * 2 * NETWORKS; i++) {
		leat_addr at;
		leat_conn *c = packet_listen(networks[i % NETWORKS], &at);

		atomic_store(&packet_ended, 0);
		if (i % 3 == 1)
			CHECK_EQ(leat_conn_set_read_deadline(c, leat_now() + LEAT_HOUR), 0);
		go(packet_reader, .c = c, .expected = -ETIMEDOUT, .batch = i >= 3 * NETWORKS);
		test_parked(1);
		CHECK_EQ(leat_conn_set_read_deadline(c, i % 3 == 2 ? leat_now() + LEAT_MILLISECOND
		                                                   : leat_now() - 1),
		         0);
		packet_await(1);
		leat_conn_free(c);
		test_goroutines(1);
	}
}

/* Who writes to at, which nobody reads, until it waits: connected, or not. */
struct full {
	leat_conn *reader, *writer;
	leat_addr at;
	const leat_addr *to;
};

static void full_begin(struct full *f, bool connected)
{
	leat_addr mine;

	atomic_store(&packet_ended, 0);
	f->reader = packet_listen("unixgram", &f->at);
	f->writer = connected ? packet_dial("unixgram", &f->at) : packet_listen("unixgram", &mine);
	f->to = connected ? NULL : &f->at;
}

static void full_end(struct full *f)
{
	leat_conn_free(f->reader);
	leat_conn_free(f->writer);
	test_goroutines(1);
}

TEST(line_172_moved_while_a_write_waits)
{
	for (int i = 0; i < 3 * 4; i++) {
		struct full f;

		full_begin(&f, i % 2);
		if (i % 3 == 1)
			CHECK_EQ(leat_conn_set_write_deadline(f.writer, leat_now() + LEAT_HOUR), 0);
		go(packet_writer, .c = f.writer, .to = f.to, .expected = -ETIMEDOUT, .batch = i >= 6);
		test_parked(1);
		CHECK_EQ(leat_conn_set_write_deadline(f.writer, i % 3 == 2 ? leat_now() + LEAT_MILLISECOND
		                                                           : leat_now() - 1),
		         0);
		packet_await(1);
		full_end(&f);
	}
}

TEST(line_173_directions_are_independent)
{
	for (int i = 0; i < NETWORKS; i++) {
		leat_addr at;
		leat_conn *c = packet_listen(networks[i], &at);
		char byte;

		CHECK_EQ(leat_conn_set_read_deadline(c, 1), 0);
		CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), 0);
		CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -ETIMEDOUT);
		CHECK_EQ(leat_conn_set_read_deadline(c, LEAT_FOREVER), 0);
		CHECK_EQ(leat_conn_set_write_deadline(c, 1), 0);
		CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), 1);
		CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), -ETIMEDOUT);
		CHECK_EQ(leat_conn_set_deadline(c, 1), 0); /* both */
		CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -ETIMEDOUT);
		CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), -ETIMEDOUT);
		leat_conn_free(c);
	}
}

TEST(line_174_it_is_a_time_out)
{
	leat_addr at;
	leat_conn *c = packet_listen("udp", &at);
	const leat_error *e = leat_packet_error(c, "write", &at, -ETIMEDOUT);

	CHECK(leat_error_timeout(e));
	leat_error_free(e);
	e = leat_packet_error(c, "write", &at, -EBADF);
	CHECK(!leat_error_timeout(e));
	leat_error_free(e);
	leat_conn_free(c);
}

TEST(line_175_close_wakes_all)
{
	for (int i = 0; i < NETWORKS * 2; i++) {
		leat_addr at;
		leat_conn *c = packet_listen(networks[i % NETWORKS], &at);
		char byte;

		atomic_store(&packet_ended, 0);
		for (int k = 0; k < 5; k++) {
			go(packet_reader, .c = c, .expected = -EBADF);
			go(packet_reader, .c = c, .expected = -EBADF, .batch = true);
		}
		test_parked(10);
		if (i < NETWORKS) {
			CHECK_EQ(leat_conn_close(c), 0);
			packet_await(10);
			CHECK_EQ(leat_conn_close(c), -EBADF);
			CHECK_EQ(leat_packet_read_from(c, &byte, 1, NULL, NULL), -EBADF);
			CHECK_EQ(leat_packet_write_to(c, "x", 1, &at, NULL), -EBADF);
		}
		leat_conn_free(c);
		packet_await(10);
		test_goroutines(1);
	}
}

TEST(line_175_close_wakes_who_write)
{
	for (int i = 0; i < 2; i++) {
		struct full f;

		full_begin(&f, i);
		for (int k = 0; k < 5; k++) {
			go(packet_writer, .c = f.writer, .to = f.to, .expected = -EBADF);
			go(packet_writer, .c = f.writer, .to = f.to, .expected = -EBADF, .batch = true);
		}
		test_parked(10);
		CHECK_EQ(leat_conn_close(f.writer), 0);
		packet_await(10);
		full_end(&f);
	}
}

TEST(contexts_end_waits)
{
	for (int i = 0; i < 2; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background()), *soon;
		struct full f;
		char byte;

		full_begin(&f, i);
		for (int k = 0; k < 3; k++) {
			go(packet_writer, .c = f.writer, .to = f.to, .ctx = ctx, .expected = -ECANCELED);
			go(packet_writer, .c = f.writer, .to = f.to, .ctx = ctx, .expected = -ECANCELED,
			   .batch = true);
			go(packet_reader, .c = f.writer, .ctx = ctx, .expected = -ECANCELED);
			go(packet_reader, .c = f.writer, .ctx = ctx, .expected = -ECANCELED, .batch = true);
		}
		test_parked(12);
		leat_ctx_cancel(ctx);
		packet_await(12);
		/* One that is done gets nothing. */
		CHECK_EQ(leat_packet_read_from(f.reader, &byte, 1, NULL, ctx), -ECANCELED);
		leat_ctx_free(ctx);
		soon = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
		CHECK_EQ(leat_packet_read_from(f.writer, &byte, 1, NULL, soon), -ETIMEDOUT);
		leat_ctx_free(soon);
		full_end(&f);
	}
}

/* --- many at once */

struct numbered {
	uint32_t writer, number;
};

enum { WRITERS = 4, READERS = 4 };

static _Atomic uint64_t seen_sum;
static _Atomic uint32_t seen;

struct racer {
	leat_waitgroup *done;
	leat_conn *c;
	leat_addr to;
	uint32_t id, rounds;
};

static void racing_writer(struct racer *r)
{
	for (uint32_t i = 0; i < r->rounds; i++) {
		struct numbered n[3] = {{r->id, 3 * i}, {r->id, 3 * i + 1}, {r->id, 3 * i + 2}};
		leat_packet two[2] = {{.data = &n[1], .bytes = sizeof *n, .addr = r->to},
		                      {.data = &n[2], .bytes = sizeof *n, .addr = r->to}};

		CHECK_EQ(leat_packet_write_to(r->c, &n[0], sizeof n[0], &r->to, NULL), 0);
		CHECK_EQ(leat_packet_write_batch(r->c, two, 2, NULL, NULL), 0);
	}
	leat_waitgroup_done(r->done);
}

static void racing_reader(struct racer *r)
{
	struct numbered n[4];
	leat_packet p[4];
	int got = 1;

	for (uint32_t i = 0; got > 0; i++) {
		for (int k = 0; k < 4; k++)
			p[k] = (leat_packet){.data = &n[k], .room = sizeof *n};
		if (i % 2) {
			got = leat_packet_read_batch(r->c, p, 4, NULL);
		} else {
			ssize_t bytes = leat_packet_read_from(r->c, n, sizeof *n, NULL, NULL);

			p[0].bytes = sizeof *n;
			CHECK(bytes < 0 || bytes == sizeof *n);
			got = bytes < 0 ? (int)bytes : 1;
		}
		for (int k = 0; k < got; k++) {
			CHECK_EQ(p[k].bytes, sizeof *n);
			CHECK(n[k].writer < WRITERS);
			atomic_fetch_add(&seen_sum, n[k].number);
			atomic_fetch_add(&seen, 1);
		}
	}
	CHECK_EQ(got, -EBADF);
	leat_waitgroup_done(r->done);
}

/* Unix's, which loses none: each arrives once, whole, at one of those who read. */
TEST(racing_readers_and_writers)
{
	uint32_t rounds = (uint32_t)test_count(3000);
	uint64_t all = 3 * (uint64_t)rounds;
	leat_waitgroup writers = {0}, readers = {0};
	leat_addr at, mine;
	leat_conn *in = packet_listen("unixgram", &at), *out = packet_listen("unixgram", &mine);

	atomic_store(&seen, 0);
	atomic_store(&seen_sum, 0);
	leat_waitgroup_add(&readers, READERS);
	for (uint32_t i = 0; i < READERS; i++)
		go_as(racer, racing_reader, .done = &readers, .c = in);
	leat_waitgroup_add(&writers, WRITERS);
	for (uint32_t i = 0; i < WRITERS; i++)
		go_as(racer, racing_writer, .done = &writers, .c = out, .to = at, .id = i,
		      .rounds = rounds);
	leat_waitgroup_wait(&writers);
	test_until(atomic_load(&seen) == WRITERS * all);
	CHECK_EQ(leat_conn_close(in), 0); /* not free: who has just read is about to read again */
	leat_waitgroup_wait(&readers);
	leat_conn_free(in);
	CHECK_EQ(atomic_load(&seen_sum), WRITERS * (all * (all - 1) / 2));
	leat_conn_free(out);
	test_goroutines(1);
}

struct anything {
	leat_conn *c;
	leat_addr to;
	int what;
};

static void anything(struct anything *a)
{
	char bytes[2][100] = {{0}};
	leat_packet p[2] = {{.data = bytes[0], .room = 100}, {.data = bytes[1], .room = 100}};
	int result = 0;

	while (result >= 0 || result == -ETIMEDOUT) {
		leat_conn_local(a->c);
		switch (a->what) {
		case 0:
			result = (int)leat_packet_read_from(a->c, bytes[0], 100, NULL, NULL);
			break;
		case 1:
			result = leat_packet_write_to(a->c, bytes[0], 100, &a->to, NULL);
			break;
		case 2:
			result = leat_conn_set_read_deadline(a->c, leat_now() + 20000);
			break;
		case 3:
			result = leat_conn_set_write_deadline(a->c, leat_now() + 20000);
			break;
		case 4:
			result = leat_packet_read_batch(a->c, p, 2, NULL);
			break;
		case 5:
			p[0] = p[1] = (leat_packet){.data = bytes[0], .bytes = 100, .addr = a->to};
			result = leat_packet_write_batch(a->c, p, 2, NULL, NULL);
			break;
		case 6:
			result = leat_packet_set_broadcast(a->c, true);
			if (result == -ENOTSUP)
				result = leat_conn_set_read_buffer(a->c, 10000);
		}
		leat_yield();
	}
	CHECK_EQ(result, -EBADF);
	atomic_fetch_add(&packet_ended, 1);
}

TEST(line_176_close_while_seven_are_at_it)
{
	int before = test_descriptors();

	for (int i = 0; i < test_count(300); i++) {
		leat_addr at;
		leat_conn *c = packet_listen(networks[i % NETWORKS], &at);
		int64_t until = leat_now() + i % 10 * 50 * LEAT_MICROSECOND;

		atomic_store(&packet_ended, 0);
		for (int k = 0; k < 7; k++)
			go(anything, .c = c, .to = at, .what = k);
		while (leat_now() < until)
			leat_yield();
		CHECK_EQ(leat_conn_close(c), 0);
		packet_await(7);
		leat_conn_free(c);
		test_goroutines(1);
	}
	CHECK(test_descriptors() <= before + 2);
}

TEST_MAIN
