/* SPDX-License-Identifier: MIT */
/* Goal: peers that do not speak TLS, that vanish, fall silent or lie; waits that are given up; what is said at the end. */
#include "descriptors.h"
#include "test.h"
#include "tls_help.h"
#include "vanish.h"

#include <openssl/ssl.h>

#include <errno.h>

static struct tls_cert server_cert;
static leat_tls_config *client_config, *server_config, *server_1_2;

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

/* A client and, at the other end, somebody else. */
static leat_conn *client_over(leat_conn **other)
{
	leat_conn *under, *c;

	begin();
	CHECK(leat_conn_socketpair(&under, other, NULL));
	c = leat_tls_client(under, client_config, "server.test", NULL);
	CHECK(c);
	return c;
}

static leat_conn *server_over(leat_conn **other)
{
	leat_conn *under, *c;

	begin();
	CHECK(leat_conn_socketpair(&under, other, NULL));
	c = leat_tls_server(under, server_config, NULL);
	CHECK(c);
	return c;
}

static void meet(struct tls_meeting *m, leat_tls_config *server)
{
	begin();
	tls_meet(m, client_config, server, "server.test");
	tls_check_good(m);
}

struct shaking {
	leat_conn *c;
	leat_ctx *ctx;
	int expected;
};

static void shaking(struct shaking *s)
{
	CHECK_EQ(leat_tls_handshake(s->c, s->ctx, NULL), s->expected);
	one_more();
}

struct reading {
	leat_conn *c;
	int expected;
};

static void reading(struct reading *r)
{
	char byte;

	CHECK_EQ(leat_conn_read(r->c, &byte, 1), r->expected);
	one_more();
}

struct writing {
	leat_conn *c;
	int expected;
};

static void writing(struct writing *w)
{
	CHECK_EQ(leat_conn_write(w->c, "x", 1, NULL), w->expected);
	one_more();
}

/* --- others than TLS */

TEST(plain_text)
{
	static const char said[][40] = {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n",
	                                "SSH-2.0-OpenSSH_9.2\r\n", "\x7f\0\0\0\0\0\0\0"};
	const leat_error *e;

	for (int i = 0; i < 8; i++) {
		leat_conn *other, *c = i < 4 ? client_over(&other) : server_over(&other);

		CHECK_EQ(leat_conn_write(other, said[i % 4], 16, NULL), 0);
		CHECK_EQ(leat_tls_handshake(c, NULL, &e), -EPROTO);
		tls_check_failed(e, -EPROTO, ": tls: first record does not look like a TLS handshake");
		leat_error_free(e);
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), -EPROTO);
		leat_conn_free(c);
		leat_conn_free(other);
	}
}

/* --- ends */

