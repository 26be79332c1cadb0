/* SPDX-License-Identifier: MIT */
/*
 * What is buffered is at[start .. end).  Pieces are taken by moving start, and only whole, so an error loses nothing; the
 * buffer makes room by moving its content to the front, and grows where a piece needs it.  Memory is a buffer that is full
 * from the beginning, has no source, and is not the reader's.
 */
#include "stream/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (size_t)4096
#define MAX_BYTES    ((size_t)1 << 20)
#define VARINT_BYTES 10

struct leat_reader {
	const char *mark;   /* see stream/copy.h */
	leat_read_fn *read; /* NULL: there is no more than what is buffered */
	void *self;
	leat_ctx *ctx;
	char *at;
	size_t start, end, room, max;
	bool owned;    /* at is to be freed */
	bool can_back; /* the last call took the byte at[start - 1] */
};

/* --- made */

/* So that sizes can be added. */
static size_t limit(const leat_reader_opts *opts)
{
	size_t max = opts && opts->max_bytes ? opts->max_bytes : MAX_BYTES;

	return max < SIZE_MAX / 4 ? max : SIZE_MAX / 4;
}

leat_reader *leat_reader_new(leat_read_fn *read, void *self, const leat_reader_opts *opts)
{
	leat_reader *r = calloc(1, sizeof *r);
	size_t room = opts && opts->buffer_bytes ? opts->buffer_bytes : BUFFER_BYTES;

	if (!r)
		return NULL;
	*r = (leat_reader){
	    .mark = &leat__reader_mark, .read = read, .self = self, .room = room, .owned = true};
	r->max = limit(opts);
	r->at = malloc(room);
	if (!r->at) {
		free(r);
		return NULL;
	}
	return r;
}

static ssize_t leat__read_conn(void *self, void *to, size_t bytes, leat_ctx *ctx)
{
	return leat_conn_read_ctx(self, to, bytes, (leat_any_ctx)ctx);
}

static ssize_t leat__read_file(void *self, void *to, size_t bytes, leat_ctx *ctx)
{
	return leat_file_read_ctx(self, to, bytes, (leat_any_ctx)ctx);
}

leat_reader *leat_reader_of_conn(leat_conn *c, const leat_reader_opts *opts)
{
	return leat_reader_new(leat__read_conn, c, opts);
}

leat_reader *leat_reader_of_file(leat_file *f, const leat_reader_opts *opts)
{
	return leat_reader_new(leat__read_file, f, opts);
}

leat_reader *leat_reader_of_memory(const void *from, size_t bytes, const leat_reader_opts *opts)
{
	leat_reader *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->mark = &leat__reader_mark;
	r->at = (char *)(uintptr_t)from;
	r->end = r->room = bytes;
	r->max = limit(opts);
	return r;
}

void leat_reader_free(leat_reader *r)
{
	if (!r)
		return;
	if (r->owned)
		free(r->at);
	free(r);
}

void leat_reader_set_ctx(leat_reader *r, leat_any_ctx ctx)
{
	r->ctx = ctx.leat__ctx;
}

/* --- for copies */

const char leat__reader_mark;

leat_ctx **leat__reader_ctx(leat_reader *r)
{
	return &r->ctx;
}

void leat__reader_source(leat_reader *r, leat_conn **conn, leat_file **file)
{
	if (r->read == leat__read_conn)
		*conn = r->self;
	else if (r->read == leat__read_file)
		*file = r->self;
}

const char *leat__reader_at(const leat_reader *r)
{
	return r->at + r->start;
}

bool leat__reader_put_back(leat_reader *r, size_t bytes)
{
	if (bytes > r->start)
		return false;
	r->start -= bytes;
	return true;
}

/* --- filling */

static size_t buffered(const leat_reader *r)
{
	return r->end - r->start;
}

static void take(leat_reader *r, size_t bytes)
{
	r->start += bytes;
	r->can_back = false;
}

/* Room behind what is buffered, which then lies at the front.  0 or -ENOMEM. */
static int make_room(leat_reader *r)
{
	size_t n = buffered(r), room;
	char *larger;

	if (r->end < r->room)
		return 0;
	if (r->start > 0) {
		memmove(r->at, r->at + r->start, n);
		r->start = 0;
		r->end = n;
		return 0;
	}
	room = r->room < SIZE_MAX / 2 ? 2 * r->room : r->room;
	larger = room > r->room ? realloc(r->at, room) : NULL;
	if (!larger)
		return -ENOMEM;
	r->at = larger;
	r->room = room;
	return 0;
}

/* More from the source: 1, 0 at the end, or a negative errno code. */
static int leat__reader_fill(leat_reader *r)
{
	ssize_t n;
	int err;

	if (!r->read)
		return 0;
	r->can_back = false;
	if (!buffered(r))
		r->start = r->end = 0;
	err = make_room(r);
	if (err)
		return err;
	n = r->read(r->self, r->at + r->end, r->room - r->end, r->ctx);
	if (n <= 0)
		return (int)n;
	r->end += (size_t)n;
	return 1;
}

/* So many are buffered: 0, -ENODATA, -EPROTO, or another error. */
static int leat__reader_need(leat_reader *r, size_t bytes)
{
	while (buffered(r) < bytes) {
		int got = leat__reader_fill(r);

		if (got < 0)
			return got;
		if (got == 0)
			return buffered(r) ? -EPROTO : -ENODATA;
	}
	return 0;
}

/* --- bytes */

static size_t copy_out(leat_reader *r, void *to, size_t bytes)
{
	size_t n = buffered(r) < bytes ? buffered(r) : bytes;

	if (n)
		memcpy(to, r->at + r->start, n);
	take(r, n);
	return n;
}

