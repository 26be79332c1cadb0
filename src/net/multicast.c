/* SPDX-License-Identifier: MIT */
/*
 * One datagram to many: broadcasts and groups.
 *
 * A socket for both families has the options of both.  One that listens to a group is bound to every address, so that it can
 * join further ones; that is why MULTICAST_ALL is off: else it would get what comes for any group that any program of this
 * machine has joined.
 */
#include "io/network.h"
#include "io/sock.h"

#include <leat/fd.h>
#include <leat/packet.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* since Linux 4.20 */
#endif

static struct leat__sock *udp_of(leat_conn *c)
{
	struct leat__sock *s = leat__conn_sock(c);

	return s && s->datagrams && s->local.any.sa_family != AF_UNIX ? s : NULL;
}

static bool is_multicast(const leat_addr *a)
{
	const void *any = &a->any;

	if (!a->bytes)
		return false;
	if (a->any.sa_family == AF_INET)
		return IN_MULTICAST(ntohl(((const struct sockaddr_in *)any)->sin_addr.s_addr));
	return a->any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_MULTICAST(&((const struct sockaddr_in6 *)any)->sin6_addr);
}

/* 0 for NULL, -ENODEV for one that is not there. */
static int index_of(const char *interface)
{
	return interface ? leat__os_interface(interface) : 0;
}

/* --- options */

int leat_packet_set_broadcast(leat_conn *c, bool yes)
{
	struct leat__sock *s = udp_of(c);
	int value = yes;

	return s ? leat__sock_set_option(s, SOL_SOCKET, SO_BROADCAST, &value, sizeof value) : -ENOTSUP;
}

/* An option that has a name in each family. */
static int leat__set_both(leat_conn *c, int name4, int name6, int value)
{
	struct leat__sock *s = udp_of(c);
	int err = 0;

	if (!s)
		return -ENOTSUP;
	if (s->local.any.sa_family == AF_INET6)
		err = leat__sock_set_option(s, IPPROTO_IPV6, name6, &value, sizeof value);
	return err ? err : leat__sock_set_option(s, IPPROTO_IP, name4, &value, sizeof value);
}

int leat_packet_set_multicast_loop(leat_conn *c, bool yes)
{
	return leat__set_both(c, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, yes);
}

int leat_packet_set_multicast_hops(leat_conn *c, int hops)
{
	/* -1 would be the default. */
	return hops < 0 ? -EINVAL : leat__set_both(c, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, hops);
}

int leat_packet_set_multicast_interface(leat_conn *c, const char *interface)
{
	struct leat__sock *s = udp_of(c);
	struct ip_mreqn mreq = {.imr_ifindex = index_of(interface)};
	int index = mreq.imr_ifindex, err = 0;

	if (!s || index < 0)
		return s ? index : -ENOTSUP;
	if (s->local.any.sa_family == AF_INET6)
		err = leat__sock_set_option(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
	return err ? err : leat__sock_set_option(s, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof mreq);
}

/* --- groups */

static int leat__member(leat_conn *c, int option, const char *interface, const leat_addr *group)
{
	struct leat__sock *s = udp_of(c);
	int index = index_of(interface), err;
	struct group_req req = {0};

	if (!s)
		return -ENOTSUP;
	if (!is_multicast(group))
		return -EINVAL;
	if (index < 0)
		return index;
	req.gr_interface = (uint32_t)index;
	memcpy(&req.gr_group, &group->any, group->bytes);
	err = leat__sock_set_option(s, group->any.sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
	                            option, &req, sizeof req);
	/* IPv6's of a socket that is IPv4's. */
	return err == -ENOPROTOOPT ? -EAFNOSUPPORT : err;
}

int leat_packet_join(leat_conn *c, const char *interface, const leat_addr *group)
{
	return leat__member(c, MCAST_JOIN_GROUP, interface, group);
}

int leat_packet_leave(leat_conn *c, const char *interface, const leat_addr *group)
{
	return leat__member(c, MCAST_LEAVE_GROUP, interface, group);
}

/* A socket that is bound to the port of group; a descriptor, or a negative errno code. */
static int bind_to_port(const struct leat__network *n, const leat_addr *group)
{
	int fd = leat__network_socket(n, group), err;
	leat_addr every;

	if (fd < 0)
		return fd;
	leat_addr_parse(&every, group->any.sa_family == AF_INET6 ? "[::]:0" : "0.0.0.0:0");
	leat_addr_set_port(&every, leat_addr_port(group));
	if (group->any.sa_family == AF_INET6)
		leat__os_set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	leat__os_set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	err = leat__os_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!err)
		err = leat__os_bind(fd, &every.any, every.bytes);
	if (err)
		leat_close_fd(fd);
	return err ? err : fd;
}

/* *what: the system call that said so. */
static leat_conn *leat__listen_group(const struct leat__network *n, const char *interface,
                                     const leat_addr *group, const char **what, int *err)
{
	int fd = bind_to_port(n, group);
	leat_conn *c = NULL;

	*what = fd == -EMFILE || fd == -ENFILE || fd == -EAFNOSUPPORT ? "socket" : "bind";
	*err = fd < 0 ? fd : 0;
	if (!*err)
		c = leat__conn_of_socket(fd, n->name, err);
	if (!c) {
		if (fd >= 0)
			leat_close_fd(fd);
		return NULL;
	}
	*what = "setsockopt";
	*err = leat_packet_set_multicast_loop(c, false);
	if (!*err && interface)
		*err = leat_packet_set_multicast_interface(c, interface);
	if (!*err)
		*err = leat_packet_join(c, interface, group);
	if (!*err)
		return c;
	leat_conn_free(c);
	return NULL;
}

leat_conn *leat_listen_multicast(const char *network, const char *interface, const char *group,
                                 const leat_error **error)
{
	const struct leat__network *n = leat__network_of(network);
	const char *what = NULL;
	leat_conn *c = NULL;
	leat_addr a = {0};
	leat_error *e;
	int err = !n                                              ? -EPROTONOSUPPORT
	          : n->type != SOCK_DGRAM || n->family == AF_UNIX ? -EPROTOTYPE
	                                                          : leat__network_literal(n, group, &a);

	if (!err && is_multicast(&a))
		c = leat__listen_group(n, interface, &a, &what, &err);
	if (c || !error)
		return c;
	if (what) {
		*error = leat__op_error("listen", network, NULL, &a, what, err);
	} else if (err) {
		*error = leat__listen_error(network, group, err);
	} else {
		e = leat_errorf(NULL, "listen %s: address %s: not a multicast address", network, group);
		leat_error_set_code(e, -EINVAL);
		*error = e;
	}
	return NULL;
}
