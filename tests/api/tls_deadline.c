/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* Goal: a handshake ends with either deadline, after it each direction has its own.  Method: peers that are silent or do not
   read, and a kind of connection that tells which deadlines it was given. */
#include "test.h"
#include "tls_help.h"

#include <openssl/ssl.h>

#include <errno.h>

static struct tls_cert server_cert;
static leat_tls_config *client_config, *server_config;

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

/* --- a kind over another, which notes its deadlines */

struct noting {
	leat_conn conn;
	leat_conn *under;
	int64_t at[2]; /* of reading, of writing; written by who sets them, one after the other */
	int fails;     /* so many calls that set them do */
};

static struct noting *noting_of(leat_conn *c)
{
	return (struct noting *)(void *)c;
}

static ssize_t noting_read(leat_conn *c, void *to, size_t bytes, leat_ctx *ctx)
{
	return leat_conn_read_ctx(noting_of(c)->under, to, bytes, ctx);
}

static int noting_write(leat_conn *c, const struct iovec *parts, int n, leat_ctx *ctx,
                        size_t *written)
{
	return leat_conn_writev(noting_of(c)->under, parts, n, ctx, written);
}

static int noting_deadline(leat_conn *c, enum leat_conn_side sides, int64_t at_ns)
{
	struct noting *n = noting_of(c);
	int err = 0;

	if (n->fails) {
		n->fails--;
		return -ENOMEM;
	}
	if (sides & LEAT_CONN_READ) {
		n->at[0] = at_ns;
		err = leat_conn_set_read_deadline(n->under, at_ns);
	}
	if (!err && sides & LEAT_CONN_WRITE) {
		n->at[1] = at_ns;
		err = leat_conn_set_write_deadline(n->under, at_ns);
	}
	return err;
}

static int noting_close(leat_conn *c)
{
	return leat_conn_close(noting_of(c)->under);
}

static void noting_free(leat_conn *c)
{
	leat_conn_free(noting_of(c)->under);
	free(c);
}

static const leat_conn_ops noting_ops = {.network = "noting",
                                         .read = noting_read,
                                         .write = noting_write,
                                         .set_deadline = noting_deadline,
                                         .close = noting_close,
                                         .free = noting_free},
                           endless_ops = {.network = "endless",
                                          .read = noting_read,
                                          .write = noting_write,
                                          .close = noting_close,
                                          .free = noting_free};

static struct noting *noting_over(leat_conn *under, const leat_conn_ops *ops)
{
	struct noting *n = calloc(1, sizeof *n);

	CHECK(n);
	n->conn.ops = ops;
	n->under = under;
	n->at[0] = n->at[1] = LEAT_FOREVER;
	return n;
}

/* --- a handshake */

struct one {
	leat_conn *c;
	bool writes;
	int expected;
};

static void one(struct one *o)
{
	char byte = 0;
	ssize_t n = o->writes ? leat_conn_write(o->c, &byte, 1, NULL) : leat_conn_read(o->c, &byte, 1);

	CHECK_EQ(n, o->expected);
	one_more();
}

typedef int set_deadline(leat_conn *c, int64_t at_ns);

/* Set before, or moved while it waits. */
static void check_ended(bool memory, bool writes, set_deadline *set, bool late)
{
	leat_conn *under, *other, *c, *s;

	begin();
	CHECK(memory ? leat_conn_pipe(&under, &other) : leat_conn_socketpair(&under, &other, NULL));
	c = leat_tls_client(under, client_config, "server.test", NULL);
	if (!late)
		CHECK_EQ(set(c, leat_now() + 5 * LEAT_MILLISECOND), 0);
	go(one, .c = c, .writes = writes, .expected = -ETIMEDOUT);
	if (late) {
		test_parked(1);
		CHECK_EQ(set(c, 1), 0);
	}
	await(1);
	CHECK_EQ(leat_tls_handshake(c, NULL, NULL), -ETIMEDOUT);
	/* And it goes on, when there is time again. */
	CHECK_EQ(set(c, LEAT_FOREVER), 0);
	s = leat_tls_server(other, server_config, NULL);
	go(one, .c = c, .writes = writes, .expected = writes ? 0 : 1);
	go(one, .c = s, .writes = !writes, .expected = writes ? 1 : 0);
	await(3);
	/* Over a pair without buffers a farewell would wait to be read. */
	CHECK_EQ(leat_conn_close(leat_tls_under(s)), 0);
	leat_conn_free(c);
	leat_conn_free(s);
}

TEST(either_deadline_ends_a_handshake)
{
	for (int i = 0; i < 16; i++)
		check_ended(i & 1, i & 2,
		            i & 4 ? leat_conn_set_write_deadline : leat_conn_set_read_deadline, i & 8);
}

