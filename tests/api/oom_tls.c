/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where memory runs out in the making of configurations and connections of TLS, and in their handshake, all that was
   taken is given back; and where it runs out in a wait, the connection is as good as before.  OpenSSL itself has memory all
   the time: what it loses is not ours to find. */
#include "oom_conn.h"
#include "tls_help.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

static struct tls_cert cert;

/* --- OpenSSL's own memory */

#if defined __GLIBC__ && !defined TEST_SANITIZED /* as in oom.h */

static void *its_malloc(size_t bytes, const char *file, int line)
{
	(void)file, (void)line;
	return __libc_malloc(bytes);
}

static void *its_realloc(void *p, size_t bytes, const char *file, int line)
{
	(void)file, (void)line;
	return __libc_realloc(p, bytes);
}

static void its_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	__libc_free(p);
}

/* Before OpenSSL is used in any way. */
__attribute__((constructor(200))) static void its_memory(void)
{
	CHECK(CRYPTO_set_mem_functions(its_malloc, its_realloc, its_free));
}

#endif

/* --- what may fail */

static leat_tls_config *make_config(const leat_error **error)
{
	static const char *const protocols[] = {"h2", "http/1.1"};

	return leat_tls_config_new(
	    &(leat_tls_config_opts){.certificates = &(leat_tls_certificate){.cert_pem = cert.cert_pem,
	                                                                    .key_pem = cert.key_pem},
	                            .n_certificates = 1,
	                            .roots.pem = cert.cert_pem,
	                            .client_roots.pem = cert.cert_pem,
	                            .client_auth = LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT,
	                            .server_name = "server.test",
	                            .protocols = protocols,
	                            .n_protocols = 2},
	    error);
}

static int config(void *arg)
{
	const leat_error *e = NULL;
	leat_tls_config *c = make_config(&e);

	(void)arg;
	if (!c) {
		CHECK(e);
		leat_error_free(e);
		return -ENOMEM;
	}
	leat_tls_config_free(c);
	return 0;
}

/* A client that begins the handshake with somebody silent, and has no time. */
static int client(void *arg)
{
	leat_conn *under, *other, *c;
	const leat_error *e = NULL;
	int err;

	if (!leat_conn_pipe(&under, &other))
		return -ENOMEM;
	c = leat_tls_client(under, arg, NULL, NULL);
	if (!c) {
		leat_conn_free(under);
		leat_conn_free(other);
		return -ENOMEM;
	}
	CHECK_EQ(leat_conn_set_deadline(c, 1), 0);
	err = leat_tls_handshake(c, NULL, &e);
	CHECK(err && e);
	leat_error_free(e);
	leat_conn_free(c);
	leat_conn_free(other);
	/* The error alone may have had no memory. */
	return err == -ENOMEM ? err : oom_hit ? OOM_COPED : 0;
}

static int server(void *arg)
{
	leat_conn *under, *other, *c;

	if (!leat_conn_pipe(&under, &other))
		return -ENOMEM;
	c = leat_tls_server(under, arg, NULL);
	if (!c)
		leat_conn_free(under);
	leat_conn_free(other);
	leat_conn_free(c);
	return c ? 0 : -ENOMEM;
}

TEST(nothing_is_left)
{
	leat_tls_config *c;

	oom_skip();
	cert = tls_cert_make(&(struct tls_cert_opts){.name = "server", .san = "DNS:server.test"});
	c = make_config(NULL);
	if (!c)
		exit(77);
	/* Once, so that what is made but one time is there. */
	CHECK_EQ(config(NULL), 0);
	CHECK_EQ(client(c), 0);
	CHECK_EQ(server(c), 0);
	CHECK(oom_each(config, NULL) >= 4);
	CHECK(oom_each(client, c) > 3);
	CHECK(oom_each(server, c) > 1);
	leat_tls_config_free(c);
	tls_cert_free(&cert);
}

struct pair {
	leat_conn *client, *server;
};

/* What was not written for want of memory can be written later. */
static int written(void *arg)
{
	struct pair *p = arg;
	char block[3000] = "block", got[3000];
	struct iovec parts[] = {{block, 1000}, {block + 1000, 2000}};
	size_t n;
	int err = leat_conn_writev(p->client, parts, 2, NULL, &n);

	CHECK(err == 0 || err == -ENOMEM);
	CHECK(err == 0 ? n == sizeof block : n == 0);
	if (n)
		CHECK_EQ(leat_conn_read_full(p->server, got, n, NULL, NULL), 0);
	return err ? err : oom_hit ? OOM_COPED : 0;
}