TEST(said_farewell)
{
	for (int i = 0; i < 2; i++) {
		struct tls_meeting m;
		char byte;

		meet(&m, i ? server_1_2 : server_config);
		CHECK_EQ(leat_conn_write(m.server, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_close(m.server), 0);
		CHECK_EQ(leat_conn_read(m.client, &byte, 1), 1);
		CHECK_EQ(leat_conn_read(m.client, &byte, 1), 0);
		CHECK_EQ(leat_conn_read(m.client, &byte, 1), 0);
		tls_part(&m);
	}
}

/* Somebody may have cut the connection, so what came is not all. */
TEST(cut)
{
	for (int i = 0; i < 2; i++) {
		struct tls_meeting m;
		const leat_error *e;
		char byte;

		meet(&m, i ? server_1_2 : server_config);
		CHECK_EQ(leat_conn_write(m.server, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_close_write(leat_tls_under(m.server)), 0);
		CHECK_EQ(leat_conn_read(m.client, &byte, 1), 1);
		CHECK_EQ(leat_conn_read(m.client, &byte, 1), -EPROTO);
		CHECK_EQ(leat_conn_read(m.client, &byte, 1), -EPROTO);
		e = leat_conn_error(m.client, "read", -EPROTO);
		tls_check_failed(e, -EPROTO, "read tls");
		tls_check_failed(e, -EPROTO, ": unexpected EOF");
		leat_error_free(e);
		/* The other way is not hurt. */
		CHECK_EQ(leat_conn_write(m.client, "y", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(m.server, &byte, 1), 1);
		tls_part(&m);
	}
}

/* After any part of what the other side should say, and none: descriptors and goroutines are gone, too. */
TEST(gone_in_the_handshake)
{
	int descriptors = test_descriptors();

	for (int keep = 0; keep < 2000; keep += keep < 20 ? 1 : 97) {
		leat_conn *other, *c = client_over(&other), *s, *a, *b;
		char bytes[4096];
		const leat_error *e;
		ssize_t n;
		int err;

		/* A server that is read by the test, which passes on only so much. */
		CHECK(leat_conn_socketpair(&a, &b, NULL));
		s = leat_tls_server(a, server_config, NULL);
		go(shaking, .c = c, .expected = -EPROTO);
		n = leat_conn_read(other, bytes, sizeof bytes);
		CHECK(n > 0);
		CHECK_EQ(leat_conn_write(b, bytes, (size_t)n, NULL), 0);
		go(shaking, .c = s, .expected = -EPROTO);
		n = leat_conn_read(b, bytes, sizeof bytes);
		CHECK(n > 0);
		if (n > keep)
			n = keep;
		else
			n--;
		CHECK_EQ(leat_conn_write(other, bytes, (size_t)n, NULL), 0);
		CHECK_EQ(leat_conn_close_write(other), 0);
		CHECK_EQ(leat_conn_close_write(b), 0);
		await(2);
		err = leat_tls_handshake(c, NULL, &e);
		tls_check_failed(e, err, "unexpected EOF");
		leat_error_free(e);
		leat_conn_free(c);
		leat_conn_free(s);
		leat_conn_free(b);
		leat_conn_free(other);
		test_goroutines(1);
	}
	CHECK(test_descriptors() <= descriptors + 2);
}

/* Who says farewell before there is anything to end, and leaves the connection open. */
TEST(said_farewell_in_the_handshake)
{
	static const char farewell[] = "\x15\x03\x03\0\x02\x01\0"; /* close_notify */
	const leat_error *e;

	for (int i = 0; i < 2; i++) {
		leat_conn *other, *c = i ? server_over(&other) : client_over(&other);

		CHECK_EQ(leat_conn_write(other, farewell, 7, NULL), 0);
		for (int k = 0; k < 2; k++) {
			CHECK_EQ(leat_tls_handshake(c, NULL, &e), -EPROTO);
			/* What a client says first must be no alert at all. */
			tls_check_failed(e, -EPROTO, i ? "tls: unexpected message" : ": unexpected EOF");
			leat_error_free(e);
		}
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), -EPROTO);
		leat_conn_free(c);
		leat_conn_free(other);
	}
}

TEST(reset_in_the_handshake)
{
	leat_conn *a, *b, *c;
	int err;

	begin();
	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	c = leat_tls_client(a, client_config, "server.test", NULL);
	CHECK_EQ(leat_conn_set_linger(b, 0), 0);
	leat_conn_free(b);
	err = leat_tls_handshake(c, NULL, NULL);
	CHECK(err == -ECONNRESET || err == -EPIPE);
	leat_conn_free(c);
}

/* The option goes on to what is underneath, and so do its words come back: who vanishes is no deadline, and no end. */
TEST(the_other_side_is_cut_off)
{
	leat_conn *a, *b, *c, *s;
	const leat_error *e;
	char byte;

	begin();
	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	c = leat_tls_client(a, client_config, "server.test", NULL);
	s = leat_tls_server(b, server_config, NULL);
	go(shaking, .c = s, .expected = 0);
	CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
	await(1);
	CHECK_EQ(leat_conn_read(s, &byte, 1), 1);
	CHECK_EQ(leat_conn_set_user_timeout(c, 200 * LEAT_MILLISECOND), 0);
	vanish(leat_conn_fd(s));
	CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), -ETIMEDOUT);
	e = leat_conn_error(c, "read", -ETIMEDOUT);
	tls_check_failed(e, -ETIMEDOUT, ": connection timed out");
	leat_error_free(e);
	CHECK_EQ(leat_conn_read(c, &byte, 1), -EPROTO);
	CHECK_EQ(leat_conn_write(c, "x", 1, NULL), -EPIPE);
	leat_conn_free(c);
	leat_conn_free(s);
}

/* Its own, and those of the connection underneath. */
TEST(options_of_a_closed_connection)
{
	leat_conn *other, *c = client_over(&other);

	CHECK_EQ(leat_conn_set_read_buffer(c, 20000), 0);
	CHECK_EQ(leat_conn_close(c), 0);
	CHECK_EQ(leat_conn_fd(c), -1);
	CHECK_EQ(leat_conn_set_read_buffer(c, 20000), -EBADF);
	CHECK_EQ(leat_conn_set_no_delay(c, true), -EBADF);
	leat_conn_free(c);
	leat_conn_free(other);
}