/* Who waits for another's handshake ends with it. */
TEST(either_deadline_ends_who_waits_for_a_handshake)
{
	for (int i = 0; i < 2; i++) {
		leat_conn *under, *other, *c;

		begin();
		CHECK(leat_conn_socketpair(&under, &other, NULL));
		c = leat_tls_client(under, client_config, "server.test", NULL);
		go(one, .c = c, .writes = false, .expected = -ETIMEDOUT);
		test_parked(1);
		go(one, .c = c, .writes = true, .expected = -ETIMEDOUT);
		test_parked(2);
		CHECK_EQ(i ? leat_conn_set_write_deadline(c, 1) : leat_conn_set_read_deadline(c, 1), 0);
		await(2);
		leat_conn_free(c);
		leat_conn_free(other);
	}
}

TEST(after_the_handshake_each_direction_has_its_own_deadline)
{
	int64_t soon = leat_now() + LEAT_HOUR, late = soon + LEAT_HOUR;

	for (int i = 0; i < 4; i++) {
		leat_conn *a, *b, *c, *s;
		struct noting *n;
		_Atomic int done = 0;
		char byte;

		begin();
		CHECK(leat_conn_socketpair(&a, &b, NULL));
		n = noting_over(a, &noting_ops);
		c = leat_tls_client(&n->conn, client_config, "server.test", NULL);
		s = leat_tls_server(b, server_config, NULL);
		CHECK_EQ(leat_conn_set_write_deadline(c, i & 1 ? soon : late), 0);
		CHECK_EQ(leat_conn_set_read_deadline(c, i & 1 ? late : soon), 0);
		CHECK_EQ(n->at[0], soon);
		CHECK_EQ(n->at[1], soon);
		go(tls_shaker, .c = s, .done = &done);
		/* Where there is no memory for that the handshake is not made, and is when it is next tried. */
		n->fails = i & 2 ? 1 : 0;
		CHECK_EQ(leat_tls_handshake(c, NULL, NULL), i & 2 ? -ENOMEM : 0);
		CHECK_EQ(leat_tls_handshake(c, NULL, NULL), 0);
		CHECK_EQ(n->at[0], i & 1 ? late : soon);
		CHECK_EQ(n->at[1], i & 1 ? soon : late);
		/* From then on they do not concern each other. */
		CHECK_EQ(leat_conn_set_read_deadline(c, 1), 0);
		CHECK_EQ(n->at[1], i & 1 ? soon : late);
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(c, &byte, 1), -ETIMEDOUT);
		CHECK_EQ(leat_conn_read(s, &byte, 1), 1);
		test_until(__atomic_load_n((int *)&done, __ATOMIC_ACQUIRE));
		leat_conn_free(c);
		leat_conn_free(s);
	}
}

/* Whichever comes first, the one that was set last counts. */
TEST(a_deadline_that_is_set_as_the_handshake_ends)
{
	int64_t hour = leat_now() + LEAT_HOUR;

	for (int i = 0; i < test_count(1000); i++) {
		leat_conn *a, *b, *c, *s;
		struct noting *n;
		_Atomic int done = 0;

		CHECK(leat_conn_socketpair(&a, &b, NULL));
		n = noting_over(a, &noting_ops);
		c = leat_tls_client(&n->conn, client_config, "server.test", NULL);
		s = leat_tls_server(b, server_config, NULL);
		go(tls_shaker, .c = s, .done = &done);
		go(tls_shaker, .c = c, .done = &done);
		for (int k = 1; __atomic_load_n((int *)&done, __ATOMIC_ACQUIRE) < 2; k++) {
			CHECK_EQ(leat_conn_set_write_deadline(c, hour + 2 * k), 0);
			leat_yield();
			CHECK_EQ(leat_conn_set_read_deadline(c, hour + 2 * k + 1), 0);
			if (__atomic_load_n((int *)&done, __ATOMIC_ACQUIRE) == 2) {
				CHECK_EQ(n->at[0], hour + 2 * k + 1);
				CHECK_EQ(n->at[1], hour + 2 * k);
			}
		}
		leat_conn_free(c);
		leat_conn_free(s);
	}
}

/* --- the end */

/* A kind without deadlines, whose other side does not take the farewell. */
TEST(a_farewell_that_nobody_takes_is_given_up)
{
	leat_conn *a, *b, *c, *s;
	int64_t at;
	int client, server;

	CHECK(leat_conn_pipe(&a, &b));
	c = leat_tls_client(&noting_over(a, &endless_ops)->conn, client_config, "server.test", NULL);
	s = leat_tls_server(b, server_config, NULL);
	CHECK_EQ(leat_conn_set_deadline(c, 1), -ENOTSUP);
	tls_shake(c, s, &client, &server, NULL, NULL);
	CHECK(client == 0 && server == 0);
	at = leat_now();
	leat_conn_free(c);
	CHECK(leat_now() - at >= 4 * LEAT_SECOND);
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
