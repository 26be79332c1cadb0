/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* Goal: much at once: both ways, many connections, slow clients beside others; what a connection takes of stack and memory. */
#include "descriptors.h"
#include "test.h"
#include "tls_help.h"

#include <openssl/ssl.h>

#include <errno.h>

static struct tls_cert authority, server_cert, rsa_cert;
static leat_tls_config *client_config, *server_config, *rsa_config;

static _Atomic int ended;

static void await(int n)
{
	test_until(__atomic_load_n((int *)&ended, __ATOMIC_ACQUIRE) == n);
}

static void one_more(void)
{
	__atomic_fetch_add((int *)&ended, 1, __ATOMIC_RELEASE);
}

static void begin(void)
{
	__atomic_store_n((int *)&ended, 0, __ATOMIC_RELEASE);
}

/* --- both ways at once */

static unsigned char pattern(size_t i)
{
	return (unsigned char)((uint32_t)i * 2654435761u >> 24);
}

struct stream {
	leat_conn *c;
	size_t bytes;
};

static void sends(struct stream *s)
{
	unsigned char block[40000];
	size_t total = 0;

	for (uint32_t random = 1; total < s->bytes; random = random * 1664525 + 1013904223) {
		size_t n = 1 + (random >> 8) % sizeof block;

		n = n < s->bytes - total ? n : s->bytes - total;
		for (size_t i = 0; i < n; i++)
			block[i] = pattern(total + i);
		CHECK_EQ(leat_conn_write(s->c, block, n, NULL), 0);
		total += n;
	}
	CHECK_EQ(leat_conn_close_write(s->c), 0);
	one_more();
}

static void receives(struct stream *s)
{
	unsigned char block[30000];
	size_t total = 0;
	ssize_t n;

	while ((n = leat_conn_read(s->c, block, sizeof block)) > 0)
		for (ssize_t i = 0; i < n; i++)
			CHECK_EQ(block[i], pattern(total++));
	CHECK_EQ(n, 0);
	CHECK_EQ(total, s->bytes);
	one_more();
}

TEST(both_ways_at_once)
{
	size_t bytes = (size_t)test_count(100) << 20;
	struct tls_meeting m;

	begin();
	tls_meet(&m, client_config, server_config, "server.test");
	tls_check_good(&m);
	go_as(stream, sends, .c = m.client, .bytes = bytes);
	go_as(stream, sends, .c = m.server, .bytes = bytes);
	go_as(stream, receives, .c = m.client, .bytes = bytes);
	go_as(stream, receives, .c = m.server, .bytes = bytes);
	await(4);
	tls_part(&m);
}

/* --- many connections */

struct serving {
	leat_conn *c;
};

static void serving(struct serving *s)
{
	char bytes[100];
	ssize_t n;

	while ((n = leat_conn_read(s->c, bytes, sizeof bytes)) > 0)
		CHECK_EQ(leat_conn_write(s->c, bytes, (size_t)n, NULL), 0);
	CHECK(n == 0 || n == -EPROTO); /* who said nothing at all */
	leat_conn_free(s->c);
	one_more();
}

struct accepting {
	leat_listener *l;
};

static void accepting(struct accepting *a)
{
	leat_conn *c;

	while ((c = leat_tls_accept(a->l, server_config, NULL, NULL)) != NULL)
		go(serving, .c = c);
	one_more();
}

struct dialling {
	leat_addr to;
	int rounds;
};

static void dialling(struct dialling *d)
{
	char text[LEAT_ADDR_TEXT], byte;
	const leat_error *e = NULL;
	leat_conn *c = leat_tls_dial("tcp", leat_addr_text(&d->to, text), client_config, NULL, &e);

	if (!c)
		fprintf(stderr, "%s\n", leat_error_message(e));
	CHECK(c);
	for (int i = 0; i < d->rounds; i++) {
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	}
	CHECK_EQ(leat_conn_close_write(c), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), 0);
	leat_conn_free(c);
	one_more();
}

