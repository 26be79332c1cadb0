/* SPDX-License-Identifier: MIT */
/*
 * What is buffered is at[0 .. n).  Where a write fails in the middle, what it has not written moves to the front, so what is
 * buffered is always just what was taken and not written.
 *
 * room is what may be buffered: in memory never above max, so who finds room need not ask for the limit.  at has a byte more, for
 * the NUL that printing ends with.
 */
#include "stream/copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (size_t)4096
#define VARINT_BYTES 10

struct leat_writer {
	const char *mark;     /* see stream/copy.h */
	leat_write_fn *write; /* NULL: to memory */
	void *self;
	leat_ctx *ctx;
	char *at;
	size_t n, room, max; /* max 0: none */
	int err;
};

/* What max leaves of room. */
static size_t within(const leat_writer *w, size_t room)
{
	return !w->write && w->max && w->max < room ? w->max : room;
}

/* Memory for that room; NULL: there is none. */
static char *memory_for(char *at, size_t room)
{
	return room < SIZE_MAX ? realloc(at, room + 1) : NULL;
}

/* --- made and ended */

leat_writer *leat_writer_new(leat_write_fn *write, void *self, const leat_writer_opts *opts)
{
	leat_writer *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->mark = &leat__writer_mark;
	w->write = write;
	w->self = self;
	w->max = opts ? opts->max_bytes : 0;
	w->room = within(w, opts && opts->buffer_bytes ? opts->buffer_bytes : BUFFER_BYTES);
	w->at = memory_for(NULL, w->room);
	if (!w->at) {
		free(w);
		return NULL;
	}
	return w;
}

static int leat__write_conn(void *self, const void *from, size_t bytes, leat_ctx *ctx,
                            size_t *written)
{
	return leat_conn_write_ctx(self, from, bytes, (leat_any_ctx)ctx, written);
}

static int leat__write_file(void *self, const void *from, size_t bytes, leat_ctx *ctx,
                            size_t *written)
{
	return leat_file_write_ctx(self, from, bytes, (leat_any_ctx)ctx, written);
}

leat_writer *leat_writer_of_conn(leat_conn *c, const leat_writer_opts *opts)
{
	return leat_writer_new(leat__write_conn, c, opts);
}

leat_writer *leat_writer_of_file(leat_file *f, const leat_writer_opts *opts)
{
	return leat_writer_new(leat__write_file, f, opts);
}

leat_writer *leat_writer_of_memory(const leat_writer_opts *opts)
{
	return leat_writer_new(NULL, NULL, opts);
}

void leat_writer_free(leat_writer *w)
{
	if (!w)
		return;
	free(w->at);
	free(w);
}

int leat_writer_close(leat_writer *w)
{
	int err = leat_writer_flush(w);

	leat_writer_free(w);
	return err;
}

int leat_writer_err(const leat_writer *w)
{
	return w->err;
}

void leat_writer_clear(leat_writer *w)
{
	w->err = 0;
}

void leat_writer_reset(leat_writer *w)
{
	w->err = 0;
	w->n = 0;
}

void leat_writer_set_ctx(leat_writer *w, leat_any_ctx ctx)
{
	w->ctx = ctx.leat__ctx;
}

size_t leat_writer_buffered(const leat_writer *w)
{
	return w->n;
}

const char *leat_writer_memory(const leat_writer *w)
{
	return w->at;
}

/* --- for copies */

const char leat__writer_mark;

leat_ctx **leat__writer_ctx(leat_writer *w)
{
	return &w->ctx;
}

void leat__writer_sink(leat_writer *w, leat_conn **conn, leat_file **file)
{
	if (w->write == leat__write_conn)
		*conn = w->self;
	else if (w->write == leat__write_file)
		*file = w->self;
}

