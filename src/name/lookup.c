/* SPDX-License-Identifier: MIT */
/* What the program calls to look names up: what needs no lookup, and errors. */
#include "name/lookup.h"

#include "io/sock.h"
#include "os/poller.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 254 /* of the Domain Name System, with a dot at the end */

static const leat_resolver none;

/* --- errors */

const char *leat__lookup_words(const char *server, int err, char text[LEAT__LOOKUP_WORDS])
{
	char words[LEAT__IO_WORDS];
	bool of_server =
	    err == -ETIMEDOUT || err == -EAGAIN || err == -EREMOTEIO || err == -ECONNREFUSED;
	const char *what;

	switch (err) {
	case -ENOENT:
		what = "no such host";
		break;
	case -EAGAIN:
	case -EREMOTEIO:
		what = "server misbehaving";
		break;
	case -EAFNOSUPPORT:
		what = "no suitable address found";
		break;
	case -ENOSYS:
		what = "libcares.so.2 cannot be loaded";
		break;
	case -EINVAL:
		what = "resolver with a bad server, or a file that cannot be read";
		break;
	default:
		what = leat__io_words(err, words);
	}
	of_server = of_server && *server;
	snprintf(text, LEAT__LOOKUP_WORDS, "%s%s: %s", of_server ? " on " : "", of_server ? server : "",
	         what);
	return text;
}

static void *fail(const char *name, const char *server, int err, const leat_error **error)
{
	char words[LEAT__LOOKUP_WORDS];
	leat_error *e;

	if (error) {
		e = leat_errorf(NULL, "lookup %s%s", name, leat__lookup_words(server, err, words));
		leat_error_set_code(e, err);
		*error = e;
	}
	return NULL;
}

/* --- what needs no lookup */

bool leat__ip_literal(const char *host, leat_addr *a)
{
	char text[128];
	int n = snprintf(text, sizeof text, strchr(host, ':') ? "[%s]:0" : "%s:0", host);

	return *host && n > 0 && (size_t)n < sizeof text && !strpbrk(host, "/@[]") &&
	       leat_addr_parse(a, text) == 0;
}

static bool is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t n = strlen(host), k = sizeof name - 1;

	n -= n > 0 && host[n - 1] == '.';
	return n >= k && strncasecmp(host + n - k, name, k) == 0 && (n == k || host[n - k - 1] == '.');
}

/* There is an IPv6 here to which ::1 belongs. */
static bool can_reach(const leat_addr *a)
{
	int fd = leat__os_socket(a->any.sa_family, SOCK_DGRAM, 0);
	bool can = fd >= 0 && leat__os_connect(fd, &a->any, a->bytes) == 0;

	if (fd >= 0)
		leat__os_fd_close(fd);
	return can;
}

static int answer_localhost(int family, struct leat__answer *a)
{
	leat_addr v4, v6, *to;
	bool both;

	leat_addr_parse(&v4, "127.0.0.1:0");
	leat_addr_parse(&v6, "[::1]:9");
	both = !family && can_reach(&v6);
	leat_addr_set_port(&v6, 0);
	if (!leat__answer_room(a, both ? 2 : 1, sizeof *to, 0))
		return -ENOMEM;
	to = a->block;
	if (both || family == AF_INET6)
		*to++ = v6;
	if (family != AF_INET6)
		*to = v4;
	return 0;
}

static int answer_literal(int family, const leat_addr *literal, struct leat__answer *a)
{
	if (family && family != literal->any.sa_family)
		return -EAFNOSUPPORT;
	if (!leat__answer_room(a, 1, sizeof *literal, 0))
		return -ENOMEM;
	memcpy(a->block, literal, sizeof *literal);
	return 0;
}

int leat__lookup_ip(const leat_resolver *r, int family, const char *host, leat_ctx *ctx,
                    struct leat__answer *a)
{
	enum leat__lookup_kind kind = family == AF_INET    ? LEAT__LOOKUP_IP4
	                              : family == AF_INET6 ? LEAT__LOOKUP_IP6
	                                                   : LEAT__LOOKUP_IP;
	leat_addr literal;

	*a = (struct leat__answer){.kind = kind};
	if (leat__ip_literal(host, &literal))
		return answer_literal(family, &literal, a);
	if (is_localhost(host))
		return answer_localhost(family, a);
	if (!*host || strlen(host) > NAME_MAX_BYTES)
		return -ENOENT;
	return leat__flight_lookup(r ? r : &none, kind, host, ctx, a);
}

/* --- addresses */

leat_addr *leat_lookup_ip(const leat_resolver *r, const char *network, const char *host,
                          leat_any_ctx ctx, size_t *n, const leat_error **error)
{
	int family = strcmp(network, "ip4") == 0 ? AF_INET : strcmp(network, "ip6") == 0 ? AF_INET6 : 0;
	struct leat__answer a;
	leat_error *e;
	int err;

	if (!family && strcmp(network, "ip") != 0) {
		if (error) {
			e = leat_errorf(NULL, "lookup %s: unknown network %s", host, network);
			leat_error_set_code(e, -EPROTONOSUPPORT);
			*error = e;
		}
		return NULL;
	}
	err = leat__lookup_ip(r, family, host, ctx.leat__ctx, &a);
	if (err)
		return fail(host, a.server, err, error);
	*n = a.n;
	return a.block;
}

