/* SPDX-License-Identifier: MIT */
/*
 * Copying from one connection, file or reader to another connection, file or writer.
 *
 *	leat_copied copied;
 *	int err = leat_copy(to, from, ctx, &copied);    until the end of from
 *
 *	if (err)
 *		e = leat_conn_error(copied.reading ? from : to, copied.reading ? "read" : "write", err);
 *
 * The cheapest way that the kernel has for the two is taken: copy_file_range(2) between regular files, where the file system
 * may share the blocks; sendfile(2) from a regular file to TCP or a Unix stream; splice(2) from one of those to another, or to
 * a regular file, once so much has been copied that it pays.  Else, and where the kernel or a file system cannot do it (TLS,
 * pairs in memory, pipes, O_APPEND, kinds of the program's own), the bytes go through a buffer of 32 KiB.  The results are the
 * same.
 *
 * Ends wait as in their own calls: with their deadlines, and with ctx, which for the time of the copy takes the place of that of
 * a reader or writer (NULL: none; theirs stays).  Turns are taken for each piece: what others write to the same end meanwhile
 * comes between.
 *
 * What is lost.  What was read of from and could not be written to to is lost, up to 64 KiB, as in Go; but not of a regular
 * file, whose position is behind the last byte that was written, nor what a reader had in its buffer.
 *
 * Errors are those of the two ends (leat/conn.h, file.h, reader.h, writer.h), and -ENOMEM.  Panics as their waits do.
 * Any goroutine, any thread; a reader or writer is for one goroutine at a time.  After Go's io.Copy.
 */
#ifndef LEAT_COPY_H
#define LEAT_COPY_H

#include <leat/writer.h>

LEAT__BEGIN

/* Where bytes come from: a leat_conn *, leat_file * or leat_reader *.  And where they go: a leat_conn *, leat_file * or
   leat_writer *. */
#ifdef __cplusplus
struct leat_source {
	void *leat__conn;

	leat_source(leat_conn *c) : leat__conn(c)
	{
	}
	leat_source(leat_file *f) : leat__conn(f)
	{
	}
	leat_source(leat_reader *r) : leat__conn(r)
	{
	}
};

struct leat_sink {
	void *leat__conn;

	leat_sink(leat_conn *c) : leat__conn(c)
	{
	}
	leat_sink(leat_file *f) : leat__conn(f)
	{
	}
	leat_sink(leat_writer *w) : leat__conn(w)
	{
	}
};
#else
typedef union leat_source {
	leat_conn *leat__conn;
	leat_file *leat__file;
	leat_reader *leat__reader;
} leat_source __attribute__((transparent_union));

typedef union leat_sink {
	leat_conn *leat__conn;
	leat_file *leat__file;
	leat_writer *leat__writer;
} leat_sink __attribute__((transparent_union));
#endif

/* What came of it. */
typedef struct leat_copied {
	int64_t bytes; /* were written, or taken by a leat_writer, which may have them in its buffer */
	bool reading;  /* the error came from reading; else from writing, or there was none */
} leat_copied;

/*
 * Copy until the end of from: 0, or a negative errno code.  *copied (NULL: not wanted) is set in each case.
 * A leat_writer is not flushed at the end, but where the kernel copies to what it writes to, what is in its buffer goes first.
 * Of datagrams one of no bytes is the end.  Where to and from are one file, what is written is read again: there is no end.
 * Costs 32 KiB of memory for the time of the call, unless the kernel copies, and where it does so by splice(2) two descriptors.
 * After io.Copy.
 */
LEAT_API int leat_copy(leat_sink to, leat_source from, leat_any_ctx ctx, leat_copied *copied);

/* The same for bytes bytes, not more: from is not read any further.  -ENODATA where the end comes before.  0 or less: nothing.
   After io.CopyN. */
LEAT_API int leat_copy_n(leat_sink to, leat_source from, int64_t bytes, leat_any_ctx ctx,
                         leat_copied *copied);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_copy(...)   __extension__ leat_copy(__VA_ARGS__)
#define leat_copy_n(...) __extension__ leat_copy_n(__VA_ARGS__)
#endif

#endif
