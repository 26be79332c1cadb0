/* SPDX-License-Identifier: MIT */
/* Buffered writing. */
#include "test.h"

#include <errno.h>

/* --- what is written to: memory that fails as it is told to */

struct sink {
	char text[8192];
	size_t n, piece; /* it fails after so many bytes, each time; 0: never */
	int writes;
};

static int sink_write(void *self, const void *from, size_t bytes, leat_ctx *ctx, size_t *written)
{
	struct sink *s = self;
	size_t n = s->piece && bytes > s->piece ? s->piece : bytes;

	s->writes++;
	if (ctx && leat_ctx_err(ctx))
		return leat_ctx_err(ctx);
	CHECK(s->n + n <= sizeof s->text);
	memcpy(s->text + s->n, from, n);
	s->n += n;
	*written = n;
	return n < bytes ? -ETIMEDOUT : 0;
}

static leat_writer *writing(struct sink *s, size_t buffer)
{
	leat_writer *w = leat_writer_new(sink_write, s, &(leat_writer_opts){.buffer_bytes = buffer});

	CHECK(w);
	return w;
}

TEST(small_ones_go_together)
{
	struct sink s = {.n = 0};
	leat_writer *w = writing(&s, 16);
	size_t n;

	CHECK_EQ(leat_writer_write(w, "abc", 3, &n), 0);
	CHECK_EQ(n, 3);
	CHECK_EQ(leat_writer_write_byte(w, 'd'), 0);
	CHECK_EQ(leat_writer_write_string(w, "ef"), 0);
	CHECK_EQ(leat_writer_printf(w, "%d-%s", 12, "x"), 0);
	CHECK_EQ(s.writes, 0);
	CHECK_EQ(leat_writer_buffered(w), 10);
	CHECK_EQ(leat_writer_flush(w), 0);
	CHECK_EQ(leat_writer_flush(w), 0);
	CHECK_EQ(s.writes, 1);
	CHECK(s.n == 10 && memcmp(s.text, "abcdef12-x", 10) == 0);
	/* What is larger goes past the buffer. */
	CHECK_EQ(leat_writer_write(w, "0123456789abcdefgh", 18, NULL), 0);
	CHECK_EQ(leat_writer_buffered(w), 0);
	CHECK_EQ(s.writes, 2);
	CHECK_EQ(leat_writer_write(w, "x", 1, NULL), 0);
	CHECK_EQ(leat_writer_close(w), 0);
	CHECK_EQ(s.n, 29);
	leat_writer_free(NULL);
}

TEST(printf_of_more_than_the_buffer)
{
	struct sink s = {.n = 0};
	leat_writer *w = writing(&s, 4);
	char wanted[200];

	CHECK_EQ(leat_writer_printf(w, "%d", 123), 0);
	CHECK_EQ(leat_writer_printf(w, "%0100d", 7), 0);
	CHECK_EQ(leat_writer_printf(w, "%s", ""), 0);
	CHECK_EQ(leat_writer_close(w), 0);
	sprintf(wanted, "123%0100d", 7);
	CHECK_EQ(s.n, strlen(wanted));
	CHECK(memcmp(s.text, wanted, s.n) == 0);
}

TEST(an_error_stays_and_nothing_is_lost_or_written_twice)
{
	for (size_t piece = 1; piece < 40; piece++)
		for (size_t buffer = 1; buffer < 40; buffer++) {
			struct sink s = {.piece = piece};
			leat_writer *w = writing(&s, buffer);
			char wanted[2000] = "", *end = wanted;

			for (int i = 0; i < 30; i++) {
				char b[40];
				size_t bytes = (size_t)sprintf(b, "<%0*d>", i, i), done = 0, n;

				end += sprintf(end, "%s", b);
				while (done < bytes) {
					if (leat_writer_write(w, b + done, bytes - done, &n) != 0) {
						CHECK_EQ(leat_writer_err(w), -ETIMEDOUT);
						CHECK_EQ(leat_writer_write(w, "never", 5, NULL), -ETIMEDOUT);
						CHECK_EQ(leat_writer_printf(w, "never"), -ETIMEDOUT);
						CHECK_EQ(leat_writer_write_byte(w, 'n'), -ETIMEDOUT);
						CHECK_EQ(leat_writer_flush(w), -ETIMEDOUT);
						leat_writer_clear(w);
					}
					done += n;
				}
			}
			while (leat_writer_flush(w) != 0)
				leat_writer_clear(w);
			CHECK_EQ(s.n, strlen(wanted));
			CHECK(memcmp(s.text, wanted, s.n) == 0);
			leat_writer_free(w);
		}
}

