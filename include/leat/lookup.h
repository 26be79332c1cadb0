/* SPDX-License-Identifier: MIT */
/*
 * Names: the addresses of a host, and what else the Domain Name System knows.
 *
 *	size_t n;
 *	leat_addr *all = leat_lookup_ip(NULL, "ip", "example.org", ctx, &n, &e);
 *	if (!all)
 *		return e;                               lookup example.org: no such host
 *	defer(free, all);
 *	for (size_t i = 0; i < n; i++)
 *		puts(leat_addr_text(&all[i], text));
 *
 * leat_dial and leat_listen look names up by themselves.
 *
 * c-ares does the work: it honours /etc/hosts and /etc/resolv.conf, in the order of /etc/nsswitch.conf, reads them anew for
 * each lookup, and sorts addresses as RFC 6724 says.  Who waits for an answer parks.  Where libcares.so.2 cannot be loaded,
 * or LEAT_DEBUG has the word getaddrinfo, addresses and names of addresses come from the C library's getaddrinfo and
 * getnameinfo, which block a thread for each lookup; the other lookups give -ENOSYS, and so do servers and resolv_conf of a
 * resolver, whose timeout_ns and attempts mean nothing then.
 *
 * Without a lookup: addresses that are written out, and "localhost" and what ends in ".localhost", which are this machine
 * whatever any file says (RFC 6761).
 *
 * r: whom to ask; NULL is as good as one that is zero-initialised.
 * ctx: a leat_ctx * or leat_scope *, or NULL for none: when it is done the lookup ends, and nothing of it is left; but for a
 * call of getaddrinfo, which cannot be ended: that goes on with nobody waiting, and frees what it has when it returns.
 *
 * Those who look up the same at the same time share one lookup, in a goroutine of its own, which ends when the last of them
 * has left.
 *
 * Results are one block of memory, the caller's: free(3).  Errors: NULL, and in *error (NULL: not wanted) what failed, in Go's
 * words; the caller's.  Their codes:
 *
 *	-ENOENT         "no such host": there is none of that name, or it has nothing of the kind
 *	-ETIMEDOUT      "i/o timeout": ctx's deadline, or no server has answered; may go better later
 *	-EAGAIN         "server misbehaving": a server has failed; may go better later
 *	-EREMOTEIO      "server misbehaving": it refuses, or gives answers that make no sense
 *	-ECONNREFUSED   nobody listens where the server should be
 *	-EAFNOSUPPORT   "no suitable address found": the address written out is another network's
 *	-EINVAL         a server of r's is none, or a file of r's cannot be read; not an address
 *	-EPROTONOSUPPORT no such network
 *	-ECANCELED      ctx is done
 *	-ENOSYS         that takes libcares.so.2
 *	-ENOMEM, -EMFILE and what else the system says
 *
 * Any goroutine, any thread, all of it.  A lookup costs two system calls for each file and some for each socket, 0.1 ms
 * without the server's time; nothing is cached.  The caller has 8 KiB of stack, or more.  After Go's package net.
 */
#ifndef LEAT_LOOKUP_H
#define LEAT_LOOKUP_H

#include <leat/addr.h>
#include <leat/ctx.h>
#include <leat/error.h>

LEAT__BEGIN

/* Whom to ask.  Zero-initialised all have their defaults.  The caller's, read by each lookup, and only until that returns.
   After net.Resolver. */
typedef struct leat_resolver {
	const char
	    *servers; /* "10.0.0.1, [fd00::1]:5353": these, in this order; NULL: as resolv_conf says */
	const char *resolv_conf; /* instead of /etc/resolv.conf */
	const char *hosts;       /* instead of /etc/hosts; comes first, in its own order */
	const char *services;    /* instead of /etc/services */
	int64_t timeout_ns;      /* for the first answer of a server, later ones get more; 0: 5 s */
	int attempts;            /* to ask each server; 0: as resolv_conf says, or 2 */
} leat_resolver;

/*
 * The addresses of host, with port 0, best first, and their number, at least 1, in *n.  network: "ip", or "ip4" or "ip6" for
 * one family alone.  After Resolver.LookupIP.
 */
