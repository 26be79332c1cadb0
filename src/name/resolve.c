/* SPDX-License-Identifier: MIT */
/*
 * Whom to ask for a name: the hosts file that the caller named, then c-ares; without that the C library, in calls that block
 * a thread each and cannot be ended.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "name/lookup.h"

#include "sched/settings.h"

#include <leat/blocking.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* --- answers */

char *leat__answer_room(struct leat__answer *a, size_t n, size_t elem_bytes, size_t text_bytes)
{
	size_t bytes = n * elem_bytes + text_bytes;
	char *block = calloc(1, bytes ? bytes : 1);

	if (!block)
		return NULL;
	a->block = block;
	a->n = n;
	a->bytes = bytes;
	return block + n * elem_bytes;
}

char *leat__answer_text(char **at, const char *text)
{
	char *to = *at;
	size_t bytes = strlen(text) + 1;

	memcpy(to, text, bytes);
	*at += bytes;
	return to;
}

static bool is_new(const char *const *texts, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcasecmp(texts[k], texts[i]) == 0)
			return false;
	return true;
}

int leat__answer_strings(struct leat__answer *a, const char *const *texts, size_t n)
{
	size_t bytes = 0, count = 0;
	char **to, *at;

	for (size_t i = 0; i < n; i++) {
		if (is_new(texts, i)) {
			bytes += strlen(texts[i]) + 1;
			count++;
		}
	}
	if (!count)
		return -ENOENT;
	at = leat__answer_room(a, count + 1, sizeof *to, bytes); /* NULL is an element, too */
	if (!at)
		return -ENOMEM;
	to = a->block;
	for (size_t i = 0; i < n; i++)
		if (is_new(texts, i))
			*to++ = leat__answer_text(&at, texts[i]);
	return 0;
}

/* --- the C library */

static int from_libc(int status, int system_err)
{
	switch (status) {
	case 0:
		return 0;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return system_err ? -system_err : -EREMOTEIO;
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return -ENOENT;
	}
	return -EREMOTEIO;
}

static int leat__libc_hosts(const char *name, int family, struct addrinfo **found)
{
	struct addrinfo hints = {
	    .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
	int status, err;

	{
		LEAT_BLOCKING();
		errno = 0;
		status = getaddrinfo(name, NULL, &hints, found);
		err = errno;
	}
	return from_libc(status, err);
}

static int take_addresses(struct leat__answer *a, const struct addrinfo *found)
{
	const struct addrinfo *i;
	leat_addr *to;
	size_t n = 0;

	for (i = found; i; i = i->ai_next)
		n += i->ai_addrlen <= sizeof to->leat__room;
	if (!n)
		return -ENOENT;
	if (!leat__answer_room(a, n, sizeof *to, 0))
		return -ENOMEM;
	to = a->block;
	for (i = found; i; i = i->ai_next) {
		if (i->ai_addrlen <= sizeof to->leat__room) {
			to->bytes = i->ai_addrlen;
			memcpy(&to->any, i->ai_addr, i->ai_addrlen);
			to++;
		}
	}
	return 0;
}

static int leat__libc_addr(const char *name, struct leat__answer *a)
{
	char host[NI_MAXHOST];
	const char *text = host;
	leat_addr addr;
	int status, err;

	if (!leat__ip_literal(name, &addr))
		return -EINVAL;
	{
		LEAT_BLOCKING();
		errno = 0;
		status = getnameinfo(&addr.any, addr.bytes, host, sizeof host, NULL, 0, NI_NAMEREQD);
		err = errno;
	}
	err = from_libc(status, err);
	return err ? err : leat__answer_strings(a, &text, 1);
}

static int leat__libc_resolve(const char *name, struct leat__answer *a)
{
	int family = a->kind == LEAT__LOOKUP_IP4   ? AF_INET
	             : a->kind == LEAT__LOOKUP_IP6 ? AF_INET6
	                                           : AF_UNSPEC;
	struct addrinfo *found = NULL;
	const char *canonical;
	int err;

	if (a->kind > LEAT__LOOKUP_CNAME)
		return -ENOSYS;
	if (!leat__flight_blocks(a))
		return -ECANCELED;
	if (a->kind == LEAT__LOOKUP_ADDR)
		return leat__libc_addr(name, a);
	err = leat__libc_hosts(name, family, &found);
	if (err)
		return err;
	canonical = found->ai_canonname ? found->ai_canonname : name;
	err = a->kind == LEAT__LOOKUP_CNAME ? leat__answer_strings(a, &canonical, 1)
	                                    : take_addresses(a, found);
	freeaddrinfo(found);
	return err;
}

/* --- all of them */

int leat__resolve(const leat_resolver *r, const char *name, leat_ctx *ctx, struct leat__answer *a)
{
	int err;

	if (r->hosts && a->kind <= LEAT__LOOKUP_CNAME) {
		err = leat__hosts_find(r->hosts, name, a);
		if (err != -ENOENT)
			return err;
	}
	if (!leat__settings.getaddrinfo && leat__cares_here())
		return leat__cares_resolve(r, name, !r->hosts, ctx, a);
	if (r->servers || r->resolv_conf)
		return -ENOSYS;
	return leat__libc_resolve(name, a);
}
