/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/* Goal: what a server of names says becomes addresses, records and errors; what needs no server asks none. */
#include "dns_help.h"

#include <errno.h>

static leat_resolver r = {.servers = dns_address, .hosts = "/dev/null", .services = "/dev/null"};
static char text[LEAT_ADDR_TEXT], wanted[400];

/* The error of a call that must have failed; %s in message is the server. */
static void check_error(const leat_error **e, int code, const char *message)
{
	CHECK(*e);
	snprintf(wanted, sizeof wanted, message, dns_address);
	CHECK_STR(leat_error_message(*e), wanted);
	CHECK_EQ(leat_error_code(*e), code);
	leat_error_free(*e);
	*e = NULL;
}

static void fails(const char *host, int code, const char *message)
{
	const leat_error *e = NULL;
	size_t n = 7;

	CHECK(!leat_lookup_ip(&r, "ip", host, NULL, &n, &e));
	check_error(&e, code, message);
	CHECK_EQ(n, 7);
	CHECK(!leat_lookup_ip(&r, "ip", host, NULL, &n, NULL));
}

static bool has(const leat_addr *all, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(leat_addr_text(&all[i], text), address) == 0)
			return true;
	return false;
}

/* The first test: what follows needs c-ares. */
TEST(a_server)
{
	const leat_error *e = NULL;
	char **all;

	dns_start();
	all = leat_lookup_host(&r, "four.test", NULL, &e);
	if (!all && leat_error_code(e) == -ENOSYS)
		_exit(77);
	CHECK(all);
	CHECK_STR(all[0], "192.0.2.4");
	CHECK(!all[1]);
	free(all);
}

TEST(both_families)
{
	size_t n;
	leat_addr *all = leat_lookup_ip(&r, "ip", "one.test", NULL, &n, NULL);

	CHECK(all);
	CHECK_EQ(n, 2);
	CHECK(has(all, n, "192.0.2.1:0") && has(all, n, "[2001:db8::1]:0"));
	free(all);
	all = leat_lookup_ip(&r, "ip4", "one.test.", NULL, &n, NULL);
	CHECK(all);
	CHECK_EQ(n, 1);
	CHECK(has(all, n, "192.0.2.1:0"));
	free(all);
	all = leat_lookup_ip(&r, "ip6", "one.test", NULL, &n, NULL);
	CHECK(all);
	CHECK_EQ(n, 1);
	CHECK(has(all, n, "[2001:db8::1]:0"));
	free(all);
}

TEST(one_family)
{
	const leat_error *e = NULL;
	size_t n;
	leat_addr *all = leat_lookup_ip(&r, "ip", "six.test", NULL, &n, NULL);

	CHECK(all);
	CHECK_EQ(n, 1);
	CHECK(has(all, n, "[2001:db8::6]:0"));
	free(all);
	CHECK(!leat_lookup_ip(&r, "ip4", "six.test", NULL, &n, &e));
	check_error(&e, -ENOENT, "lookup six.test: no such host");
	CHECK(!leat_lookup_ip(&r, "tcp", "six.test", NULL, &n, &e));
	check_error(&e, -EPROTONOSUPPORT, "lookup six.test: unknown network tcp");
}

TEST(too_long_for_a_datagram)
{
	size_t n;
	leat_addr *all = leat_lookup_ip(&r, "ip", "many.test", NULL, &n, NULL);

	CHECK(all);
	CHECK_EQ(n, 40);
	CHECK(has(all, n, "192.0.2.1:0") && has(all, n, "192.0.2.40:0"));
	free(all);
}

TEST(what_is_not_the_answer_is_passed_over)
{
	static const char *const hosts[] = {"noise.test", "forged.test"};
	size_t n;

	for (int i = 0; i < 2; i++) {
		leat_addr *all = leat_lookup_ip(&r, "ip", hosts[i], NULL, &n, NULL);

		CHECK(all);
		CHECK_EQ(n, 2);
		CHECK(has(all, n, "192.0.2.1:0") && has(all, n, "[2001:db8::1]:0"));
		free(all);
	}
}

TEST(errors)
{
	char long_name[300];

	fails("nx.test", -ENOENT, "lookup nx.test: no such host");
	fails("none.test", -ENOENT, "lookup none.test: no such host");
	fails("fail.test", -EAGAIN, "lookup fail.test on %s: server misbehaving");
	fails("refuse.test", -EREMOTEIO, "lookup refuse.test on %s: server misbehaving");
	fails("torn.test", -EREMOTEIO, "lookup torn.test on %s: server misbehaving");
	fails("", -ENOENT, "lookup : no such host");
	fails("a..test", -ENOENT, "lookup a..test: no such host");
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	CHECK(!leat_lookup_host(&r, long_name, NULL, NULL));
}

