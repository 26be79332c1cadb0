/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL 3, loaded when it is first wanted, so that programs without TLS need not have it.  Its functions are called by way
 * of a table, under their own names: ossl->SSL_new(ctx).
 */
#ifndef LEAT_OS_OPENSSL_H
#define LEAT_OS_OPENSSL_H

#if defined LEAT_HAVE_OPENSSL && LEAT_HAVE_OPENSSL
#define LEAT__OPENSSL 1

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* clang-format off */
#define LEAT__LIBSSL(X)                                                                            \
	X(OPENSSL_init_ssl) X(TLS_method) X(SSL_CTX_new) X(SSL_CTX_free) X(SSL_CTX_ctrl)               \
	X(SSL_CTX_set_options) X(SSL_CTX_set_cipher_list) X(SSL_CTX_set_ciphersuites)                  \
	X(SSL_CTX_use_cert_and_key) X(SSL_CTX_set_alpn_protos) X(SSL_CTX_set_alpn_select_cb)           \
	X(SSL_CTX_set_session_id_context) X(SSL_CTX_sess_set_new_cb) X(SSL_CTX_set_client_hello_cb)    \
	X(SSL_CTX_set_keylog_callback) X(SSL_CTX_set_client_CA_list) X(SSL_new) X(SSL_free)            \
	X(SSL_set_bio) X(SSL_ctrl) X(SSL_set_ex_data) X(SSL_get_ex_data) X(SSL_set_connect_state)      \
	X(SSL_set_accept_state) X(SSL_set_verify) X(SSL_set1_host) X(SSL_set_hostflags)                \
	X(SSL_get0_param) X(SSL_set_session) X(SSL_set_SSL_CTX) X(SSL_certs_clear)                     \
	X(SSL_use_cert_and_key) X(SSL_client_hello_get0_ext) X(SSL_do_handshake) X(SSL_read_ex)        \
	X(SSL_write_ex) X(SSL_shutdown) X(SSL_get_error) X(SSL_get_verify_result) X(SSL_version)       \
	X(SSL_session_reused) X(SSL_get_current_cipher) X(SSL_CIPHER_standard_name)                    \
	X(SSL_get0_alpn_selected) X(SSL_get0_peer_certificate) X(SSL_SESSION_free)                     \
	X(SSL_SESSION_up_ref) X(SSL_SESSION_get0_peer) X(SSL_SESSION_is_resumable)                     \
	X(SSL_get_ex_data_X509_STORE_CTX_idx) X(SSL_set_options) X(SSL_clear_options)

#define LEAT__LIBCRYPTO(X)                                                                         \
	X(BIO_get_new_index) X(BIO_meth_new) X(BIO_meth_set_write_ex) X(BIO_meth_set_read_ex)          \
	X(BIO_meth_set_ctrl) X(BIO_new) X(BIO_free) X(BIO_set_data) X(BIO_get_data) X(BIO_set_init)    \
	X(BIO_set_flags) X(BIO_clear_flags) X(BIO_new_mem_buf) X(BIO_new_file) X(PEM_read_bio_X509)    \
	X(PEM_read_bio_PrivateKey) X(ERR_clear_error) X(ERR_peek_error) X(ERR_peek_last_error)         \
	X(ERR_reason_error_string) X(X509_STORE_CTX_get_ex_data) X(X509_STORE_CTX_get_current_cert)    \
	X(X509_up_ref) X(X509_free) X(X509_check_host) X(X509_check_private_key)                       \
	X(X509_get_subject_name) X(X509_get_issuer_name) X(X509_get0_notBefore)                        \
	X(X509_get0_notAfter) X(X509_get_ext_d2i) X(X509_cmp_current_time) X(X509_digest)              \
	X(X509_NAME_dup) X(X509_NAME_free) X(X509_NAME_print_ex) X(X509_verify_cert_error_string)      \
	X(i2d_X509) X(X509_STORE_new) X(X509_STORE_free) X(X509_STORE_add_cert)                        \
	X(X509_STORE_load_path) X(X509_STORE_set_default_paths) X(X509_STORE_set_flags)                \
	X(X509_VERIFY_PARAM_set1_ip_asc) X(EVP_PKEY_free) X(EVP_sha256) X(RAND_bytes)                  \
	X(ASN1_TIME_diff) X(ASN1_TIME_set) X(ASN1_TIME_free) X(ASN1_STRING_get0_data)                  \
	X(ASN1_STRING_length) X(GENERAL_NAMES_free) X(BIO_s_mem) X(BIO_read) X(OPENSSL_sk_new_null)    \
	X(OPENSSL_sk_push) X(OPENSSL_sk_num) X(OPENSSL_sk_value) X(OPENSSL_sk_pop_free)
/* clang-format on */

struct leat__openssl {
#define LEAT__OPENSSL_FIELD(name) __typeof__(name) *name;
	LEAT__LIBSSL(LEAT__OPENSSL_FIELD)
	LEAT__LIBCRYPTO(LEAT__OPENSSL_FIELD)
#undef LEAT__OPENSSL_FIELD
};

/* Unset before leat__openssl_load. */
extern struct leat__openssl leat__openssl;

/* By one thread at a time.  0 once all functions are set, or -ENOSYS. */
int leat__openssl_load(void);

#else
#define LEAT__OPENSSL 0
#endif

#endif
