/* SPDX-License-Identifier: MIT */
/* Buffered reading. */
#include "test.h"

#include <errno.h>

/* --- a source that gives what it is told to, in pieces, with errors between */

struct script {
	const char *text;
	size_t bytes, at, piece; /* at most so much at a time */
	int every;               /* each so many reads one fails */
	int reads;
};

static ssize_t script_read(void *self, void *to, size_t bytes, leat_ctx *ctx)
{
	struct script *s = self;
	size_t n = s->bytes - s->at;

	if (ctx && leat_ctx_err(ctx))
		return leat_ctx_err(ctx);
	if (s->every && ++s->reads % s->every == 0)
		return -ETIMEDOUT;
	n = n < s->piece ? n : s->piece;
	n = n < bytes ? n : bytes;
	memcpy(to, s->text + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static struct script script(const char *text, size_t piece, int every)
{
	return (struct script){.text = text, .bytes = strlen(text), .piece = piece, .every = every};
}

static leat_reader *reading(struct script *s, size_t buffer, size_t max)
{
	leat_reader *r = leat_reader_new(script_read, s,
	                                 &(leat_reader_opts){.buffer_bytes = buffer, .max_bytes = max});

	CHECK(r);
	return r;
}

TEST(bytes_and_one_back)
{
	struct script s = script("abc", 2, 0);
	leat_reader *r = reading(&s, 0, 0);

	CHECK_EQ(leat_reader_unread_byte(r), -EINVAL);
	CHECK_EQ(leat_reader_read_byte(r), 'a');
	CHECK_EQ(leat_reader_buffered(r), 1);
	CHECK_EQ(leat_reader_unread_byte(r), 0);
	CHECK_EQ(leat_reader_unread_byte(r), -EINVAL);
	CHECK_EQ(leat_reader_read_byte(r), 'a');
	CHECK_EQ(leat_reader_read_byte(r), 'b');
	CHECK_EQ(leat_reader_read_byte(r), 'c');
	CHECK_EQ(leat_reader_unread_byte(r), 0);
	CHECK_EQ(leat_reader_read_byte(r), 'c');
	CHECK_EQ(leat_reader_read_byte(r), -ENODATA);
	CHECK_EQ(leat_reader_unread_byte(r), -EINVAL);
	leat_reader_free(r);
	leat_reader_free(NULL);
}

TEST(reads_take_what_is_there)
{
	struct script s = script("0123456789", 4, 0);
	leat_reader *r = reading(&s, 8, 0);
	char b[16];
	size_t n;

	CHECK_EQ(leat_reader_read(r, b, 0), 0);
	CHECK_EQ(leat_reader_read(r, b, 3), 3);
	CHECK_EQ(leat_reader_read(r, b, 16), 1);
	CHECK_EQ(leat_reader_read(r, b, 16), 4); /* past the buffer */
	CHECK(memcmp(b, "4567", 4) == 0);
	CHECK_EQ(leat_reader_read_full(r, b, 3, &n), -EPROTO);
	CHECK_EQ(n, 2);
	CHECK_EQ(leat_reader_read_full(r, b, 3, &n), -ENODATA);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_reader_read(r, b, 16), 0);
	leat_reader_free(r);
}

TEST(peek_and_discard)
{
	struct script s = script("0123456789abcdef", 3, 0);
	leat_reader *r = reading(&s, 2, 12);
	const void *at = NULL;
	size_t n;

	CHECK_EQ(leat_reader_peek(r, 10, &at), 0);
	CHECK(memcmp(at, "0123456789", 10) == 0);
	CHECK_EQ(leat_reader_peek(r, 13, &at), -EMSGSIZE);
	CHECK_EQ(leat_reader_discard(r, 12, &n), 0);
	CHECK_EQ(n, 12);
	CHECK_EQ(leat_reader_peek(r, 5, &at), -EPROTO);
	CHECK_EQ(leat_reader_peek(r, 4, &at), 0);
	CHECK(memcmp(at, "cdef", 4) == 0);
	CHECK_EQ(leat_reader_discard(r, 9, &n), -EPROTO);
	CHECK_EQ(n, 4);
	CHECK_EQ(leat_reader_discard(r, 1, NULL), -ENODATA);
	CHECK_EQ(leat_reader_peek(r, 1, &at), -ENODATA);
	leat_reader_free(r);
}

/* All lines with a | behind each; errors are tried again. */
static void lines(leat_reader *r, char *to, int *errors)
{
	const char *line;
	size_t bytes;
	int got;

	*to = '\0';
	while ((got = leat_reader_read_line(r, &line, &bytes)) != 0) {
		if (got < 0) {
			CHECK_EQ(got, -ETIMEDOUT);
			++*errors;
			continue;
		}
		to += sprintf(to, "%.*s|", (int)bytes, line);
	}
}

TEST(lines_in_all_sizes_of_pieces_and_buffers_with_errors_between)
{
	static const char text[] = "one\n\ntwo\r\nthree is longer than the others\n\r\nlast";
	char b[200];

	for (size_t piece = 1; piece < 60; piece++)
		for (size_t buffer = 1; buffer < 60; buffer += 3)
			for (int every = 0; every < 4; every++) {
				struct script s = script(text, piece, every == 1 ? 0 : every);
				leat_reader *r = reading(&s, buffer, 0);
				int errors = 0;

				lines(r, b, &errors);
				CHECK_STR(b, "one||two|three is longer than the others||last|");
				CHECK(every >= 2 ? errors > 0 || piece > 20 : errors == 0);
				leat_reader_free(r);
			}
}

TEST(a_line_above_the_limit_can_be_skipped)
{
	struct script s = script("12345\n123456\nshort\n1234567", 4, 0);
	leat_reader *r = reading(&s, 2, 5);
	const char *line;
	size_t n;

	CHECK_EQ(leat_reader_read_line(r, &line, &n), 1);
	CHECK_EQ(n, 5);
	CHECK_EQ(leat_reader_read_line(r, &line, &n), -EMSGSIZE);
	CHECK_EQ(leat_reader_read_line(r, &line, &n), -EMSGSIZE);
	CHECK_EQ(leat_reader_skip_until(r, '\n'), 1);
	CHECK_EQ(leat_reader_read_line(r, &line, &n), 1);
	CHECK_EQ(n, 5);
	CHECK(memcmp(line, "short", 5) == 0);
	CHECK_EQ(leat_reader_read_line(r, &line, &n), -EMSGSIZE);
	CHECK_EQ(leat_reader_skip_until(r, '\n'), 1);
	CHECK_EQ(leat_reader_skip_until(r, '\n'), 0);
	leat_reader_free(r);
}

TEST(until_a_delimiter_with_it)
{
	leat_reader *r = leat_reader_of_memory("a;bc;;d", 7, NULL);
	static const char *const wanted[] = {"a;", "bc;", ";", "d"};
	const char *at;
	size_t n;

	for (int i = 0; i < 4; i++) {
		CHECK_EQ(leat_reader_read_until(r, ';', &at, &n), 1);
		CHECK_EQ(n, strlen(wanted[i]));
		CHECK(memcmp(at, wanted[i], n) == 0);
	}
	CHECK_EQ(leat_reader_read_until(r, ';', &at, &n), 0);
	leat_reader_free(r);
	r = leat_reader_of_memory(NULL, 0, NULL);
	CHECK_EQ(leat_reader_read_byte(r), -ENODATA);
	leat_reader_free(r);
}

/* --- records */

static leat_reader *of(const char *b, size_t bytes, size_t max)
{
	leat_reader *r = leat_reader_of_memory(b, bytes, &(leat_reader_opts){.max_bytes = max});

	CHECK(r);
	return r;
}

TEST(records_of_known_bytes)
{
	leat_reader *r = of("\0\0\0\3abc\0\0\0\0", 11, 0);
	const void *at;
	size_t n;

	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_U32_BE, &at, &n), 1);
	CHECK_EQ(n, 3);
	CHECK(memcmp(at, "abc", 3) == 0);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_U32_BE, &at, &n), 1);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_U32_BE, &at, &n), 0);
	leat_reader_free(r);
	r = of("\2\0\0\0xy", 6, 0);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_U32_LE, &at, &n), 1);
	CHECK_EQ(n, 2);
	leat_reader_free(r);
	r = of("\x2hi\xac\x2", 5, 0); /* 0xac 0x02 is 300 */
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_VARINT, &at, &n), 1);
	CHECK_EQ(n, 2);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_VARINT, &at, &n), -EPROTO);
	CHECK_EQ(leat_reader_buffered(r), 2);
	leat_reader_free(r);
	r = of("\xac\x2", 2, 299);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_VARINT, &at, &n), -EMSGSIZE);
	CHECK_EQ(n, 300);
	leat_reader_free(r);
}

