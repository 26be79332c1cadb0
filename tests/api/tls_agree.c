/* SPDX-License-Identifier: MIT */
/* Goal: versions, protocols, client certificates, resumption, and configurations that cannot be. */
#include "test.h"
#include "tls_help.h"

#include <openssl/ssl.h>

#include <errno.h>

static struct tls_cert authority, server_cert, client_cert;

/* Options with a certificate, in place. */
#define SHOW(c)                                                                                    \
	.certificates = &(leat_tls_certificate){.cert_pem = (c)->cert_pem, .key_pem = (c)->key_pem},   \
	.n_certificates = 1
#define TRUST .roots.pem = authority.cert_pem

static void meet(struct tls_meeting *m, const leat_tls_config_opts *client,
                 const leat_tls_config_opts *server)
{
	leat_tls_config *c = tls_config(client), *s = tls_config(server);

	tls_meet(m, c, s, "server.test");
	leat_tls_config_free(c);
	leat_tls_config_free(s);
}

/* --- protocols */

static void agree(const char *const *client, int n_client, const char *const *server, int n_server,
                  const char *agreed)
{
	struct tls_meeting m;

	meet(&m, &(leat_tls_config_opts){TRUST, .protocols = client, .n_protocols = n_client},
	     &(leat_tls_config_opts){SHOW(&server_cert), .protocols = server, .n_protocols = n_server});
	if (agreed) {
		tls_check_good(&m);
		CHECK_STR(leat_tls_conn_state(m.client)->protocol, agreed);
		CHECK_STR(leat_tls_conn_state(m.server)->protocol, agreed);
	} else {
		tls_check_failed(m.client_error, -EREMOTEIO, "remote error: tls: no application protocol");
		tls_check_failed(m.server_error, -EPROTO,
		                 "tls: client requested unsupported application protocols");
	}
	tls_part(&m);
}

TEST(protocols)
{
	static const char *const http[] = {"h2", "http/1.1"}, *const old[] = {"http/1.0", "http/1.1"};

	agree(http, 2, http, 2, "h2");
	agree(old, 2, http, 2, "http/1.1");
	agree(http, 1, old, 2, NULL);
	agree(http, 2, NULL, 0, "");
	agree(NULL, 0, http, 2, "");
}

/* --- versions */