/* "[::1]:0" without the brackets and the port. */
static char *bare_text(const leat_addr *a, char *text)
{
	leat_addr_text(a, text);
	*strrchr(text, ':') = '\0';
	if (text[0] != '[')
		return text;
	text[strlen(text) - 1] = '\0';
	return text + 1;
}

static int texts_of(const struct leat__answer *a, struct leat__answer *texts)
{
	const leat_addr *list = a->block;
	char text[LEAT_ADDR_TEXT], **to, *at;
	size_t bytes = 0;

	for (size_t i = 0; i < a->n; i++)
		bytes += strlen(bare_text(&list[i], text)) + 1;
	at = leat__answer_room(texts, a->n + 1, sizeof *to, bytes);
	if (!at)
		return -ENOMEM;
	to = texts->block;
	for (size_t i = 0; i < a->n; i++)
		to[i] = leat__answer_text(&at, bare_text(&list[i], text));
	return 0;
}

char **leat_lookup_host(const leat_resolver *r, const char *host, leat_any_ctx ctx,
                        const leat_error **error)
{
	struct leat__answer a, texts;
	int err = leat__lookup_ip(r, 0, host, ctx.leat__ctx, &a);

	if (!err) {
		err = texts_of(&a, &texts);
		free(a.block);
	}
	return err ? fail(host, a.server, err, error) : texts.block;
}

/* --- ports */

static int port_error(const char *network, const char *service, int err, const leat_error **error)
{
	leat_error *e;

	if (!error)
		return err;
	if (err == -EPROTONOSUPPORT)
		e = leat_errorf(NULL, "lookup %s/%s: unknown network %s", network, service, network);
	else if (err == -ERANGE)
		e = leat_errorf(NULL, "address %s: invalid port", service);
	else
		e = leat_errorf(NULL, "lookup %s/%s: unknown port", network, service);
	leat_error_set_code(e, err);
	*error = e;
	return err;
}

int leat_lookup_port(const leat_resolver *r, const char *network, const char *service,
                     const leat_error **error)
{
	static const char *const networks[] = {"", "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6"};
	char protocol[4];
	int saved = errno, port = -EPROTONOSUPPORT;

	for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
		if (strcmp(networks[i], network) == 0) {
			snprintf(protocol, sizeof protocol, "%.3s", network);
			port = leat__service_port(r, protocol, service);
		}
	}
	errno = saved;
	return port < 0 ? port_error(network, service, port, error) : port;
}

/* --- records */

static void *lookup(const leat_resolver *r, enum leat__lookup_kind kind, const char *name,
                    leat_ctx *ctx, size_t *n, const leat_error **error)
{
	struct leat__answer a = {0};
	int err = -ENOENT;

	if (*name && strlen(name) <= NAME_MAX_BYTES)
		err = leat__flight_lookup(r ? r : &none, kind, name, ctx, &a);
	if (err)
		return fail(name, a.server, err, error);
	if (n)
		*n = a.n;
	return a.block;
}

char **leat_lookup_addr(const leat_resolver *r, const char *address, leat_any_ctx ctx,
                        const leat_error **error)
{
	leat_addr literal;
	leat_error *e;

	if (leat__ip_literal(address, &literal))
		return lookup(r, LEAT__LOOKUP_ADDR, address, ctx.leat__ctx, NULL, error);
	if (error) {
		e = leat_errorf(NULL, "lookup %s: unrecognized address", address);
		leat_error_set_code(e, -EINVAL);
		*error = e;
	}
	return NULL;
}

char *leat_lookup_cname(const leat_resolver *r, const char *host, leat_any_ctx ctx,
                        const leat_error **error)
{
	char **all = lookup(r, LEAT__LOOKUP_CNAME, host, ctx.leat__ctx, NULL, error), *name;

	if (!all)
		return NULL;
	/* The one text lies behind the pointers to it; the caller wants it alone. */
	name = all[0];
	return memmove(all, name, strlen(name) + 1);
}

char **leat_lookup_txt(const leat_resolver *r, const char *name, leat_any_ctx ctx,
                       const leat_error **error)
{
	return lookup(r, LEAT__LOOKUP_TXT, name, ctx.leat__ctx, NULL, error);
}

char **leat_lookup_ns(const leat_resolver *r, const char *name, leat_any_ctx ctx,
                      const leat_error **error)
{
	return lookup(r, LEAT__LOOKUP_NS, name, ctx.leat__ctx, NULL, error);
}

leat_mx *leat_lookup_mx(const leat_resolver *r, const char *name, leat_any_ctx ctx, size_t *n,
                        const leat_error **error)
{
	return lookup(r, LEAT__LOOKUP_MX, name, ctx.leat__ctx, n, error);
}

leat_srv *leat_lookup_srv(const leat_resolver *r, const char *service, const char *protocol,
                          const char *name, leat_any_ctx ctx, size_t *n, const leat_error **error)
{
	char whole[NAME_MAX_BYTES + 2];
	int bytes;

	if (!*service && !*protocol)
		return lookup(r, LEAT__LOOKUP_SRV, name, ctx.leat__ctx, n, error);
	bytes = snprintf(whole, sizeof whole, "_%s._%s.%s", service, protocol, name);
	if (bytes < 0 || (size_t)bytes >= sizeof whole)
		return fail(name, "", -ENOENT, error);
	return lookup(r, LEAT__LOOKUP_SRV, whole, ctx.leat__ctx, n, error);
}