TEST(errors_of_the_resolver)
{
	leat_resolver bad = r;
	const leat_error *e = NULL;

	bad.servers = "not an address";
	CHECK(!leat_lookup_host(&bad, "one.test", NULL, &e));
	check_error(&e, -EINVAL,
	            "lookup one.test: resolver with a bad server, or a file that cannot be read");
	bad.servers = "";
	CHECK(!leat_lookup_host(&bad, "one.test", NULL, NULL));
	bad = r;
	bad.hosts = "/no/such/file";
	CHECK(!leat_lookup_host(&bad, "one.test", NULL, &e));
	check_error(&e, -EINVAL,
	            "lookup one.test: resolver with a bad server, or a file that cannot be read");
	bad = r;
	bad.resolv_conf = "/no/such/file";
	CHECK(!leat_lookup_host(&bad, "one.test", NULL, &e));
	check_error(&e, -EINVAL,
	            "lookup one.test: resolver with a bad server, or a file that cannot be read");
}

/* A port that this program has, where nobody listens: the socket there is connected with another, and takes nothing else. */
static int reserve(char address[LEAT_ADDR_TEXT])
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	leat_addr a;

	leat_addr_parse(&a, "127.0.0.1:0");
	CHECK_EQ(bind(fd, &a.any, a.bytes), 0);
	CHECK_EQ(getsockname(fd, &a.any, &a.bytes), 0);
	leat_addr_text(&a, address);
	leat_addr_parse(&a, "127.0.0.9:9");
	CHECK_EQ(connect(fd, &a.any, a.bytes), 0);
	return fd;
}

TEST(nobody_serves)
{
	leat_resolver alone = {.servers = text, .hosts = "/dev/null", .attempts = 1};
	const leat_error *e = NULL;
	int fd = reserve(text);

	CHECK(!leat_lookup_host(&alone, "one.test", NULL, &e));
	snprintf(wanted, sizeof wanted, "lookup one.test on %s: connection refused", text);
	CHECK_STR(leat_error_message(e), wanted);
	CHECK_EQ(leat_error_code(e), -ECONNREFUSED);
	leat_error_free(e);
	close(fd);
}

TEST(the_second_server_answers)
{
	char servers[2 * LEAT_ADDR_TEXT + 2];
	leat_resolver two = {.servers = servers, .hosts = "/dev/null"};
	int fd = reserve(text);
	char **all;

	snprintf(servers, sizeof servers, "%s, %s", text, dns_address);
	all = leat_lookup_host(&two, "four.test", NULL, NULL);
	CHECK(all);
	CHECK_STR(all[0], "192.0.2.4");
	free(all);
	close(fd);
}

TEST(records)
{
	size_t n;
	leat_mx *mx = leat_lookup_mx(&r, "mx.test", NULL, &n, NULL);
	char **all, *name;

	CHECK(mx);
	CHECK_EQ(n, 2);
	CHECK_STR(mx[0].host, "first.test");
	CHECK_EQ(mx[0].preference, 10);
	CHECK_STR(mx[1].host, "second.test");
	CHECK_EQ(mx[1].preference, 20);
	free(mx);
	all = leat_lookup_txt(&r, "txt.test", NULL, NULL);
	CHECK(all);
	CHECK_STR(all[0], "first record");
	CHECK_STR(all[1], "second");
	CHECK(!all[2]);
	free(all);
	all = leat_lookup_ns(&r, "ns.test", NULL, NULL);
	CHECK(all);
	CHECK_STR(all[0], "a.test");
	CHECK_STR(all[1], "b.test");
	CHECK(!all[2]);
	free(all);
	name = leat_lookup_cname(&r, "alias.test", NULL, NULL);
	CHECK_STR(name, "one.test");
	free(name);
	name = leat_lookup_cname(&r, "four.test", NULL, NULL);
	CHECK_STR(name, "four.test");
	free(name);
	all = leat_lookup_addr(&r, "192.0.2.1", NULL, NULL);
	CHECK(all);
	CHECK_STR(all[0], "one.test");
	CHECK_STR(all[1], "uno.test");
	CHECK(!all[2]);
	free(all);
}

TEST(the_canonical_name_is_that_of_the_question)
{
	char *name = leat_lookup_cname(&r, "stray.test", NULL, NULL);

	CHECK_STR(name, "one.test");
	free(name);
	name = leat_lookup_cname(&r, "ring.test", NULL, NULL); /* no more than that it ends */
	CHECK(name);
	free(name);
}

