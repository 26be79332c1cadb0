/* SPDX-License-Identifier: MIT */
/* TLS where leat was built without OpenSSL's headers: there is no configuration to be had, and so nothing else. */
#include "tls/tls.h"

#if !LEAT__OPENSSL

#include <errno.h>
#include <stddef.h>

static LEAT_ERROR(no_tls, -ENOSYS, "tls: leat was built without OpenSSL");

static void *none(const leat_error **error)
{
	if (error)
		*error = &no_tls;
	return NULL;
}

leat_tls_config *leat_tls_config_new(const leat_tls_config_opts *opts, const leat_error **error)
{
	(void)opts;
	return none(error);
}

leat_tls_config *leat_tls_config_retain(leat_tls_config *config)
{
	return config;
}

void leat_tls_config_free(leat_tls_config *config)
{
	(void)config;
}

leat_conn *leat_tls_client(leat_conn *under, leat_tls_config *config, const char *server_name,
                           const leat_error **error)
{
	(void)under, (void)config, (void)server_name;
	return none(error);
}

leat_conn *leat_tls_server(leat_conn *under, leat_tls_config *config, const leat_error **error)
{
	(void)under, (void)config;
	return none(error);
}

leat_conn *leat_tls_dial(const char *network, const char *address, leat_tls_config *config,
                         leat_any_ctx ctx, const leat_error **error)
{
	(void)network, (void)address, (void)config, (void)ctx;
	return none(error);
}

leat_conn *leat_tls_accept(leat_listener *l, leat_tls_config *config, leat_any_ctx ctx,
                           const leat_error **error)
{
	(void)l, (void)config, (void)ctx;
	return none(error);
}

int leat_tls_handshake(leat_conn *c, leat_any_ctx ctx, const leat_error **error)
{
	(void)c, (void)ctx;
	none(error);
	return -ENOTSUP;
}

leat_conn *leat_tls_under(leat_conn *c)
{
	(void)c;
	return NULL;
}

const leat_tls_state *leat_tls_conn_state(leat_conn *c)
{
	(void)c;
	return NULL;
}

#endif
