/* SPDX-License-Identifier: MIT */
/* Goal: leat and OpenSSL by itself, which blocks its thread, understand each other; what leat never does of its own accord is
   answered right: new keys, renegotiation. */
#include "test.h"
#include "tls_help.h"

#include <openssl/ssl.h>

#include <errno.h>
#include <sys/socket.h>

static struct tls_cert server_cert;
static leat_tls_config *client_config, *server_config;

static _Atomic int ended;

static void await(int n)
{
	test_until(__atomic_load_n((int *)&ended, __ATOMIC_ACQUIRE) == n);
}

struct peer {
	int fd;
	bool server;
	int version; /* the latest */
	void (*then)(SSL *ssl);
};

static void peer(struct peer *p)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl;

	CHECK(SSL_CTX_set_max_proto_version(ctx, p->version));
	CHECK(SSL_CTX_use_certificate(ctx, server_cert.cert));
	CHECK(SSL_CTX_use_PrivateKey(ctx, server_cert.key));
	ssl = SSL_new(ctx);
	CHECK(SSL_set_fd(ssl, p->fd));
	CHECK_EQ(p->server ? SSL_accept(ssl) : SSL_connect(ssl), 1);
	p->then(ssl);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(p->fd);
	__atomic_fetch_add((int *)&ended, 1, __ATOMIC_RELEASE);
}

/* leat's end, over a pair of sockets of which the peer has the other. */
static leat_conn *with_peer(bool peer_serves, int version, void (*then)(SSL *ssl))
{
	leat_conn *under, *c;
	int fds[2];

	__atomic_store_n((int *)&ended, 0, __ATOMIC_RELEASE);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	under = leat_conn_from_fd(fds[0], NULL);
	CHECK(under);
	go(peer, .fd = fds[1], .server = peer_serves, .version = version, .then = then);
	c = peer_serves ? leat_tls_client(under, client_config, "server.test", NULL)
	                : leat_tls_server(under, server_config, NULL);
	CHECK(c);
	return c;
}

/* What comes is sent back until farewell; that is answered. */
static void echoes(SSL *ssl)
{
	char bytes[3000];
	int n;

	while ((n = SSL_read(ssl, bytes, sizeof bytes)) > 0)
		CHECK_EQ(SSL_write(ssl, bytes, n), n);
	CHECK_EQ(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN);
	CHECK_EQ(SSL_shutdown(ssl), 1);
}

struct sender {
	leat_conn *c;
	int blocks;
};

static void sender(struct sender *s)
{
	char block[5000];

	for (int i = 0; i < s->blocks; i++) {
		memset(block, 'a' + i % 26, sizeof block);
		CHECK_EQ(leat_conn_write(s->c, block, sizeof block, NULL), 0);
	}
	CHECK_EQ(leat_conn_close_write(s->c), 0);
	__atomic_fetch_add((int *)&ended, 1, __ATOMIC_RELEASE);
}

TEST(an_echo_of_openssl)
{
	for (int i = 0; i < 4; i++) {
		leat_conn *c = with_peer(i % 2, i / 2 ? TLS1_3_VERSION : TLS1_2_VERSION, echoes);
		int blocks = test_count(1000);
		char block[5000];

		go(sender, .c = c, .blocks = blocks);
		for (int k = 0; k < blocks; k++) {
			CHECK_EQ(leat_conn_read_full(c, block, sizeof block, NULL, NULL), 0);
			for (size_t b = 0; b < sizeof block; b++)
				CHECK_EQ(block[b], 'a' + k % 26);
		}
		CHECK_EQ(leat_conn_read(c, block, 1), 0);
		await(2);
		CHECK_EQ(leat_tls_conn_state(c)->version, i / 2 ? LEAT_TLS_1_3 : LEAT_TLS_1_2);
		leat_conn_free(c);
	}
}

