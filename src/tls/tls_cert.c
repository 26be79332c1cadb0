/* SPDX-License-Identifier: MIT */
/* Certificates and keys of ours, and authorities that we trust, from PEM. */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include "io/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of more than one certificate in a place, all that follow the first. */
#define STACK(s) ((OPENSSL_STACK *)(s))

static const leat_error *cannot_load(const char *what, int err, const char *why)
{
	leat_error *e = leat_errorf(NULL, "tls: cannot load %s: %s", what, why);

	leat_error_set_code(e, err);
	return e;
}

/* Keys that ask for a password would ask at the terminal. */
static int no_password(char *to, int bytes, int writing, void *arg)
{
	(void)to, (void)bytes, (void)writing, (void)arg;
	return -1;
}

/* What to call it in errors. */
static const char *name_of(const char *pem, const char *file)
{
	return pem ? "PEM from memory" : file;
}

static BIO *open_pem(const char *pem, const char *file, const leat_error **error)
{
	char words[LEAT__IO_WORDS];
	FILE *there;
	BIO *b;

	ossl->ERR_clear_error();
	if (pem) {
		b = ossl->BIO_new_mem_buf(pem, -1);
	} else {
		/* OpenSSL does not say why it cannot. */
		there = fopen(file, "re");
		if (!there) {
			int err = -errno;

			if (error)
				*error = cannot_load(file, err, leat__io_words(err, words));
			return NULL;
		}
		fclose(there);
		b = ossl->BIO_new_file(file, "r");
	}
	if (!b && error)
		*error = cannot_load(name_of(pem, file), -ENOMEM, "out of memory");
	return b;
}

static int no_pem(const char *pem, const char *file, const char *what, const leat_error **error)
{
	char why[100];

	snprintf(why, sizeof why, "no %s in it", what);
	if (error)
		*error = cannot_load(name_of(pem, file), -EINVAL, why);
	return -EINVAL;
}

/* --- ours */

static void free_cert(void *cert)
{
	ossl->X509_free(cert);
}

static void free_identity(struct leat__tls_identity *i)
{
	if (i->chain)
		ossl->OPENSSL_sk_pop_free(STACK(i->chain), free_cert);
	ossl->X509_free(i->cert);
	ossl->EVP_PKEY_free(i->key);
}

void leat__tls_free_identities(leat_tls_config *config)
{
	for (int i = 0; i < config->n_identities; i++)
		free_identity(&config->identities[i]);
	free(config->identities);
}

