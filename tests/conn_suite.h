/* SPDX-License-Identifier: MIT */
/*
 * What every kind of connection promises, in the manner of Go's nettest: a program defines
 *
 *	static void conn_make(leat_conn **a, leat_conn **b);    two connected ends
 *	CONN_BUFFERED                                           1: a write returns though nobody reads yet
 *	CONN_NETWORK                                            what errors call it
 *
 * includes this, may add tests of its own, and ends with TEST_MAIN.  Nothing may be left at the end of any test: goroutines,
 * descriptors, memory.
 */
#ifndef CONN_SUITE_H
#define CONN_SUITE_H

#include "conn_suite_help.h"

/* One end each, and what there was before. */
struct conn_pair {
	leat_conn *a, *b;
	int descriptors;
};

static inline struct conn_pair conn_open(void)
{
	struct conn_pair p = {.descriptors = test_descriptors()};

	atomic_store(&conn_ended, 0);
	conn_make(&p.a, &p.b);
	return p;
}

static inline void conn_close(struct conn_pair *p)
{
	leat_conn_free(p->a);
	leat_conn_free(p->b);
	test_goroutines(1);
	/* The poller has two from its first use on. */
	CHECK(test_descriptors() <= p->descriptors + 2);
}

/* Everything that comes, until the end or an error. */
struct conn_drain {
	leat_conn *c;
};

static void conn_drain(struct conn_drain *d)
{
	static char nowhere[64 << 10];
	char *to = malloc(sizeof nowhere);

	while (leat_conn_read(d->c, to, sizeof nowhere) > 0)
		;
	free(to);
	atomic_fetch_add(&conn_ended, 1);
}

struct conn_echo {
	leat_conn *c;
};

static void conn_echo(struct conn_echo *e)
{
	char buffer[256];
	ssize_t n;

	while ((n = leat_conn_read(e->c, buffer, sizeof buffer)) > 0)
		if (leat_conn_write(e->c, buffer, (size_t)n, NULL) != 0)
			break;
	atomic_fetch_add(&conn_ended, 1);
}

/* --- bytes arrive, all and in order */

enum { CONN_PATTERN = 4 << 20 };

static unsigned char conn_pattern(size_t i)
{
	return (unsigned char)((uint32_t)i * 2654435761u >> 24);
}

struct conn_sender {
	leat_conn *c;
	bool in_pieces;
};

static void conn_sender(struct conn_sender *s)
{
	unsigned char *bytes = malloc(CONN_PATTERN);
	struct iovec parts[40];
	size_t at = 0, written;

	for (size_t i = 0; i < CONN_PATTERN; i++)
		bytes[i] = conn_pattern(i);
	if (!s->in_pieces) {
		CHECK_EQ(leat_conn_write(s->c, bytes, CONN_PATTERN, &written), 0);
	} else {
		/* Pieces of 0, 1, 2, ... bytes; the last has the rest. */
		for (int i = 0; i < 40; at += parts[i].iov_len, i++)
			parts[i] = (struct iovec){bytes + at, i < 39 ? (size_t)i : CONN_PATTERN - at};
		CHECK_EQ(leat_conn_writev(s->c, parts, 40, NULL, &written), 0);
	}
	CHECK_EQ(written, CONN_PATTERN);
	CHECK_EQ(leat_conn_close_write(s->c), 0);
	free(bytes);
	atomic_fetch_add(&conn_ended, 1);
}

static void conn_receive_pattern(leat_conn *c)
{
	unsigned char buffer[5000];
	size_t total = 0;
	ssize_t n;

	while ((n = leat_conn_read(c, buffer, 1 + total % sizeof buffer)) > 0)
		for (ssize_t i = 0; i < n; i++)
			CHECK_EQ(buffer[i], conn_pattern(total++));
	CHECK_EQ(n, 0);
	CHECK_EQ(total, CONN_PATTERN);
	CHECK_EQ(leat_conn_read(c, buffer, 1), 0); /* it stays the end */
}

TEST(basic_io)
{
	for (int i = 0; i < 2; i++) {
		struct conn_pair p = conn_open();

		go(conn_sender, .c = p.a, .in_pieces = i == 1);
		conn_receive_pattern(p.b);
		conn_await(1);
		conn_close(&p);
	}
}

TEST(ping_pong)
{
	struct conn_pair p = conn_open();
	uint64_t got = 0;

	go(conn_echo, .c = p.b);
	for (uint64_t i = 1; i <= (uint64_t)test_count(20000); i++) {
		CHECK_EQ(leat_conn_write(p.a, &i, sizeof i, NULL), 0);
		CHECK_EQ(leat_conn_read_full(p.a, &got, sizeof got, NULL, NULL), 0);
		CHECK_EQ(got, i);
	}
	CHECK_EQ(leat_conn_close_write(p.a), 0);
	conn_await(1);
	conn_close(&p);
}

