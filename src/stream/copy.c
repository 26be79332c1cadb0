/* SPDX-License-Identifier: MIT */
/*
 * Copying: by way of the kernel as far as that goes (copy_kernel.c), by way of a buffer as to the rest.  Each way goes on where
 * the last one stopped, and what it cannot do shows before it has moved anything; so an error is that of the last way, whose
 * side is known.
 *
 * To make a pipe for splice(2) and to close it takes 4.6 us, so what is short never has one.
 */
#include "stream/copy.h"

#include <leat/defer.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)32 << 10)
#define SPLICE_AFTER ((int64_t)128 << 10) /* by way of the buffer */

/* --- the ends */

static const void *mark_of(const void *end)
{
	return *(const void *const *)end;
}

static void set_source(struct leat__copying *c, leat_source from, leat_ctx *ctx)
{
	const void *mark = mark_of(from.leat__conn);

	c->in_ctx = ctx;
	if (mark == &leat__reader_mark) {
		c->reader = from.leat__reader;
		leat__reader_source(c->reader, &c->in_conn, &c->in_file);
		if (!ctx)
			c->in_ctx = *leat__reader_ctx(c->reader);
	} else if (mark == &leat__file_mark) {
		c->in_file = from.leat__file;
	} else {
		c->in_conn = from.leat__conn;
	}
}

static void set_sink(struct leat__copying *c, leat_sink to, leat_ctx *ctx)
{
	const void *mark = mark_of(to.leat__conn);

	c->out_ctx = ctx;
	if (mark == &leat__writer_mark) {
		c->writer = to.leat__writer;
		leat__writer_sink(c->writer, &c->out_conn, &c->out_file);
		if (!ctx)
			c->out_ctx = *leat__writer_ctx(c->writer);
	} else if (mark == &leat__file_mark) {
		c->out_file = to.leat__file;
	} else {
		c->out_conn = to.leat__conn;
	}
}

static ssize_t leat__copy_get(struct leat__copying *c, char *to, size_t bytes)
{
	if (c->reader)
		return leat_reader_read(c->reader, to, bytes);
	if (c->in_file)
		return leat_file_read_ctx(c->in_file, to, bytes, (leat_any_ctx)c->in_ctx);
	return leat_conn_read_ctx(c->in_conn, to, bytes, (leat_any_ctx)c->in_ctx);
}

int leat__copy_put(struct leat__copying *c, const char *from, size_t bytes)
{
	size_t done = 0;
	int err;

	if (c->writer)
		err = leat_writer_write(c->writer, from, bytes, &done);
	else if (c->out_file)
		err = leat_file_write_ctx(c->out_file, from, bytes, (leat_any_ctx)c->out_ctx, &done);
	else
		err = leat_conn_write_ctx(c->out_conn, from, bytes, (leat_any_ctx)c->out_ctx, &done);
	leat__copy_count(c, done);
	return err;
}

/* --- by way of memory */

/* What a reader has in its buffer; what is not written stays there. */
static int leat__copy_buffered(struct leat__copying *c)
{
	size_t bytes = leat__copy_part(c, leat_reader_buffered(c->reader));
	int64_t before = c->copied->bytes;
	int err;

	if (!bytes)
		return 0;
	err = leat__copy_put(c, leat__reader_at(c->reader), bytes);
	leat_reader_discard(c->reader, (size_t)(c->copied->bytes - before), NULL);
	return err;
}

/* The last bytes that were read and not written. */
static void put_back(struct leat__copying *c, size_t bytes)
{
	if (c->reader && leat__reader_put_back(c->reader, bytes))
		return;
	if (c->in_file && c->in_file->kind == LEAT__FILE_DISK)
		leat_file_seek(c->in_file, -(int64_t)bytes, SEEK_CUR);
}

static int leat__copy_by_buffer(struct leat__copying *c)
{
	char *buffer = malloc(BUFFER_BYTES);
	int64_t splice_at = leat__copy_splices(c) ? c->copied->bytes + SPLICE_AFTER : INT64_MAX;
	int result = buffer ? LEAT__COPY_ON : -ENOMEM;
	int64_t before;
	LEAT_DEFER(free, buffer);

	while (result == LEAT__COPY_ON && c->left) {
		ssize_t n;

		/* What a reader has in its buffer came before what the kernel would take: room of more than ours is not empty yet. */
		if (c->copied->bytes >= splice_at && !(c->reader && leat_reader_buffered(c->reader))) {
			splice_at = INT64_MAX;
			result = leat__copy_splice(c, buffer, BUFFER_BYTES);
			continue;
		}
		n = leat__copy_get(c, buffer, leat__copy_part(c, BUFFER_BYTES));
		if (n <= 0)
			return n ? leat__copy_reading(c, (int)n) : LEAT__COPY_END;
		before = c->copied->bytes;
		result = leat__copy_put(c, buffer, (size_t)n);
		if (result)
			put_back(c, (size_t)n - (size_t)(c->copied->bytes - before));
	}
	return result;
}

/* --- the public ones */

/* Puts back the contexts of a reader and a writer. */
struct borrowed {
	leat_ctx **reader, **writer, *readers, *writers;
};

static void give_back(struct borrowed *b)
{
	if (b->reader)
		*b->reader = b->readers;
	if (b->writer)
		*b->writer = b->writers;
}

static int leat__copy_all(struct leat__copying *c, leat_ctx *ctx)
{
	struct borrowed b = {0};
	int result = LEAT__COPY_ON;
	LEAT_DEFER(give_back, &b);

	if (ctx && c->reader) {
		b.reader = leat__reader_ctx(c->reader);
		b.readers = *b.reader;
		*b.reader = ctx;
	}
	if (ctx && c->writer) {
		b.writer = leat__writer_ctx(c->writer);
		b.writers = *b.writer;
		*b.writer = ctx;
	}
	if (c->reader)
		result = leat__copy_buffered(c);
	if (!result && c->left && c->in_file && c->in_file->kind == LEAT__FILE_DISK)
		result = leat__copy_of_file(c);
	if (!result && c->left)
		result = leat__copy_by_buffer(c);
	if (result == LEAT__COPY_END)
		result = c->left == INT64_MAX ? 0 : leat__copy_reading(c, -ENODATA);
	return result;
}

static int leat__copy_some(leat_sink to, leat_source from, int64_t bytes, leat_ctx *ctx,
                           leat_copied *copied)
{
	leat_copied unwanted;
	struct leat__copying c = {.left = bytes, .copied = copied ? copied : &unwanted};

	*c.copied = (leat_copied){0};
	set_source(&c, from, ctx);
	set_sink(&c, to, ctx);
	return leat__copy_all(&c, ctx);
}

int leat_copy(leat_sink to, leat_source from, leat_any_ctx ctx, leat_copied *copied)
{
	return leat__copy_some(to, from, INT64_MAX, ctx.leat__ctx, copied);
}

int leat_copy_n(leat_sink to, leat_source from, int64_t bytes, leat_any_ctx ctx,
                leat_copied *copied)
{
	return leat__copy_some(to, from, bytes > 0 ? bytes : 0, ctx.leat__ctx, copied);
}
