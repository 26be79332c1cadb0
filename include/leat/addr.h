/* SPDX-License-Identifier: MIT */
/*
 * Addresses of sockets: IPv4, IPv6 and Unix.
 *
 *	leat_addr a;
 *	char text[LEAT_ADDR_TEXT];
 *
 *	if (leat_addr_parse(&a, "[::1]:8080") == 0)
 *		puts(leat_addr_text(&a, text));
 *
 * A leat_addr is a value that owns nothing.  Names of hosts are none: nothing here waits, allocates or
 * panics.  After Go's netip.AddrPort and net.UnixAddr.
 */
#ifndef LEAT_ADDR_H
#define LEAT_ADDR_H

#include <leat/base.h>

#include <sys/socket.h>
#include <sys/un.h>

LEAT__BEGIN

/* An address as system calls take it; bytes of 0: none. */
typedef struct leat_addr {
	socklen_t bytes;
	union {
		struct sockaddr any;
		struct sockaddr_storage leat__room;
		struct sockaddr_un leat__unix;
	};
} leat_addr;

/* Room for the longest text, and its NUL. */
#define LEAT_ADDR_TEXT (sizeof(struct sockaddr_un) + 16)

/*
 * The address that text means: "127.0.0.1:80", "[fe80::1%eth0]:80", ":80" (every address of this machine, "[::]"),
 * "/run/socket", "@name" (Linux's abstract names; "@" alone when listening: one that is free), "./socket": what has a slash
 * or begins with @ is Unix's.
 * 0; -EINVAL for anything else, names of hosts among it; -ENAMETOOLONG for a path that no address has room for.
 */
LEAT_API int leat_addr_parse(leat_addr *a, const char *text);

/* Write a in the form that parse takes, "" for none, into text, which has LEAT_ADDR_TEXT bytes; returns text. */
LEAT_API char *leat_addr_text(const leat_addr *a, char *text);

/* The port, 0 where there is none; the same address with another port. */
LEAT_API int leat_addr_port(const leat_addr *a);
LEAT_API void leat_addr_set_port(leat_addr *a, int port);

/* The same family, address, zone and port, or path. */
LEAT_API bool leat_addr_equal(const leat_addr *a, const leat_addr *b);

/* It is one of this machine's own: 127.0.0.0/8, ::1, or Unix. */
LEAT_API bool leat_addr_is_loopback(const leat_addr *a);

LEAT__END

#endif
