/* SPDX-License-Identifier: MIT */
/* Making connections of TLS, and their handshake. */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- over another connection */

/* Without what is no part of a name in a certificate: the dot at the end, and brackets about an address.  NULL: no
   memory. */
static char *name_copy(const char *name)
{
	size_t n = strlen(name);
	char *copy;

	if (n > 1 && name[0] == '[' && name[n - 1] == ']') {
		name++;
		n -= 2;
	} else if (n > 1 && name[n - 1] == '.') {
		n--;
	}
	copy = malloc(n + 1);
	if (copy) {
		memcpy(copy, name, n);
		copy[n] = '\0';
	}
	return copy;
}

static bool resume(struct leat__tls *t)
{
	SSL_SESSION *session = leat__tls_session_find(t->config, t->server_name);
	bool good = !session || ossl->SSL_set_session(t->ssl, session);

	if (session)
		ossl->SSL_SESSION_free(session);
	return good;
}

static leat_conn *make(leat_conn *under, leat_tls_config *config, const char *server_name,
                       bool server, const leat_error **error)
{
	struct leat__tls *t = calloc(1, sizeof *t);
	int err = t ? 0 : -ENOMEM;

	if (t) {
		t->conn.ops = &leat__tls_ops;
		t->under = under;
		t->config = leat_tls_config_retain(config);
		t->server = server;
		t->read_at = t->write_at = LEAT_FOREVER;
		store_relaxed(&t->refs, 1);
		if (server_name && !(t->server_name = name_copy(server_name)))
			err = -ENOMEM;
		if (!err)
			err = leat__tls_engine_make(t, config);
		if (!err && !server && !resume(t))
			err = -ENOMEM;
	}
	if (!err)
		return &t->conn;
	if (t)
		leat__tls_release(t);
	if (error)
		*error = &leat_out_of_memory;
	return NULL;
}

/* What OpenSSL would verify less by than it says: a dot at the front stands for any name below, none for any at all. */
static bool is_no_name(const char *name)
{
	if (*name == '[')
		name++;
	return *name == '.' || *name == ']';
}

leat_conn *leat_tls_client(leat_conn *under, leat_tls_config *config, const char *server_name,
                           const leat_error **error)
{
	const char *wrong = NULL;

	if (!server_name)
		server_name = config->server_name;
	if (server_name && !*server_name)
		server_name = NULL;
	if (!server_name && !config->skip_verify)
		wrong = "either server_name or insecure_skip_verify must be specified";
	else if (server_name && is_no_name(server_name) && !config->skip_verify)
		wrong = "invalid server_name";
	if (!wrong)
		return make(under, config, server_name, false, error);
	if (error) {
		leat_error *e = leat_errorf(NULL, "tls: %s", wrong);

		leat_error_set_code(e, -EINVAL);
		*error = e;
	}
	return NULL;
}

leat_conn *leat_tls_server(leat_conn *under, leat_tls_config *config, const leat_error **error)
{
	if (config->n_identities || config->config_for)
		return make(under, config, NULL, true, error);
	if (error) {
		leat_error *e = leat_errorf(NULL, "tls: neither certificates nor config_for set");

		leat_error_set_code(e, -EINVAL);
		*error = e;
	}
	return NULL;
}

leat_conn *leat_tls_under(leat_conn *c)
{
	return leat__tls_is(c) ? leat__tls_of(c)->under : NULL;
}

/* --- the handshake */

int leat_tls_handshake(leat_conn *c, leat_any_ctx ctx, const leat_error **error)
{
	struct leat__tls *t = leat__tls_is(c) ? leat__tls_of(c) : NULL;
	int err = t ? 0 : -ENOTSUP;

	if (t && !leat__tls_enter(t))
		err = -EBADF;
	if (!err) {
		LEAT_DEFER(leat__tls_leave, t);
		err = leat__tls_ready(t, ctx.leat__ctx);
	}
	if (err && error)
		*error = leat_conn_error(c, "handshake", err);
	return err;
}

/* --- over the network */

/* The host in HOST:PORT, from malloc.  Of Unix sockets, which have none, NULL: the configuration says it, or nobody. */
static char *host_of(const char *network, const char *address)
{
	const char *colon = strrchr(address, ':');

	if (strncmp(network, "unix", 4) == 0 || !colon)
		return NULL;
	return strndup(address, (size_t)(colon - address));
}

leat_conn *leat_tls_dial(const char *network, const char *address, leat_tls_config *config,
                         leat_any_ctx ctx, const leat_error **error)
{
	leat_conn *under = leat_dial(network, address, ctx, error), *c;
	char *host;

	if (!under)
		return NULL;
	host = config->server_name ? NULL : host_of(network, address);
	c = leat_tls_client(under, config, host, error);
	free(host);
	if (!c) {
		leat_conn_free(under);
		return NULL;
	}
	if (leat_tls_handshake(c, ctx, error)) {
		leat_conn_free(c);
		return NULL;
	}
	return c;
}

leat_conn *leat_tls_accept(leat_listener *l, leat_tls_config *config, leat_any_ctx ctx,
                           const leat_error **error)
{
	leat_conn *under = leat_accept(l, ctx, error), *c;

	if (!under)
		return NULL;
	c = leat_tls_server(under, config, error);
	if (!c)
		leat_conn_free(under);
	return c;
}

#endif