struct conn_piecemeal {
	leat_conn *c;
	int bytes;
};

static void conn_piecemeal(struct conn_piecemeal *a)
{
	for (int i = 0; i < a->bytes; i++)
		CHECK_EQ(leat_conn_write(a->c, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_close(a->c), 0);
	atomic_fetch_add(&conn_ended, 1);
}

TEST(read_full)
{
	struct conn_pair p = conn_open();
	char buffer[8];
	size_t done;

	go(conn_piecemeal, .c = p.a, .bytes = 11);
	CHECK_EQ(leat_conn_read_full(p.b, buffer, 8, NULL, &done), 0);
	CHECK_EQ(done, 8);
	CHECK_EQ(leat_conn_read_full(p.b, buffer, 8, NULL, &done), -EPROTO);
	CHECK_EQ(done, 3);
	CHECK_EQ(leat_conn_read_full(p.b, buffer, 8, NULL, &done), -ENODATA);
	CHECK_EQ(done, 0);
	conn_await(1);
	conn_close(&p);
}

/*
 * The last bytes and the end in all orders of coming: the reader, whose reads are short, has to find the end though it came
 * with the bytes.
 */
TEST(the_end_comes_with_the_last_bytes)
{
	for (int i = 0; i < test_count(5000); i++) {
		struct conn_pair p = conn_open();
		char buffer[64];
		ssize_t n;
		int total = 0;

		go(conn_piecemeal, .c = p.a, .bytes = 1 + i % 3);
		if (i % 4 == 0)
			conn_await(CONN_BUFFERED);
		while ((n = leat_conn_read(p.b, buffer, sizeof buffer)) > 0)
			total += (int)n;
		CHECK_EQ(n, 0);
		CHECK_EQ(total, 1 + i % 3);
		conn_await(1);
		conn_close(&p);
	}
}

TEST(sendfile_sends_a_part_of_a_file)
{
	struct conn_pair p = conn_open();
	char name[] = "/tmp/leat-conn-XXXXXX", buffer[100];
	int fd = mkstemp(name);
	size_t written;

	CHECK(fd >= 0);
	unlink(name);
	CHECK_EQ(write(fd, "0123456789abcdef", 16), 16);
	go(conn_echo, .c = p.b);
	/* More than there is: less is sent, and where the file is at stays. */
	CHECK_EQ(leat_conn_sendfile(p.a, fd, 10, 1000, NULL, &written), 0);
	CHECK_EQ(written, 6);
	CHECK_EQ(leat_conn_read_full(p.a, buffer, 6, NULL, NULL), 0);
	CHECK(memcmp(buffer, "abcdef", 6) == 0);
	CHECK_EQ(leat_conn_sendfile(p.a, fd, 2, 3, NULL, &written), 0);
	CHECK_EQ(written, 3);
	CHECK_EQ(leat_conn_read_full(p.a, buffer, 3, NULL, NULL), 0);
	CHECK(memcmp(buffer, "234", 3) == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 16);
	CHECK_EQ(leat_conn_sendfile(p.a, fd, -1, 3, NULL, &written), -EINVAL);
	CHECK_EQ(leat_conn_close(p.b), 0);
	conn_await(1);
	/* The other side is gone: an error, no signal, at the latest when it has said so. */
	int err = 0;
	for (int i = 0; i < 1000 && !err; i++)
		err = leat_conn_sendfile(p.a, fd, 0, 16, NULL, NULL);
	CHECK(err == -EPIPE || err == -ECONNRESET);
	close(fd);
	conn_close(&p);
}

#include "conn_suite_time.h"

/* --- closing */

TEST(line_175_close_wakes_all)
{
	struct conn_pair p = conn_open();
	char byte;

	for (int i = 0; i < 5; i++) {
		go(conn_reader, .c = p.a, .expected = -EBADF);
		go(conn_writer, .c = p.a, .expected = -EBADF);
	}
	test_parked(10);
	CHECK_EQ(leat_conn_close(p.a), 0);
	conn_await(10);
	CHECK_EQ(leat_conn_close(p.a), -EBADF);
	CHECK_EQ(leat_conn_read(p.a, &byte, 1), -EBADF);
	CHECK_EQ(leat_conn_write(p.a, "x", 1, NULL), -EBADF);
	CHECK_EQ(leat_conn_set_deadline(p.a, 1), -EBADF);
	conn_close(&p);
}

TEST(free_wakes_all)
{
	struct conn_pair p = conn_open();

	go(conn_reader, .c = p.a, .expected = -EBADF);
	go(conn_writer, .c = p.a, .expected = -EBADF);
	go(conn_reader, .c = p.a, .expected = -EBADF);
	test_parked(3);
	leat_conn_free(p.a);
	p.a = NULL;
	conn_await(3);
	conn_close(&p);
}

TEST(half_close)
{
	struct conn_pair p = conn_open();
	char buffer[16];

	go(conn_reader, .c = p.b, .expected = 0);
	test_parked(1);
	CHECK_EQ(leat_conn_close_write(p.a), 0);
	conn_await(1);
	CHECK_EQ(leat_conn_read(p.b, buffer, 1), 0);
	CHECK_EQ(leat_conn_write(p.a, "x", 1, NULL), -EPIPE);
	/* The other way it still goes. */
	go(conn_reader, .c = p.a, .expected = 1);
	CHECK_EQ(leat_conn_write(p.b, "y", 1, NULL), 0);
	conn_await(2);
	conn_close(&p);
}

/* What has come and was not read, and what comes after. */
TEST(close_read_is_the_end_for_good)
{
	struct conn_pair p = conn_open();
	char buffer[16];

#if CONN_BUFFERED
	CHECK_EQ(leat_conn_write(p.b, "before", 6, NULL), 0);
	CHECK_EQ(leat_conn_read(p.a, buffer, 1), 1);
#endif
	CHECK_EQ(leat_conn_close_read(p.a), 0);
	for (int i = 0; i < 3; i++) {
		int err = leat_conn_write(p.b, "after", 5, NULL);

		CHECK(err == 0 || err == -EPIPE);
		leat_sleep(LEAT_MILLISECOND); /* it may have arrived, or not */
		CHECK_EQ(leat_conn_read(p.a, buffer, sizeof buffer), 0);
	}
	CHECK_EQ(leat_conn_write(p.a, "", 0, NULL), 0);
	CHECK_EQ(leat_conn_close(p.a), 0);
	CHECK_EQ(leat_conn_read(p.a, buffer, 1), -EBADF);
	conn_close(&p);
}

TEST(a_read_of_no_bytes_waits_for_nothing)
{
	struct conn_pair p = conn_open();

	CHECK_EQ(leat_conn_read(p.a, NULL, 0), 0);
	CHECK_EQ(leat_conn_close(p.a), 0);
	CHECK_EQ(leat_conn_read(p.a, NULL, 0), -EBADF);
	conn_close(&p);
}

TEST(close_read_wakes_who_reads)
{
	struct conn_pair p = conn_open();

	go(conn_reader, .c = p.a, .expected = 0);
	test_parked(1);
	CHECK_EQ(leat_conn_close_read(p.a), 0);
	conn_await(1);
	conn_close(&p);
}

TEST(writes_to_who_is_gone_fail_without_a_signal)
{
	struct conn_pair p = conn_open();
	int err = 0;

	CHECK_EQ(leat_conn_close(p.b), 0);
	for (int i = 0; i < 1000 && !err; i++)
		err = leat_conn_write(p.a, conn_zeros, 4096, NULL);
	CHECK(err == -EPIPE || err == -ECONNRESET);
	conn_close(&p);
}

/* --- contexts */

TEST(contexts_end_waits)
{
	struct conn_pair p = conn_open();
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background()), *soon;
	char byte;

	for (int i = 0; i < 3; i++) {
		go(conn_reader, .c = p.a, .ctx = ctx, .expected = -ECANCELED);
		go(conn_writer, .c = p.a, .ctx = ctx, .expected = -ECANCELED);
	}
	test_parked(6);
	leat_ctx_cancel(ctx);
	conn_await(6);
	/* One that is done gets nothing. */
	CHECK_EQ(leat_conn_read_ctx(p.a, &byte, 1, ctx), -ECANCELED);
	CHECK_EQ(leat_conn_write_ctx(p.a, "x", 1, ctx, NULL), -ECANCELED);
	leat_ctx_free(ctx);
	soon = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	CHECK_EQ(leat_conn_read_ctx(p.a, &byte, 1, soon), -ETIMEDOUT);
	leat_ctx_free(soon);
	/* Who waits without one stays, and gets what comes: what the writers left in buffers, or else a byte of its own.  Buffers
	   may be full of it, so somebody has to read on; not before that one has had his. */
	go(conn_reader, .c = p.b, .expected = 1);
	if (CONN_BUFFERED)
		conn_await(7);
	go(conn_piecemeal, .c = p.a, .bytes = 1);
	if (!CONN_BUFFERED)
		conn_await(8);
	go(conn_drain, .c = p.b);
	conn_await(9);
	conn_close(&p);
}

