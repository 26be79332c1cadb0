/* SPDX-License-Identifier: MIT */
/*
 * Datagrams: UDP, and Unix sockets that keep messages apart.
 *
 *	leat_conn *c = leat_listen_packet("udp", ":5353", NULL, &e);
 *	leat_addr from;
 *
 *	while ((n = leat_packet_read_from(c, buffer, sizeof buffer, &from, NULL)) >= 0)
 *		leat_packet_write_to(c, buffer, n, &from, NULL);
 *
 * They are connections like others: deadlines, close, free, addresses, buffer sizes and fd are those of leat/conn.h and
 * leat/net.h.  leat_dial("udp", ...) makes one with another end, which leat_conn_read and leat_conn_write go by; of an
 * unconnected one leat_conn_read reads what comes from anybody, and leat_conn_write fails with -EDESTADDRREQ, or -ENOTCONN
 * for Unix.  For a connection that is no such socket all functions here return -ENOTSUP.
 *
 * Networks: "udp", "udp4", "udp6", "unixgram".  Addresses are as for leat_dial.
 *
 * One read takes one datagram, one write sends one, all of it or nothing.
 *  - A datagram longer than the room for it is -EMSGSIZE: its beginning is in that room, from is set, its rest is lost, and
 *    the next read brings the next one.  That is so for leat_conn_read, too, where Go is silent.
 *  - A read of 0 is a datagram of no bytes: there is no end.  But who asks leat_conn_read for 0 bytes takes none.
 *    leat_conn_read_full, which is for streams, takes one of no bytes for the end.
 *  - A datagram too long to be sent is -EMSGSIZE, and nothing is sent.
 *  - A connected one learns from the other machine that nobody is there: the next read or write is -ECONNREFUSED, once, and
 *    the connection is as good as before.
 *  - What is lost on the way, or for want of room where it arrives, nobody is told.
 * UDP never waits to send but for room in this machine's own buffers; Unix's waits while the reader's queue is full, and
 * then looks again up to 20 ms after there is room, unless it is connected: that the kernel tells at once.
 *
 * Any goroutine, any thread: one reads while another writes; of several who read, one after the other does, and likewise of
 * those who write.  ctx, deadlines and errors: see leat/conn.h.
 * After Go's net.PacketConn, net.UDPConn, net.UnixConn, and the PacketConn of golang.org/x/net.
 */
#ifndef LEAT_PACKET_H
#define LEAT_PACKET_H

#include <leat/net.h>

LEAT__BEGIN

/* Options; zero-initialised, all have their defaults. */
typedef struct leat_packet_opts {
	bool
	    reuse_port; /* several share the port, and the kernel spreads senders among them (SO_REUSEPORT) */
	bool keep_file;                /* unixgram: leave the socket's file when it is closed */
	const leat_resolver *resolver; /* whom to ask for names; NULL: as the system says */
} leat_packet_opts;

/*
 * A socket at this address, not connected.  Port 0: any that is free; leat_conn_local tells which.  ":53" on "udp" is
 * every address of this machine, of both families; IPv4's are told in their own form.  opts may be NULL.
 * NULL: *error (NULL: not wanted) says why, as leat_listen's.  Broadcasts are allowed, as Go does.
 * The file of a Unix socket is removed when c is closed, like a listener's; so is that of a dialled one, which has one when
 * it is given leat_dial_opts.local.  ctx ends the lookup of a name, as leat_listen_ctx's does.  After net.ListenPacket and
 * ListenConfig.ListenPacket.
 */
LEAT_API leat_conn *leat_listen_packet(const char *network, const char *address,
                                       const leat_packet_opts *opts,
                                       const leat_error **error) LEAT__WARN_UNUSED;
LEAT_API leat_conn *leat_listen_packet_ctx(const char *network, const char *address,
                                           const leat_packet_opts *opts, leat_any_ctx ctx,
                                           const leat_error **error) LEAT__WARN_UNUSED;

/*
 * Read a datagram, up to bytes of it, and who sent it in *from (NULL: not wanted; no address where the sender has none).
 * The number of its bytes, or a negative errno code; -EMSGSIZE when it was longer, as said above.
 * Costs one system call where there is something.  After PacketConn.ReadFrom.
 */
LEAT_API ssize_t leat_packet_read_from(leat_conn *c, void *to, size_t bytes, leat_addr *from,
                                       leat_any_ctx ctx);

/*
 * Send a datagram to an address: 0, or a negative errno code; -EISCONN when c is connected, where leat_conn_write is for
 * that; -EDESTADDRREQ when to has no address.
 * Costs one system call where there is room.  After PacketConn.WriteTo.
 */
