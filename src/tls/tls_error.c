/* SPDX-License-Identifier: MIT */
/* What OpenSSL says, in the words of Go's crypto/tls and crypto/x509; OpenSSL's own are in the entry "openssl". */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT 512

/* What OpenSSL adds to the number of an alert that came, to make a reason of it. */
#define ALERT_CAME SSL_AD_REASON_OFFSET

static const struct {
	int alert;
	const char *words;
} alerts[] = {
    {SSL_AD_UNEXPECTED_MESSAGE, "unexpected message"},
    {SSL_AD_BAD_RECORD_MAC, "bad record MAC"},
    {SSL_AD_RECORD_OVERFLOW, "record overflow"},
    {SSL_AD_DECOMPRESSION_FAILURE, "decompression failure"},
    {SSL_AD_HANDSHAKE_FAILURE, "handshake failure"},
    {SSL_AD_BAD_CERTIFICATE, "bad certificate"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, "unsupported certificate"},
    {SSL_AD_CERTIFICATE_REVOKED, "revoked certificate"},
    {SSL_AD_CERTIFICATE_EXPIRED, "expired certificate"},
    {SSL_AD_CERTIFICATE_UNKNOWN, "unknown certificate"},
    {SSL_AD_ILLEGAL_PARAMETER, "illegal parameter"},
    {SSL_AD_UNKNOWN_CA, "unknown certificate authority"},
    {SSL_AD_ACCESS_DENIED, "access denied"},
    {SSL_AD_DECODE_ERROR, "error decoding message"},
    {SSL_AD_DECRYPT_ERROR, "error decrypting message"},
    {SSL_AD_PROTOCOL_VERSION, "protocol version not supported"},
    {SSL_AD_INSUFFICIENT_SECURITY, "insufficient security level"},
    {SSL_AD_INTERNAL_ERROR, "internal error"},
    {SSL_AD_INAPPROPRIATE_FALLBACK, "inappropriate fallback"},
    {SSL_AD_USER_CANCELLED, "user canceled"},
    {SSL_AD_NO_RENEGOTIATION, "no renegotiation"},
    {SSL_AD_MISSING_EXTENSION, "missing extension"},
    {SSL_AD_UNSUPPORTED_EXTENSION, "unsupported extension"},
    {SSL_AD_UNRECOGNIZED_NAME, "unrecognized name"},
    {SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE, "bad certificate status response"},
    {SSL_AD_UNKNOWN_PSK_IDENTITY, "unknown PSK identity"},
    {SSL_AD_CERTIFICATE_REQUIRED, "certificate required"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, "no application protocol"},
};

/* Reasons that Go has words for; where those depend on the side the client's come first. */
static const struct {
	int reason;
	const char *words, *of_server;
} reasons[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, "server selected unsupported protocol version",
     "client offered only unsupported versions"},
    {SSL_R_WRONG_SSL_VERSION, "server selected unsupported protocol version",
     "client offered only unsupported versions"},
    {SSL_R_VERSION_TOO_LOW, "server selected unsupported protocol version",
     "client offered only unsupported versions"},
    {SSL_R_NO_SHARED_CIPHER, "no cipher suite supported by both client and server", NULL},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "client didn't provide a certificate", NULL},
    {SSL_R_NO_APPLICATION_PROTOCOL, "client requested unsupported application protocols", NULL},
    {SSL_R_NO_RENEGOTIATION, "no renegotiation", NULL},
};

/* --- certificates */

static const char *time_text(const ASN1_TIME *t, char text[32])
{
	int64_t seconds = leat__tls_seconds(t);
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		text[0] = '\0';
	return text;
}

static void expired(X509 *cert, bool before, char *text)
{
	char now_text[32], limit_text[32];
	ASN1_TIME *now = ossl->ASN1_TIME_set(NULL, time(NULL));
	const ASN1_TIME *limit =
	    before ? ossl->X509_get0_notBefore(cert) : ossl->X509_get0_notAfter(cert);

	snprintf(text, TEXT, "certificate has expired or is not yet valid: current time %s is %s %s",
	         now ? time_text(now, now_text) : "", before ? "before" : "after",
	         time_text(limit, limit_text));
	ossl->ASN1_TIME_free(now);
}

