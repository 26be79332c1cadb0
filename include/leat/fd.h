/* SPDX-License-Identifier: MIT */
/*
 * Waiting for file descriptors that the program owns: sockets, pipes, terminals, eventfds, timerfds,
 * all that poll(2) can wait for.
 *
 *	while ((n = read(fd, buffer, sizeof buffer)) < 0 && errno == EAGAIN)
 *		leat_wait_fd(fd, POLLIN, LEAT_FOREVER);
 *
 * A goroutine that waits holds no thread, so ten thousand idle connections take as many threads as
 * there are processors.  Make descriptors non-blocking (O_NONBLOCK) that more than one goroutine uses:
 * what is there when the wait returns, another one may take first.
 *
 * leat knows nothing of a descriptor before it is waited for; open it, share it and close it as you
 * like, but close it with leat_close_fd if another goroutine may be waiting.
 *
 * Whose is a descriptor?  Of the program, or of a library that the program uses, and leat never closes it: then it is
 * waited for with this header.  Of leat, inside a leat_conn or leat_listener: then it is closed, and its modes are
 * changed, by these alone.  docs/descriptors.md tells more, and how libraries with descriptors of their own, such as
 * libcurl and libpq, are driven from goroutines.
 */
#ifndef LEAT_FD_H
#define LEAT_FD_H

#include <leat/ctx.h>

#include <poll.h>

LEAT__BEGIN

/*
 * Park the caller until fd is ready for one of events, which are those of poll(2): POLLIN, POLLPRI,
 * POLLRDHUP, POLLOUT.  Returns at once if it is ready now.  Regular files always are.
 *
 * Returns what poll(2) gives in revents, always more than 0: of events what fd is ready for, and
 * POLLERR and POLLHUP, whether asked for or not.  Or a negative errno code:
 *	-ETIMEDOUT      timeout_ns nanoseconds passed first; 0 or less only looks, LEAT_FOREVER waits
 *	                for ever
 *	-EBADF          fd is not open
 *	-ECANCELED      leat_close_fd or leat_forget_fd was called for it
 *	-EINVAL         events has no or other bits than these
 *	-ENOMEM, -ENOSPC, -EMFILE, -ENFILE      the kernel, or leat, can watch no further descriptor
 *
 * Any goroutine, any thread, any number of them for one fd, for the same or different events: all that
 * wait for what it became ready for are woken, longest first.  Those for which nothing is left then
 * wait on.
 *
 * The wait is for the number: a descriptor that is closed by close(2) meanwhile wakes nobody, since the
 * kernel does not say so; if the number is opened and waited for again, older waits join in.
 *
 * Orders nothing between goroutines.  One system call when it is ready, three and two switches when it
 * is not.  Uses two descriptors, made at the first wait that parks.  After what Go's net package does
 * inside.
 */
LEAT_API int leat_wait_fd(int fd, int events, int64_t timeout_ns);

/*
 * The same, but only until ctx is done (NULL: no context): then -ECANCELED or -ETIMEDOUT, at once and whatever fd is ready
 * for where it is done before the call.  leat_ctx_err(ctx) tells that from leat_close_fd, and from a timeout_ns that has
 * passed.  ctx must outlive the call.  Never allocates, but for custom contexts ("out of memory").
 */
LEAT_API int leat_wait_fd_ctx(int fd, int events, int64_t timeout_ns, leat_any_ctx ctx);

/*
 * Close fd, which the caller owns.  Who waits for it returns -ECANCELED first, and only when all of
 * them have left is the number released to the operating system.  Parks until then.
 *
 * 0, or a negative errno code from close(2) (the descriptor is closed nevertheless), or -EBADF: fd is
 * not open, or is being closed.
 *
 * Any goroutine, any thread.  What others did before their last wait for fd returned happens before
 * the close.  Costs a close(2), and an epoll_ctl(2) if fd was ever waited for.  After Go's
 * net.Conn.Close.
 */
LEAT_API int leat_close_fd(int fd);

/*
 * The same without the close: who waits for fd returns -ECANCELED, and when this returns nobody waits for it.  0, or -EBADF as
 * above.
 *
 * For descriptors that something else closes, a library or fclose(3): call it before that, since the kernel does not say
 * that a number was closed.  Who waited on would wait for whatever file has the number next.  Until it is closed nobody
 * may begin to wait for it; where it is not closed after all, everybody may.
 */
LEAT_API int leat_forget_fd(int fd);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_wait_fd_ctx(...) __extension__ leat_wait_fd_ctx(__VA_ARGS__)
#endif

#endif
