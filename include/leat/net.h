/* SPDX-License-Identifier: MIT */
/*
 * The network: making connections and taking them.
 *
 *	leat_listener *l = leat_listen("tcp", ":8080", NULL, &e);
 *
 *	while ((c = leat_accept(l, NULL, &e)))
 *		go(serve, .conn = c);
 *
 * Networks are "tcp", "tcp4", "tcp6", "unix"; "unixpacket" keeps records apart: one write sends one, all of it, and a read
 * whose room is shorter is -EMSGSIZE.  To dial there are "udp", "udp4", "udp6" and "unixgram", too: see leat/packet.h.
 * Addresses are as for leat_addr_parse, or have names for host and port, "example.org:https", "[::1]:http", which are looked up
 * as lookup.h says, on networks that end in 4 or 6 in one family alone.
 *
 * Errors: NULL, and in *error (NULL: not wanted) what failed, with the addresses, in Go's words; the caller's.
 * ctx: a leat_ctx * or leat_scope *, or NULL for none.  Any goroutine, any thread, all of it.  After Go's package net.
 */
#ifndef LEAT_NET_H
#define LEAT_NET_H

#include <leat/conn.h>
#include <leat/lookup.h>

LEAT__BEGIN

/* Options; zero-initialised, all have their defaults. */
typedef struct leat_dial_opts {
	int64_t timeout_ns;    /* for all of it; 0: none but ctx's */
	int64_t keep_alive_ns; /* between probes of an idle connection; 0: 15 s; < 0: none */
	const char
	    *local; /* from this address, no name; NULL: any.  A Unix socket's file goes at the close */
	bool delay; /* let the system gather small writes (no TCP_NODELAY) */
	const leat_resolver *resolver; /* whom to ask for names; NULL: as the system says */
	int64_t fallback_delay_ns;     /* the first family's start; 0: 300 ms; < 0: no race */
} leat_dial_opts;

typedef struct leat_listen_opts {
	int backlog;           /* 0: as many as the system allows */
	int64_t keep_alive_ns; /* of the connections accepted, as above */
	bool delay;            /* likewise */
	bool
	    reuse_port; /* several listeners share the port, and the kernel spreads connections among them */
	bool keep_file;                /* unix: leave the socket's file when it is closed */
	const leat_resolver *resolver; /* as above */
} leat_listen_opts;

/*
 * Connect.
 *
 * Where a name has several addresses they are tried one after the other, each for its part of the time that a deadline
 * leaves, 2 s at least.  Where they are of both families, those of the family that the first is not of are tried beside the
 * others, from fallback_delay_ns later on, or as soon as the others have failed (RFC 8305): the first connection is taken, and
 * what else was begun has ended when the call returns.  An error is that of the first address, or of the lookup:
 *
 *	dial tcp 127.0.0.1:1: connect: connection refused
 *	dial tcp: lookup nosuch.example: no such host           with the codes of lookup.h
 *	dial tcp: lookup tcp/nosuch: unknown port               -ENOENT
 *	dial tcp: address 70000: invalid port                   -ERANGE
 *
 * After Dialer.DialContext.
 */
LEAT_API leat_conn *leat_dial(const char *network, const char *address, leat_any_ctx ctx,
                              const leat_error **error) LEAT__WARN_UNUSED;
LEAT_API leat_conn *leat_dial_with(const leat_dial_opts *opts, const char *network,
                                   const char *address, leat_any_ctx ctx,
                                   const leat_error **error) LEAT__WARN_UNUSED;

/* --- listeners */

typedef struct leat_listener leat_listener;

/* Listen.  Port 0: any that is free; leat_listener_addr tells which.  A name is listened at by its first address of IPv4, or
   else its first; ctx ends its lookup, the only thing that waits.  opts may be NULL.  After net.Listen and
   ListenConfig.Listen. */
LEAT_API leat_listener *leat_listen(const char *network, const char *address,
                                    const leat_listen_opts *opts,
                                    const leat_error **error) LEAT__WARN_UNUSED;
LEAT_API leat_listener *leat_listen_ctx(const char *network, const char *address,
                                        const leat_listen_opts *opts, leat_any_ctx ctx,
                                        const leat_error **error) LEAT__WARN_UNUSED;

/*
 * The next connection.  Where descriptors or memory run out it waits some milliseconds, up to a second, and tries again:
 * connections wait meanwhile, none is lost.  NULL when l is closed (-EBADF), its deadline has passed or ctx is done.
 * After Listener.Accept, and the back-off of net/http's server.
 */
