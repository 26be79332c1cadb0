/* SPDX-License-Identifier: MIT */
/* Goal: who is believed, and what both sides agree on.  Each test makes certificates, lets a client and a server meet over a
   pair of sockets, and looks at what both make of it. */
#include "test.h"
#include "tls_help.h"

#include <openssl/ssl.h>

#include <errno.h>

static struct tls_cert authority, server_cert;

/* Options with a certificate, in place. */
#define SHOW(c)                                                                                    \
	.certificates = &(leat_tls_certificate){.cert_pem = (c)->cert_pem, .key_pem = (c)->key_pem},   \
	.n_certificates = 1

static void meet(struct tls_meeting *m, const leat_tls_config_opts *client,
                 const leat_tls_config_opts *server, const char *name)
{
	leat_tls_config *c = tls_config(client), *s = tls_config(server);

	tls_meet(m, c, s, name);
	leat_tls_config_free(c);
	leat_tls_config_free(s);
}

/* The client did not believe, and said so. */
static void check_unverified(const struct tls_meeting *m, const char *words, const char *alert)
{
	CHECK_EQ(m->client_result, -EKEYREJECTED);
	CHECK(strstr(leat_error_message(m->client_error), "handshake tls"));
	tls_check_failed(m->client_error, -EKEYREJECTED, words);
	CHECK(leat_error_get(m->client_error, "openssl"));
	CHECK_EQ(m->server_result, -EREMOTEIO);
	tls_check_failed(m->server_error, -EREMOTEIO, alert);
}

static void make_certs(void)
{
	authority = tls_cert_make(&(struct tls_cert_opts){.name = "authority", .authority = true});
	server_cert = tls_cert_make(
	    &(struct tls_cert_opts){.name = "server",
	                            .san = "DNS:server.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1",
	                            .issuer = &authority});
}

/* What a client of the authority says of this certificate. */
static void refused(const struct tls_cert_opts *o, const char *name, const char *words,
                    const char *alert)
{
	struct tls_cert cert = tls_cert_make(o);
	struct tls_meeting m;

	meet(&m, &(leat_tls_config_opts){.roots.pem = authority.cert_pem},
	     &(leat_tls_config_opts){SHOW(&cert)}, name);
	check_unverified(&m, words, alert);
	tls_part(&m);
	tls_cert_free(&cert);
}

/* --- verification */

TEST(verified_by_default_and_told_about)
{
	struct tls_meeting m;
	const leat_tls_state *s;
	unsigned char sum[32];
	char digits[65];

	meet(&m, &(leat_tls_config_opts){.roots.pem = authority.cert_pem},
	     &(leat_tls_config_opts){SHOW(&server_cert)}, "server.test");
	tls_check_good(&m);
	s = leat_tls_conn_state(m.client);
	CHECK_EQ(s->version, LEAT_TLS_1_3);
	CHECK(strncmp(s->cipher_suite, "TLS_", 4) == 0);
	CHECK_STR(s->protocol, "");
	CHECK_STR(s->server_name, "server.test");
	CHECK(!s->resumed && s->verified);
	CHECK_STR(s->subject, "CN=server");
	CHECK_STR(s->issuer, "CN=authority");
	CHECK_STR(s->names[0], "server.test");
	CHECK_STR(s->names[1], "*.wild.test");
	CHECK_STR(s->names[2], "127.0.0.1");
	CHECK_STR(s->names[3], "::1");
	CHECK(!s->names[4]);
	CHECK_EQ(s->not_after - s->not_before, 7200);
	CHECK(s->not_before > 1600000000);
	CHECK(X509_digest(server_cert.cert, EVP_sha256(), sum, NULL));
	for (int i = 0; i < 32; i++)
		snprintf(digits + 2 * i, 3, "%02x", sum[i]);
	CHECK_STR(s->fingerprint, digits);
	CHECK_EQ(s->der_bytes, i2d_X509(server_cert.cert, NULL));
	CHECK(leat_tls_conn_state(m.client) == s);

	s = leat_tls_conn_state(m.server);
	CHECK_STR(s->server_name, "server.test");
	CHECK(!s->verified && !s->subject && !s->names && !s->der && !s->fingerprint);
	tls_part(&m);
}