LEAT_API int leat_packet_write_to(leat_conn *c, const void *from, size_t bytes, const leat_addr *to,
                                  leat_any_ctx ctx);

/* --- several at once */

typedef struct leat_packet {
	void *data;     /* its bytes; the caller's */
	size_t bytes;   /* write: how many; read: how many came */
	size_t room;    /* read: for so many there is room */
	size_t lost;    /* read: how many more there were, for which there was none */
	leat_addr addr; /* to whom, no address where c is connected; read: from whom */
} leat_packet;

/*
 * Wait for a datagram, and take with it those that are there already, n (up to 1,024) in all: their number, at least 1, or a
 * negative errno code.  A longer one than its room is no error here; lost says so.  0 for an n of 0.
 * One system call for all of them; memory of 80 bytes for each, for the time of the call (-ENOMEM).  n below 0 panics.
 * After the ReadBatch of golang.org/x/net, and recvmmsg(2).
 */
LEAT_API int leat_packet_read_batch(leat_conn *c, leat_packet *packets, int n, leat_any_ctx ctx);

/*
 * Send all of them, in order: 0, or a negative errno code; how many were sent is in *written (NULL: not wanted), and
 * packets[*written] is the one that could not be.  Where c is connected an address is -EISCONN, with none sent.
 * A system call for each 64 where there is room; memory as above.  n below 0 panics.
 * After the WriteBatch of golang.org/x/net, but that this one goes on until all are sent; and sendmmsg(2).
 */
LEAT_API int leat_packet_write_batch(leat_conn *c, const leat_packet *packets, int n,
                                     leat_any_ctx ctx, size_t *written);

/* --- one to many.  0, or what the system said; -EBADF when closed */

/* Sending to broadcast addresses is allowed, as it is at first, or -EACCES. */
LEAT_API int leat_packet_set_broadcast(leat_conn *c, bool yes);

/*
 * A socket that gets what is sent to group, "239.0.0.1:9999" or "[ff02::1234]:9999", on the interface of this name (NULL:
 * one that the system chooses).  Others of this machine may do the same.  It may join further groups, gets only from those
 * that it joined, and what is sent to the port itself.  What it sends goes out by the same interface, and does not come back
 * to this machine (leat_packet_set_multicast_loop).
 * NULL: *error says why, as leat_listen's: -EINVAL "not a multicast address", -ENODEV for an interface that is not there.
 * After net.ListenMulticastUDP.
 */
LEAT_API leat_conn *leat_listen_multicast(const char *network, const char *interface,
                                          const char *group,
                                          const leat_error **error) LEAT__WARN_UNUSED;

/* Get what is sent to group, whose port does not matter, too, and no more.  interface as above.  -EINVAL: no multicast
   address; -EADDRINUSE: joined already; -EADDRNOTAVAIL: not joined; -ENODEV; -ENOBUFS: the system's limit, 20 in most.
   After golang.org/x/net's JoinGroup and LeaveGroup. */
LEAT_API int leat_packet_join(leat_conn *c, const char *interface, const leat_addr *group);
LEAT_API int leat_packet_leave(leat_conn *c, const char *interface, const leat_addr *group);

/* By which interface multicasts are sent (NULL: one that the system chooses); over how many routers (1 at first; 0: none
   leaves this machine; to 255); and whether they come back to those of this machine who joined (at first: yes). */
LEAT_API int leat_packet_set_multicast_interface(leat_conn *c, const char *interface);
LEAT_API int leat_packet_set_multicast_hops(leat_conn *c, int hops);
LEAT_API int leat_packet_set_multicast_loop(leat_conn *c, bool yes);

/* --- errors */

/*
 * What failed, for people, as leat_conn_error, with the address that it was about (NULL: none):
 * "write udp 127.0.0.1:53->127.0.0.1:4711: sendto: message too long".  NULL for an err of 0.  The caller's.
 */
LEAT_API const leat_error *leat_packet_error(leat_conn *c, const char *op, const leat_addr *other,
                                             int err) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_listen_packet_ctx(...)  __extension__ leat_listen_packet_ctx(__VA_ARGS__)
#define leat_packet_read_from(...)   __extension__ leat_packet_read_from(__VA_ARGS__)
#define leat_packet_write_to(...)    __extension__ leat_packet_write_to(__VA_ARGS__)
#define leat_packet_read_batch(...)  __extension__ leat_packet_read_batch(__VA_ARGS__)
#define leat_packet_write_batch(...) __extension__ leat_packet_write_batch(__VA_ARGS__)
#endif

#endif