TEST(versions)
{
	struct tls_meeting m;

	meet(&m, &(leat_tls_config_opts){TRUST, .max_version = LEAT_TLS_1_2},
	     &(leat_tls_config_opts){SHOW(&server_cert)});
	tls_check_good(&m);
	CHECK_EQ(leat_tls_conn_state(m.client)->version, LEAT_TLS_1_2);
	tls_part(&m);
	meet(&m, &(leat_tls_config_opts){TRUST},
	     &(leat_tls_config_opts){SHOW(&server_cert), .max_version = LEAT_TLS_1_2,
	                             .cipher_suites = "ECDHE-ECDSA-CHACHA20-POLY1305"});
	tls_check_good(&m);
	CHECK_STR(leat_tls_conn_state(m.server)->cipher_suite,
	          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
	tls_part(&m);
	meet(&m, &(leat_tls_config_opts){TRUST, .min_version = LEAT_TLS_1_3},
	     &(leat_tls_config_opts){SHOW(&server_cert), .max_version = LEAT_TLS_1_2});
	tls_check_failed(m.client_error, -EREMOTEIO,
	                 "remote error: tls: protocol version not supported");
	tls_check_failed(m.server_error, -EPROTO, "tls: client offered only unsupported versions");
	tls_part(&m);
	meet(&m, &(leat_tls_config_opts){TRUST, .max_version = LEAT_TLS_1_2},
	     &(leat_tls_config_opts){SHOW(&server_cert), .min_version = LEAT_TLS_1_3});
	tls_check_failed(m.client_error, -EREMOTEIO,
	                 "remote error: tls: protocol version not supported");
	tls_part(&m);
	meet(&m,
	     &(leat_tls_config_opts){TRUST, .max_version = LEAT_TLS_1_2,
	                             .cipher_suites = "ECDHE-ECDSA-AES128-GCM-SHA256"},
	     &(leat_tls_config_opts){SHOW(&server_cert),
	                             .cipher_suites = "ECDHE-ECDSA-CHACHA20-POLY1305"});
	tls_check_failed(m.client_error, -EREMOTEIO, "remote error: tls: handshake failure");
	tls_check_failed(m.server_error, -EPROTO,
	                 "tls: no cipher suite supported by both client and server");
	tls_part(&m);
}

/* --- client certificates */

/* What a server with this demand makes of a client that shows this, or nothing.  With TLS 1.3 the client hears of it when it
   reads first. */
static void demand(enum leat_tls_client_auth auth, const struct tls_cert *shown, int version,
                   const char *server_words, const char *client_words)
{
	leat_tls_config_opts client = {TRUST, SHOW(shown ? shown : &client_cert),
	                               .max_version = version};
	struct tls_meeting m;
	char byte;

	if (!shown)
		client.n_certificates = 0;
	meet(&m, &client,
	     &(leat_tls_config_opts){SHOW(&server_cert), .client_auth = auth,
	                             .client_roots.pem = authority.cert_pem});
	if (!server_words) {
		const leat_tls_state *s;

		tls_check_good(&m);
		s = leat_tls_conn_state(m.server);
		CHECK_EQ(s->verified, shown && auth >= LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN);
		if (shown && auth)
			CHECK(s->subject && strncmp(s->subject, "CN=", 3) == 0);
		else
			CHECK(!s->subject);
		tls_part(&m);
		return;
	}
	tls_check_failed(m.server_error, -1, server_words);
	if (version == LEAT_TLS_1_3) {
		CHECK_EQ(m.client_result, 0);
		CHECK_EQ(leat_conn_read(m.client, &byte, 1), -EREMOTEIO);
		m.client_error = leat_conn_error(m.client, "read", -EREMOTEIO);
	}
	tls_check_failed(m.client_error, -EREMOTEIO, client_words);
	tls_part(&m);
}

TEST(client_certificates)
{
	struct tls_cert unknown = tls_cert_make(&(struct tls_cert_opts){.name = "unknown"});
	const char *wrong = "tls: failed to verify client certificate: x509: certificate signed by "
	                    "unknown authority",
	           *unknown_alert = "remote error: tls: unknown certificate authority",
	           *none = "tls: client didn't provide a certificate";

	for (int version = LEAT_TLS_1_2; version <= LEAT_TLS_1_3; version++) {
		const char *required = version == LEAT_TLS_1_3 ? "remote error: tls: certificate required"
		                                               : "remote error: tls: handshake failure";

		demand(LEAT_TLS_NO_CLIENT_CERT, &client_cert, version, NULL, NULL);
		demand(LEAT_TLS_REQUEST_CLIENT_CERT, NULL, version, NULL, NULL);
		demand(LEAT_TLS_REQUEST_CLIENT_CERT, &unknown, version, NULL, NULL);
		demand(LEAT_TLS_REQUIRE_ANY_CLIENT_CERT, &unknown, version, NULL, NULL);
		demand(LEAT_TLS_REQUIRE_ANY_CLIENT_CERT, NULL, version, none, required);
		demand(LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN, NULL, version, NULL, NULL);
		demand(LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN, &client_cert, version, NULL, NULL);
		demand(LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN, &unknown, version, wrong, unknown_alert);
		demand(LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT, &client_cert, version, NULL, NULL);
		demand(LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT, &unknown, version, wrong, unknown_alert);
		demand(LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT, NULL, version, none, required);
	}
	tls_cert_free(&unknown);
}

/* --- resumption */

/* A meeting in which the server writes and the client reads, which brings tickets; was it an earlier session's? */
static bool resumes(leat_tls_config *client, leat_tls_config *server, const char *name)
{
	struct tls_meeting m;
	char byte;
	bool resumed;

	tls_meet(&m, client, server, name);
	tls_check_good(&m);
	CHECK_EQ(leat_conn_write(m.server, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(m.client, &byte, 1), 1);
	resumed = leat_tls_conn_state(m.client)->resumed;
	CHECK_EQ(leat_tls_conn_state(m.server)->resumed, resumed);
	/* Who it was is known of the session. */
	CHECK(leat_tls_conn_state(m.client)->verified);
	CHECK_STR(leat_tls_conn_state(m.client)->subject, "CN=server");
	CHECK_STR(leat_tls_conn_state(m.server)->subject, "CN=client");
	tls_part(&m);
	return resumed;
}

TEST(sessions_are_resumed)
{
	for (int version = LEAT_TLS_1_2; version <= LEAT_TLS_1_3; version++) {
		leat_tls_config_opts opts = {SHOW(&server_cert),
		                             .client_auth = LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT,
		                             .client_roots.pem = authority.cert_pem},
		                     of_client = {TRUST, SHOW(&client_cert), .max_version = version,
		                                  .session_cache = 2};
		leat_tls_config *server = tls_config(&opts), *client = tls_config(&of_client), *other;

		CHECK(!resumes(client, server, "server.test"));
		CHECK(resumes(client, server, "server.test"));
		CHECK(resumes(client, server, "server.test"));
		/* By name; and only so many are kept, those that were used last. */
		CHECK(!resumes(client, server, "also.test"));
		CHECK(resumes(client, server, "server.test"));
		CHECK(!resumes(client, server, "third.test"));
		CHECK(resumes(client, server, "server.test"));
		CHECK(!resumes(client, server, "also.test"));
		/* Of another server: there is nothing to be resumed, and no harm in asking. */
		other = tls_config(&opts);
		CHECK(!resumes(client, other, "also.test"));
		leat_tls_config_free(other);
		/* Not where one side does not want to. */
		opts.no_session_tickets = true;
		other = tls_config(&opts);
		CHECK(!resumes(client, other, "server.test"));
		if (version == LEAT_TLS_1_2)
			CHECK(!resumes(client, other, "server.test"));
		leat_tls_config_free(other);
		of_client.session_cache = -1;
		other = tls_config(&of_client);
		CHECK(!resumes(other, server, "server.test"));
		CHECK(!resumes(other, server, "server.test"));
		leat_tls_config_free(other);
		leat_tls_config_free(server);
		leat_tls_config_free(client);
	}
}

static leat_tls_config *chosen;

static leat_tls_config *choose(void *arg, const char *name)
{
	(void)arg, (void)name;
	return leat_tls_config_retain(chosen);
}

/* Whether there are tickets is the chosen configuration's to say. */
TEST(sessions_of_a_chosen_configuration)
{
	for (int version = LEAT_TLS_1_2; version <= LEAT_TLS_1_3; version++)
		for (int i = 0; i < 2; i++) {
			leat_tls_config_opts opts = {SHOW(&server_cert),
			                             .client_auth = LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT,
			                             .client_roots.pem = authority.cert_pem,
			                             .max_version = version, .no_session_tickets = i};
			leat_tls_config *client, *server;

			chosen = tls_config(&opts);
			opts.config_for = choose;
			opts.no_session_tickets = !i;
			server = tls_config(&opts);
			client = tls_config(&(leat_tls_config_opts){TRUST, SHOW(&client_cert)});
			CHECK(!resumes(client, server, "server.test"));
			CHECK_EQ(resumes(client, server, "server.test"), !i);
			leat_tls_config_free(client);
			leat_tls_config_free(server);
			leat_tls_config_free(chosen);
		}
}

/* --- configurations that cannot be */

static void refused(const leat_tls_config_opts *opts, int code, const char *words)
{
	const leat_error *e = NULL;

	CHECK(!leat_tls_config_new(opts, NULL));
	CHECK(!leat_tls_config_new(opts, &e));
	tls_check_failed(e, code, words);
	leat_error_free(e);
}

TEST(configurations_that_cannot_be)
{
	leat_tls_certificate c = {.cert_file = "/nonexistent/cert.pem"};
	leat_tls_config_opts o = {.certificates = &c, .n_certificates = 1};
	leat_tls_config *config;
	leat_conn *a, *b;
	const leat_error *e;

	refused(&o, -ENOENT, "tls: cannot load /nonexistent/cert.pem: no such file or directory");
	c = (leat_tls_certificate){.cert_pem = "rubbish"};
	refused(&o, -EINVAL, "tls: cannot load PEM from memory: no certificate in it");
	c.cert_pem = server_cert.cert_pem;
	refused(&o, -EINVAL, "no private key without a password in it");
	c.key_pem = client_cert.key_pem;
	refused(&o, -EINVAL, "tls: private key does not match public key");
	c = (leat_tls_certificate){0};
	refused(&o, -EINVAL, "tls: neither cert_file nor cert_pem of a certificate");
	refused(&(leat_tls_config_opts){.roots.file = "/nonexistent/ca.pem"}, -ENOENT,
	        "/nonexistent/ca.pem");
	refused(&(leat_tls_config_opts){.client_roots.pem = ""}, -EINVAL, "no certificate in it");
	refused(&(leat_tls_config_opts){.min_version = 0x0302}, -EINVAL, "tls: no such versions");
	refused(&(leat_tls_config_opts){.min_version = LEAT_TLS_1_3, .max_version = LEAT_TLS_1_2},
	        -EINVAL, "tls: no such versions");
	refused(&(leat_tls_config_opts){.cipher_suites = "NONE-SUCH"}, -EINVAL,
	        "tls: no such cipher suites");
	refused(&(leat_tls_config_opts){.cipher_suites_13 = "NONE-SUCH"}, -EINVAL,
	        "tls: no such cipher suites of TLS 1.3");
	refused(&(leat_tls_config_opts){.protocols = (const char *[]){""}, .n_protocols = 1}, -EINVAL,
	        "tls: invalid protocol name");
	refused(&(leat_tls_config_opts){.key_log_file = "/nonexistent/keys"}, -ENOENT,
	        "tls: cannot open /nonexistent/keys: ");
	refused(&(leat_tls_config_opts){.client_auth = 9}, -EINVAL,
	        "tls: no such client authentication");

	/* A client must say whom it wants, a server who it is. */
	config = tls_config(NULL);
	CHECK(leat_conn_pipe(&a, &b));
	CHECK(!leat_tls_client(a, config, NULL, &e));
	tls_check_failed(e, -EINVAL, "either server_name or insecure_skip_verify must be specified");
	leat_error_free(e);
	CHECK(!leat_tls_server(a, config, &e));
	tls_check_failed(e, -EINVAL, "neither certificates nor config_for set");
	leat_error_free(e);
	CHECK_EQ(leat_tls_handshake(a, NULL, NULL), -ENOTSUP);
	CHECK(!leat_tls_conn_state(a) && !leat_tls_under(a));
	leat_conn_free(a);
	leat_conn_free(b);
	leat_tls_config_free(config);
	leat_tls_config_free(NULL);
	CHECK(!leat_tls_config_retain(NULL));
}

/* --- files */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

TEST(from_files_and_keys_to_a_file)
{
	char folder[] = "/tmp/leat-tls-XXXXXX", cert[64], key[64], ca[64], log[64], line[300];
	leat_tls_certificate c = {.cert_file = cert, .key_file = key};
	struct tls_meeting m;
	int lines = 0;
	FILE *f;

	CHECK(mkdtemp(folder));
	snprintf(cert, sizeof cert, "%s/cert", folder);
	snprintf(key, sizeof key, "%s/key", folder);
	snprintf(ca, sizeof ca, "%s/ca", folder);
	snprintf(log, sizeof log, "%s/log", folder);
	write_file(cert, server_cert.cert_pem);
	write_file(key, server_cert.key_pem);
	write_file(ca, authority.cert_pem);
	meet(&m,
	     &(leat_tls_config_opts){
	         .roots.file = ca, .server_name = "server.test", .key_log_file = log},
	     &(leat_tls_config_opts){.certificates = &c, .n_certificates = 1});
	tls_check_good(&m);
	tls_part(&m);
	f = fopen(log, "r");
	CHECK(f);
	while (fgets(line, sizeof line, f)) {
		CHECK(strncmp(line, "CLIENT_", 7) == 0 || strncmp(line, "SERVER_", 7) == 0 ||
		      strncmp(line, "EXPORTER_", 9) == 0);
		lines++;
	}
	CHECK(lines >= 4);
	fclose(f);
	unlink(cert);
	unlink(key);
	unlink(ca);
	unlink(log);
	rmdir(folder);
}

int main(int argc, char **argv)
{
	int result;

	authority = tls_cert_make(&(struct tls_cert_opts){.name = "authority", .authority = true});
	server_cert =
	    tls_cert_make(&(struct tls_cert_opts){.name = "server",
	                                          .san = "DNS:server.test,DNS:also.test,DNS:third.test",
	                                          .issuer = &authority});
	client_cert = tls_cert_make(&(struct tls_cert_opts){.name = "client", .issuer = &authority});
	result = test_main(argc, argv);
	tls_cert_free(&authority);
	tls_cert_free(&server_cert);
	tls_cert_free(&client_cert);
	return result;
}
