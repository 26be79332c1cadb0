/* SPDX-License-Identifier: MIT */
/*
 * Connections: streams of bytes in both directions, whatever is underneath: TCP, Unix sockets, TLS, a pair in
 * memory, or what a program makes of its own.  (Those of datagrams, which are no streams: leat/packet.h.)
 *
 *	const leat_error *e;
 *	leat_conn *c = leat_dial("tcp", "93.184.216.34:80", ctx, &e);
 *	if (!c)
 *		return e;                       dial tcp 93.184.216.34:80: connect: connection refused
 *	defer(leat_conn_free, c);
 *
 *	int err = leat_conn_write(c, request, sizeof request, NULL);
 *	while (!err && (n = leat_conn_read(c, buffer, sizeof buffer)) > 0)
 *		use(buffer, n);
 *
 * Goroutines that wait hold no thread: straight-line code, a goroutine per connection.
 *
 * Any goroutine, any thread.  One reads while another writes.  Of several who read, one after the other does; likewise of
 * those who write, of whom each writes all that it has before the next begins.
 *
 * Errors are negative errno codes:
 *
 *	-ETIMEDOUT      the deadline has passed, of the connection or of ctx ("i/o timeout"); or the system gave the other side
 *	                up, which did not answer for too long ("connection timed out"): see below
 *	-ECANCELED      ctx is done
 *	-EBADF          the connection is closed, by this side ("use of closed network connection")
 *	-EPIPE          the other side reads no more, or this side has shut down writing
 *	-ECONNRESET and what else the system says
 *
 * leat_conn_error makes errors of them that tell the operation and the addresses, in Go's words.  No signal comes
 * (SIGPIPE).
 *
 * Deadlines are instants of leat_now, from which on everything fails that would have to wait, also what waits already,
 * until the deadline is moved.  0 or less, and any other instant that is past: at once, though there be something to read.
 * LEAT_FOREVER: none, as at first.
 *
 * ctx in the forms that end in _ctx: a leat_ctx * or leat_scope *, or NULL for none.  When it is done the wait ends; what
 * was written by then stays written.
 *
 * Who vanishes without a word (a lost network, a host without power) is noticed only by what he does not answer: an idle
 * connection by keep-alive, after 10 periods of it; what was sent after leat_conn_set_user_timeout, or the system's 15 minutes
 * (both: leat/net.h).  Without these and without a deadline a read waits for ever.  One operation is told so, by -ETIMEDOUT though
 * no deadline has passed.  For all others, those that wait too, the connection is at its end, as after -ECONNRESET: a read gives
 * 0, a write -EPIPE.
 *
 * A wait that needs memory (for a ctx, or on a kind that is no socket) panics "out of memory" where there is none; with a ctx of
 * the program's own kind, whatever that panics.  The connection is as good as before, and *written is what was written.
 *
 * A close wakes all who wait, lets those who are at work leave, and gives the descriptor back to the system only then.
 * After Go's net.Conn.
 */
#ifndef LEAT_CONN_H
#define LEAT_CONN_H

#include <leat/addr.h>
#include <leat/ctx.h>
#include <leat/error.h>

#include <sys/types.h>
#include <sys/uio.h>

LEAT__BEGIN

typedef struct leat_conn leat_conn;

/* --- reading and writing */

/*
 * Read up to bytes bytes, as soon as there are any: their number; 0 at the end, when the other side has shut down writing,
 * and, without a wait, where bytes is 0; or a negative errno code.
 * Costs one system call where there is something.  After Conn.Read.
 */
LEAT_API ssize_t leat_conn_read(leat_conn *c, void *to, size_t bytes);
LEAT_API ssize_t leat_conn_read_ctx(leat_conn *c, void *to, size_t bytes, leat_any_ctx ctx);

/* Read bytes bytes, not fewer: 0; -ENODATA when the end comes before the first, -EPROTO when it comes later
   ("unexpected EOF"); or another error.  How many came is in *done (NULL: not wanted).  After io.ReadFull. */
LEAT_API int leat_conn_read_full(leat_conn *c, void *to, size_t bytes, leat_any_ctx ctx,
                                 size_t *done);

/*
 * Write all of it: 0, or a negative errno code.  How much was written is in *written (NULL: not wanted).
 * Costs one system call where there is room.  After Conn.Write.
 */
LEAT_API int leat_conn_write(leat_conn *c, const void *from, size_t bytes, size_t *written);
LEAT_API int leat_conn_write_ctx(leat_conn *c, const void *from, size_t bytes, leat_any_ctx ctx,
                                 size_t *written);

/* The same for n pieces, in one go where the kind can.  parts stay as they are.  After net.Buffers. */
LEAT_API int leat_conn_writev(leat_conn *c, const struct iovec *parts, int n, leat_any_ctx ctx,
                              size_t *written);

/*
 * Write bytes bytes of a regular file from offset on; where the kind can, without copying them through the program.
 * Fewer, with 0, when the file ends before.  After the sendfile of Go's TCPConn.ReadFrom.
 */
