/* SPDX-License-Identifier: MIT */
/* What "example.org:http" means: names of hosts and of ports in the address that is dialled, or listened at. */
#include "net/dial.h"
#include "io/sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 256 /* more than any name has */

static int fail(const char *op, const struct leat__network *n, int err, const char *what,
                const char *name, const char *words, const leat_error **error)
{
	leat_error *e;

	if (error) {
		e = leat_errorf(NULL, "%s %s: %s%s%s", op, n->name, what, name, words);
		leat_error_set_code(e, err);
		*error = e;
	}
	return err;
}

static int fail_address(const char *op, const struct leat__network *n, int err, const char *address,
                        const leat_error **error)
{
	if (error)
		*error = leat__address_error(op, n->name, address, err);
	return err;
}

/* The host, without its brackets, and the port behind the last colon; NULL: there is none, or the host has colons itself. */
static const char *split(const char *address, char host[HOST_MAX])
{
	const char *colon = strrchr(address, ':');
	size_t bytes;

	if (!colon)
		return NULL;
	bytes = (size_t)(colon - address);
	if (bytes > 1 && address[0] == '[' && address[bytes - 1] == ']') {
		address++;
		bytes -= 2;
	} else if (memchr(address, ':', bytes)) {
		return NULL;
	}
	snprintf(host, HOST_MAX, "%.*s", bytes < HOST_MAX ? (int)bytes : HOST_MAX - 1, address);
	return colon + 1;
}

static int one(const leat_addr *literal, struct leat__answer *a)
{
	if (!leat__answer_room(a, 1, sizeof *literal, 0))
		return -ENOMEM;
	*(leat_addr *)a->block = *literal;
	return 0;
}

static int leat__lookup_host(const char *op, const struct leat__network *n, const leat_resolver *r,
                             const char *address, const char *host, int port, leat_ctx *ctx,
                             struct leat__answer *a, const leat_error **error)
{
	int err = leat__lookup_ip(r, n->family, host, ctx, a);
	char words[LEAT__LOOKUP_WORDS];

	if (err == -EAFNOSUPPORT)
		return fail_address(op, n, err, address, error);
	if (err)
		return fail(op, n, err, "lookup ", host, leat__lookup_words(a->server, err, words), error);
	for (size_t i = 0; i < a->n; i++)
		leat_addr_set_port(&((leat_addr *)a->block)[i], port);
	return 0;
}

int leat__dial_addresses(const char *op, const struct leat__network *n, const leat_resolver *r,
                         const char *address, leat_ctx *ctx, struct leat__answer *a,
                         const leat_error **error)
{
	char host[HOST_MAX];
	const char *service;
	const char *protocol = n->type == SOCK_DGRAM ? "udp" : "tcp";
	leat_addr literal;
	int err = leat__network_literal(n, address, &literal), port;

	*a = (struct leat__answer){.kind = LEAT__LOOKUP_IP};
	if (!err)
		err = one(&literal, a);
	service = err == -EINVAL && n->family != AF_UNIX ? split(address, host) : NULL;
	if (!err)
		return 0;
	if (!service && err == -EINVAL && n->family != AF_UNIX && strchr(address, ':'))
		return fail(op, n, err, "address ", address, ": too many colons in address", error);
	if (!service)
		return fail_address(op, n, err, address, error);
	port = leat__service_port(r, protocol, service);
	if (port == -ERANGE)
		return fail(op, n, port, "address ", service, ": invalid port", error);
	if (port < 0)
		return fail(op, n, port, n->type == SOCK_DGRAM ? "lookup udp/" : "lookup tcp/", service,
		            ": unknown port", error);
	if (*host)
		return leat__lookup_host(op, n, r, address, host, port, ctx, a, error);
	snprintf(host, sizeof host, ":%d", port);
	err = leat__network_literal(n, host, &literal);
	if (!err)
		err = one(&literal, a);
	return err ? fail_address(op, n, err, address, error) : 0;
}

int leat__listen_address(const struct leat__network *n, const leat_resolver *r, const char *address,
                         leat_ctx *ctx, leat_addr *at, const leat_error **error)
{
	struct leat__answer a;
	const leat_addr *list;
	int err = leat__dial_addresses("listen", n, r, address, ctx, &a, error);

	if (err)
		return err;
	list = a.block;
	*at = list[0];
	for (size_t i = a.n; i-- > 0;)
		if (list[i].any.sa_family == AF_INET)
			*at = list[i];
	free(a.block);
	return 0;
}
