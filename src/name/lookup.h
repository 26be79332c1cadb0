/* SPDX-License-Identifier: MIT */
/*
 * Looking names up, from the top down: lookup.c has what the program calls, flight.c shares a lookup among those who want the
 * same, resolve.c knows whom to ask, hosts.c and cares.c, or the C library, answer.
 */
#ifndef LEAT_NAME_LOOKUP_H
#define LEAT_NAME_LOOKUP_H

#include "base/compiler.h"

#include <leat/lookup.h>

enum leat__lookup_kind {
	LEAT__LOOKUP_IP, /* of addresses */
	LEAT__LOOKUP_IP4,
	LEAT__LOOKUP_IP6,
	LEAT__LOOKUP_ADDR, /* of strings; the name looked up is an address */
	LEAT__LOOKUP_CNAME,
	LEAT__LOOKUP_TXT,
	LEAT__LOOKUP_NS,
	LEAT__LOOKUP_MX,
	LEAT__LOOKUP_SRV,
};

#define LEAT__SERVER_TEXT 80

/* What a lookup has brought: n elements, and behind them, in the same block, the texts that they point to. */
struct leat__answer {
	enum leat__lookup_kind kind;
	void *block; /* from malloc */
	size_t n, bytes;
	char server[LEAT__SERVER_TEXT]; /* who was asked; "": nobody, or not known */
};

/* Room in a for n elements of that size and text_bytes of texts; where those begin, or NULL: no memory. */
char *leat__answer_room(struct leat__answer *a, size_t n, size_t elem_bytes, size_t text_bytes);

/* n strings, the ones equal to an earlier one left out.  0, -ENOENT for none, or -ENOMEM. */
int leat__answer_strings(struct leat__answer *a, const char *const *texts, size_t n);

/* Copy text to *at, which moves behind it. */
char *leat__answer_text(char **at, const char *text);

/* --- lookup.c */

/* The address that host writes out, with port 0. */
bool leat__ip_literal(const char *host, leat_addr *a);

/* As leat_lookup_ip, family 0 being both, without an error to be freed: 0 or its code, and then *server is whom it is
   about. */
int leat__lookup_ip(const leat_resolver *r, int family, const char *host, leat_ctx *ctx,
                    struct leat__answer *a);

/* What stands for an error behind "lookup HOST": " on SERVER: i/o timeout". */
#define LEAT__LOOKUP_WORDS (LEAT__SERVER_TEXT + 128)
const char *leat__lookup_words(const char *server, int err, char text[LEAT__LOOKUP_WORDS]);

/* --- services.c: the port, or -ENOENT or -ERANGE */
int leat__service_port(const leat_resolver *r, const char *protocol, const char *service);

/* --- flight.c */

/* Wait until it is looked up or ctx is done: 0, with a copy in *a, or a negative errno code, in both cases with a->server. */
int leat__flight_lookup(const leat_resolver *r, enum leat__lookup_kind kind, const char *name,
                        leat_ctx *ctx, struct leat__answer *a);

/* For who looks up: whom it asks, so that those who give up can say so; and, before a call that cannot be ended, that nobody
   is to wait for that: false where nobody waits any more. */
void leat__flight_asks(struct leat__answer *a, const char *server);
bool leat__flight_blocks(struct leat__answer *a);

/* --- resolve.c: 0 with *a, or a negative errno code.  ctx is that of the flight */
int leat__resolve(const leat_resolver *r, const char *name, leat_ctx *ctx, struct leat__answer *a);

/* --- hosts.c: the same from that file alone; -EINVAL where it cannot be read */
int leat__hosts_find(const char *path, const char *name, struct leat__answer *a);

/* --- cares.c */

/* Whether c-ares is there, to be loaded where it is not yet. */
bool leat__cares_here(void);

/* As leat__resolve.  hosts: the files of the system count. */
int leat__cares_resolve(const leat_resolver *r, const char *name, bool hosts, leat_ctx *ctx,
                        struct leat__answer *a);

#endif