LEAT_API int leat_conn_sendfile(leat_conn *c, int fd, int64_t offset, size_t bytes,
                                leat_any_ctx ctx, size_t *written);

/* --- deadlines.  0, or -EBADF when closed, -ENOMEM, -ENOTSUP by kinds that have none */
LEAT_API int leat_conn_set_deadline(leat_conn *c, int64_t at_ns);
LEAT_API int leat_conn_set_read_deadline(leat_conn *c, int64_t at_ns);
LEAT_API int leat_conn_set_write_deadline(leat_conn *c, int64_t at_ns);

/* --- ending */

/* Write, read, no more: the other side sees the end, and a later write is -EPIPE; a later read sees the end, for good, whatever
   came and was not read, or comes.  Of TCP the other side is not told of the latter.  0, or a negative errno code.
   After TCPConn.CloseWrite and CloseRead, of which the system's goes on to deliver what TCP receives. */
LEAT_API int leat_conn_close_write(leat_conn *c);
LEAT_API int leat_conn_close_read(leat_conn *c);

/* Close it: 0; -EBADF the second time; or what the system said, c being closed.  The memory stays for those who still
   call, until leat_conn_free.  After Conn.Close. */
LEAT_API int leat_conn_close(leat_conn *c);

/* Close it, if it is open, and free it; NULL is a no-op.  No other use of c may overlap or follow, but who waits in one
   is woken first. */
LEAT_API void leat_conn_free(leat_conn *c);

/* --- asked */

/* The addresses of both ends; of kinds without any, none. */
LEAT_API leat_addr leat_conn_local(leat_conn *c);
LEAT_API leat_addr leat_conn_remote(leat_conn *c);

/* "tcp", "unix", "tls", "pipe", or what the program's kind is called.  Valid for ever. */
LEAT_API const char *leat_conn_network(const leat_conn *c);

/* The descriptor underneath, for options that leat has no call for; -1 for kinds without.  It stays c's.  From then on a
   read that must wait costs a system call more, since leat does not know what is done with it. */
LEAT_API int leat_conn_fd(leat_conn *c);

/*
 * What failed, for people: "read tcp 127.0.0.1:80->127.0.0.1:4711: i/o timeout", where op is "read"; NULL for an err of 0.
 * Its code is err.  The caller's.  After net.OpError.
 */
LEAT_API const leat_error *leat_conn_error(leat_conn *c, const char *op, int err) LEAT__WARN_UNUSED;

/* --- a pair in memory */

/*
 * Two connections, each the other's other end: what is written to one is read from the other.  Unbuffered, as net.Pipe:
 * a write returns when all of it was read.  False where memory is out, with nothing made.  After net.Pipe.
 */
LEAT_API bool leat_conn_pipe(leat_conn **a, leat_conn **b) LEAT__WARN_UNUSED;

/* --- kinds */

enum leat_conn_side {
	LEAT_CONN_READ = 1,
	LEAT_CONN_WRITE = 2,
};

/*
 * What a kind of connection does.  All but network, read, write, close and free may be NULL: then there is none
 * (-ENOTSUP).  They are called from outside the runtime, by several at once, may park, and do what the functions
 * above say; what waits must end with ctx (NULL: none), with the deadline, and with close.
 * Where one panics, what it holds is its own to give back; write and sendfile leave in *written what was written.
 */
typedef struct leat_conn_ops {
	const char *network;
	ssize_t (*read)(leat_conn *c, void *to, size_t bytes, leat_ctx *ctx);
	int (*write)(leat_conn *c, const struct iovec *parts, int n, leat_ctx *ctx, size_t *written);
	int (*sendfile)(leat_conn *c, int fd, int64_t offset, size_t bytes, leat_ctx *ctx,
	                size_t *written);
	int (*set_deadline)(leat_conn *c, enum leat_conn_side sides, int64_t at_ns);
	int (*shut)(leat_conn *c, enum leat_conn_side sides);
	int (*close)(leat_conn *c);
	void (*free)(leat_conn *c); /* closed, and used by nobody */
	leat_addr (*local)(leat_conn *c);
	leat_addr (*remote)(leat_conn *c);
	int (*fd)(leat_conn *c); /* < 0: none; where that is -EBADF (closed) options say so */
	/* What err was due to, where there is more to say than the code does; the caller's.  NULL: there is not. */
	const leat_error *(*what)(leat_conn *c, int err);
} leat_conn_ops;

/* What each kind's own structure begins with; the rest is its own.  Made and freed by the kind. */
struct leat_conn {
	const leat_conn_ops *ops;
	void *leat__private;
};

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_conn_read_ctx(...)  __extension__ leat_conn_read_ctx(__VA_ARGS__)
#define leat_conn_read_full(...) __extension__ leat_conn_read_full(__VA_ARGS__)
#define leat_conn_write_ctx(...) __extension__ leat_conn_write_ctx(__VA_ARGS__)
#define leat_conn_writev(...)    __extension__ leat_conn_writev(__VA_ARGS__)
#define leat_conn_sendfile(...)  __extension__ leat_conn_sendfile(__VA_ARGS__)
#endif

#endif
