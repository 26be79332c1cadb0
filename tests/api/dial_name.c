/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* Goal: dialling and listening by the names of hosts and ports; errors name what failed, word for word as Go's do. */
#include "conn_suite_help.h"
#include "dns_help.h"

static leat_resolver r = {.servers = dns_address, .hosts = "/dev/null", .services = "/dev/null"};
static leat_dial_opts by_r = {.resolver = &r};
static char text[LEAT_ADDR_TEXT], address[300], wanted[400];

static void check_error(const leat_error **e, int code, const char *message)
{
	CHECK(*e);
	CHECK_STR(leat_error_message(*e), message);
	CHECK_EQ(leat_error_code(*e), code);
	leat_error_free(*e);
	*e = NULL;
}

static int port_of(leat_listener *l)
{
	leat_addr a = leat_listener_addr(l);

	return leat_addr_port(&a);
}

/* The same port of the other family is nobody else's, and nobody listens there: 0, or an error where it is in use. */
static int reserved = -1;

static int reserve(const char *where, int port)
{
	int on = 1, err;
	leat_addr a;

	leat_addr_parse(&a, where[0] == '[' ? "127.0.0.1:0" : "[::1]:0");
	leat_addr_set_port(&a, port);
	close(reserved);
	reserved = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (reserved < 0)
		return 0; /* no IPv6 */
	if (a.any.sa_family == AF_INET6)
		setsockopt(reserved, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	err = bind(reserved, &a.any, a.bytes) == 0 ? 0 : errno;
	return err == EADDRINUSE ? err : 0;
}

/* It listens at 127.0.0.1, or ::1; NULL: there is no IPv6. */
static leat_listener *listen_on(const char *where)
{
	leat_listener *l = NULL;

	do {
		leat_listener_free(l);
		l = leat_listen("tcp", where, NULL, NULL);
	} while (l && reserve(where, port_of(l)));
	CHECK(l || where[0] == '[');
	return l;
}

static const char *at(const char *host, leat_listener *l)
{
	snprintf(address, sizeof address, "%s:%d", host, port_of(l));
	return address;
}

/* The end of this dialling is at that address of l's. */
static void reaches(const leat_dial_opts *o, const char *network, const char *to, const char *host,
                    leat_listener *l)
{
	const leat_error *e = NULL;
	leat_conn *c = leat_dial_with(o, network, to, NULL, &e);
	leat_addr remote;

	if (e)
		puts(leat_error_message(e));
	CHECK(c);
	remote = leat_conn_remote(c);
	snprintf(wanted, sizeof wanted, "%s:%d", host, port_of(l));
	CHECK_STR(leat_addr_text(&remote, text), wanted);
	CHECK_STR(leat_conn_network(c), network);
	leat_conn_free(c);
}

/* The first test: what follows needs c-ares. */
TEST(by_a_name)
{
	leat_listener *l = listen_on("127.0.0.1:0");
	const leat_error *e = NULL;
	leat_conn *c;

	dns_start();
	c = leat_dial_with(&by_r, "tcp", at("local.test", l), NULL, &e);
	if (!c && leat_error_code(e) == -ENOSYS)
		_exit(77);
	leat_conn_free(c);
	reaches(&by_r, "tcp", at("local.test", l), "127.0.0.1", l);
	reaches(&by_r, "tcp4", at("local.test", l), "127.0.0.1", l);
	reaches(NULL, "tcp", at("localhost", l), "127.0.0.1", l);
	reaches(NULL, "tcp", at("LocalHost.", l), "127.0.0.1", l);
	leat_listener_free(l);
}

/* Addresses that nobody listens at come before the one where somebody does. */
TEST(one_of_several_addresses)
{
	leat_listener *l = listen_on("127.0.0.1:0");

	reaches(&by_r, "tcp", at("dead.test", l), "127.0.0.1", l);
	leat_listener_free(l);
}

TEST(one_family)
{
	leat_listener *l = listen_on("127.0.0.1:0");
	const leat_error *e = NULL;

	reaches(&by_r, "tcp4", at("both.test", l), "127.0.0.1", l);
	CHECK(!leat_dial_with(&by_r, "tcp6", at("local.test", l), NULL, &e));
	check_error(&e, -ENOENT, "dial tcp6: lookup local.test: no such host");
	leat_listener_free(l);
	l = listen_on("[::1]:0");
	if (!l)
		return;
	reaches(&by_r, "tcp6", at("both.test", l), "[::1]", l);
	reaches(NULL, "tcp6", at("localhost", l), "[::1]", l);
	leat_listener_free(l);
}

/* From an address of one family, only that one can be dialled; from ":0" both. */
TEST(from_a_local_address)
{
	leat_listener *l = listen_on("127.0.0.1:0");
	leat_dial_opts o = by_r;
	const leat_error *e = NULL;

	o.local = "127.0.0.9:0";
	reaches(&o, "tcp", at("both.test", l), "127.0.0.1", l);
	o.local = ":0";
	reaches(&o, "tcp", at("both.test", l), "127.0.0.1", l);
	o.local = "[::1]:0";
	CHECK(!leat_dial_with(&o, "tcp", at("local.test", l), NULL, &e));
	snprintf(wanted, sizeof wanted, "dial tcp: address %s: no suitable address found", address);
	check_error(&e, -EAFNOSUPPORT, wanted);
	leat_listener_free(l);
}

TEST(by_the_name_of_a_port)
{
	char path[] = "/tmp/leat-services-XXXXXX";
	leat_listener *l = listen_on("127.0.0.1:0");
	leat_resolver named = {.services = path};
	leat_dial_opts o = {.resolver = &named};
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	dprintf(fd, "game %d/tcp\n", port_of(l));
	close(fd);
	reaches(&o, "tcp", "127.0.0.1:game", "127.0.0.1", l);
	reaches(&o, "tcp", "localhost:Game", "127.0.0.1", l);
	reaches(&o, "tcp", ":game", "127.0.0.1", l);
	unlink(path);
	leat_listener_free(l);
}

static void fails(const char *network, const char *to, int code, const char *message)
{
	const leat_error *e = NULL;

	CHECK(!leat_dial_with(&by_r, network, to, NULL, &e));
	check_error(&e, code, message);
	CHECK(!leat_dial_with(&by_r, network, to, NULL, NULL));
}

TEST(errors)
{
	char long_name[400];

	fails("tcp", "nx.test:80", -ENOENT, "dial tcp: lookup nx.test: no such host");
	snprintf(wanted, sizeof wanted, "dial tcp4: lookup fail.test on %s: server misbehaving",
	         dns_address);
	fails("tcp4", "fail.test:http", -EAGAIN, wanted);
	fails("tcp", "local.test:nosuch", -ENOENT, "dial tcp: lookup tcp/nosuch: unknown port");
	fails("tcp", "local.test:", -ENOENT, "dial tcp: lookup tcp/: unknown port");
	fails("tcp", "local.test:70000", -ERANGE, "dial tcp: address 70000: invalid port");
	fails("tcp", "127.0.0.1:70000", -ERANGE, "dial tcp: address 70000: invalid port");
	fails("tcp", "local.test", -EINVAL, "dial tcp: address local.test: missing port in address");
	fails("tcp", "::1:80", -EINVAL, "dial tcp: address ::1:80: too many colons in address");
	fails("tcp4", "[::1]:http", -EAFNOSUPPORT,
	      "dial tcp4: address [::1]:http: no suitable address found");
	memset(long_name, 'a', sizeof long_name);
	memcpy(long_name + sizeof long_name - 4, ":80", 4);
	CHECK(!leat_dial_with(&by_r, "tcp", long_name, NULL, NULL));
}

TEST(the_time_of_the_lookup_counts)
{
	leat_dial_opts brief = {.resolver = &r, .timeout_ns = 30 * LEAT_MILLISECOND};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	const leat_error *e = NULL;

	CHECK(!leat_dial_with(&brief, "tcp", "silent.test:80", NULL, &e));
	CHECK_EQ(leat_error_code(e), -ETIMEDOUT);
	CHECK(strstr(leat_error_message(e), "dial tcp: lookup silent.test"));
	CHECK(strstr(leat_error_message(e), ": i/o timeout"));
	leat_error_free(e);
	leat_ctx_cancel(ctx);
	CHECK(!leat_dial_with(&by_r, "tcp", "silent.test:80", ctx, &e));
	check_error(&e, -ECANCELED, "dial tcp: lookup silent.test: operation was canceled");
	leat_ctx_free(ctx);
}

static void listens(const char *network, const char *where, const char *host)
{
	leat_listen_opts o = {.resolver = &r};
	leat_listener *l = leat_listen(network, where, &o, NULL);
	leat_addr a;

	CHECK(l);
	a = leat_listener_addr(l);
	leat_addr_set_port(&a, 0);
	CHECK_STR(leat_addr_text(&a, text), host);
	leat_listener_free(l);
}

TEST(listening)
{
	leat_listen_opts o = {.resolver = &r};
	leat_listener *l = leat_listen("tcp", "[::1]:0", NULL, NULL);
	const leat_error *e = NULL;

	listens("tcp", "localhost:0", "127.0.0.1:0");
	listens("tcp", "both.test:0", "127.0.0.1:0");
	if (l) {
		listens("tcp6", "both.test:0", "[::1]:0");
		listens("tcp6", "localhost:0", "[::1]:0");
		listens("tcp", "local6.test:0", "[::1]:0");
	}
	leat_listener_free(l);
	CHECK(!leat_listen("tcp", "nx.test:0", &o, &e));
	check_error(&e, -ENOENT, "listen tcp: lookup nx.test: no such host");
	CHECK(!leat_listen("tcp", "localhost:nosuch", &o, &e));
	check_error(&e, -ENOENT, "listen tcp: lookup tcp/nosuch: unknown port");
	CHECK(!leat_listen("tcp", "localhost", &o, NULL));
	CHECK(!leat_listen("tcp", "four.test:0", &o, &e)); /* no address of this machine's */
	check_error(&e, -EADDRNOTAVAIL,
	            "listen tcp four.test:0: bind: cannot assign requested address");
}

TEST(the_end_of_a_lookup_to_listen)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_listen_opts o = {.resolver = &r};
	leat_packet_opts p = {.resolver = &r};
	const leat_error *e = NULL;
	leat_listener *l;

	leat_ctx_cancel(ctx);
	CHECK(!leat_listen_ctx("tcp", "silent.test:0", &o, ctx, &e));
	check_error(&e, -ECANCELED, "listen tcp: lookup silent.test: operation was canceled");
	CHECK(!leat_listen_packet_ctx("udp", "silent.test:0", &p, ctx, &e));
	check_error(&e, -ECANCELED, "listen udp: lookup silent.test: operation was canceled");
	l = leat_listen_ctx("tcp", "localhost:0", &o, leat_ctx_background(), NULL);
	CHECK(l);
	leat_listener_free(l);
	leat_ctx_free(ctx);
}

TEST_MAIN
