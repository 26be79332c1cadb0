/* SPDX-License-Identifier: MIT */
/* Errors of the network in the words that Go's package net has for them. */
#include "io/network.h"
#include "io/sock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The system's own words, which Go begins with a small letter where they begin with a word. */
const char *leat__system_words(int err, char text[LEAT__IO_WORDS])
{
	snprintf(text, LEAT__IO_WORDS, "%s", leat_error_message(leat_error_errno(err)));
	if (islower((unsigned char)text[1]) || text[1] == ' ')
		text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

bool leat__io_is_ours(int err)
{
	switch (err) {
	case -ETIMEDOUT:
	case -EBADF:
	case -ECANCELED:
	case -EPROTO:
	case -ENODATA:
	case -ENOTSUP:
		return true;
	}
	return false;
}

const char *leat__io_words(int err, char text[LEAT__IO_WORDS])
{
	switch (err) {
	case -ETIMEDOUT:
		return "i/o timeout";
	case -EBADF:
		return "use of closed network connection";
	case -ECANCELED:
		return "operation was canceled";
	case -EPROTO:
		return "unexpected EOF";
	case -ENODATA:
		return "EOF";
	}
	return leat__system_words(err, text);
}

/* Go writes @ for a Unix socket without a name. */
static const char *text_of(const leat_addr *a, char *text)
{
	if (!a)
		return "";
	leat_addr_text(a, text);
	return !*text && a->bytes && a->any.sa_family == AF_UNIX ? "@" : text;
}

/* The same because of cause, the caller's hold on which goes over. */
static const leat_error *op_error_because(const char *op, const char *network,
                                          const leat_addr *local, const leat_addr *remote,
                                          const leat_error *cause)
{
	char from_text[LEAT_ADDR_TEXT], to_text[LEAT_ADDR_TEXT];
	const char *from = text_of(local, from_text), *to = text_of(remote, to_text);

	return leat_errorf(cause, "%s %s%s%s%s%s", op, network, *from || *to ? " " : "", from,
	                   *from && *to ? "->" : "", to);
}

const leat_error *leat__op_error(const char *op, const char *network, const leat_addr *local,
                                 const leat_addr *remote, const char *what, int err)
{
	char from_text[LEAT_ADDR_TEXT], to_text[LEAT_ADDR_TEXT], words[LEAT__IO_WORDS];
	const char *from = text_of(local, from_text), *to = text_of(remote, to_text);
	leat_error *e;

	e = leat_errorf(NULL, "%s %s%s%s%s%s: %s%s%s", op, network, *from || *to ? " " : "", from,
	                *from && *to ? "->" : "", to, what ? what : "", what ? ": " : "",
	                what ? leat__system_words(err, words) : leat__io_words(err, words));
	leat_error_set_code(e, err);
	return e;
}

const leat_error *leat__address_error(const char *op, const char *network, const char *address,
                                      int err)
{
	leat_error *e;
	char words[LEAT__IO_WORDS];

	if (err == -EPROTONOSUPPORT)
		e = leat_errorf(NULL, "%s %s: unknown network %s", op, network, network);
	else if (err == -EAFNOSUPPORT)
		e = leat_errorf(NULL, "%s %s: address %s: no suitable address found", op, network, address);
	else if (err == -EPROTOTYPE)
		e = leat_errorf(NULL, "%s %s %s: address %s: unexpected address type", op, network, address,
		                address);
	else if (err == -EINVAL)
		e = leat_errorf(NULL, "%s %s: address %s: %s", op, network, address,
		                strncmp(network, "unix", 4) == 0 ? "missing path in address"
		                : strrchr(address, ':')          ? "not an address"
		                                                 : "missing port in address");
	else
		e = leat_errorf(NULL, "%s %s %s: %s", op, network, address, leat__io_words(err, words));
	leat_error_set_code(e, err);
	return e;
}

const leat_error *leat__listen_error(const char *network, const char *address, int err)
{
	char words[LEAT__IO_WORDS];
	leat_error *e;

	if (err == -EPROTONOSUPPORT || err == -EPROTOTYPE || err == -EAFNOSUPPORT || err == -EINVAL ||
	    leat__io_is_ours(err) || err == -ENAMETOOLONG)
		return leat__address_error("listen", network, address, err);
	e = leat_errorf(NULL, "listen %s %s: %s: %s", network, address,
	                err == -EMFILE || err == -ENFILE ? "socket" : "bind",
	                leat__system_words(err, words));
	leat_error_set_code(e, err);
	return e;
}

const leat_error *leat_conn_error(leat_conn *c, const char *op, int err)
{
	struct leat__sock *s = leat__conn_sock(c);
	leat_addr local, remote;
	const leat_error *what;

	if (!err)
		return NULL;
	local = leat_conn_local(c);
	remote = leat_conn_remote(c);
	what = c->ops->what ? c->ops->what(c, err) : NULL;
	if (what)
		return op_error_because(op, leat_conn_network(c), &local, &remote, what);
	return leat__op_error(op, leat_conn_network(c), &local, &remote,
	                      s && (!leat__io_is_ours(err) || leat__sock_gave_up(s, err)) ? op : NULL,
	                      err);
}