TEST(names_and_addresses)
{
	static const char *const good[] = {"server.test", "SERVER.test", "server.test.", "127.0.0.1",
	                                   "::1",         "[::1]",       "a.wild.test"};
	struct tls_meeting m;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		meet(&m, &(leat_tls_config_opts){.roots.pem = authority.cert_pem},
		     &(leat_tls_config_opts){SHOW(&server_cert)}, good[i]);
		tls_check_good(&m);
		tls_part(&m);
	}
}

/* OpenSSL takes a dot at the front for any name below, and an empty name for any at all. */
TEST(names_that_are_none)
{
	static const char *const bad[] = {".wild.test", ".test", ".", "[.test]", "[]"};
	leat_tls_config *verifies =
	                    tls_config(&(leat_tls_config_opts){.roots.pem = authority.cert_pem}),
	                *does_not = tls_config(&(leat_tls_config_opts){.insecure_skip_verify = true});

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const leat_error *e = NULL;
		leat_conn *a, *b, *c;

		CHECK(leat_conn_pipe(&a, &b));
		CHECK(!leat_tls_client(a, verifies, bad[i], NULL));
		CHECK(!leat_tls_client(a, verifies, bad[i], &e));
		tls_check_failed(e, -EINVAL, "tls: invalid server_name");
		leat_error_free(e);
		/* Nobody is taken for another where nobody is verified. */
		if (i < 3) {
			c = leat_tls_client(a, does_not, bad[i], NULL);
			CHECK(c);
			leat_conn_free(c);
		} else {
			leat_conn_free(a);
		}
		leat_conn_free(b);
	}
	leat_tls_config_free(verifies);
	leat_tls_config_free(does_not);
}

TEST(for_another_name)
{
	struct tls_cert_opts o = {
	    .name = "server.test", .san = "DNS:a.test,DNS:b.test,IP:127.0.0.2", .issuer = &authority};

	refused(&o, "c.test",
	        ": tls: failed to verify certificate: x509: certificate is valid for "
	        "a.test, b.test, not c.test",
	        "remote error: tls: bad certificate");
	/* The subject is not a name to verify by. */
	refused(&o, "server.test", "not server.test", "bad certificate");
	refused(&o, "127.0.0.1", "x509: certificate is valid for 127.0.0.2, not 127.0.0.1",
	        "bad certificate");
	o.san = "DNS:*.a.test";
	refused(&o, "b.c.a.test", "valid for *.a.test, not b.c.a.test", "bad certificate");
	refused(&o, "127.0.0.1",
	        "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
	        "bad certificate");
	o.san = NULL;
	refused(&o, "server.test",
	        "x509: certificate is not valid for any names, but wanted to match server.test",
	        "bad certificate");
}

TEST(out_of_date)
{
	struct tls_cert_opts o = {.name = "old", .san = "DNS:server.test", .issuer = &authority};

	o.from_s = -7200;
	o.to_s = -3600;
	refused(&o, "server.test", "x509: certificate has expired or is not yet valid: current time 20",
	        "remote error: tls: expired certificate");
	o.from_s = 3600;
	o.to_s = 7200;
	refused(&o, "server.test", "Z is before 20", "bad certificate");
}

TEST(by_nobody_known)
{
	struct tls_cert other =
	    tls_cert_make(&(struct tls_cert_opts){.name = "other", .authority = true});
	struct tls_cert_opts o = {.name = "server", .san = "DNS:server.test", .issuer = &other};

	refused(&o, "server.test", "x509: certificate signed by unknown authority",
	        "remote error: tls: unknown certificate authority");
	o.issuer = NULL;
	refused(&o, "server.test", "x509: certificate signed by unknown authority",
	        "remote error: tls: unknown certificate authority");
	/* One that an authority signed, but not one that may. */
	o.issuer = &server_cert;
	refused(&o, "server.test", "x509: ", "remote error: tls: ");
	tls_cert_free(&other);
}

TEST(for_another_use)
{
	refused(&(struct tls_cert_opts){.name = "server",
	                                .san = "DNS:server.test",
	                                .issuer = &authority,
	                                .usage = "clientAuth"},
	        "server.test", "x509: certificate specifies an incompatible key usage",
	        "remote error: tls: unsupported certificate");
}