TEST(the_first_error_is_what_close_returns)
{
	leat_file *full = leat_file_open("/dev/full", O_WRONLY, 0, NULL);
	leat_writer *w;

	CHECK(full);
	w = leat_writer_of_file(full, &(leat_writer_opts){.buffer_bytes = 8});
	CHECK(w);
	CHECK_EQ(leat_writer_write_string(w, "12345678"), -ENOSPC);
	CHECK_EQ(leat_writer_write_string(w, "x"), -ENOSPC);
	CHECK_EQ(leat_writer_close(w), -ENOSPC);
	leat_file_free(full);
}

TEST(to_memory_which_grows)
{
	leat_writer *w =
	    leat_writer_of_memory(&(leat_writer_opts){.buffer_bytes = 2, .max_bytes = 2000});
	char *much = calloc(1, 3000);
	size_t n;

	CHECK(w);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(leat_writer_printf(w, "%d,", i), 0);
	CHECK_EQ(leat_writer_write(w, "end", 4, &n), 0);
	CHECK_EQ(n, 4);
	CHECK_EQ(leat_writer_buffered(w), 294);
	CHECK_STR(leat_writer_memory(w) + 280, ",97,98,99,end");
	CHECK_EQ(leat_writer_flush(w), 0);
	CHECK_EQ(leat_writer_write(w, much, 3000, &n), -EMSGSIZE);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_writer_buffered(w), 294);
	leat_writer_reset(w);
	CHECK_EQ(leat_writer_buffered(w), 0);
	CHECK_EQ(leat_writer_write_byte(w, 'x'), 0);
	CHECK_EQ(leat_writer_close(w), 0);
	free(much);
}

/* What is there is never more than max_bytes, and may be all of it, whatever room there was and whichever call writes. */
TEST(the_limit_in_memory_is_exact)
{
	static const size_t rooms[] = {0, 3, 10, 11, 5000};
	char text[12] = "0123456789x";
	size_t n;

	for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		leat_writer *w = leat_writer_of_memory(&(leat_writer_opts){rooms[i], 10});

		CHECK(w);
		CHECK_EQ(leat_writer_write(w, text, 11, &n), -EMSGSIZE);
		CHECK_EQ(n, 0);
		leat_writer_reset(w);
		CHECK_EQ(leat_writer_printf(w, "%s", text), -EMSGSIZE);
		CHECK_EQ(leat_writer_buffered(w), 0);
		leat_writer_reset(w);
		CHECK_EQ(leat_writer_printf(w, "%.10s", text), 0);
		CHECK_EQ(leat_writer_buffered(w), 10);
		CHECK(memcmp(leat_writer_memory(w), text, 10) == 0);
		CHECK_EQ(leat_writer_write_byte(w, 'x'), -EMSGSIZE);
		CHECK_EQ(leat_writer_buffered(w), 10);
		leat_writer_reset(w);
		for (int k = 0; k < 10; k++)
			CHECK_EQ(leat_writer_write_byte(w, 'x'), 0);
		CHECK_EQ(leat_writer_write_byte(w, 'x'), -EMSGSIZE);
		leat_writer_reset(w);
		CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_VARINT, text, 9), 0);
		CHECK_EQ(leat_writer_buffered(w), 10);
		leat_writer_reset(w);
		CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_VARINT, text, 10), -EMSGSIZE);
		CHECK_EQ(leat_writer_buffered(w), 0);
		leat_writer_free(w);
	}
}

/* --- records, there and back */

