/* SPDX-License-Identifier: MIT */
/* Dialling: dial.c connects to one address, dial_race.c to one of several, dial_name.c finds them. */
#ifndef LEAT_NET_DIAL_H
#define LEAT_NET_DIAL_H

#include "name/lookup.h"
#include "io/network.h"

/* What all attempts of one dialling share. */
struct leat__dial {
	const leat_dial_opts *opts;
	const struct leat__network *network;
};

/* How an attempt came out. */
struct leat__dialled {
	leat_conn *conn; /* or NULL, with the others */
	leat_addr to;
	int err;
	bool timed; /* it is the context's, or the attempt's own deadline, that err tells */
};

/* Connect to an address.  Parks until then, until ctx (NULL: none) is done or the instant until. */
struct leat__dialled leat__dial_one(const struct leat__dial *d, const leat_addr *to, leat_ctx *ctx,
                                    int64_t until);

/* The same to whichever of n addresses, the first to be tried first; an error is that of the first. */
struct leat__dialled leat__dial_race(const struct leat__dial *d, const leat_addr *list, size_t n,
                                     leat_ctx *ctx);

/*
 * --- dial_name.c
 *
 * The addresses that address means on n, with the port: 0, and *a, whose block is the caller's; or a negative errno code and
 * *error (NULL: not wanted), which begins with op: "dial" or "listen".
 */
int leat__dial_addresses(const char *op, const struct leat__network *n, const leat_resolver *r,
                         const char *address, leat_ctx *ctx, struct leat__answer *a,
                         const leat_error **error);

/* The one to listen at: of several the first of IPv4, as Go has it, since most of those who dial a name come by that. */
int leat__listen_address(const struct leat__network *n, const leat_resolver *r, const char *address,
                         leat_ctx *ctx, leat_addr *at, const leat_error **error);

#endif
