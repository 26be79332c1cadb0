/* SPDX-License-Identifier: MIT */
#include "io/network.h"

#include "os/socket.h"

#include <leat/fd.h>
#include <leat/time.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define KEEP_ALIVE (15 * LEAT_SECOND)
#define PROBES     9

static const struct leat__network networks[] = {
    {"tcp", 0, SOCK_STREAM},
    {"tcp4", AF_INET, SOCK_STREAM},
    {"tcp6", AF_INET6, SOCK_STREAM},
    {"unix", AF_UNIX, SOCK_STREAM},
    {"unixpacket", AF_UNIX, SOCK_SEQPACKET},
    {"udp", 0, SOCK_DGRAM},
    {"udp4", AF_INET, SOCK_DGRAM},
    {"udp6", AF_INET6, SOCK_DGRAM},
    {"unixgram", AF_UNIX, SOCK_DGRAM},
};

const struct leat__network *leat__network_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(networks); i++)
		if (strcmp(networks[i].name, name) == 0)
			return &networks[i];
	return NULL;
}

bool leat__addr_is_any(const leat_addr *a)
{
	const void *any = &a->any;

	if (!a->bytes)
		return false;
	if (a->any.sa_family == AF_INET)
		return ((const struct sockaddr_in *)any)->sin_addr.s_addr == INADDR_ANY;
	return a->any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)any)->sin6_addr);
}

/* A listener for both families gives IPv4's addresses in IPv6's form. */
void leat__addr_unmap(leat_addr *a)
{
	const struct sockaddr_in6 *in6 = (const void *)&a->any;
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	if (!a->bytes || a->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return;
	in4.sin_port = in6->sin6_port;
	memcpy(&in4.sin_addr, &in6->sin6_addr.s6_addr[12], sizeof in4.sin_addr);
	*a = (leat_addr){.bytes = sizeof in4};
	memcpy(&a->any, &in4, sizeof in4);
}

bool leat__addr_is_path(const leat_addr *a)
{
	return a->bytes > offsetof(struct sockaddr_un, sun_path) && a->any.sa_family == AF_UNIX &&
	       a->leat__unix.sun_path[0];
}

int leat__network_literal(const struct leat__network *n, const char *text, leat_addr *a)
{
	int err = n->family == AF_UNIX ? leat__addr_parse_path(a, text) : leat_addr_parse(a, text);
	int port;

	if (err)
		return err;
	/* ":80" is [::], of which IPv4 has its own. */
	if (n->family == AF_INET && a->any.sa_family == AF_INET6 && leat__addr_is_any(a)) {
		port = leat_addr_port(a);
		leat_addr_parse(a, "0.0.0.0:0");
		leat_addr_set_port(a, port);
	}
	if (n->family ? n->family != a->any.sa_family : a->any.sa_family == AF_UNIX)
		return -EAFNOSUPPORT;
	return 0;
}

int leat__network_socket(const struct leat__network *n, const leat_addr *a)
{
	int fd = leat__os_socket(a->any.sa_family, n->type, 0);

	/* [::] on "tcp" and "udp" is all addresses of both families, on "tcp6" and "udp6" those of IPv6. */
	if (fd >= 0 && a->any.sa_family == AF_INET6)
		leat__os_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, n->family == AF_INET6);
	if (fd >= 0 && n->type == SOCK_DGRAM && n->family != AF_UNIX)
		leat__os_set_option(fd, SOL_SOCKET, SO_BROADCAST, 1);
	return fd;
}

int leat__network_socket_at(const struct leat__network *n, leat_addr *a)
{
	int fd = leat__network_socket(n, a), port = leat_addr_port(a);

	if (fd != -EAFNOSUPPORT || n->family || !leat__addr_is_any(a))
		return fd;
	leat_addr_parse(a, "0.0.0.0:0");
	leat_addr_set_port(a, port);
	return leat__network_socket(n, a);
}

void leat__network_abandon(int fd, const leat_addr *a)
{
	if (leat__addr_is_path(a))
		leat__os_unlink(a->leat__unix.sun_path);
	leat_close_fd(fd);
}

void leat__tcp_options(int fd, bool delay, int64_t keep_alive_ns)
{
	int64_t seconds;

	leat__os_set_option(fd, IPPROTO_TCP, TCP_NODELAY, !delay);
	if (keep_alive_ns < 0)
		return;
	seconds = ((keep_alive_ns ? keep_alive_ns : KEEP_ALIVE) + LEAT_SECOND - 1) / LEAT_SECOND;
	if (seconds > 32767)
		seconds = 32767; /* the kernel's most */
	leat__os_set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	leat__os_set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)seconds);
	leat__os_set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)seconds);
	leat__os_set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}