static void mismatch(X509 *cert, const char *wanted, bool address, char *text)
{
	char **names = leat__tls_cert_names(cert, !address, address);
	size_t n = 0;

	if (!wanted)
		wanted = "";
	if (!names || !names[0]) {
		if (address)
			snprintf(text, TEXT,
			         "cannot validate certificate for %s because it doesn't contain any IP SANs",
			         wanted);
		else
			snprintf(text, TEXT, "certificate is not valid for any names, but wanted to match %s",
			         wanted);
		free(names);
		return;
	}
	n = (size_t)snprintf(text, TEXT, "certificate is valid for ");
	for (size_t i = 0; names[i] && n < TEXT / 2; i++)
		n += (size_t)snprintf(text + n, TEXT - n, "%s%.100s", i ? ", " : "", names[i]);
	snprintf(text + n, TEXT - n, ", not %.250s", wanted);
	free(names);
}

static const char *unverified(struct leat__tls *t, char *text)
{
	long result = ossl->SSL_get_verify_result(t->ssl);
	X509 *cert = t->refused; /* the one that it is about */

	switch (result) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		return "certificate signed by unknown authority";
	case X509_V_ERR_INVALID_PURPOSE:
		return "certificate specifies an incompatible key usage";
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		if (!cert)
			return "certificate has expired or is not yet valid";
		expired(cert, result == X509_V_ERR_CERT_NOT_YET_VALID, text);
		return text;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		if (!cert)
			break;
		mismatch(cert, t->server_name, result == X509_V_ERR_IP_ADDRESS_MISMATCH, text);
		return text;
	}
	return ossl->X509_verify_cert_error_string(result);
}

/* --- all of it */

static const char *alert_words(int alert)
{
	for (size_t i = 0; i < ARRAY_LEN(alerts); i++)
		if (alerts[i].alert == alert)
			return alerts[i].words;
	return NULL;
}

static const char *reason_words(const struct leat__tls *t, int reason)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].reason == reason)
			return t->server && reasons[i].of_server ? reasons[i].of_server : reasons[i].words;
	return NULL;
}

/* Neither a handshake nor an alert was the first to come. */
static bool no_tls(const struct leat__tls *t)
{
	return !t->ready && t->first_byte && t->first_byte != 0x16 && t->first_byte != 0x15;
}

static const char *openssl_words(unsigned long code, char text[TEXT])
{
	const char *words = ossl->ERR_reason_error_string(code);

	if (words)
		return words;
	snprintf(text, TEXT, "error %lx", code);
	return text;
}

const leat_error *leat__tls_error(int err, const char *what)
{
	unsigned long code = ossl->ERR_peek_last_error();
	char text[TEXT];
	leat_error *e = leat_errorf(NULL, "tls: %s", what);

	leat_error_set_code(e, err);
	if (code)
		leat_error_put(e, "openssl", "%s", openssl_words(code, text));
	return e;
}

const leat_error *leat__tls_why(struct leat__tls *t, int *err)
{
	unsigned long code = ossl->ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	char text[TEXT], words[TEXT];
	leat_error *e;

	if (t->no_memory || (code && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)) {
		*err = -ENOMEM;
		return &leat_out_of_memory;
	}
	*err = -EPROTO;
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > ALERT_CAME && reason < ALERT_CAME + 256) {
		const char *alert = alert_words(reason - ALERT_CAME);

		snprintf(text, sizeof text, "alert(%d)", reason - ALERT_CAME);
		*err = -EREMOTEIO;
		e = leat_errorf(NULL, "remote error: tls: %s", alert ? alert : text);
	} else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		*err = -EKEYREJECTED;
		e = leat_errorf(NULL, "tls: failed to verify %scertificate: x509: %s",
		                t->server ? "client " : "", unverified(t, text));
		leat_error_put(e, "verify", "%s",
		               ossl->X509_verify_cert_error_string(ossl->SSL_get_verify_result(t->ssl)));
	} else if (no_tls(t)) {
		e = leat_errorf(NULL, "tls: first record does not look like a TLS handshake");
	} else if (reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC) {
		e = leat_errorf(NULL, "local error: tls: bad record MAC");
	} else {
		const char *known = reason_words(t, reason);

		e = leat_errorf(NULL, "tls: %s", known ? known : openssl_words(code, words));
	}
	leat_error_set_code(e, *err);
	leat_error_put(e, "openssl", "%s", openssl_words(code, words));
	return e;
}

#endif
