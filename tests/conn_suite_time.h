/* SPDX-License-Identifier: MIT */
/* The part of conn_suite.h that is about deadlines; what errors say is here, too. */
#ifndef CONN_SUITE_TIME_H
#define CONN_SUITE_TIME_H

/* --- deadlines */

TEST(line_169_past_deadline_though_data_is_ready)
{
	struct conn_pair p = conn_open();
	char byte;
	size_t written;

	if (CONN_BUFFERED)
		CHECK_EQ(leat_conn_write(p.b, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_set_read_deadline(p.a, leat_now() - LEAT_SECOND), 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_write_deadline(p.a, 0), 0);
	for (int i = 0; i < 100; i++) {
		written = 1;
		CHECK_EQ(leat_conn_write(p.a, "x", 1, &written), -ETIMEDOUT);
		CHECK_EQ(written, 0);
	}
	CHECK_EQ(leat_conn_set_deadline(p.a, -1), 0);
	CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
	conn_close(&p);
}

TEST(line_170_data_first_then_the_time_never_early)
{
	for (int i = 0; i < 20; i++) {
		struct conn_pair p = conn_open();
		int64_t at = leat_now() + (i + 1) * LEAT_MILLISECOND;
		char byte;

		CHECK_EQ(leat_conn_set_read_deadline(p.a, at), 0);
		if (CONN_BUFFERED) {
			/* The machine may be slow: what was read before its time was there. */
			CHECK_EQ(leat_conn_write(p.b, "x", 1, NULL), 0);
			if (leat_conn_read(p.a, &byte, 1) != 1)
				CHECK(leat_now() >= at);
		}
		CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
		CHECK(leat_now() >= at);
		CHECK_EQ(leat_conn_set_write_deadline(p.a, at + LEAT_MILLISECOND), 0);
		CHECK_EQ(leat_conn_write(p.a, conn_zeros, CONN_LARGE, NULL), -ETIMEDOUT);
		CHECK(leat_now() >= at + LEAT_MILLISECOND);
		conn_close(&p);
	}
}

TEST(line_171_sticky_until_it_is_moved)
{
	struct conn_pair p = conn_open();
	char byte;

	for (int i = 0; i < 2; i++) {
		CHECK_EQ(leat_conn_set_read_deadline(p.a, 1), 0);
		CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
		CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
	}
	CHECK_EQ(leat_conn_set_read_deadline(p.a, LEAT_FOREVER), 0);
	go(conn_reader, .c = p.a, .expected = 1);
	test_parked(1);
	CHECK_EQ(atomic_load(&conn_ended), 0);
	CHECK_EQ(leat_conn_write(p.b, "x", 1, NULL), 0);
	conn_await(1);
	conn_close(&p);
}

TEST(line_172_moved_while_a_read_waits)
{
	for (int i = 0; i < 3; i++) {
		struct conn_pair p = conn_open();

		if (i == 1)
			CHECK_EQ(leat_conn_set_read_deadline(p.a, leat_now() + LEAT_HOUR), 0);
		go(conn_reader, .c = p.a, .expected = -ETIMEDOUT);
		test_parked(1);
		CHECK_EQ(leat_conn_set_read_deadline(p.a, i == 2 ? leat_now() + LEAT_MILLISECOND
		                                                 : leat_now() - 1),
		         0);
		conn_await(1);
		conn_close(&p);
	}
}

TEST(line_172_moved_while_a_write_waits)
{
	for (int i = 0; i < 3; i++) {
		struct conn_pair p = conn_open();

		if (i == 1)
			CHECK_EQ(leat_conn_set_write_deadline(p.a, leat_now() + LEAT_HOUR), 0);
		go(conn_writer, .c = p.a, .expected = -ETIMEDOUT);
		test_parked(1);
		CHECK_EQ(leat_conn_set_write_deadline(p.a, i == 2 ? leat_now() + LEAT_MILLISECOND
		                                                  : leat_now() - 1),
		         0);
		conn_await(1);
		conn_close(&p);
	}
}

TEST(line_172_moved_away_while_a_read_waits)
{
	struct conn_pair p = conn_open();

	CHECK_EQ(leat_conn_set_read_deadline(p.a, leat_now() + LEAT_HOUR), 0);
	go(conn_reader, .c = p.a, .expected = 1);
	test_parked(1);
	CHECK_EQ(leat_conn_set_read_deadline(p.a, LEAT_FOREVER), 0);
	CHECK_EQ(leat_conn_write(p.b, "x", 1, NULL), 0);
	conn_await(1);
	conn_close(&p);
}

TEST(line_173_directions_are_independent)
{
	struct conn_pair p = conn_open();
	char byte;

	go(conn_echo, .c = p.b);
	CHECK_EQ(leat_conn_set_read_deadline(p.a, 1), 0);
	CHECK_EQ(leat_conn_write(p.a, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_read_deadline(p.a, LEAT_FOREVER), 0);
	CHECK_EQ(leat_conn_set_write_deadline(p.a, 1), 0);
	CHECK_EQ(leat_conn_read(p.a, &byte, 1), 1);
	CHECK_EQ(leat_conn_write(p.a, "x", 1, NULL), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_deadline(p.a, 1), 0); /* both */
	CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
	CHECK_EQ(leat_conn_write(p.a, "x", 1, NULL), -ETIMEDOUT);
	leat_conn_close(p.a);
	conn_await(1);
	conn_close(&p);
}

static void conn_check_error(leat_conn *c, const char *op, int err, const char *end)
{
	const leat_error *e = leat_conn_error(c, op, err);
	const char *message = leat_error_message(e);
	size_t n = strlen(message), m = strlen(end);

	CHECK_EQ(leat_error_code(e), err);
	CHECK(strncmp(message, op, strlen(op)) == 0);
	CHECK(strncmp(message + strlen(op) + 1, CONN_NETWORK, strlen(CONN_NETWORK)) == 0);
	CHECK(n > m);
	CHECK_STR(message + n - m, end);
	leat_error_free(e);
}

TEST(line_174_line_175_what_errors_say)
{
	struct conn_pair p = conn_open();
	const leat_error *e = leat_conn_error(p.a, "read", -ETIMEDOUT);

	CHECK(leat_error_timeout(e));
	leat_error_free(e);
	CHECK(leat_conn_error(p.a, "read", 0) == NULL);
	conn_check_error(p.a, "read", -ETIMEDOUT, ": i/o timeout");
	CHECK_EQ(leat_conn_close(p.a), 0);
	conn_check_error(p.a, "write", -EBADF, ": use of closed network connection");
	e = leat_conn_error(p.a, "read", -EBADF);
	CHECK(!leat_error_timeout(e));
	leat_error_free(e);
	conn_close(&p);
}

TEST(line_178_prolonged_deadlines)
{
	struct conn_pair p = conn_open();
	char byte = 0;

	go(conn_echo, .c = p.b);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(leat_conn_set_deadline(p.a, leat_now() + LEAT_HOUR), 0);
		CHECK_EQ(leat_conn_write(p.a, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(p.a, &byte, 1), 1);
	}
	leat_conn_close(p.a);
	conn_await(1);
	conn_close(&p);
}

struct conn_setter {
	leat_conn *const *c;
	int n, rounds;
};

static void conn_setter(struct conn_setter *s)
{
	for (int i = 0; i < s->rounds; i++)
		for (int k = 0; k < s->n; k++)
			CHECK_EQ(leat_conn_set_deadline(s->c[k], leat_now() + (i % 3 - 1) * LEAT_HOUR), 0);
	atomic_fetch_add(&conn_ended, 1);
}

TEST(line_178_deadlines_set_by_all_at_once)
{
	struct conn_pair p[10];
	leat_conn *c[10];

	for (int i = 0; i < 10; i++) {
		p[i] = conn_open();
		c[i] = p[i].a;
	}
	for (int i = 0; i < 8; i++)
		go(conn_setter, .c = c, .n = 10, .rounds = test_count(1000));
	conn_await(8);
	for (int i = 9; i >= 0; i--)
		conn_close(&p[i]);
}

TEST(line_179_various_deadlines)
{
	struct conn_pair p = conn_open();
	char byte;
	static const int64_t after[] = {
	    1,     2,      5,      50,      100,     200,      500,      750,       1000,       5000,
	    25000, 250000, 500000, 1000000, 5000000, 25000000, 50000000, 100000000, 1000000000,
	};

	for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
		int64_t at = leat_now() + after[i];

		CHECK_EQ(leat_conn_set_deadline(p.a, at), 0);
		CHECK_EQ(leat_conn_read(p.a, &byte, 1), -ETIMEDOUT);
		CHECK(leat_now() >= at);
	}
	conn_close(&p);
}

#endif