static void with_configs(void (*fn)(leat_tls_config *client, leat_tls_config *server))
{
	leat_tls_config *c, *s;

	oom_skip();
	cert = tls_cert_make(&(struct tls_cert_opts){.name = "server", .san = "DNS:server.test"});
	s = tls_config(&(leat_tls_config_opts){
	    .certificates = &(leat_tls_certificate){.cert_pem = cert.cert_pem, .key_pem = cert.key_pem},
	    .n_certificates = 1});
	c = tls_config(&(leat_tls_config_opts){.roots.pem = cert.cert_pem});
	fn(c, s);
	leat_tls_config_free(c);
	leat_tls_config_free(s);
	tls_cert_free(&cert);
}

static void write_without_memory(leat_tls_config *client, leat_tls_config *server)
{
	struct tls_meeting m;
	struct pair p;

	tls_meet(&m, client, server, "server.test");
	tls_check_good(&m);
	p = (struct pair){m.client, m.server};
	CHECK_EQ(written(&p), 0);
	oom_each(written, &p);
	CHECK_EQ(written(&p), 0);
	tls_part(&m);
}

TEST(a_write_without_memory)
{
	with_configs(write_without_memory);
}

/* --- waits, over a pair in memory, which waits in its own way */

static void tls_pair(struct oom_conn *t, leat_tls_config *client, leat_tls_config *server)
{
	leat_conn *a, *b;

	CHECK(leat_conn_pipe(&a, &b));
	t->a = leat_tls_client(a, client, "server.test", NULL);
	t->b = leat_tls_server(b, server, NULL);
	CHECK(t->a && t->b);
}

/* With a new context, whose channel needs memory; what it comes to is in result. */
struct attempt {
	struct oom_conn *t;
	int (*fn)(leat_conn *c, leat_ctx *ctx);
	leat_ctx *ctx;
	int result;
};

static int read_one(leat_conn *c, leat_ctx *ctx)
{
	char byte;

	return (int)leat_conn_read_ctx(c, &byte, 1, ctx);
}

static int write_many(leat_conn *c, leat_ctx *ctx)
{
	return leat_conn_write_ctx(c, conn_zeros, CONN_LARGE, ctx, NULL);
}

static int shake(leat_conn *c, leat_ctx *ctx)
{
	return leat_tls_handshake(c, ctx, NULL);
}

static void try(void *arg)
{
	struct attempt *a = arg;
	defer(oom_wait_ended, NULL);

	oom_wait_begins();
	a->result = a->fn(a->t->a, a->ctx);
}

/* With n allocations.  True: that was not enough, and it panicked. */
static bool attempt(struct attempt *a, int n)
{
	leat_panic_info info;
	bool panicked;

	a->ctx = leat_ctx_with_cancel(leat_ctx_background());
	CHECK_EQ(leat_conn_set_deadline(a->t->a, LEAT_FOREVER), 0);
	oom_ender_start(oom_conn_expire, a->t->a);
	oom_begin(n);
	panicked = leat_catch(try, a, &info);
	oom_end();
	oom_ender_stop();
	leat_ctx_free(a->ctx);
	if (panicked)
		CHECK_STR(info.message, "out of memory");
	else
		CHECK(a->result == -ETIMEDOUT || a->result == -ENOMEM);
	return panicked;
}

static void in_use(leat_tls_config *client, leat_tls_config *server)
{
	static int (*const fns[])(leat_conn *, leat_ctx *) = {read_one, write_many};

	for (int i = 0; i < 2; i++) {
		struct oom_conn t;
		struct attempt a = {.t = &t, .fn = fns[i]};
		int panics = 0, n = 0;

		tls_pair(&t, client, server);
		do {
			oom_conn_good(&t);
			panics += attempt(&a, n++);
		} while (oom_hit);
		CHECK(panics);
		oom_conn_good(&t);
		oom_conn_end(&t);
	}
}

TEST(a_wait_without_memory)
{
	with_configs(in_use);
}

/* One that OpenSSL had no memory for is over; one that panicked in a wait is gone on with. */
static void at_first(leat_tls_config *client, leat_tls_config *server)
{
	struct oom_conn t;
	struct attempt a = {.t = &t, .fn = shake};
	int panics = 0, n = 0;

	do {
		tls_pair(&t, client, server);
		if (attempt(&a, n++)) {
			panics++;
			oom_conn_good(&t);
		}
		oom_conn_end(&t);
	} while (oom_hit);
	CHECK(panics);
}

TEST(a_handshake_without_memory)
{
	with_configs(at_first);
}

TEST_MAIN