static void round_trip(leat_record kind, size_t piece, size_t buffer)
{
	struct sink s = {.piece = piece};
	leat_writer *w = writing(&s, buffer);
	leat_reader *r;
	const void *at;
	char b[300];
	size_t n;

	for (size_t i = 0; i < 20; i++) {
		memset(b, (int)i, sizeof b);
		/* With an error nothing of it was taken. */
		while (leat_writer_write_record(w, kind, b, i * 14) != 0)
			leat_writer_clear(w);
	}
	while (leat_writer_flush(w) != 0)
		leat_writer_clear(w);
	leat_writer_free(w);
	r = leat_reader_of_memory(s.text, s.n, NULL);
	for (size_t i = 0; i < 20; i++) {
		CHECK_EQ(leat_reader_read_record(r, kind, &at, &n), 1);
		CHECK_EQ(n, i * 14);
		for (size_t k = 0; k < n; k++)
			CHECK_EQ(((const char *)at)[k], i);
	}
	CHECK_EQ(leat_reader_read_record(r, kind, &at, &n), 0);
	leat_reader_free(r);
}

TEST(records_come_back_whatever_fails_between)
{
	static const size_t pieces[] = {0, 1, 3, 100}, buffers[] = {1, 5, 64, 4096};

	for (int kind = LEAT_RECORD_U32_BE; kind <= LEAT_RECORD_VARINT; kind++)
		for (int i = 0; i < 4; i++)
			for (int k = 0; k < 4; k++)
				round_trip((leat_record)kind, pieces[i], buffers[k]);
}

TEST(known_bytes_of_records)
{
	leat_writer *w = leat_writer_of_memory(&(leat_writer_opts){.max_bytes = 400});
	char b[401] = "";

	CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_U32_BE, "ab", 2), 0);
	CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_U32_LE, "c", 1), 0);
	CHECK(memcmp(leat_writer_memory(w), "\0\0\0\2ab\1\0\0\0c", 11) == 0);
	leat_writer_reset(w);
	CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_VARINT, b, 300), 0);
	CHECK_EQ(leat_writer_buffered(w), 302);
	CHECK(memcmp(leat_writer_memory(w), "\xac\x02", 2) == 0);
	CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_VARINT, b, 401), -EMSGSIZE);
	CHECK_EQ(leat_writer_err(w), 0);
	leat_writer_free(w);
#if SIZE_MAX > UINT32_MAX
	w = leat_writer_of_memory(NULL);
	CHECK_EQ(leat_writer_write_record(w, LEAT_RECORD_U32_LE, b, (size_t)UINT32_MAX + 1), -EMSGSIZE);
	leat_writer_free(w);
#endif
}

/* --- connections */

struct drain {
	leat_conn *c;
	size_t bytes;
};

static void drain(struct drain *d)
{
	char b[64];
	ssize_t n;
	size_t all = 0;

	while ((n = leat_conn_read(d->c, b, sizeof b)) > 0) {
		for (ssize_t i = 0; i < n; i++, all++)
			CHECK_EQ(b[i], "0123456789"[all % 10]);
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(all, d->bytes);
}

TEST(a_deadline_of_the_connection_loses_nothing)
{
	leat_conn *a, *b;
	leat_writer *w;

	CHECK(leat_conn_pipe(&a, &b));
	w = leat_writer_of_conn(a, &(leat_writer_opts){.buffer_bytes = 64});
	CHECK(w);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(leat_writer_write_string(w, "0123456789"), 0);
	CHECK_EQ(leat_conn_set_write_deadline(a, leat_now()), 0);
	CHECK_EQ(leat_writer_flush(w), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_write_deadline(a, LEAT_FOREVER), 0);
	CHECK_EQ(leat_writer_flush(w), -ETIMEDOUT);
	leat_writer_clear(w);
	{
		scope(s, NULL);
		scope_go(s, drain, b, 10060);
		for (int i = 0; i < 1000; i++)
			CHECK_EQ(leat_writer_write_string(w, "0123456789"), 0);
		CHECK_EQ(leat_writer_close(w), 0);
		CHECK_EQ(leat_conn_close(a), 0);
		scope_wait(s);
	}
	leat_conn_free(a);
	leat_conn_free(b);
}

TEST_MAIN