/* Of the system's authorities none knows the test's. */
TEST(the_system_does_not_know_ours)
{
	struct tls_meeting m;

	meet(&m, &(leat_tls_config_opts){0}, &(leat_tls_config_opts){SHOW(&server_cert)},
	     "server.test");
	check_unverified(&m, "certificate signed by unknown authority",
	                 "unknown certificate authority");
	/* It stays so, for everything, with the same words. */
	char byte;
	const leat_error *e;

	CHECK_EQ(leat_conn_read(m.client, &byte, 1), -EKEYREJECTED);
	CHECK_EQ(leat_conn_write(m.client, "x", 1, NULL), -EKEYREJECTED);
	CHECK_EQ(leat_tls_handshake(m.client, NULL, NULL), -EKEYREJECTED);
	CHECK(!leat_tls_conn_state(m.client));
	e = leat_conn_error(m.client, "read", -EKEYREJECTED);
	CHECK(strncmp(leat_error_message(e), "read tls", 8) == 0);
	CHECK(strstr(leat_error_message(e), "signed by unknown authority"));
	leat_error_free(e);
	tls_part(&m);
}

TEST(trusted_by_itself)
{
	struct tls_cert own =
	    tls_cert_make(&(struct tls_cert_opts){.name = "own", .san = "DNS:server.test"});
	struct tls_meeting m;

	/* Signed by itself, and by another, whom the client does not know. */
	meet(&m, &(leat_tls_config_opts){.roots.pem = own.cert_pem},
	     &(leat_tls_config_opts){SHOW(&own)}, "server.test");
	tls_check_good(&m);
	tls_part(&m);
	meet(&m, &(leat_tls_config_opts){.roots.pem = server_cert.cert_pem},
	     &(leat_tls_config_opts){SHOW(&server_cert)}, "server.test");
	tls_check_good(&m);
	tls_part(&m);
	tls_cert_free(&own);
}

TEST(unverified_where_that_is_asked_for)
{
	struct tls_cert own = tls_cert_make(&(struct tls_cert_opts){.name = "own"});
	struct tls_meeting m;

	meet(&m, &(leat_tls_config_opts){.insecure_skip_verify = true},
	     &(leat_tls_config_opts){SHOW(&own)}, NULL);
	tls_check_good(&m);
	CHECK(!leat_tls_conn_state(m.client)->verified);
	CHECK_STR(leat_tls_conn_state(m.client)->subject, "CN=own");
	CHECK_STR(leat_tls_conn_state(m.server)->server_name, "");
	tls_part(&m);
	tls_cert_free(&own);
}

TEST(an_authority_between)
{
	struct tls_cert between = tls_cert_make(&(struct tls_cert_opts){
	                    .name = "between", .issuer = &authority, .authority = true}),
	                leaf = tls_cert_make(&(struct tls_cert_opts){
	                    .name = "leaf", .san = "DNS:leaf.test", .issuer = &between, .rsa = true});
	char *chain = malloc(strlen(leaf.cert_pem) + strlen(between.cert_pem) + 1);
	leat_tls_certificate c = {.cert_pem = chain, .key_pem = leaf.key_pem};
	struct tls_meeting m;

	strcat(strcpy(chain, leaf.cert_pem), between.cert_pem);
	meet(&m, &(leat_tls_config_opts){.roots.pem = authority.cert_pem},
	     &(leat_tls_config_opts){.certificates = &c, .n_certificates = 1}, "leaf.test");
	tls_check_good(&m);
	tls_part(&m);
	/* The server has to show it. */
	meet(&m, &(leat_tls_config_opts){.roots.pem = authority.cert_pem},
	     &(leat_tls_config_opts){SHOW(&leaf)}, "leaf.test");
	check_unverified(&m, "signed by unknown authority", "unknown certificate authority");
	tls_part(&m);
	free(chain);
	tls_cert_free(&leaf);
	tls_cert_free(&between);
}

/* --- several certificates */

static leat_tls_config *other_config;

static leat_tls_config *config_for(void *arg, const char *name)
{
	leat_yield(); /* it may park */
	leat_sleep(1);
	CHECK(arg == &other_config);
	return strcmp(name, "other.test") == 0 ? leat_tls_config_retain(other_config) : NULL;
}