static bool read_chain(BIO *b, struct leat__tls_identity *i)
{
	X509 *next;

	i->cert = ossl->PEM_read_bio_X509(b, NULL, no_password, NULL);
	i->chain = i->cert ? (STACK_OF(X509) *)ossl->OPENSSL_sk_new_null() : NULL;
	while (i->chain && (next = ossl->PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL)
		if (!ossl->OPENSSL_sk_push(STACK(i->chain), next)) {
			ossl->X509_free(next);
			return false;
		}
	return i->chain != NULL;
}

static int load_identity(struct leat__tls_identity *i, const leat_tls_certificate *c,
                         const leat_error **error)
{
	const char *key_pem = c->key_pem || c->key_file ? c->key_pem : c->cert_pem;
	const char *key_file = c->key_pem || c->key_file ? c->key_file : c->cert_file;
	bool good;
	BIO *b;

	if (!c->cert_pem && !c->cert_file) {
		ossl->ERR_clear_error();
		if (error)
			*error = leat__tls_error(-EINVAL, "neither cert_file nor cert_pem of a certificate");
		return -EINVAL;
	}
	b = open_pem(c->cert_pem, c->cert_file, error);
	if (!b)
		return -EINVAL;
	good = read_chain(b, i);
	ossl->BIO_free(b);
	if (!good)
		return no_pem(c->cert_pem, c->cert_file, "certificate", error);
	b = open_pem(key_pem, key_file, error);
	if (!b)
		return -EINVAL;
	i->key = ossl->PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
	ossl->BIO_free(b);
	if (!i->key)
		return no_pem(key_pem, key_file, "private key without a password", error);
	if (!ossl->X509_check_private_key(i->cert, i->key)) {
		if (error)
			*error = leat__tls_error(-EINVAL, "private key does not match public key");
		return -EINVAL;
	}
	return 0;
}

int leat__tls_load_identities(leat_tls_config *config, const leat_tls_config_opts *opts,
                              const leat_error **error)
{
	int err = 0;

	if (opts->n_certificates <= 0)
		return 0;
	config->identities = calloc((size_t)opts->n_certificates, sizeof *config->identities);
	if (!config->identities) {
		if (error)
			*error = &leat_out_of_memory;
		return -ENOMEM;
	}
	for (int i = 0; i < opts->n_certificates && !err; i++) {
		config->n_identities++;
		err = load_identity(&config->identities[i], &opts->certificates[i], error);
	}
	/* The last of each kind of key counts for OpenSSL. */
	for (int i = config->n_identities; i-- > 0 && !err;) {
		struct leat__tls_identity *own = &config->identities[i];

		ossl->ERR_clear_error();
		if (ossl->SSL_CTX_use_cert_and_key(config->ctx, own->cert, own->key, own->chain, 1) == 1)
			continue;
		err = -EINVAL;
		if (error)
			*error = leat__tls_error(err, "cannot use certificate");
	}
	return err;
}

bool leat__tls_choose_identity(const leat_tls_config *config, SSL *ssl, const char *server_name)
{
	bool any = false, all = true;

	/* Else one for another name, with a key of another kind, might be preferred. */
	ossl->SSL_certs_clear(ssl);
	for (int i = config->n_identities; i-- > 0 && *server_name;) {
		struct leat__tls_identity *own = &config->identities[i];

		if (ossl->X509_check_host(own->cert, server_name, 0, 0, NULL) != 1)
			continue;
		any = true;
		all &= ossl->SSL_use_cert_and_key(ssl, own->cert, own->key, own->chain, 1) == 1;
	}
	if (!any)
		all = ossl->SSL_use_cert_and_key(ssl, config->identities[0].cert, config->identities[0].key,
		                                 config->identities[0].chain, 1) == 1;
	return all;
}

/* --- authorities */

static bool add(X509_STORE *store, STACK_OF(X509_NAME) * names, X509 *cert)
{
	X509_NAME *name = names ? ossl->X509_NAME_dup(ossl->X509_get_subject_name(cert)) : NULL;

	if (name && !ossl->OPENSSL_sk_push(STACK(names), name)) {
		ossl->X509_NAME_free(name);
		return false;
	}
	return (name || !names) && ossl->X509_STORE_add_cert(store, cert);
}

static int load_authorities(X509_STORE *store, STACK_OF(X509_NAME) * names, const char *pem,
                            const char *file, const leat_error **error)
{
	BIO *b = open_pem(pem, file, error);
	bool good = true;
	X509 *cert;
	int n = 0;

	if (!b)
		return -EINVAL;
	for (; good && (cert = ossl->PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL; n++) {
		good = add(store, names, cert);
		ossl->X509_free(cert);
	}
	ossl->BIO_free(b);
	if (!n)
		return no_pem(pem, file, "certificate", error);
	if (!good && error)
		*error = leat__tls_error(-ENOMEM, "cannot keep authorities");
	return good ? 0 : -ENOMEM;
}

int leat__tls_load_authorities(const leat_tls_authorities *a, X509_STORE **store,
                               STACK_OF(X509_NAME) * *names, const leat_error **error)
{
	int err = 0;

	*store = ossl->X509_STORE_new();
	if (names)
		*names = (STACK_OF(X509_NAME) *)ossl->OPENSSL_sk_new_null();
	if (!*store || (names && !*names)) {
		if (error)
			*error = &leat_out_of_memory;
		return -ENOMEM;
	}
	/* As in Go, who is trusted need not have signed himself. */
	ossl->X509_STORE_set_flags(*store, X509_V_FLAG_PARTIAL_CHAIN);
	if (a->pem)
		err = load_authorities(*store, names ? *names : NULL, a->pem, NULL, error);
	if (!err && a->file)
		err = load_authorities(*store, names ? *names : NULL, NULL, a->file, error);
	if (!err && a->dir && !ossl->X509_STORE_load_path(*store, a->dir)) {
		err = -EINVAL;
		if (error)
			*error = cannot_load(a->dir, err, "not a folder of authorities");
	}
	return err;
}

#endif
