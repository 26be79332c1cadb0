/* SPDX-License-Identifier: MIT */
/*
 * Buffered writing: to connections, files, memory, or what a program makes of its own.
 *
 *	leat_writer *w = leat_writer_of_conn(c, NULL);
 *
 *	leat_writer_printf(w, "HTTP/1.1 %d OK\r\nContent-Length: %zu\r\n\r\n", 200, bytes);
 *	leat_writer_write(w, body, bytes, NULL);
 *	err = leat_writer_close(w);             the first error of all of these, or 0
 *
 * An error stays: after one nothing is written, and every call returns it, so that it is enough to look at the last.  What
 * was taken and not written is in the buffer still: who can mend what was wrong (a deadline that has passed, a full disk)
 * says so with leat_writer_clear, and goes on.  No byte is written twice, none is lost.
 *
 * Errors are negative errno codes, those of what is written to, -EMSGSIZE and -ENOMEM.  One goroutine at a time.  Deadlines
 * are those of what is written to.  After Go's bufio.Writer.
 */
#ifndef LEAT_WRITER_H
#define LEAT_WRITER_H

#include <leat/reader.h>

#include <stdarg.h>

LEAT__BEGIN

typedef struct leat_writer leat_writer;

/* Options; zero-initialised, all have their defaults. */
typedef struct leat_writer_opts {
	size_t buffer_bytes; /* 0: 4096 */
	size_t max_bytes;    /* of a record, or in memory; 0: none */
} leat_writer_opts;

/* Where it goes: as leat_conn_write_ctx.  self is what the writer was made with; ctx may be NULL. */
typedef int leat_write_fn(void *self, const void *from, size_t bytes, leat_ctx *ctx,
                          size_t *written);

/* --- made.  NULL where memory is out; opts may be NULL.  What is written to stays the caller's, and open */
LEAT_API leat_writer *leat_writer_new(leat_write_fn *write, void *self,
                                      const leat_writer_opts *opts) LEAT__WARN_UNUSED;
LEAT_API leat_writer *leat_writer_of_conn(leat_conn *c,
                                          const leat_writer_opts *opts) LEAT__WARN_UNUSED;
LEAT_API leat_writer *leat_writer_of_file(leat_file *f,
                                          const leat_writer_opts *opts) LEAT__WARN_UNUSED;

/* To memory, which grows: all that was written is in the buffer.  After bytes.Buffer. */
LEAT_API leat_writer *leat_writer_of_memory(const leat_writer_opts *opts) LEAT__WARN_UNUSED;

/* --- ending */

/* Write what is buffered, and free w: 0, or the first error that there was.  What then is not written is dropped. */
LEAT_API int leat_writer_close(leat_writer *w);

/* Free w, and drop what is buffered; NULL is a no-op. */
LEAT_API void leat_writer_free(leat_writer *w);

/* --- writing.  0, or a negative errno code */

/*
 * All of bytes: 0, or an error.  How many were taken is in *taken (NULL: not wanted): these are written, or buffered.
 * What is larger than the buffer goes past it.  After Writer.Write.
 */
LEAT_API int leat_writer_write(leat_writer *w, const void *from, size_t bytes, size_t *taken);

/* The same for a string, and for one byte. */
LEAT_API int leat_writer_write_string(leat_writer *w, const char *text);
LEAT_API int leat_writer_write_byte(leat_writer *w, char byte);

/* As printf: all of it was taken, or, with an error (-EINVAL: fmt is wrong), nothing.  The buffer grows for what is larger.
   Takes what stack vsnprintf does.  After fmt.Fprintf. */
LEAT_API int leat_writer_printf(leat_writer *w, const char *fmt, ...) LEAT__PRINTF(2, 3);
LEAT_API int leat_writer_vprintf(leat_writer *w, const char *fmt, va_list args) LEAT__PRINTF(2, 0);

/* A record that says how long it is: as leat_reader_read_record reads it.  Taken whole, or, with an error, not at all; the
   buffer grows for one that is larger.  -EMSGSIZE, which does not stay, for one that is too long for its kind of length, or
   above max_bytes. */
LEAT_API int leat_writer_write_record(leat_writer *w, leat_record kind, const void *from,
                                      size_t bytes);

/* Write what is buffered.  After Flush. */
LEAT_API int leat_writer_flush(leat_writer *w);

/* --- errors and what is buffered */

/* The error that stays, or 0; and forget it: the next call begins with what is buffered. */
LEAT_API int leat_writer_err(const leat_writer *w);
LEAT_API void leat_writer_clear(leat_writer *w);

/* From now on ctx ends what waits; NULL: none, as at first.  It must outlive its use. */
LEAT_API void leat_writer_set_ctx(leat_writer *w, leat_any_ctx ctx);

/* How many bytes are buffered, and where; until the next call.  After Buffered, and Buffer.Bytes. */
LEAT_API size_t leat_writer_buffered(const leat_writer *w);
LEAT_API const char *leat_writer_memory(const leat_writer *w);

/* Drop what is buffered, and the error. */
LEAT_API void leat_writer_reset(leat_writer *w);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_writer_set_ctx(...) __extension__ leat_writer_set_ctx(__VA_ARGS__)
#endif

#endif
