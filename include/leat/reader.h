/* SPDX-License-Identifier: MIT */
/*
 * Buffered reading: bytes, lines, records, of connections, files, memory, or what a program makes of its own.
 *
 *	leat_reader *r = leat_reader_of_conn(c, NULL);
 *	const char *line;
 *	size_t bytes;
 *
 *	while ((n = leat_reader_read_line(r, &line, &bytes)) > 0)
 *		answer(line, bytes);
 *	if (n < 0)
 *		e = leat_conn_error(c, "read", n);
 *	leat_reader_free(r);
 *
 * What is read in pieces (lines, records, a peek) lies in the reader's buffer, as long as nothing else is done with the
 * reader; who needs it longer copies it.  The buffer grows for pieces that are larger, up to a limit.
 *
 * Nothing is lost.  A piece is taken when all of it is there: where an error comes first (the deadline of the connection, its
 * context, a signal of the program's own source) what was read stays, and the same call goes on from there.  After the end
 * a reader may be asked again, for files may grow.
 *
 * Errors are negative errno codes, those of the source and
 *
 *	-ENODATA        the end, where something was due ("EOF")
 *	-EPROTO         the end, in the middle of it ("unexpected EOF")
 *	-EMSGSIZE       a line, record or peek above the limit; nothing was taken
 *	-EBADMSG        a record whose length is none
 *	-ENOMEM         there is no memory to let the buffer grow
 *
 * One goroutine at a time.  Deadlines are those of the source.  After Go's bufio.Reader and Scanner.
 */
#ifndef LEAT_READER_H
#define LEAT_READER_H

#include <leat/conn.h>
#include <leat/file.h>

LEAT__BEGIN

typedef struct leat_reader leat_reader;

/* Options; zero-initialised, all have their defaults. */
typedef struct leat_reader_opts {
	size_t buffer_bytes; /* 0: 4096 */
	size_t max_bytes;    /* of a line, a record or a peek; 0: 1 MiB */
} leat_reader_opts;

/* A source: as leat_conn_read_ctx.  self is what the reader was made with; ctx may be NULL. */
typedef ssize_t leat_read_fn(void *self, void *to, size_t bytes, leat_ctx *ctx);

/* --- made.  NULL where memory is out; opts may be NULL.  The source stays the caller's, and open */
LEAT_API leat_reader *leat_reader_new(leat_read_fn *read, void *self,
                                      const leat_reader_opts *opts) LEAT__WARN_UNUSED;
LEAT_API leat_reader *leat_reader_of_conn(leat_conn *c,
                                          const leat_reader_opts *opts) LEAT__WARN_UNUSED;
LEAT_API leat_reader *leat_reader_of_file(leat_file *f,
                                          const leat_reader_opts *opts) LEAT__WARN_UNUSED;

/* Of bytes bytes that stay where they are while it is used.  After bytes.Reader. */
LEAT_API leat_reader *leat_reader_of_memory(const void *from, size_t bytes,
                                            const leat_reader_opts *opts) LEAT__WARN_UNUSED;

/* What is buffered is dropped; NULL is a no-op. */
LEAT_API void leat_reader_free(leat_reader *r);

/* From now on ctx ends what waits; NULL: none, as at first.  It must outlive its use. */
LEAT_API void leat_reader_set_ctx(leat_reader *r, leat_any_ctx ctx);

/* --- bytes */

/* Up to bytes bytes, as soon as there are any: what is buffered, else what one read of the source brings (past the buffer,
   where it is no larger than that); their number, 0 at the end, or a negative errno code.  After Reader.Read. */
LEAT_API ssize_t leat_reader_read(leat_reader *r, void *to, size_t bytes);

/* All of bytes: 0, -ENODATA, -EPROTO, or another error.  How many came is in *done (NULL: not wanted); these are taken.
   After io.ReadFull. */
LEAT_API int leat_reader_read_full(leat_reader *r, void *to, size_t bytes, size_t *done);

/* One, 0 to 255; or -ENODATA, or another error.  After ReadByte. */
LEAT_API int leat_reader_read_byte(leat_reader *r);

/* Put back what leat_reader_read_byte took, to be read again: 0; -EINVAL where that was not the last call.
   After UnreadByte. */
LEAT_API int leat_reader_unread_byte(leat_reader *r);

/*
 * Look at bytes bytes without taking them: 0, and *at is where they are; or -ENODATA, -EPROTO, -EMSGSIZE or another error,
 * which leave *at.  After Peek.
 */
LEAT_API int leat_reader_peek(leat_reader *r, size_t bytes, const void **at);

/* Take bytes bytes and drop them: 0, or an error, with *done (NULL: not wanted) of them gone.  After Discard. */
LEAT_API int leat_reader_discard(leat_reader *r, size_t bytes, size_t *done);

/* How many are buffered.  After Buffered. */
LEAT_API size_t leat_reader_buffered(const leat_reader *r);

/* --- pieces.  1, and where it is; 0 at the end; or a negative errno code */

/* A line, without its "\n" or "\r\n".  The last one may lack them.  After Scanner.Scan. */
LEAT_API int leat_reader_read_line(leat_reader *r, const char **line, size_t *bytes);

/* All up to, and with, the next byte that is delimiter.  What comes last may lack it.  After ReadSlice, without its full
   buffer. */
LEAT_API int leat_reader_read_until(leat_reader *r, char delimiter, const char **at, size_t *bytes);

/* Take all up to, and with, the next delimiter, however much it is, and drop it: for what was -EMSGSIZE.  After an error
   the next call goes on. */
LEAT_API int leat_reader_skip_until(leat_reader *r, char delimiter);

/* How records say how long they are. */
typedef enum leat_record {
	LEAT_RECORD_U32_BE, /* 4 bytes, the most significant first */
	LEAT_RECORD_U32_LE, /* 4 bytes, the least significant first */
	LEAT_RECORD_VARINT, /* 1 to 10 bytes, 7 bits in each, the lowest first; all but the last have bit 7 set: protobuf's */
} leat_record;

/* A record, without its length.  The end in the middle of one is -EPROTO.  For -EMSGSIZE *bytes is how long it says to
   be. */
LEAT_API int leat_reader_read_record(leat_reader *r, leat_record kind, const void **at,
                                     size_t *bytes);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_reader_set_ctx(...) __extension__ leat_reader_set_ctx(__VA_ARGS__)
#endif

#endif