LEAT_API leat_addr *leat_lookup_ip(const leat_resolver *r, const char *network, const char *host,
                                   leat_any_ctx ctx, size_t *n,
                                   const leat_error **error) LEAT__WARN_UNUSED;

/* The same as texts, "192.0.2.1", "2001:db8::1", NULL behind the last.  After Resolver.LookupHost. */
LEAT_API char **leat_lookup_host(const leat_resolver *r, const char *host, leat_any_ctx ctx,
                                 const leat_error **error) LEAT__WARN_UNUSED;

/*
 * The port that service has on network ("tcp", "udp", those with a 4 or 6, or "" for either), a number or a name, whose case
 * does not matter: 80 for "80" and "http".  Or -ENOENT, "lookup tcp/nosuch: unknown port"; -ERANGE, "address 70000: invalid
 * port"; -EPROTONOSUPPORT, "unknown network smtp".
 * Reads /etc/services; common ones are known without.  Never parks.  After Resolver.LookupPort.
 */
LEAT_API int leat_lookup_port(const leat_resolver *r, const char *network, const char *service,
                              const leat_error **error);

/* The names of an address, "127.0.0.1", NULL behind the last.  After Resolver.LookupAddr. */
LEAT_API char **leat_lookup_addr(const leat_resolver *r, const char *address, leat_any_ctx ctx,
                                 const leat_error **error) LEAT__WARN_UNUSED;

/* The name that host, which must have an address, is an alias of, or its own.  After Resolver.LookupCNAME. */
LEAT_API char *leat_lookup_cname(const leat_resolver *r, const char *host, leat_any_ctx ctx,
                                 const leat_error **error) LEAT__WARN_UNUSED;

/* --- records of the Domain Name System.  Names have no dot at the end; what is not printable in them is written \ddd */

/* Texts, the parts of each joined; name servers.  NULL behind the last.  After Resolver.LookupTXT and LookupNS. */
LEAT_API char **leat_lookup_txt(const leat_resolver *r, const char *name, leat_any_ctx ctx,
                                const leat_error **error) LEAT__WARN_UNUSED;
LEAT_API char **leat_lookup_ns(const leat_resolver *r, const char *name, leat_any_ctx ctx,
                               const leat_error **error) LEAT__WARN_UNUSED;

/* Who takes mail for a domain. */
typedef struct leat_mx {
	const char *host; /* in the result's block */
	int preference;
} leat_mx;

/* *n of them, the least preference, which is tried first, first.  After Resolver.LookupMX. */
LEAT_API leat_mx *leat_lookup_mx(const leat_resolver *r, const char *name, leat_any_ctx ctx,
                                 size_t *n, const leat_error **error) LEAT__WARN_UNUSED;

/* Where a service is. */
typedef struct leat_srv {
	const char *host; /* in the result's block */
	int port, priority, weight;
} leat_srv;

/*
 * *n of _service._protocol.name, in the order in which to try them: by priority, and where that is equal at random, by
 * weight, as RFC 2782 says.  service and protocol both "": of name itself.  After Resolver.LookupSRV.
 */
LEAT_API leat_srv *leat_lookup_srv(const leat_resolver *r, const char *service,
                                   const char *protocol, const char *name, leat_any_ctx ctx,
                                   size_t *n, const leat_error **error) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_lookup_ip(...)    __extension__ leat_lookup_ip(__VA_ARGS__)
#define leat_lookup_host(...)  __extension__ leat_lookup_host(__VA_ARGS__)
#define leat_lookup_addr(...)  __extension__ leat_lookup_addr(__VA_ARGS__)
#define leat_lookup_cname(...) __extension__ leat_lookup_cname(__VA_ARGS__)
#define leat_lookup_txt(...)   __extension__ leat_lookup_txt(__VA_ARGS__)
#define leat_lookup_ns(...)    __extension__ leat_lookup_ns(__VA_ARGS__)
#define leat_lookup_mx(...)    __extension__ leat_lookup_mx(__VA_ARGS__)
#define leat_lookup_srv(...)   __extension__ leat_lookup_srv(__VA_ARGS__)
#endif

#endif
