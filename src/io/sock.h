/* SPDX-License-Identifier: MIT */
/*
 * Sockets: a descriptor with an owner, its place in the poller, and whose turn it is to read and to write.
 *
 * One operation:
 *
 *	err = leat__sock_begin(s, dir, ctx);            -EBADF, or why ctx is done
 *	while (!err && (n = leat__os_...(s->fd)) == -EAGAIN)
 *		err = leat__sock_wait(s, dir, ctx);
 *	leat__sock_end(s, dir);                         where begin gave 0
 *
 * All of it out of the runtime.
 */
#ifndef LEAT_IO_SOCK_H
#define LEAT_IO_SOCK_H

#include "os/socket.h"
#include "sched/polldesc.h"

#include <leat/ctx.h>
#include <leat/mutex.h>
#include <leat/net.h>

#include <errno.h>

struct leat__sock {
	const char *network; /* for ever */
	struct leat__pd *pd;
	int fd;
	_Atomic bool closed;
	_Atomic bool stream; /* a read that brings less than was asked for leaves nothing: see sock.c */
	bool records;   /* it keeps messages apart: one write, one of them; set before others know s */
	bool datagrams; /* and knows no end; likewise */
	bool file;      /* Unix: local is a path, which goes at the close in the process that made it */
	unsigned forks; /* that led to that process */
	bool drained;   /* the last read did so; who has the turn to read */
	_Atomic bool shut_read;  /* nothing is read any more (leat_conn_close_read), whatever comes */
	_Atomic bool silent;     /* the system gave the other side up, as whom it told notes here */
	_Atomic uint32_t life;   /* of pd, when turns began; under pd's lock */
	leat_addr local, remote; /* set before others know s */
	leat_mutex turns[LEAT__POLL_EITHER]; /* of a direction: whose holder alone waits in pd */
};

/* s, zeroed, becomes the owner of fd, which is not blocking.  0, or a negative errno code: fd is the caller's still. */
int leat__sock_open(struct leat__sock *s, int fd, const char *network);

/* The same for a file that never waits in the poller: begin and end, with deadlines out of the question. */
int leat__sock_open_unwatched(struct leat__sock *s, int fd);

/* In the child of a fork the runtime begins anew at the first entry, and forgets who held what: that comes before a hold that
   does not enter, or another look at what the runtime knows. */
static inline void leat__sock_settle(void)
{
	struct leat__m *m = leat__self();

	if (unlikely(!m || load_relaxed(&m->retake)))
		leat__leave(leat__enter());
}

/* Use fd without a turn: 0, and it is not closed until let_go; or -EBADF. */
int leat__sock_hold(struct leat__sock *s);
void leat__sock_let_go(struct leat__sock *s);

int leat__sock_begin(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx);
void leat__sock_end(struct leat__sock *s, enum leat__poll_dir dir);

/* After EAGAIN: 0 to try again, -ETIMEDOUT, -EBADF, or why ctx is done.  Where it panics, end is not due. */
int leat__sock_wait(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx);

/* n is what a system call on s, which is held, said: its -ETIMEDOUT has other words than a deadline's (leat_conn_error). */
static inline ssize_t leat__sock_said(struct leat__sock *s, ssize_t n)
{
	if (unlikely(n == -ETIMEDOUT))
		store_relaxed(&s->silent, true);
	return n;
}

/* err, which an operation on s gave, is what the system said of it. */
static inline bool leat__sock_gave_up(const struct leat__sock *s, int err)
{
	return err == -ETIMEDOUT && load_relaxed(&s->silent);
}

/*
 * A read that has begun is at the end, whatever the system has: TCP's, and a Unix socket's what came before, would go on to be
 * delivered.  Set before the system is told, which wakes who waits.
 */
static inline bool leat__sock_at_end(const struct leat__sock *s)
{
	return unlikely(load_relaxed(&s->shut_read));
}

