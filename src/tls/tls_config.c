/* SPDX-License-Identifier: MIT */
/*
 * Configurations: an SSL_CTX, and what has to be said to OpenSSL for each connection.
 *
 * One SSL_CTX serves clients and servers, for which side a connection is on is known only later; so what differs between
 * them (whom to trust, whom to verify) is said to the connection.
 */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include "io/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 64 /* as Go's NewLRUClientSessionCache */

/* --- OpenSSL is here */

static int loaded;

static void load(void *unused)
{
	(void)unused;
	loaded = leat__openssl_load();
}

static const leat_error *load_openssl(void)
{
	static leat_once once;
	leat_error *e;

	leat_once_do(&once, load, NULL);
	if (!loaded)
		return NULL;
	e = leat_errorf(NULL, "tls: cannot load OpenSSL 3 (libssl.so.3)");
	leat_error_set_code(e, loaded);
	return e;
}

/* --- called by OpenSSL, with the lock of the connection held: nothing of this parks */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct leat__tls *t = ossl->SSL_get_ex_data(ssl, 0);

	if (t->server || !t->config->max_sessions)
		return 0;
	if (t->session)
		ossl->SSL_SESSION_free(t->session);
	t->session = session;
	return 1;
}

/* The first name that the client asks for: a list of kinds and names, each with its length before it. */
static char *asked_name(SSL *ssl)
{
	const unsigned char *ext;
	size_t bytes, n;
	char *name;

	if (!ossl->SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &bytes) || bytes < 5 ||
	    ext[2] != TLSEXT_NAMETYPE_host_name)
		return NULL;
	n = (size_t)ext[3] << 8 | ext[4];
	if (n > bytes - 5 || n > TLSEXT_MAXLEN_host_name || memchr(ext + 5, 0, n))
		return NULL;
	name = malloc(n + 1);
	if (name) {
		memcpy(name, ext + 5, n);
		name[n] = '\0';
	}
	return name;
}

static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct leat__tls *t = ossl->SSL_get_ex_data(ssl, 0);
	const leat_tls_config *config = t->config;

	(void)alert, (void)arg;
	if (t->chosen)
		return SSL_CLIENT_HELLO_SUCCESS;
	free(t->server_name);
	t->server_name = asked_name(ssl);
	return config->config_for || config->n_identities > 1 ? SSL_CLIENT_HELLO_RETRY
	                                                      : SSL_CLIENT_HELLO_SUCCESS;
}