TEST(errors_of_records)
{
	const leat_error *e = NULL;
	size_t n;

	CHECK(!leat_lookup_mx(&r, "nx.test", NULL, &n, &e));
	check_error(&e, -ENOENT, "lookup nx.test: no such host");
	CHECK(!leat_lookup_mx(&r, "none.test", NULL, &n, &e));
	check_error(&e, -ENOENT, "lookup none.test: no such host");
	CHECK(!leat_lookup_txt(&r, "fail.test", NULL, &e));
	check_error(&e, -EAGAIN, "lookup fail.test on %s: server misbehaving");
	CHECK(!leat_lookup_cname(&r, "nx.test", NULL, &e));
	check_error(&e, -ENOENT, "lookup nx.test: no such host");
	CHECK(!leat_lookup_addr(&r, "192.0.2.77", NULL, &e));
	check_error(&e, -ENOENT, "lookup 192.0.2.77: no such host");
	CHECK(!leat_lookup_addr(&r, "one.test", NULL, &e));
	check_error(&e, -EINVAL, "lookup one.test: unrecognized address");
	CHECK(!leat_lookup_srv(&r, "nosuch", "tcp", "nx.test", NULL, &n, &e));
	check_error(&e, -ENOENT, "lookup _nosuch._tcp.nx.test: no such host");
}

/* Of equal priority the heavy one comes first nine times of ten. */
TEST(services_by_weight)
{
	int heavy = 0;
	size_t n;
	leat_srv *bare = leat_lookup_srv(&r, "", "", "srv.test", NULL, &n, NULL);

	CHECK(bare);
	CHECK_EQ(n, 3);
	free(bare);
	for (int i = 0; i < 200; i++) {
		leat_srv *all = leat_lookup_srv(&r, "http", "tcp", "srv.test", NULL, &n, NULL);

		CHECK(all);
		CHECK_EQ(n, 3);
		CHECK_STR(all[2].host, "last.test");
		CHECK_EQ(all[2].priority, 2);
		heavy += strcmp(all[0].host, "heavy.test") == 0;
		CHECK_EQ(all[0].port, strcmp(all[0].host, "heavy.test") == 0 ? 8081 : 8080);
		CHECK_EQ(all[0].weight + all[1].weight, 100);
		free(all);
	}
	CHECK(heavy > 100 && heavy < 200);
}

TEST(without_a_lookup)
{
	static const char *const hosts[] = {"127.0.0.1", "::1", "fe80::1%lo", "localhost",
	                                    "a.LocalHost."};
	int asked = atomic_load(&dns_asked);
	const leat_error *e = NULL;
	size_t n;

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		leat_addr *all = leat_lookup_ip(&r, "ip", hosts[i], NULL, &n, NULL);

		CHECK(all);
		CHECK(n >= 1 && n <= 2);
		CHECK(i == 2 || leat_addr_is_loopback(&all[0]));
		CHECK(i == 2 || leat_addr_is_loopback(&all[n - 1]));
		free(all);
	}
	CHECK(!leat_lookup_ip(&r, "ip4", "::1", NULL, &n, &e));
	check_error(&e, -EAFNOSUPPORT, "lookup ::1: no suitable address found");
	CHECK_EQ(atomic_load(&dns_asked), asked);
}

TEST(ports)
{
	const leat_error *e = NULL;

	CHECK_EQ(leat_lookup_port(&r, "tcp", "http", NULL), 80);
	CHECK_EQ(leat_lookup_port(NULL, "tcp", "HTTP", NULL), 80);
	CHECK_EQ(leat_lookup_port(&r, "udp4", "domain", NULL), 53);
	CHECK_EQ(leat_lookup_port(&r, "", "8080", NULL), 8080);
	CHECK_EQ(leat_lookup_port(&r, "tcp", "0", NULL), 0);
	CHECK_EQ(leat_lookup_port(&r, "udp", "http", &e), -ENOENT);
	check_error(&e, -ENOENT, "lookup udp/http: unknown port");
	CHECK_EQ(leat_lookup_port(&r, "tcp", "", &e), -ENOENT);
	check_error(&e, -ENOENT, "lookup tcp/: unknown port");
	CHECK_EQ(leat_lookup_port(&r, "tcp", "70000", &e), -ERANGE);
	check_error(&e, -ERANGE, "address 70000: invalid port");
	CHECK_EQ(leat_lookup_port(&r, "tcp", "99999999999999999999", NULL), -ERANGE);
	CHECK_EQ(leat_lookup_port(&r, "smtp", "80", &e), -EPROTONOSUPPORT);
	check_error(&e, -EPROTONOSUPPORT, "lookup smtp/80: unknown network smtp");
}

TEST_MAIN
