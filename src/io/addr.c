/* SPDX-License-Identifier: MIT */
/* Addresses and their texts: see leat/addr.h. */
#include "io/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sockaddr_in *in4(const leat_addr *a)
{
	return (struct sockaddr_in *)(void *)(uintptr_t)&a->any;
}

static struct sockaddr_in6 *in6(const leat_addr *a)
{
	return (struct sockaddr_in6 *)(void *)(uintptr_t)&a->any;
}

int leat__addr_parse_path(leat_addr *a, const char *text)
{
	size_t length = strlen(text);
	leat_addr new = {.leat__unix.sun_family = AF_UNIX};

	if (!length)
		return -EINVAL;
	/* An abstract name has no NUL at its end, and a 0 for its @. */
	if (length + (text[0] != '@') > sizeof new.leat__unix.sun_path)
		return -ENAMETOOLONG;
	memcpy(new.leat__unix.sun_path, text, length);
	new.bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] != '@'));
	if (text[0] == '@')
		new.leat__unix.sun_path[0] = '\0';
	if (text[0] == '@' && length == 1)
		new.bytes = offsetof(struct sockaddr_un, sun_path); /* the system gives it a name */
	*a = new;
	return 0;
}

/* Decimal digits, to 65535; -1 for anything else. */
static int parse_port(const char *text)
{
	int port = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		port = port * 10 + (*text - '0');
		if (port > 65535)
			return -1;
	}
	return port;
}

static int parse_host(leat_addr *a, char *host, int port)
{
	leat_addr new = {0};
	char *zone = strchr(host, '%');

	if (!*host) {
		in6(&new)->sin6_family = AF_INET6; /* "::" is all zero */
		new.bytes = sizeof(struct sockaddr_in6);
	} else if (inet_pton(AF_INET, host, &in4(&new)->sin_addr) == 1) {
		in4(&new)->sin_family = AF_INET;
		new.bytes = sizeof(struct sockaddr_in);
	} else {
		if (zone)
			*zone++ = '\0';
		if (inet_pton(AF_INET6, host, &in6(&new)->sin6_addr) != 1)
			return -EINVAL;
		in6(&new)->sin6_family = AF_INET6;
		new.bytes = sizeof(struct sockaddr_in6);
		if (zone) {
			int number = parse_port(zone);

			in6(&new)->sin6_scope_id = number > 0 ? (uint32_t)number : if_nametoindex(zone);
			if (!in6(&new)->sin6_scope_id)
				return -EINVAL;
		}
	}
	*a = new;
	leat_addr_set_port(a, port);
	return 0;
}

int leat_addr_parse(leat_addr *a, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
	size_t length;
	int port;

	if (text[0] == '@' || strchr(text, '/'))
		return leat__addr_parse_path(a, text);
	port = colon ? parse_port(colon + 1) : -1;
	length = colon ? (size_t)(colon - text) : 0;
	if (port < 0 || length >= sizeof host)
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		/* Brackets are for IPv6. */
		return strchr(host, ':') ? parse_host(a, host + 1, port) : -EINVAL;
	}
	return strchr(host, ':') ? -EINVAL : parse_host(a, host, port);
}

static char *text_of_unix(const leat_addr *a, char *text)
{
	size_t length = a->bytes - offsetof(struct sockaddr_un, sun_path);

	if (a->bytes <= offsetof(struct sockaddr_un, sun_path)) {
		text[0] = '\0';
		return text;
	}
	if (length > sizeof a->leat__unix.sun_path)
		length = sizeof a->leat__unix.sun_path;
	memcpy(text, a->leat__unix.sun_path, length);
	text[length] = '\0'; /* paths have one of their own, or not */
	if (!text[0])
		text[0] = '@';
	return text;
}

char *leat_addr_text(const leat_addr *a, char *text)
{
	char host[INET6_ADDRSTRLEN], zone[IF_NAMESIZE];

	text[0] = '\0';
	if (!a->bytes)
		return text;
	switch (a->any.sa_family) {
	case AF_UNIX:
		return text_of_unix(a, text);
	case AF_INET:
		inet_ntop(AF_INET, &in4(a)->sin_addr, host, sizeof host);
		snprintf(text, LEAT_ADDR_TEXT, "%s:%d", host, leat_addr_port(a));
		return text;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6(a)->sin6_addr, host, sizeof host);
		if (!in6(a)->sin6_scope_id)
			snprintf(text, LEAT_ADDR_TEXT, "[%s]:%d", host, leat_addr_port(a));
		else if (if_indextoname(in6(a)->sin6_scope_id, zone))
			snprintf(text, LEAT_ADDR_TEXT, "[%s%%%s]:%d", host, zone, leat_addr_port(a));
		else
			snprintf(text, LEAT_ADDR_TEXT, "[%s%%%u]:%d", host, in6(a)->sin6_scope_id,
			         leat_addr_port(a));
		return text;
	}
	return text;
}

int leat_addr_port(const leat_addr *a)
{
	if (!a->bytes)
		return 0;
	if (a->any.sa_family == AF_INET)
		return ntohs(in4(a)->sin_port);
	return a->any.sa_family == AF_INET6 ? ntohs(in6(a)->sin6_port) : 0;
}

void leat_addr_set_port(leat_addr *a, int port)
{
	if (!a->bytes)
		return;
	if (a->any.sa_family == AF_INET)
		in4(a)->sin_port = htons((uint16_t)port);
	else if (a->any.sa_family == AF_INET6)
		in6(a)->sin6_port = htons((uint16_t)port);
}

bool leat_addr_equal(const leat_addr *a, const leat_addr *b)
{
	char ta[LEAT_ADDR_TEXT], tb[LEAT_ADDR_TEXT];

	/* Not the bytes: some of IPv6's fields are no part of the address, and an IPv4 one has padding. */
	return !a->bytes == !b->bytes && strcmp(leat_addr_text(a, ta), leat_addr_text(b, tb)) == 0;
}

bool leat_addr_is_loopback(const leat_addr *a)
{
	if (!a->bytes)
		return false;
	switch (a->any.sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(in4(a)->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&in6(a)->sin6_addr);
	}
	return false;
}
