/* SPDX-License-Identifier: MIT */
/*
 * Files that are open: regular ones, pipes, FIFOs, terminals, devices.  By their names: leat/path.h.
 *
 *	const leat_error *e;
 *	leat_file *f = leat_file_open("notes.txt", O_RDONLY, 0, &e);
 *	if (!f)
 *		return e;                       open notes.txt: no such file or directory
 *	defer(leat_file_free, f);
 *
 *	while ((n = leat_file_read(f, buffer, sizeof buffer)) > 0)
 *		use(buffer, n);
 *
 * There are two sorts.  What poll(2) can wait for (pipes, FIFOs, terminals, sockets, eventfds) parks the goroutine until it
 * is ready: no thread is held, deadlines and contexts end the wait, and so does a close.  Regular files, directories and
 * devices such as /dev/null are always ready: they have no deadlines (-ENOTSUP), and an operation that has begun is waited
 * for, whatever ctx and a close say.  Of those regular files and block devices do what must wait for the device by way of
 * io_uring, where the kernel allows that, else in a blocking call that gives the processor away; the results are the same.
 *
 * Any goroutine, any thread.  Of several who read one after the other does, likewise of those who write, each of whom writes
 * all that it has before the next begins; on regular files, where both move one position, readers and writers too.
 * leat_file_pread and leat_file_pwrite take no turns.
 *
 * Errors are negative errno codes:
 *
 *	-EBADF          the file is closed, by this side ("file already closed")
 *	-ETIMEDOUT      the deadline has passed, of the file or of ctx ("i/o timeout")
 *	-ECANCELED      ctx is done
 *	-ENOTSUP        of set_deadline: "file type does not support deadline"
 *	-ENOSPC, -EFBIG, -EIO, -EPIPE and what else the system says; no signal comes for -EPIPE
 *
 * leat_file_error makes errors of them, in Go's words.  ctx: a leat_ctx * or leat_scope *, or NULL for none.
 *
 * After Go's os.File.
 */
#ifndef LEAT_FILE_H
#define LEAT_FILE_H

#include <leat/ctx.h>
#include <leat/error.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

LEAT__BEGIN

typedef struct leat_file leat_file;

/* --- made.  NULL where that fails, and in *error (NULL: not wanted) why, in Go's words; the caller's */

/*
 * Open path.  flags are those of open(2): O_RDONLY, O_WRONLY or O_RDWR, with O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC,
 * O_DIRECT and so on; mode: the permissions of a file that is made, before the umask.  Closed on exec.
 * To open a FIFO waits, in a blocking call, for its other end.  After os.OpenFile.
 */
LEAT_API leat_file *leat_file_open(const char *path, int flags, unsigned mode,
                                   const leat_error **error) LEAT__WARN_UNUSED;

/* Open for reading and writing, made with mode 0666 if it is not there, empty.  After os.Create. */
LEAT_API leat_file *leat_file_create(const char *path, const leat_error **error) LEAT__WARN_UNUSED;

/*
 * A new file, of mode 0600, in the folder dir (NULL: that of the environment's TMPDIR, else /tmp), open for reading and
 * writing.  Its name is pattern, with some digits for the last *, or behind it without one; leat_file_name tells.  Who no
 * longer needs it removes it.  -EINVAL where pattern has a /.  After os.CreateTemp.
 */
LEAT_API leat_file *leat_file_temp(const char *dir, const char *pattern,
                                   const leat_error **error) LEAT__WARN_UNUSED;

/*
 * A file of the program's own descriptor, which goes over; name (copied) is for errors.  Where that fails fd is the
 * caller's still.
 * Its mode stays as it is, for others may share it.  So where what can be polled is blocking (a terminal as standard input
 * is), leat waits until it is ready, and then makes the call: if somebody else has been quicker, that blocks a thread, and
 * neither deadline nor close ends it.  After os.NewFile.
 */
LEAT_API leat_file *leat_file_from_fd(int fd, const char *name,
                                      const leat_error **error) LEAT__WARN_UNUSED;

/* A pipe: what is written to *writer is read from *reader.  False where that fails, with neither.  After os.Pipe. */
LEAT_API bool leat_file_pipe(leat_file **reader, leat_file **writer,
                             const leat_error **error) LEAT__WARN_UNUSED;

/* --- reading and writing */

/*
 * Read up to bytes bytes: their number; 0 at the end, and, without a wait, where bytes is 0; or a negative errno code.  Of a pipe
 * as soon as there are any; of a regular file all, but at the end.
 * Costs a system call where nothing must be waited for.  After File.Read.
 */
LEAT_API ssize_t leat_file_read(leat_file *f, void *to, size_t bytes);
LEAT_API ssize_t leat_file_read_ctx(leat_file *f, void *to, size_t bytes, leat_any_ctx ctx);