/* New keys for both directions, in the middle; those of leat's come before what it writes next. */
static void changes_keys(SSL *ssl)
{
	char byte;

	for (int i = 0; i < 10; i++) {
		CHECK_EQ(SSL_read(ssl, &byte, 1), 1);
		CHECK_EQ(byte, i);
		CHECK_EQ(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		CHECK_EQ(SSL_write(ssl, &byte, 1), 1);
	}
	CHECK_EQ(SSL_read(ssl, &byte, 1), 0);
	CHECK_EQ(SSL_shutdown(ssl), 1);
}

TEST(keys_are_changed)
{
	for (int i = 0; i < 2; i++) {
		leat_conn *c = with_peer(i, TLS1_3_VERSION, changes_keys);
		char byte;

		for (char k = 0; k < 10; k++) {
			CHECK_EQ(leat_conn_write(c, &k, 1, NULL), 0);
			CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
			CHECK_EQ(byte, k);
		}
		CHECK_EQ(leat_conn_close_write(c), 0);
		CHECK_EQ(leat_conn_read(c, &byte, 1), 0);
		await(1);
		leat_conn_free(c);
	}
}

static void renegotiates(SSL *ssl)
{
	CHECK_EQ(SSL_renegotiate(ssl), 1);
	CHECK(SSL_do_handshake(ssl) <= 0);
}

/* Asked for by a client it is refused, and nothing else comes of it than that who insists on it leaves. */
TEST(renegotiation_is_refused)
{
	leat_conn *c = with_peer(false, TLS1_2_VERSION, renegotiates);
	char byte;

	CHECK(leat_conn_read(c, &byte, 1) < 0);
	await(1);
	leat_conn_free(c);
}

/* --- over a pair in memory, which has no buffers */

struct one_way {
	leat_conn *c;
	bool writes;
};

static void one_way(struct one_way *w)
{
	char text[6] = "hello";

	if (w->writes)
		CHECK_EQ(leat_conn_write(w->c, text, sizeof text, NULL), 0);
	else
		CHECK_EQ(leat_conn_read_full(w->c, text, sizeof text, NULL, NULL), 0);
	CHECK_STR(text, "hello");
	__atomic_fetch_add((int *)&ended, 1, __ATOMIC_RELEASE);
}

struct the_end {
	leat_conn *c;
};

static void the_end(struct the_end *e)
{
	char byte;

	CHECK_EQ(leat_conn_read(e->c, &byte, 1), 0);
	__atomic_fetch_add((int *)&ended, 1, __ATOMIC_RELEASE);
}

/* The first read or write makes the handshake, on either side; several begin at once. */
TEST(the_handshake_is_made_by_who_comes_first)
{
	for (int i = 0; i < test_count(200); i++) {
		leat_conn *a, *b, *c, *s;

		__atomic_store_n((int *)&ended, 0, __ATOMIC_RELEASE);
		CHECK(leat_conn_pipe(&a, &b));
		c = leat_tls_client(a, client_config, "server.test", NULL);
		s = leat_tls_server(b, server_config, NULL);
		for (int k = 0; k < 4; k++) {
			if (i % 3 != 0) {
				go(one_way, .c = c, .writes = true);
				go(one_way, .c = s, .writes = false);
			}
			if (i % 3 != 1) {
				go(one_way, .c = s, .writes = true);
				go(one_way, .c = c, .writes = false);
			}
		}
		await(i % 3 == 2 ? 16 : 8);
		/* Farewell waits to be read. */
		go(the_end, .c = s);
		leat_conn_free(c);
		await(i % 3 == 2 ? 17 : 9);
		leat_conn_free(s);
		test_goroutines(1);
	}
}

/* TLS in TLS. */
TEST(over_itself)
{
	leat_conn *a, *b, *c, *s;

	__atomic_store_n((int *)&ended, 0, __ATOMIC_RELEASE);
	CHECK(leat_conn_socketpair(&a, &b, NULL));
	c = leat_tls_client(a, client_config, "server.test", NULL);
	c = leat_tls_client(c, client_config, "server.test", NULL);
	s = leat_tls_server(leat_tls_server(b, server_config, NULL), server_config, NULL);
	go(one_way, .c = c, .writes = true);
	go(one_way, .c = s, .writes = false);
	go(one_way, .c = s, .writes = true);
	go(one_way, .c = c, .writes = false);
	await(4);
	CHECK(leat_tls_conn_state(c) && leat_tls_conn_state(leat_tls_under(c)));
	leat_conn_free(c);
	leat_conn_free(s);
}

int main(int argc, char **argv)
{
	int result;

	server_cert =
	    tls_cert_make(&(struct tls_cert_opts){.name = "server", .san = "DNS:server.test"});
	client_config = tls_config(&(leat_tls_config_opts){.roots.pem = server_cert.cert_pem});
	server_config = tls_config(&(leat_tls_config_opts){
	    .certificates = &(leat_tls_certificate){.cert_pem = server_cert.cert_pem,
	                                            .key_pem = server_cert.key_pem},
	    .n_certificates = 1});
	result = test_main(argc, argv);
	leat_tls_config_free(client_config);
	leat_tls_config_free(server_config);
	tls_cert_free(&server_cert);
	return result;
}