/* --- waits that are given up */

TEST(a_handshake_goes_on_after_a_context)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_conn *other, *c = client_over(&other), *s;
	const leat_error *e;

	go(shaking, .c = c, .ctx = ctx, .expected = -ECANCELED);
	go(shaking, .c = c, .ctx = ctx, .expected = -ECANCELED); /* waits for the first */
	test_parked(2);
	leat_ctx_cancel(ctx);
	await(2);
	CHECK_EQ(leat_tls_handshake(c, ctx, &e), -ECANCELED);
	tls_check_failed(e, -ECANCELED, "operation was canceled");
	leat_error_free(e);
	leat_ctx_free(ctx);
	s = leat_tls_server(other, server_config, NULL);
	go(shaking, .c = c, .expected = 0);
	CHECK_EQ(leat_tls_handshake(s, NULL, NULL), 0);
	await(3);
	leat_conn_free(c);
	leat_conn_free(s);
}

TEST(a_handshake_goes_on_after_a_deadline)
{
	leat_conn *other, *c = client_over(&other), *s;
	char byte;

	CHECK_EQ(leat_conn_set_read_deadline(c, 1), 0);
	CHECK_EQ(leat_tls_handshake(c, NULL, NULL), -ETIMEDOUT);
	CHECK_EQ(leat_conn_read(c, &byte, 1), -ETIMEDOUT);
	CHECK_EQ(leat_conn_write(c, "x", 1, NULL), -ETIMEDOUT); /* what it must read first */
	CHECK_EQ(leat_conn_set_deadline(c, LEAT_FOREVER), 0);
	go(reading, .c = c, .expected = -ETIMEDOUT);
	test_parked(1);
	CHECK_EQ(leat_conn_set_read_deadline(c, 1), 0);
	await(1);
	CHECK_EQ(leat_conn_set_read_deadline(c, LEAT_FOREVER), 0);
	s = leat_tls_server(other, server_config, NULL);
	go(writing, .c = c, .expected = 0);
	CHECK_EQ(leat_conn_read(s, &byte, 1), 1);
	await(2);
	leat_conn_free(c);
	leat_conn_free(s);
}

TEST(close_ends_a_handshake)
{
	leat_conn *other, *c = server_over(&other);

	CHECK_EQ(leat_conn_close_write(c), -ENOTCONN);
	go(shaking, .c = c, .expected = -EBADF);
	go(reading, .c = c, .expected = -EBADF);
	go(writing, .c = c, .expected = -EBADF);
	test_parked(3);
	CHECK_EQ(leat_conn_close(c), 0);
	await(3);
	CHECK_EQ(leat_tls_handshake(c, NULL, NULL), -EBADF);
	leat_conn_free(c);
	leat_conn_free(other);
}

enum { MUCH = 8 << 20 };

static unsigned char pattern(size_t i)
{
	return (unsigned char)((uint32_t)i * 2654435761u >> 24);
}

struct sending {
	leat_conn *c;
	leat_ctx *ctx;
	const unsigned char *bytes;
	size_t *at;
	int expected;
};

static void sending(struct sending *s)
{
	size_t n;

	CHECK_EQ(leat_conn_write_ctx(s->c, s->bytes + *s->at, MUCH - *s->at, s->ctx, &n), s->expected);
	*s->at += n;
	one_more();
}

/* Some bytes, most at most, which go on with the pattern; how many. */
static size_t receive(leat_conn *c, size_t most, size_t *total)
{
	unsigned char got[5000];
	ssize_t n = leat_conn_read(c, got, most < sizeof got ? most : sizeof got);

	CHECK(n > 0);
	for (ssize_t i = 0; i < n; i++)
		CHECK_EQ(got[i], pattern((*total)++));
	return (size_t)n;
}