/* 200 of them.  The name to be verified is the address that is dialled.  Somebody who says nothing keeps nobody waiting. */
TEST(many_at_once)
{
	leat_listener *l = leat_listen("tcp", "127.0.0.1:0", NULL, NULL);
	int descriptors = test_descriptors(), n = test_count(2000);
	char text[LEAT_ADDR_TEXT];
	leat_addr at;
	leat_conn *silent;

	CHECK(l);
	begin();
	at = leat_listener_addr(l);
	go(accepting, .l = l);
	silent = leat_dial("tcp", leat_addr_text(&at, text), NULL, NULL);
	CHECK(silent);
	for (int i = 0; i < n; i++)
		go(dialling, .to = at, .rounds = 10);
	await(2 * n);
	leat_conn_free(silent);
	await(2 * n + 1);
	leat_listener_close(l);
	await(2 * n + 2);
	leat_listener_free(l);
	test_goroutines(1);
	CHECK(test_descriptors() <= descriptors + 2);
}

TEST(dialling_fails_with_an_address)
{
	const leat_error *e;

	CHECK(!leat_tls_dial("tcp", "127.0.0.1:1", client_config, NULL, &e));
	CHECK_STR(leat_error_message(e), "dial tcp 127.0.0.1:1: connect: connection refused");
	leat_error_free(e);
}

/* --- stack */

struct small {
	leat_conn *c;
};

static void small(struct small *s)
{
	const leat_error *e = NULL;
	char byte = 'x';

	CHECK_EQ(leat_tls_handshake(s->c, NULL, &e), 0);
	CHECK_EQ(leat_conn_write(s->c, &byte, 1, NULL), 0);
	CHECK_EQ(leat_conn_read(s->c, &byte, 1), 1);
	CHECK(leat_tls_conn_state(s->c));
	leat_conn_free(s->c);
	one_more();
}

/* As much stack as the header promises is enough, with all kinds of keys. */
TEST(on_32_kib_of_stack)
{
	leat_go_opts opts = {.stack_bytes = 32 << 10};

	for (int i = 0; i < 2; i++) {
		leat_conn *a, *b;

		begin();
		CHECK(leat_conn_socketpair(&a, &b, NULL));
		a = leat_tls_client(a, client_config, "server.test", NULL);
		b = leat_tls_server(b, i ? rsa_config : server_config, NULL);
		go_with(&opts, small, .c = a);
		go_with(&opts, small, .c = b);
		await(2);
		test_goroutines(1);
	}
}

int main(int argc, char **argv)
{
	int result;

	authority =
	    tls_cert_make(&(struct tls_cert_opts){.name = "authority", .authority = true, .rsa = true});
	server_cert = tls_cert_make(&(struct tls_cert_opts){
	    .name = "server", .san = "DNS:server.test,IP:127.0.0.1", .issuer = &authority});
	rsa_cert = tls_cert_make(&(struct tls_cert_opts){
	    .name = "server", .san = "DNS:server.test", .issuer = &authority, .rsa = true});
	client_config = tls_config(&(leat_tls_config_opts){.roots.pem = authority.cert_pem});
	server_config = tls_config(&(leat_tls_config_opts){
	    .certificates = &(leat_tls_certificate){.cert_pem = server_cert.cert_pem,
	                                            .key_pem = server_cert.key_pem},
	    .n_certificates = 1});
	rsa_config = tls_config(&(leat_tls_config_opts){
	    .certificates =
	        &(leat_tls_certificate){.cert_pem = rsa_cert.cert_pem, .key_pem = rsa_cert.key_pem},
	    .n_certificates = 1});
	result = test_main(argc, argv);
	leat_tls_config_free(client_config);
	leat_tls_config_free(server_config);
	leat_tls_config_free(rsa_config);
	tls_cert_free(&authority);
	tls_cert_free(&server_cert);
	tls_cert_free(&rsa_cert);
	return result;
}