/* Read bytes bytes, not fewer: 0; -ENODATA when the end comes before the first, -EPROTO when it comes later
   ("unexpected EOF"); or another error.  How many came is in *done (NULL: not wanted).  After io.ReadFull. */
LEAT_API int leat_file_read_full(leat_file *f, void *to, size_t bytes, leat_any_ctx ctx,
                                 size_t *done);

/*
 * Write all of it: 0, or a negative errno code.  How much was written is in *written (NULL: not wanted): what went before
 * the disk was full, or the pipe was closed, has gone.  With O_APPEND at the end, wherever that is by then.
 * After File.Write.
 */
LEAT_API int leat_file_write(leat_file *f, const void *from, size_t bytes, size_t *written);
LEAT_API int leat_file_write_ctx(leat_file *f, const void *from, size_t bytes, leat_any_ctx ctx,
                                 size_t *written);

/*
 * Read at an offset; where the file is stays.  All of bytes, or as many as there are before the end, or before an error,
 * which the next call for what is missing gives; their number, 0 at the end, or a negative errno code: -ESPIPE for what has
 * no offsets, -EINVAL for an offset below 0.  After File.ReadAt.
 */
LEAT_API ssize_t leat_file_pread(leat_file *f, void *to, size_t bytes, int64_t offset);

/* Write all of it at an offset; as leat_file_write, and with the errors of leat_file_pread; -EINVAL for files opened with
   O_APPEND, where the system would write at the end.  After File.WriteAt. */
LEAT_API int leat_file_pwrite(leat_file *f, const void *from, size_t bytes, int64_t offset,
                              size_t *written);

/* Move to an offset from the beginning, from here or from the end (SEEK_SET, SEEK_CUR, SEEK_END): the new one from the
   beginning, or a negative errno code.  In turns with those who read and write.  After File.Seek. */
LEAT_API int64_t leat_file_seek(leat_file *f, int64_t offset, int whence);

/* Cut it to, or fill it with zeros up to, bytes bytes.  0, or a negative errno code.  After File.Truncate. */
LEAT_API int leat_file_truncate(leat_file *f, int64_t bytes);

/* Its permissions.  0, or a negative errno code.  After File.Chmod. */
LEAT_API int leat_file_chmod(leat_file *f, unsigned mode);

/*
 * Wait until what was written is on the device; sync_data: without what is not needed to read it back, such as its times.
 * 0, or a negative errno code: -EIO tells once of what was lost since the last one.  After File.Sync.
 */
LEAT_API int leat_file_sync(leat_file *f);
LEAT_API int leat_file_sync_data(leat_file *f);

/* What stat(2) tells of it.  0, or a negative errno code.  After File.Stat. */
LEAT_API int leat_file_stat(leat_file *f, struct stat *to);

/* --- deadlines: instants of leat_now, as those of leat/conn.h.  0; -EBADF, -ENOMEM; -ENOTSUP where nothing ever waits */
LEAT_API int leat_file_set_deadline(leat_file *f, int64_t at_ns);
LEAT_API int leat_file_set_read_deadline(leat_file *f, int64_t at_ns);
LEAT_API int leat_file_set_write_deadline(leat_file *f, int64_t at_ns);

/* --- ending */

/*
 * Close it: 0; -EBADF the second time; or what the system said of something written earlier, f being closed.  Who waits in
 * the poller is woken, who is at work is waited for, and only then the descriptor goes back to the system.  The memory
 * stays for those who still call, until leat_file_free.  After File.Close.
 */
LEAT_API int leat_file_close(leat_file *f);

/* Close it, if it is open, and free it; NULL is a no-op.  No other use of f may overlap or follow, but who waits in one is
   woken first. */
LEAT_API void leat_file_free(leat_file *f);

/* --- asked */

/* The name by which it was opened; as long as f.  After File.Name. */
LEAT_API const char *leat_file_name(const leat_file *f);

/* The descriptor; -1 when f is closed.  It stays f's.  From then on leat takes its position for shared: reads and writes there
   that must wait block a thread.  After File.Fd, but that its mode stays as it is. */
LEAT_API int leat_file_fd(leat_file *f);

/* What failed, for people: "read notes.txt: file already closed", where op is "read"; NULL for an err of 0.  Its code is
   err.  The caller's.  After fs.PathError. */
LEAT_API const leat_error *leat_file_error(const leat_file *f, const char *op,
                                           int err) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_file_read_ctx(...)  __extension__ leat_file_read_ctx(__VA_ARGS__)
#define leat_file_read_full(...) __extension__ leat_file_read_full(__VA_ARGS__)
#define leat_file_write_ctx(...) __extension__ leat_file_write_ctx(__VA_ARGS__)
#endif

#endif
