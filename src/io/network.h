/* SPDX-License-Identifier: MIT */
/* The networks of leat/net.h by their names, and addresses on them. */
#ifndef LEAT_IO_NETWORK_H
#define LEAT_IO_NETWORK_H

#include <leat/net.h>

struct leat__network {
	const char *name;
	int family; /* 0: IPv6 or IPv4 */
	int type;   /* SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM */
};

/* NULL: there is none of that name. */
const struct leat__network *leat__network_of(const char *name);

/*
 * The address of n that text writes out: 0; -EINVAL where it is a name to be looked up, or wrong; -EAFNOSUPPORT for
 * another network's.
 */
int leat__network_literal(const struct leat__network *n, const char *text, leat_addr *a);

/* As leat_addr_parse, where text can mean nothing but a Unix socket's name. */
int leat__addr_parse_path(leat_addr *a, const char *text);

/* a is 0.0.0.0 or [::]. */
bool leat__addr_is_any(const leat_addr *a);

/* a is a Unix socket's that has a file. */
bool leat__addr_is_path(const leat_addr *a);

/* What a socket for both families says of IPv4's addresses, in IPv4's own form. */
void leat__addr_unmap(leat_addr *a);

/* A socket for a on n, with n's options; a descriptor or a negative errno code. */
int leat__network_socket(const struct leat__network *n, const leat_addr *a);

/* The same for who is to be bound to it: where there is no IPv6, [::] of both families becomes 0.0.0.0. */
int leat__network_socket_at(const struct leat__network *n, leat_addr *a);

/* Close a socket that was bound to a and comes to nothing: the file of a Unix one goes, too. */
void leat__network_abandon(int fd, const leat_addr *a);

/* What connections of TCP get, as the options say. */
void leat__tcp_options(int fd, bool delay, int64_t keep_alive_ns);

#endif