void leat__writer_fail(leat_writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

/* --- writing */

/* Write from; how much went is in *written, and what went wrong stays in w->err. */
static int leat__writer_put(leat_writer *w, const char *from, size_t bytes, size_t *written)
{
	*written = 0;
	w->err = w->write(w->self, from, bytes, w->ctx, written);
	if (!w->err && *written < bytes) /* a sink of the program's that says nothing */
		w->err = -EIO;
	return w->err;
}

int leat_writer_flush(leat_writer *w)
{
	size_t written;

	if (w->err || !w->n || !w->write)
		return w->err;
	leat__writer_put(w, w->at, w->n, &written);
	w->n -= written;
	memmove(w->at, w->at + written, w->n);
	return w->err;
}

/* Memory for bytes more; 0, or the error that stays. */
static int grow(leat_writer *w, size_t bytes)
{
	size_t room = w->room;
	char *larger;

	if (bytes <= w->room - w->n)
		return 0;
	if (!w->write && w->max && bytes > w->max - w->n)
		return w->err = -EMSGSIZE;
	while (room - w->n < bytes && room < SIZE_MAX / 2)
		room *= 2;
	room = within(w, room);
	larger = room - w->n < bytes ? NULL : memory_for(w->at, room);
	if (!larger)
		return w->err = -ENOMEM;
	w->at = larger;
	w->room = room;
	return 0;
}

/* The same, having written what is buffered, if that is in the way: for what is taken whole or not at all. */
static int leat__writer_make_room(leat_writer *w, size_t bytes)
{
	if (bytes > w->room - w->n && w->write)
		leat_writer_flush(w);
	return w->err ? w->err : grow(w, bytes);
}

static size_t copy_in(leat_writer *w, const char *from, size_t bytes)
{
	size_t n = bytes < w->room - w->n ? bytes : w->room - w->n;

	if (n)
		memcpy(w->at + w->n, from, n);
	w->n += n;
	return n;
}

int leat_writer_write(leat_writer *w, const void *from, size_t bytes, size_t *taken)
{
	const char *at = from;
	size_t done = 0, n;

	if (!w->err && !w->write)
		grow(w, bytes);
	while (!w->err && done < bytes) {
		if (w->write && w->n == 0 && bytes - done >= w->room) {
			leat__writer_put(w, at + done, bytes - done, &n);
			done += n;
			continue;
		}
		done += copy_in(w, at + done, bytes - done);
		if (done < bytes)
			leat_writer_flush(w);
	}
	if (taken)
		*taken = done;
	return w->err;
}

int leat_writer_write_string(leat_writer *w, const char *text)
{
	return leat_writer_write(w, text, strlen(text), NULL);
}

int leat_writer_write_byte(leat_writer *w, char byte)
{
	if (unlikely(w->err || w->n == w->room))
		return leat_writer_write(w, &byte, 1, NULL);
	w->at[w->n++] = byte;
	return 0;
}

int leat_writer_vprintf(leat_writer *w, const char *fmt, va_list args)
{
	va_list again;
	int n;

	if (w->err)
		return w->err;
	va_copy(again, args);
	/* Most of it fits: printed in its place at once. */
	n = vsnprintf(w->at + w->n, w->room - w->n + 1, fmt, args);
	if (n < 0)
		w->err = -EINVAL;
	else if ((size_t)n <= w->room - w->n)
		w->n += (size_t)n;
	else if (leat__writer_make_room(w, (size_t)n) == 0) {
		vsnprintf(w->at + w->n, w->room - w->n + 1, fmt, again);
		w->n += (size_t)n;
	}
	va_end(again);
	return w->err;
}

int leat_writer_printf(leat_writer *w, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = leat_writer_vprintf(w, fmt, args);
	va_end(args);
	return err;
}

/* The length in front of a record; how many bytes that takes. */
static size_t record_header(leat_record kind, uint64_t length, unsigned char *to)
{
	size_t n = 0;

	if (kind != LEAT_RECORD_VARINT) {
		for (int i = 0; i < 4; i++)
			to[i] = (unsigned char)(length >> 8 * (kind == LEAT_RECORD_U32_BE ? 3 - i : i));
		return 4;
	}
	for (; length > 0x7f; length >>= 7)
		to[n++] = (unsigned char)(length | 0x80);
	to[n++] = (unsigned char)length;
	return n;
}

int leat_writer_write_record(leat_writer *w, leat_record kind, const void *from, size_t bytes)
{
	unsigned char header[VARINT_BYTES];
	size_t n;

	if ((kind != LEAT_RECORD_VARINT && bytes > UINT32_MAX) || (w->max && bytes > w->max))
		return -EMSGSIZE;
	if (w->err)
		return w->err;
	n = record_header(kind, bytes, header);
	if (bytes > SIZE_MAX - n || leat__writer_make_room(w, n + bytes) != 0)
		return w->err ? w->err : -EMSGSIZE;
	copy_in(w, (const char *)header, n);
	copy_in(w, from, bytes);
	return 0;
}