/* The first of ours that the client offers, too.  As in Go, none in common is an error. */
static int on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                        const unsigned char *in, unsigned in_bytes, void *arg)
{
	const leat_tls_config *config = arg;

	(void)ssl;
	for (unsigned i = 0; i < config->protocols_bytes; i += 1u + config->protocols[i])
		for (unsigned k = 0; k < in_bytes; k += 1u + in[k])
			if (in[k] == config->protocols[i] && k + in[k] < in_bytes &&
			    memcmp(in + k + 1, config->protocols + i + 1, in[k]) == 0) {
				*out = in + k + 1;
				*out_bytes = in[k];
				return SSL_TLSEXT_ERR_OK;
			}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void on_key(const SSL *ssl, const char *line)
{
	const struct leat__tls *t = ossl->SSL_get_ex_data(ssl, 0);

	if (!t->config->key_log)
		return;
	fprintf(t->config->key_log, "%s\n", line);
	fflush(t->config->key_log);
}

static int on_verified(int good, X509_STORE_CTX *ctx)
{
	SSL *ssl = ossl->X509_STORE_CTX_get_ex_data(ctx, ossl->SSL_get_ex_data_X509_STORE_CTX_idx());
	struct leat__tls *t = ossl->SSL_get_ex_data(ssl, 0);
	X509 *cert = ossl->X509_STORE_CTX_get_current_cert(ctx);

	if (!good && cert && !t->refused && ossl->X509_up_ref(cert))
		t->refused = cert;
	return good;
}

static int on_unverified(int good, X509_STORE_CTX *ctx)
{
	(void)good, (void)ctx;
	return 1;
}

/* --- for each connection */

static void read_system_roots(void *arg)
{
	leat_tls_config *config = arg;
	X509_STORE *store = ossl->X509_STORE_new();

	if (store) {
		ossl->X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
		ossl->X509_STORE_set_default_paths(store);
	}
	config->roots = store;
}

static bool trust(SSL *ssl, X509_STORE *store)
{
	return store && ossl->SSL_ctrl(ssl, SSL_CTRL_SET_VERIFY_CERT_STORE, 1, store);
}

static bool apply_client(leat_tls_config *config, struct leat__tls *t)
{
	X509_VERIFY_PARAM *param = ossl->SSL_get0_param(t->ssl);
	bool address = false;

	if (t->server_name) {
		address = ossl->X509_VERIFY_PARAM_set1_ip_asc(param, t->server_name) == 1;
		ossl->ERR_clear_error();
		if (!address && (!ossl->SSL_set1_host(t->ssl, t->server_name) ||
		                 !ossl->SSL_ctrl(t->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		                                 TLSEXT_NAMETYPE_host_name, t->server_name)))
			return false;
	}
	/* A subject's name is for people; as Go. */
	ossl->SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
	                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (config->skip_verify) {
		ossl->SSL_set_verify(t->ssl, SSL_VERIFY_NONE, NULL);
		return true;
	}
	if (config->default_roots)
		leat_once_do(&config->rooted, read_system_roots, config);
	ossl->SSL_set_verify(t->ssl, SSL_VERIFY_PEER, on_verified);
	return trust(t->ssl, config->roots);
}

static bool apply_server(leat_tls_config *config, struct leat__tls *t)
{
	static const int modes[] = {
	    [LEAT_TLS_NO_CLIENT_CERT] = SSL_VERIFY_NONE,
	    [LEAT_TLS_REQUEST_CLIENT_CERT] = SSL_VERIFY_PEER,
	    [LEAT_TLS_REQUIRE_ANY_CLIENT_CERT] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	    [LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN] = SSL_VERIFY_PEER,
	    [LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT] =
	        SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	};
	bool verify = config->client_auth >= LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN;

	ossl->SSL_set_verify(t->ssl, modes[config->client_auth], verify ? on_verified : on_unverified);
	if (verify && config->default_roots)
		leat_once_do(&config->rooted, read_system_roots, config);
	return !verify || trust(t->ssl, config->client_roots ? config->client_roots : config->roots);
}

bool leat__tls_config_apply(leat_tls_config *config, struct leat__tls *t)
{
	/* Of an SSL_CTX that is changed OpenSSL takes no options over. */
	if (config->no_tickets)
		ossl->SSL_set_options(t->ssl, SSL_OP_NO_TICKET);
	else
		ossl->SSL_clear_options(t->ssl, SSL_OP_NO_TICKET);
	if (!ossl->SSL_ctrl(t->ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, config->min_version, NULL) ||
	    !ossl->SSL_ctrl(t->ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, config->max_version, NULL))
		return false;
	return t->server ? apply_server(config, t) : apply_client(config, t);
}

/* --- making one */

static bool bad_versions(int min, int max)
{
	return (min && (min < LEAT_TLS_1_2 || min > LEAT_TLS_1_3)) ||
	       (max && (max < LEAT_TLS_1_2 || max > LEAT_TLS_1_3)) || (min && max && min > max);
}

static const char *set_versions(leat_tls_config *config, const leat_tls_config_opts *opts)
{
	config->min_version = opts->min_version ? opts->min_version : LEAT_TLS_1_2;
	config->max_version = opts->max_version;
	if (bad_versions(opts->min_version, opts->max_version))
		return "no such versions";
	if (opts->cipher_suites && !ossl->SSL_CTX_set_cipher_list(config->ctx, opts->cipher_suites))
		return "no such cipher suites";
	if (opts->cipher_suites_13 &&
	    !ossl->SSL_CTX_set_ciphersuites(config->ctx, opts->cipher_suites_13))
		return "no such cipher suites of TLS 1.3";
	return NULL;
}

static const char *set_protocols(leat_tls_config *config, const leat_tls_config_opts *opts)
{
	size_t bytes = 0, at = 0;

	if (opts->n_protocols <= 0)
		return NULL;
	for (int i = 0; i < opts->n_protocols; i++) {
		size_t n = strlen(opts->protocols[i]);

		if (n == 0 || n > 255)
			return "invalid protocol name";
		bytes += 1 + n;
	}
	if (bytes > 65535)
		return "too many protocols";
	config->protocols = malloc(bytes);
	if (!config->protocols)
		return "out of memory";
	for (int i = 0; i < opts->n_protocols; i++) {
		size_t n = strlen(opts->protocols[i]);

		config->protocols[at] = (unsigned char)n;
		memcpy(config->protocols + at + 1, opts->protocols[i], n);
		at += 1 + n;
	}
	config->protocols_bytes = (unsigned)bytes;
	ossl->SSL_CTX_set_alpn_select_cb(config->ctx, on_protocols, config);
	/* Unlike others of its kind this returns 0 when all is well. */
	return ossl->SSL_CTX_set_alpn_protos(config->ctx, config->protocols, config->protocols_bytes)
	           ? "out of memory"
	           : NULL;
}

static const char *set_sessions(leat_tls_config *config, const leat_tls_config_opts *opts)
{
	unsigned char id[16];

	config->max_sessions = opts->session_cache ? opts->session_cache : SESSIONS;
	if (config->max_sessions < 0)
		config->max_sessions = 0;
	/* A session is of use with the configuration that it was made with only. */
	if (ossl->RAND_bytes(id, sizeof id) != 1 ||
	    !ossl->SSL_CTX_set_session_id_context(config->ctx, id, sizeof id))
		return "no random bytes";
	ossl->SSL_CTX_ctrl(config->ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
	                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL, NULL);
	ossl->SSL_CTX_sess_set_new_cb(config->ctx, on_session);
	config->no_tickets = opts->no_session_tickets;
	return NULL;
}

/* What is of no use without others. */
static const char *set_rest(leat_tls_config *config, const leat_tls_config_opts *opts)
{
	if ((unsigned)opts->client_auth > LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT)
		return "no such client authentication";
	config->client_auth = opts->client_auth;
	config->skip_verify = opts->insecure_skip_verify;
	config->config_for = opts->config_for;
	config->config_for_arg = opts->config_for_arg;
	if (opts->server_name && !(config->server_name = strdup(opts->server_name)))
		return "out of memory";
	ossl->SSL_CTX_set_options(config->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	ossl->SSL_CTX_ctrl(config->ctx, SSL_CTRL_MODE,
	                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
	                   NULL);
	ossl->SSL_CTX_set_client_hello_cb(config->ctx, on_hello, NULL);
	if (config->key_log)
		ossl->SSL_CTX_set_keylog_callback(config->ctx, on_key);
	return NULL;
}

static int fill_in(leat_tls_config *config, const leat_tls_config_opts *opts,
                   const leat_error **error)
{
	char words[LEAT__IO_WORDS];
	const char *wrong;
	int err;

	if (opts->key_log_file) {
		config->key_log = fopen(opts->key_log_file, "ae");
		if (!config->key_log) {
			err = -errno;
			if (error) {
				leat_error *e = leat_errorf(NULL, "tls: cannot open %s: %s", opts->key_log_file,
				                            leat__io_words(err, words));

				leat_error_set_code(e, err);
				*error = e;
			}
			return err;
		}
	}
	ossl->ERR_clear_error();
	wrong = set_versions(config, opts);
	if (!wrong)
		wrong = set_protocols(config, opts);
	if (!wrong)
		wrong = set_sessions(config, opts);
	if (!wrong)
		wrong = set_rest(config, opts);
	if (wrong) {
		if (error)
			*error = leat__tls_error(-EINVAL, wrong);
		return -EINVAL;
	}
	err = leat__tls_load_identities(config, opts, error);
	config->default_roots = !leat__tls_any_authorities(&opts->roots);
	if (!err && !config->default_roots)
		err = leat__tls_load_authorities(&opts->roots, &config->roots, NULL, error);
	if (!err && leat__tls_any_authorities(&opts->client_roots))
		err = leat__tls_load_authorities(&opts->client_roots, &config->client_roots,
		                                 &config->client_names, error);
	if (!err && config->client_names) {
		ossl->SSL_CTX_set_client_CA_list(config->ctx, config->client_names);
		config->client_names = NULL; /* OpenSSL's now */
	}
	return err;
}

leat_tls_config *leat_tls_config_new(const leat_tls_config_opts *opts, const leat_error **error)
{
	static const leat_tls_config_opts defaults;
	const leat_error *e = load_openssl();
	leat_tls_config *config;

	if (e) {
		if (error)
			*error = e;
		else
			leat_error_free(e);
		return NULL;
	}
	config = calloc(1, sizeof *config);
	if (config) {
		store_relaxed(&config->refs, 1);
		config->ctx = ossl->SSL_CTX_new(ossl->TLS_method());
	}
	if (!config || !config->ctx) {
		free(config);
		if (error)
			*error = &leat_out_of_memory;
		return NULL;
	}
	if (fill_in(config, opts ? opts : &defaults, error)) {
		leat_tls_config_free(config);
		return NULL;
	}
	return config;
}

leat_tls_config *leat_tls_config_retain(leat_tls_config *config)
{
	if (config)
		fetch_add_relaxed(&config->refs, 1);
	return config;
}

static void free_name(void *name)
{
	ossl->X509_NAME_free(name);
}

void leat_tls_config_free(leat_tls_config *config)
{
	if (!config || atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) != 1)
		return;
	leat__san_blind_begin();
	leat__tls_sessions_free(config);
	leat__tls_free_identities(config);
	ossl->X509_STORE_free(config->roots);
	ossl->X509_STORE_free(config->client_roots);
	if (config->client_names)
		ossl->OPENSSL_sk_pop_free((OPENSSL_STACK *)config->client_names, free_name);
	ossl->SSL_CTX_free(config->ctx);
	leat__san_blind_end();
	if (config->key_log)
		fclose(config->key_log);
	free(config->protocols);
	free(config->server_name);
	free(config);
}

#endif
