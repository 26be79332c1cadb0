/* SPDX-License-Identifier: MIT */
/*
 * What the files of leat_copy share: copy.c, whose way is a buffer, and copy_kernel.c.
 *
 * A source or sink begins with a pointer: a connection's is to what its kind does, those of the others to a mark, by which they
 * are known.
 */
#ifndef LEAT_STREAM_COPY_H
#define LEAT_STREAM_COPY_H

#include "file/file.h"

#include <leat/copy.h>

extern const char leat__reader_mark, leat__writer_mark;

/* reader.c: the context that its source is read with, to be looked at and changed; and what that source is, if it is one of
   these. */
leat_ctx **leat__reader_ctx(leat_reader *r);
void leat__reader_source(leat_reader *r, leat_conn **conn, leat_file **file);
const char *leat__reader_at(const leat_reader *r); /* what is buffered */

/* The last bytes that were read, if they were in its buffer. */
bool leat__reader_put_back(leat_reader *r, size_t bytes);

/* writer.c: the same; and the error that stays. */
leat_ctx **leat__writer_ctx(leat_writer *w);
void leat__writer_sink(leat_writer *w, leat_conn **conn, leat_file **file);
void leat__writer_fail(leat_writer *w, int err);

/* A copy under way.  Of who calls. */
struct leat__copying {
	leat_conn *in_conn, *out_conn; /* what is read from and written to in the end; or else */
	leat_file *in_file, *out_file; /* this; neither: it is the program's */
	leat_reader *reader;           /* that was given; NULL: none was */
	leat_writer *writer;           /* likewise */
	leat_ctx *in_ctx, *out_ctx;
	int64_t left; /* to be copied; INT64_MAX: all there is */
	leat_copied *copied;
};

/* What a step of a copy may come to, beside a negative errno code: the end of what is there to be read. */
enum { LEAT__COPY_ON = 0, LEAT__COPY_END = 1 };

static inline int leat__copy_reading(struct leat__copying *c, int err)
{
	c->copied->reading = true;
	return err;
}

static inline void leat__copy_count(struct leat__copying *c, size_t bytes)
{
	c->copied->bytes += (int64_t)bytes;
	if (c->left != INT64_MAX)
		c->left -= (int64_t)bytes;
}

static inline size_t leat__copy_part(const struct leat__copying *c, size_t most)
{
	return c->left < (int64_t)most ? (size_t)c->left : most;
}

/* Write what was read: 0 or a negative errno code. */
int leat__copy_put(struct leat__copying *c, const char *from, size_t bytes);

/* --- copy_kernel.c: as much as the kernel copies.  ON: the rest is for the buffer. */

/* From a regular file. */
int leat__copy_of_file(struct leat__copying *c);

/* From a socket; when some bytes have come by way of the buffer. */
bool leat__copy_splices(const struct leat__copying *c);
int leat__copy_splice(struct leat__copying *c, char *buffer, size_t room);

#endif