ssize_t leat_reader_read(leat_reader *r, void *to, size_t bytes)
{
	int got;

	if (bytes == 0 || buffered(r))
		return (ssize_t)copy_out(r, to, bytes);
	if (bytes >= r->room && r->read) {
		r->start = r->end = 0;
		r->can_back = false;
		return r->read(r->self, to, bytes, r->ctx);
	}
	got = leat__reader_fill(r);
	return got <= 0 ? got : (ssize_t)copy_out(r, to, bytes);
}

int leat_reader_read_full(leat_reader *r, void *to, size_t bytes, size_t *done)
{
	size_t count = 0;
	ssize_t n = 1;

	while (n > 0 && count < bytes) {
		n = leat_reader_read(r, (char *)to + count, bytes - count);
		count += n > 0 ? (size_t)n : 0;
	}
	if (done)
		*done = count;
	if (n < 0)
		return (int)n;
	return count == bytes ? 0 : count ? -EPROTO : -ENODATA;
}

int leat_reader_read_byte(leat_reader *r)
{
	int err = likely(buffered(r)) ? 0 : leat__reader_need(r, 1);

	if (err)
		return err;
	take(r, 1);
	r->can_back = true;
	return (unsigned char)r->at[r->start - 1];
}

int leat_reader_unread_byte(leat_reader *r)
{
	if (!r->can_back)
		return -EINVAL;
	r->can_back = false;
	r->start--;
	return 0;
}

int leat_reader_peek(leat_reader *r, size_t bytes, const void **at)
{
	int err = bytes > r->max ? -EMSGSIZE : leat__reader_need(r, bytes);

	r->can_back = false;
	if (!err)
		*at = r->at + r->start;
	return err;
}

int leat_reader_discard(leat_reader *r, size_t bytes, size_t *done)
{
	size_t count = 0;
	int err = 0;

	while (!err && count < bytes) {
		size_t n = buffered(r) < bytes - count ? buffered(r) : bytes - count;

		take(r, n);
		count += n;
		if (count < bytes)
			err = leat__reader_need(r, 1);
	}
	if (done)
		*done = count;
	return err == -ENODATA && count ? -EPROTO : err;
}

size_t leat_reader_buffered(const leat_reader *r)
{
	return buffered(r);
}

/* --- pieces */

int leat_reader_read_until(leat_reader *r, char delimiter, const char **at, size_t *bytes)
{
	size_t seen = 0, n;
	const char *found;
	int got = 1;

	r->can_back = false;
	for (;;) {
		n = buffered(r);
		found = n > seen ? memchr(r->at + r->start + seen, delimiter, n - seen) : NULL;
		if (found || n > r->max)
			break;
		seen = n;
		got = leat__reader_fill(r);
		if (got < 0)
			return got;
		if (got == 0)
			break;
	}
	if (found)
		n = (size_t)(found - (r->at + r->start)) + 1;
	if (n > r->max + (found != NULL)) /* of what is in front of the delimiter */
		return -EMSGSIZE;
	if (n == 0)
		return 0;
	*at = r->at + r->start;
	*bytes = n;
	take(r, n);
	return 1;
}

int leat_reader_read_line(leat_reader *r, const char **line, size_t *bytes)
{
	const char *at;
	size_t n;
	int got = leat_reader_read_until(r, '\n', &at, &n);

	if (got <= 0)
		return got;
	if (at[n - 1] == '\n')
		n--;
	if (n && at[n - 1] == '\r')
		n--;
	*line = at;
	*bytes = n;
	return 1;
}

int leat_reader_skip_until(leat_reader *r, char delimiter)
{
	bool any = false;

	for (;;) {
		size_t n = buffered(r);
		const char *found = n ? memchr(r->at + r->start, delimiter, n) : NULL;
		int got;

		take(r, found ? (size_t)(found - (r->at + r->start)) + 1 : n);
		if (found)
			return 1;
		any |= n > 0;
		got = leat__reader_fill(r);
		if (got <= 0)
			return got < 0 ? got : any;
	}
}

/* The length of a record, which takes *header bytes. */
static int leat__record_length(leat_reader *r, leat_record kind, size_t *header, uint64_t *length)
{
	const unsigned char *b;
	int err;

	*length = 0;
	if (kind != LEAT_RECORD_VARINT) {
		*header = 4;
		err = leat__reader_need(r, 4);
		if (err)
			return err;
		b = (const unsigned char *)r->at + r->start;
		for (int i = 0; i < 4; i++)
			*length |= (uint64_t)b[i] << 8 * (kind == LEAT_RECORD_U32_BE ? 3 - i : i);
		return 0;
	}
	for (size_t i = 0; i < VARINT_BYTES; i++) {
		unsigned char c;

		err = leat__reader_need(r, i + 1);
		if (err)
			return err;
		c = (unsigned char)r->at[r->start + i];
		if (i == VARINT_BYTES - 1 && c > 1)
			break;
		*length |= (uint64_t)(c & 0x7f) << 7 * i;
		if (!(c & 0x80)) {
			*header = i + 1;
			return 0;
		}
	}
	return -EBADMSG;
}

int leat_reader_read_record(leat_reader *r, leat_record kind, const void **at, size_t *bytes)
{
	uint64_t length;
	size_t header;
	int err = leat__record_length(r, kind, &header, &length);

	r->can_back = false;
	if (!err && length > r->max) {
		*bytes = length < SIZE_MAX ? (size_t)length : SIZE_MAX;
		return -EMSGSIZE;
	}
	if (!err)
		err = leat__reader_need(r, header + (size_t)length);
	if (err)
		return err == -ENODATA ? 0 : err;
	*at = r->at + r->start + header;
	*bytes = (size_t)length;
	take(r, header + (size_t)length);
	return 1;
}