/* What a read of no bytes returns, for which nobody waits: 0, or -EBADF. */
int leat__sock_read_nothing(struct leat__sock *s);

/* What leat_conn_read returns, for bytes > 0. */
ssize_t leat__sock_read(struct leat__sock *s, void *to, size_t bytes, leat_ctx *ctx);

/* Between begin and end: let time_ns pass, whatever comes meanwhile.  0, -ETIMEDOUT (the deadline of dir), -EBADF, or why ctx
   is done.  Panics likewise. */
int leat__sock_pause(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx, int64_t time_ns);

/* It is not closed while fn runs; what that returns, or -EBADF.  fn must not park. */
int leat__sock_with(struct leat__sock *s, int (*fn)(int fd, void *arg), void *arg);

/* Between begin and end, before a try that follows something else than a wait: 0, -ETIMEDOUT or -EBADF. */
int leat__sock_again(struct leat__sock *s, enum leat__poll_dir dir);

/* LEAT__POLL_EITHER: both.  As leat_conn_set_deadline. */
int leat__sock_set_deadline(struct leat__sock *s, enum leat__poll_dir dir, int64_t at_ns);

/* As leat_conn_close.  Parks until all who were at it have left: then s may be freed. */
int leat__sock_close(struct leat__sock *s);

/* Send parts, all of it, msg having all else that is wanted but them; what leat_conn_write returns. */
int leat__sock_send_all(struct leat__sock *s, struct msghdr *msg, leat_ctx *ctx, size_t *written);

/* Ask the system for both addresses, as far as there are any. */
void leat__sock_addresses(struct leat__sock *s);

/* --- options.c */

/* 0, -EBADF, or what the system said. */
int leat__sock_set_option(struct leat__sock *s, int level, int name, const void *value,
                          socklen_t bytes);

/* --- packet.c, for sockets with records */

/* What leat_packet_read_from returns; from (NULL: not wanted). */
ssize_t leat__record_read(struct leat__sock *s, void *to, size_t bytes, leat_addr *from,
                          leat_ctx *ctx);

/* One message.  to: NULL where there is one other end; *written: all or nothing. */
int leat__record_write(struct leat__sock *s, const void *from, size_t bytes, const leat_addr *to,
                       leat_ctx *ctx, size_t *written);
int leat__record_send(struct leat__sock *s, const struct msghdr *msg, leat_ctx *ctx,
                      size_t *written);

/* --- conn.c */

/* A connection that owns fd, or NULL with *err, fd being the caller's still. */
leat_conn *leat__conn_of_socket(int fd, const char *network, int *err);

/* The socket of c; NULL: it is of another kind. */
struct leat__sock *leat__conn_sock(leat_conn *c);

/* --- io_error.c */

/*
 * "OP NETWORK LOCAL->REMOTE: WHY" with the code err; of LOCAL and REMOTE what is there.  what: the name of the system call
 * that said so, which stands before its words; or NULL: err is one of leat/conn.h.
 */
const leat_error *leat__op_error(const char *op, const char *network, const leat_addr *local,
                                 const leat_addr *remote, const char *what, int err);

/* "listen NETWORK ADDRESS: WHY", and the same for "dial" where ADDRESS is no address at all. */
const leat_error *leat__listen_error(const char *network, const char *address, int err);
const leat_error *leat__address_error(const char *op, const char *network, const char *address,
                                      int err);

/* It is one of leat/conn.h, which no system call said. */
bool leat__io_is_ours(int err);

/* What an error code says: the system's words, as Go writes them, in text; and Go's own, where it has some for it. */
#define LEAT__IO_WORDS 80
const char *leat__system_words(int err, char text[LEAT__IO_WORDS]);
const char *leat__io_words(int err, char text[LEAT__IO_WORDS]);

/* The system's, in any case. */
const char *leat__system_words(int err, char text[LEAT__IO_WORDS]);

#endif
