/* SPDX-License-Identifier: MIT */
/* c-ares, for the files that talk to it; these are empty where its header was missing when leat was built. */
#ifndef LEAT_NAME_CARES_H
#define LEAT_NAME_CARES_H

#include "name/lookup.h"

#if defined LEAT_HAVE_CARES && LEAT_HAVE_CARES

#define CARES_NO_DEPRECATED /* what newer versions would rather see used is not in older ones */
#include <ares.h>

#define LEAT__CARES_FUNCTIONS(X)                                                                   \
	X(library_init)                                                                                \
	X(version)                                                                                     \
	X(init_options)                                                                                \
	X(destroy)                                                                                     \
	X(set_socket_functions)                                                                        \
	X(set_servers_ports_csv)                                                                       \
	X(get_servers_ports)                                                                           \
	X(free_data)                                                                                   \
	X(getaddrinfo)                                                                                 \
	X(freeaddrinfo)                                                                                \
	X(search)                                                                                      \
	X(gethostbyaddr)                                                                               \
	X(free_hostent)                                                                                \
	X(timeout)                                                                                     \
	X(process_fd)                                                                                  \
	X(parse_ns_reply)                                                                              \
	X(parse_mx_reply)                                                                              \
	X(parse_srv_reply)                                                                             \
	X(parse_txt_reply_ext)

/* Set before leat__cares_here says so. */
#define LEAT__CARES_MEMBER(name) __typeof__(ares_##name) *name;
extern struct leat__cares {
	LEAT__CARES_FUNCTIONS(LEAT__CARES_MEMBER)
} leat__cares HIDDEN;

/* What a status of c-ares means. */
int leat__cares_err(int status);

/* --- records.c */

/* The type of the record that is asked for, of a kind that is one. */
int leat__record_type(enum leat__lookup_kind kind);

/* Take the answer's records out of the reply. */
int leat__records_take(struct leat__answer *a, const unsigned char *reply, int bytes);

#endif

#endif
