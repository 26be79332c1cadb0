/* SPDX-License-Identifier: MIT */
/* What was agreed, and what the other side's certificate says. */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct leat__tls_state {
	leat_tls_state shown; /* first: it is what the program has */
	char *protocol, *server_name, *subject, *issuer;
	char **names;
	unsigned char *der;
	char fingerprint[2 * 32 + 1];
};

int64_t leat__tls_seconds(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ossl->ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	if (epoch)
		ossl->ASN1_TIME_diff(&days, &seconds, epoch, t);
	ossl->ASN1_TIME_free(epoch);
	return (int64_t)days * 86400 + seconds;
}

/* Its length, and in to (NULL: not wanted) what it says; 0: it is none of those wanted. */
static size_t name_text(const GENERAL_NAME *name, bool names, bool addresses, char *to)
{
	const ASN1_STRING *s = name->d.ia5;
	const unsigned char *bytes;
	char text[INET6_ADDRSTRLEN];
	size_t n;

	if (!(name->type == GEN_DNS && names) && !(name->type == GEN_IPADD && addresses))
		return 0;
	bytes = ossl->ASN1_STRING_get0_data(s);
	n = (size_t)ossl->ASN1_STRING_length(s);
	if (name->type == GEN_IPADD) {
		if ((n != 4 && n != 16) ||
		    !inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text))
			return 0;
		bytes = (unsigned char *)text;
		n = strlen(text);
	}
	if (memchr(bytes, 0, n))
		return 0;
	if (to) {
		memcpy(to, bytes, n);
		to[n] = '\0';
	}
	return n;
}

char **leat__tls_cert_names(X509 *cert, bool names, bool addresses)
{
	GENERAL_NAMES *all = ossl->X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int n = all ? ossl->OPENSSL_sk_num((OPENSSL_STACK *)all) : 0, k = 0;
	size_t bytes = sizeof(char *), room;
	char **list, *text;

	for (int i = 0; i < n; i++) {
		room = name_text(ossl->OPENSSL_sk_value((OPENSSL_STACK *)all, i), names, addresses, NULL);
		bytes += room ? sizeof(char *) + room + 1 : 0;
		k += room > 0;
	}
	list = malloc(bytes);
	text = list ? (char *)(list + k + 1) : NULL;
	k = 0;
	for (int i = 0; i < n && list; i++) {
		room = name_text(ossl->OPENSSL_sk_value((OPENSSL_STACK *)all, i), names, addresses, text);
		if (room) {
			list[k++] = text;
			text += room + 1;
		}
	}
	if (list)
		list[k] = NULL;
	ossl->GENERAL_NAMES_free(all);
	return list;
}

static char *copy(const void *from, size_t bytes)
{
	char *to = malloc(bytes + 1);

	if (to) {
		if (bytes)
			memcpy(to, from, bytes);
		to[bytes] = '\0';
	}
	return to;
}

static char *name_copy(const X509_NAME *name)
{
	BIO *b = ossl->BIO_new(ossl->BIO_s_mem());
	char text[1024];
	int n;

	if (!b)
		return NULL;
	ossl->X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	n = ossl->BIO_read(b, text, sizeof text);
	ossl->BIO_free(b);
	return copy(text, n > 0 ? (size_t)n : 0);
}

static bool add_cert(struct leat__tls_state *s, X509 *cert)
{
	unsigned char sum[32], *at;
	unsigned n = sizeof sum;
	int bytes = ossl->i2d_X509(cert, NULL);

	s->subject = name_copy(ossl->X509_get_subject_name(cert));
	s->issuer = name_copy(ossl->X509_get_issuer_name(cert));
	s->names = leat__tls_cert_names(cert, true, true);
	s->der = bytes > 0 ? malloc((size_t)bytes) : NULL;
	if (!s->subject || !s->issuer || !s->names || !s->der ||
	    !ossl->X509_digest(cert, ossl->EVP_sha256(), sum, &n))
		return false;
	at = s->der;
	s->shown.der_bytes = (size_t)ossl->i2d_X509(cert, &at);
	for (unsigned i = 0; i < n; i++)
		snprintf(s->fingerprint + 2 * (size_t)i, 3, "%02x", sum[i]);
	s->shown.subject = s->subject;
	s->shown.issuer = s->issuer;
	s->shown.names = (const char *const *)s->names;
	s->shown.not_before = leat__tls_seconds(ossl->X509_get0_notBefore(cert));
	s->shown.not_after = leat__tls_seconds(ossl->X509_get0_notAfter(cert));
	s->shown.fingerprint = s->fingerprint;
	s->shown.der = s->der;
	return true;
}

void leat__tls_state_free(struct leat__tls_state *s)
{
	if (!s)
		return;
	free(s->protocol);
	free(s->server_name);
	free(s->subject);
	free(s->issuer);
	free(s->names);
	free(s->der);
	free(s);
}

/* Whether this side verifies what the other shows. */
static bool verifies(const struct leat__tls *t)
{
	return t->server ? t->config->client_auth >= LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN
	                 : !t->config->skip_verify;
}

/* Locked. */
static struct leat__tls_state *make_state(struct leat__tls *t)
{
	struct leat__tls_state *s = calloc(1, sizeof *s);
	const SSL_CIPHER *cipher = ossl->SSL_get_current_cipher(t->ssl);
	X509 *cert = ossl->SSL_get0_peer_certificate(t->ssl);
	const unsigned char *protocol = NULL;
	unsigned bytes = 0;

	if (!s)
		return NULL;
	ossl->SSL_get0_alpn_selected(t->ssl, &protocol, &bytes);
	s->protocol = copy(protocol, bytes);
	s->server_name = copy(t->server_name, t->server_name ? strlen(t->server_name) : 0);
	if (!s->protocol || !s->server_name || (cert && !add_cert(s, cert))) {
		leat__tls_state_free(s);
		return NULL;
	}
	s->shown.version = ossl->SSL_version(t->ssl);
	s->shown.cipher_suite = cipher ? ossl->SSL_CIPHER_standard_name(cipher) : "";
	s->shown.protocol = s->protocol;
	s->shown.server_name = s->server_name;
	s->shown.resumed = ossl->SSL_session_reused(t->ssl);
	s->shown.verified = cert && verifies(t);
	return s;
}

const leat_tls_state *leat_tls_conn_state(leat_conn *c)
{
	struct leat__tls *t = leat__tls_is(c) ? leat__tls_of(c) : NULL;
	struct leat__tls_state *s;

	if (!t || !leat__tls_enter(t))
		return NULL;
	if (t->ready && !t->state)
		t->state = make_state(t);
	s = t->state;
	leat__tls_leave(t);
	return s ? &s->shown : NULL;
}

#endif