TEST(a_server_of_several_names)
{
	struct tls_cert a = tls_cert_make(&(struct tls_cert_opts){
	                    .name = "a", .san = "DNS:a.test", .issuer = &authority}),
	                b = tls_cert_make(&(struct tls_cert_opts){
	                    .name = "b", .san = "DNS:*.b.test", .issuer = &authority, .rsa = true}),
	                other = tls_cert_make(&(struct tls_cert_opts){
	                    .name = "other", .san = "DNS:other.test", .issuer = &authority});
	leat_tls_certificate both[] = {{.cert_pem = a.cert_pem, .key_pem = a.key_pem},
	                               {.cert_pem = b.cert_pem, .key_pem = b.key_pem}};
	static const struct {
		const char *name, *subject;
		int result, version;
	} tries[] = {
	    {"a.test", "CN=a", 0, LEAT_TLS_1_3},
	    {"x.b.test", "CN=b", 0, LEAT_TLS_1_3},
	    {"other.test", "CN=other", 0, LEAT_TLS_1_2},
	    {"unknown.test", NULL, -EKEYREJECTED, 0}, /* gets the first */
	};
	leat_tls_config *server, *client;
	struct tls_meeting m;

	other_config = tls_config(&(leat_tls_config_opts){SHOW(&other), .max_version = LEAT_TLS_1_2,
	                                                  .protocols = (const char *[]){"other"},
	                                                  .n_protocols = 1});
	server = tls_config(&(leat_tls_config_opts){.certificates = both,
	                                            .n_certificates = 2,
	                                            .config_for = config_for,
	                                            .config_for_arg = &other_config});
	client = tls_config(&(leat_tls_config_opts){
	    .roots.pem = authority.cert_pem, .protocols = (const char *[]){"other"}, .n_protocols = 1});
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		tls_meet(&m, client, server, tries[i].name);
		CHECK_EQ(m.client_result, tries[i].result);
		if (!m.client_result) {
			const leat_tls_state *s = leat_tls_conn_state(m.client);

			CHECK_STR(s->subject, tries[i].subject);
			CHECK_EQ(s->version, tries[i].version);
			CHECK_STR(s->protocol, strcmp(tries[i].name, "other.test") == 0 ? "other" : "");
		}
		tls_part(&m);
	}
	leat_tls_config_free(server);
	leat_tls_config_free(client);
	leat_tls_config_free(other_config);
	tls_cert_free(&a);
	tls_cert_free(&b);
	tls_cert_free(&other);
}

static leat_tls_config *panics(void *arg, const char *name)
{
	(void)arg, (void)name;
	leat_panic("no such host");
}

static void shake(void *c)
{
	leat_tls_handshake(c, NULL, NULL);
}

/* The connection is of no more use then, and nothing hangs on to it. */
TEST(a_panic_in_who_chooses)
{
	leat_tls_config *server = tls_config(&(leat_tls_config_opts){.config_for = panics}),
	                *client = tls_config(&(leat_tls_config_opts){.insecure_skip_verify = true});
	_Atomic int done = 0;
	const leat_error *e;
	leat_conn *c, *s;
	char byte;

	CHECK(leat_conn_socketpair(&c, &s, NULL));
	c = leat_tls_client(c, client, NULL, NULL);
	s = leat_tls_server(s, server, NULL);
	go(tls_shaker, .c = c, .done = &done);
	CHECK(test_panics(shake, s, "no such host"));
	CHECK_EQ(leat_conn_read(s, &byte, 1), -EPROTO);
	e = leat_conn_error(s, "read", -EPROTO);
	tls_check_failed(e, -EPROTO, ": tls: config_for did not return");
	leat_error_free(e);
	leat_conn_free(s);
	test_until(__atomic_load_n((int *)&done, __ATOMIC_ACQUIRE));
	leat_conn_free(c);
	leat_tls_config_free(server);
	leat_tls_config_free(client);
}

int main(int argc, char **argv)
{
	int result;

	make_certs();
	result = test_main(argc, argv);
	tls_cert_free(&authority);
	tls_cert_free(&server_cert);
	return result;
}