/* --- many at once */

enum { CONN_BLOCK = 64 << 10 };

struct conn_block_writer {
	leat_conn *c;
	char letter;
	int blocks;
};

static void conn_block_writer(struct conn_block_writer *w)
{
	char *block = malloc(CONN_BLOCK);

	memset(block, w->letter, CONN_BLOCK);
	for (int i = 0; i < w->blocks; i++)
		CHECK_EQ(leat_conn_write(w->c, block, CONN_BLOCK, NULL), 0);
	free(block);
	atomic_fetch_add(&conn_ended, 1);
}

TEST(line_177_writes_take_turns)
{
	struct conn_pair p = conn_open();
	int blocks = test_count(100);
	char *block = malloc(CONN_BLOCK);

	/* Who waits to read keeps nobody from writing. */
	go(conn_reader, .c = p.a, .expected = -EBADF);
	for (int i = 0; i < 4; i++)
		go(conn_block_writer, .c = p.a, .letter = (char)('a' + i), .blocks = blocks);
	for (int i = 0; i < 4 * blocks; i++) {
		CHECK_EQ(leat_conn_read_full(p.b, block, CONN_BLOCK, NULL, NULL), 0);
		for (int k = 1; k < CONN_BLOCK; k++)
			CHECK_EQ(block[k], block[0]);
	}
	conn_await(4);
	CHECK_EQ(leat_conn_close(p.a), 0);
	conn_await(5);
	free(block);
	conn_close(&p);
}