LEAT_API leat_conn *leat_accept(leat_listener *l, leat_any_ctx ctx,
                                const leat_error **error) LEAT__WARN_UNUSED;

LEAT_API leat_addr leat_listener_addr(leat_listener *l);
LEAT_API int leat_listener_fd(leat_listener *l);
LEAT_API int leat_listener_set_deadline(leat_listener *l, int64_t at_ns);

/* Close it: who waits in accept gets NULL.  Connections that were accepted stay.  0, -EBADF the second time.  A Unix
   socket's file is removed by the process that listened, not by its children.  free: as leat_conn_free. */
LEAT_API int leat_listener_close(leat_listener *l);
LEAT_API void leat_listener_free(leat_listener *l);

/* --- options of a connection.  0, -EBADF when closed, -ENOTSUP for kinds that are no such socket, or what the system said */
LEAT_API int leat_conn_set_no_delay(leat_conn *c, bool yes);

/* Probe an idle connection each period_ns, in whole seconds, rounded up; < 0: do not; 0: 15 s.  When 9 probes were not answered
   the system gives the other side up (see leat/conn.h).  Nothing is probed while something sent waits for its answer, or for
   room: that is for leat_conn_set_user_timeout.  After TCPConn.SetKeepAlivePeriod. */
LEAT_API int leat_conn_set_keep_alive(leat_conn *c, int64_t period_ns);

/*
 * For how long what was sent may stay unanswered, or find no room, before the system gives the other side up (see leat/conn.h);
 * in whole milliseconds, rounded up; 0: as long as the system says, some 15 minutes; < 0: -EINVAL.
 * A connection that is probed is given up, instead of after the ninth probe, at the first that is due so long after the last
 * that was heard, but not before one was sent: both together notice who vanishes within timeout_ns and two periods.
 * Go has it by system call alone: TCP_USER_TIMEOUT, after RFC 5482.
 */
LEAT_API int leat_conn_set_user_timeout(leat_conn *c, int64_t timeout_ns);

/* What a close does about what was not sent yet.  < 0: it is sent in the background, as at first; 0: it is dropped and the
   other side told so, by a reset; else the close waits for it, so many seconds at most, and holds its thread meanwhile.
   After TCPConn.SetLinger. */
LEAT_API int leat_conn_set_linger(leat_conn *c, int seconds);
LEAT_API int leat_conn_set_read_buffer(leat_conn *c, int bytes);
LEAT_API int leat_conn_set_write_buffer(leat_conn *c, int bytes);

/* --- descriptors over Unix sockets */

/* Send n (1 to 64) descriptors, which stay the caller's, with a byte or more.  0, or a negative errno code. */
LEAT_API int leat_conn_send_fds(leat_conn *c, const int *fds, int n, const void *from, size_t bytes,
                                leat_any_ctx ctx);

/* Receive up to *n descriptors, which are the caller's and closed on exec, their number then in *n, and up to bytes bytes.
   What leat_conn_read returns; -EMSGSIZE, with all of them closed, when there were more, or a record is longer than that. */
LEAT_API ssize_t leat_conn_recv_fds(leat_conn *c, int *fds, int *n, void *to, size_t bytes,
                                    leat_any_ctx ctx);

/* A connection of the program's own descriptor, which goes over and is made non-blocking, for a socket or an end of a pipe
   (which reads or writes alone, "pipe", without half-close: -ENOTSUP); NULL where that fails, fd being the caller's. */
LEAT_API leat_conn *leat_conn_from_fd(int fd, const leat_error **error) LEAT__WARN_UNUSED;

/* Two that are connected by a pair of Unix sockets, with the system's buffers between them. */
LEAT_API bool leat_conn_socketpair(leat_conn **a, leat_conn **b,
                                   const leat_error **error) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_dial(...)          __extension__ leat_dial(__VA_ARGS__)
#define leat_dial_with(...)     __extension__ leat_dial_with(__VA_ARGS__)
#define leat_listen_ctx(...)    __extension__ leat_listen_ctx(__VA_ARGS__)
#define leat_accept(...)        __extension__ leat_accept(__VA_ARGS__)
#define leat_conn_send_fds(...) __extension__ leat_conn_send_fds(__VA_ARGS__)
#define leat_conn_recv_fds(...) __extension__ leat_conn_recv_fds(__VA_ARGS__)
#endif

#endif