TEST(records_that_are_none)
{
	const void *at;
	size_t n;
	leat_reader *r = of("\0\0", 2, 0);

	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_U32_BE, &at, &n), -EPROTO);
	CHECK_EQ(leat_reader_buffered(r), 2);
	leat_reader_free(r);
	r = of("\xff\xff\xff\xff", 4, 0);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_U32_LE, &at, &n), -EMSGSIZE);
	CHECK_EQ(n, 0xffffffff);
	leat_reader_free(r);
	r = of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, 0);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_VARINT, &at, &n), -EBADMSG);
	leat_reader_free(r);
	r = of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, 0);
	CHECK_EQ(leat_reader_read_record(r, LEAT_RECORD_VARINT, &at, &n), -EMSGSIZE);
	leat_reader_free(r);
}

/* --- connections and files */

struct sender {
	leat_conn *c;
};

static void sender(struct sender *a)
{
	for (int i = 0; i < 1000; i++) {
		char b[64];
		int n = sprintf(b, "line %d\n", i);

		CHECK_EQ(leat_conn_write(a->c, b, (size_t)n, NULL), 0);
	}
	CHECK_EQ(leat_conn_close(a->c), 0);
}

TEST(lines_of_a_connection_and_a_deadline_between)
{
	leat_conn *a, *b;
	leat_reader *r;
	const char *line;
	size_t n;
	scope(s, NULL);

	CHECK(leat_conn_pipe(&a, &b));
	r = leat_reader_of_conn(b, &(leat_reader_opts){.buffer_bytes = 16});
	CHECK(r);
	CHECK_EQ(leat_conn_set_read_deadline(b, 1), 0);
	CHECK_EQ(leat_reader_read_line(r, &line, &n), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_read_deadline(b, LEAT_FOREVER), 0);
	scope_go(s, sender, a);
	for (int i = 0; i < 1000; i++) {
		char wanted[64];

		sprintf(wanted, "line %d", i);
		CHECK_EQ(leat_reader_read_line(r, &line, &n), 1);
		CHECK_EQ(n, strlen(wanted));
		CHECK(memcmp(line, wanted, n) == 0);
	}
	CHECK_EQ(leat_reader_read_line(r, &line, &n), 0);
	scope_wait(s);
	leat_reader_free(r);
	leat_conn_free(a);
	leat_conn_free(b);
}

TEST(a_context_ends_what_waits)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_file *in, *out;
	leat_reader *r;

	CHECK(leat_file_pipe(&in, &out, NULL));
	r = leat_reader_of_file(in, NULL);
	CHECK(r);
	leat_reader_set_ctx(r, ctx);
	CHECK_EQ(leat_file_write(out, "ab", 2, NULL), 0);
	CHECK_EQ(leat_reader_read_byte(r), 'a');
	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_reader_read_byte(r), 'b');
	CHECK_EQ(leat_reader_read_byte(r), -ECANCELED);
	leat_reader_set_ctx(r, NULL);
	CHECK_EQ(leat_file_close(out), 0);
	CHECK_EQ(leat_reader_read_byte(r), -ENODATA);
	leat_reader_free(r);
	leat_file_free(in);
	leat_file_free(out);
	leat_ctx_free(ctx);
}

TEST_MAIN