struct conn_racy {
	leat_conn *c;
	int rounds;
	bool writes;
};

static void conn_racy(struct conn_racy *r)
{
	char buffer[1000] = {0};
	uint32_t random = 1;

	for (int i = 0; i < r->rounds; i++) {
		ssize_t n = r->writes ? leat_conn_write(r->c, buffer, sizeof buffer, NULL)
		                      : leat_conn_read(r->c, buffer, sizeof buffer);

		CHECK(n >= 0 || n == -ETIMEDOUT);
		random = random * 1664525 + 1013904223;
		n = leat_conn_set_deadline(r->c, leat_now() + (random >> 12));
		CHECK_EQ(n, 0);
	}
	atomic_fetch_add(&conn_ended, 1);
}

/* Deadlines are moved by who reads and by who writes, at any time. */
static void conn_race(bool writes)
{
	struct conn_pair p = conn_open();
	int rounds = test_count(2000);

	if (writes)
		go(conn_drain, .c = p.b);
	else
		go(conn_writer, .c = p.b, .expected = -EBADF);
	CHECK_EQ(leat_conn_set_deadline(p.a, leat_now() + LEAT_MILLISECOND), 0);
	for (int i = 0; i < 10; i++)
		go(conn_racy, .c = p.a, .rounds = rounds / 10 + 1, .writes = writes);
	test_until(atomic_load(&conn_ended) >= 10);
	leat_conn_close(p.b);
	conn_await(11);
	conn_close(&p);
}

TEST(racy_read)
{
	conn_race(false);
}

TEST(racy_write)
{
	conn_race(true);
}

struct conn_anything {
	leat_conn *c;
	int what;
};

static void conn_anything(struct conn_anything *a)
{
	char buffer[100] = {0};
	int result = 0;

	while (result >= 0 || result == -ETIMEDOUT) {
		leat_conn_local(a->c);
		leat_conn_remote(a->c);
		switch (a->what % 4) {
		case 0:
			result = (int)leat_conn_read(a->c, buffer, sizeof buffer);
			break;
		case 1:
			result = leat_conn_write(a->c, buffer, sizeof buffer, NULL);
			break;
		case 2:
			result = leat_conn_set_read_deadline(a->c, leat_now() + 20000);
			break;
		case 3:
			result = leat_conn_set_write_deadline(a->c, leat_now() + 20000);
		}
		leat_yield();
	}
	CHECK_EQ(result, -EBADF);
	atomic_fetch_add(&conn_ended, 1);
}

TEST(line_176_close_while_eight_are_at_it)
{
	for (int i = 0; i < test_count(300); i++) {
		struct conn_pair p = conn_open();
		int64_t until = leat_now() + i % 10 * 50 * LEAT_MICROSECOND;

		for (int k = 0; k < 8; k++)
			go(conn_anything, .c = p.a, .what = k);
		go(conn_echo, .c = p.b);
		while (leat_now() < until)
			leat_yield();
		CHECK_EQ(leat_conn_close(p.a), 0);
		conn_await(9);
		conn_close(&p);
	}
}

#endif