/* In the middle of a record or not: what counts as written comes, once, and what is written next comes after it. */
TEST(a_write_that_was_given_up_is_gone_on_with)
{
	unsigned char *bytes = malloc(MUCH);
	size_t at = 0, total = 0;
	struct tls_meeting m;
	int rounds = 0;

	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = pattern(i);
	meet(&m, server_config);
	for (; rounds < 6; rounds++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		size_t some = 300000 + (size_t)rounds * 7919;
		bool late = rounds % 2;

		go(sending, .c = m.client, .ctx = ctx, .bytes = bytes, .at = &at,
		   .expected = late ? -ETIMEDOUT : -ECANCELED);
		test_parked(1);
		if (late)
			CHECK_EQ(leat_conn_set_write_deadline(m.client, 1), 0);
		else
			leat_ctx_cancel(ctx);
		await(rounds + 1);
		leat_ctx_free(ctx);
		CHECK_EQ(leat_conn_set_write_deadline(m.client, LEAT_FOREVER), 0);
		/* Of what counts as written all but the last 96 KiB is there. */
		while (some && total + (96 << 10) < at)
			some -= receive(m.server, some, &total);
	}
	CHECK(at < MUCH && at > total);
	go(sending, .c = m.client, .bytes = bytes, .at = &at, .expected = 0);
	while (total < MUCH)
		receive(m.server, MUCH, &total);
	await(rounds + 1);
	CHECK_EQ(at, MUCH);
	free(bytes);
	tls_part(&m);
}

/* --- lies */

/* Bytes from one to the other, of which one is turned over. */
struct forging {
	leat_conn *from, *to;
	size_t at; /* 0: none */
};

static void forging(struct forging *f)
{
	unsigned char bytes[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = leat_conn_read(f->from, bytes, sizeof bytes)) > 0) {
		if (f->at >= total && f->at < total + (size_t)n && f->at)
			bytes[f->at - total] ^= 0x40;
		total += (size_t)n;
		if (leat_conn_write(f->to, bytes, (size_t)n, NULL))
			break;
	}
	leat_conn_close_write(f->to);
	one_more();
}

TEST(a_record_that_was_changed)
{
	leat_conn *client_end, *client_far, *server_end, *server_far, *c, *s;
	const leat_error *e;
	char byte;

	begin();
	CHECK(leat_conn_socketpair(&client_end, &client_far, NULL));
	CHECK(leat_conn_socketpair(&server_end, &server_far, NULL));
	c = leat_tls_client(client_end, client_config, "server.test", NULL);
	s = leat_tls_server(server_end, server_config, NULL);
	go(forging, .from = server_far, .to = client_far);
	go(shaking, .c = c, .expected = 0);
	go(shaking, .c = s, .expected = 0);
	/* What the client says in the handshake comes in two writes, which are passed on by hand. */
	for (int i = 0; i < 2; i++) {
		unsigned char bytes[4096];
		ssize_t n = leat_conn_read(client_far, bytes, sizeof bytes);

		CHECK(n > 0);
		CHECK_EQ(leat_conn_write(server_far, bytes, (size_t)n, NULL), 0);
	}
	await(2);
	go(forging, .from = client_far, .to = server_far, .at = 10);
	CHECK_EQ(leat_conn_write(c, "secret", 6, NULL), 0);
	CHECK_EQ(leat_conn_read(s, &byte, 1), -EPROTO);
	e = leat_conn_error(s, "read", -EPROTO);
	tls_check_failed(e, -EPROTO, ": local error: tls: bad record MAC");
	leat_error_free(e);
	CHECK_EQ(leat_conn_read(c, &byte, 1), -EREMOTEIO);
	e = leat_conn_error(c, "read", -EREMOTEIO);
	tls_check_failed(e, -EREMOTEIO, ": remote error: tls: bad record MAC");
	leat_error_free(e);
	leat_conn_free(c);
	leat_conn_free(s);
	await(4);
	leat_conn_free(client_far);
	leat_conn_free(server_far);
}

int main(int argc, char **argv)
{
	leat_tls_certificate shown;
	leat_tls_config_opts opts = {.certificates = &shown, .n_certificates = 1};
	int result;

	server_cert =
	    tls_cert_make(&(struct tls_cert_opts){.name = "server", .san = "DNS:server.test"});
	shown =
	    (leat_tls_certificate){.cert_pem = server_cert.cert_pem, .key_pem = server_cert.key_pem};
	client_config = tls_config(&(leat_tls_config_opts){.roots.pem = server_cert.cert_pem});
	server_config = tls_config(&opts);
	opts.max_version = LEAT_TLS_1_2;
	server_1_2 = tls_config(&opts);
	result = test_main(argc, argv);
	leat_tls_config_free(client_config);
	leat_tls_config_free(server_config);
	leat_tls_config_free(server_1_2);
	tls_cert_free(&server_cert);
	return result;
}
