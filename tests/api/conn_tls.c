/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* The conformance suite, over TLS over TCP. */
#include "test.h"
#include "tls_help.h"

#include <openssl/ssl.h>

#define CONN_BUFFERED 1
#define CONN_NETWORK  "tls"

static leat_tls_config *server_config, *client_config;

static void conn_make(leat_conn **a, leat_conn **b)
{
	leat_conn *c, *s;
	int client, server;

	if (!server_config) {
		struct tls_cert cert =
		    tls_cert_make(&(struct tls_cert_opts){.name = "server", .san = "DNS:server.test"});

		server_config = tls_config(&(leat_tls_config_opts){
		    .certificates =
		        &(leat_tls_certificate){.cert_pem = cert.cert_pem, .key_pem = cert.key_pem},
		    .n_certificates = 1});
		client_config = tls_config(&(leat_tls_config_opts){.roots.pem = cert.cert_pem});
		tls_cert_free(&cert);
	}
	CHECK(listen_pair("tcp", "127.0.0.1:0", &c, &s));
	*a = leat_tls_client(c, client_config, "server.test", NULL);
	*b = leat_tls_server(s, server_config, NULL);
	CHECK(*a && *b);
	tls_shake(*a, *b, &client, &server, NULL, NULL);
	CHECK_EQ(client, 0);
	CHECK_EQ(server, 0);
}

#include "conn_suite.h"

static void configs_free(void)
{
	leat_tls_config_free(server_config);
	leat_tls_config_free(client_config);
}

int main(int argc, char **argv)
{
	int result = test_main(argc, argv);

	configs_free();
	return result;
}
