/* SPDX-License-Identifier: MIT */
/* Goal: files of hosts, servers and services that a resolver names are what it goes by. */
#include "dns_help.h"

#include <errno.h>

static char folder[] = "/tmp/leat-lookup-XXXXXX";
static char hosts[100], services[100], resolv_conf[100], text[LEAT_ADDR_TEXT];
static leat_resolver r = {.hosts = hosts, .services = services};

static void write_file(char *path, const char *name, const char *content)
{
	FILE *f;

	snprintf(path, sizeof hosts, "%s/%s", folder, name);
	f = fopen(path, "w");
	CHECK(f);
	fputs(content, f);
	CHECK_EQ(fclose(f), 0);
}

static void check_ips(const char *network, const char *host, const char *first, const char *second)
{
	size_t n = 0;
	leat_addr *all = leat_lookup_ip(&r, network, host, NULL, &n, NULL);

	CHECK(all);
	CHECK_EQ(n, second ? 2 : 1);
	CHECK_STR(leat_addr_text(&all[0], text), first);
	if (second)
		CHECK_STR(leat_addr_text(&all[1], text), second);
	free(all);
}

TEST(hosts_of_a_file)
{
	char **all, *name;

	CHECK(mkdtemp(folder));
	write_file(hosts, "hosts",
	           "# comment\n"
	           "192.0.2.9 nine.example nine  # the first is its name\n"
	           "not-an-address nine.example\n"
	           "\n"
	           "2001:db8::9\tNINE.example\n"
	           "192.0.2.10   ten.example nine.alias");
	check_ips("ip", "nine.example", "192.0.2.9:0", "[2001:db8::9]:0");
	check_ips("ip4", "Nine.Example.", "192.0.2.9:0", NULL);
	check_ips("ip6", "nine.example", "[2001:db8::9]:0", NULL);
	check_ips("ip", "nine", "192.0.2.9:0", NULL);
	check_ips("ip", "nine.alias", "192.0.2.10:0", NULL);
	all = leat_lookup_addr(&r, "192.0.2.9", NULL, NULL);
	CHECK(all);
	CHECK_STR(all[0], "nine.example");
	CHECK_STR(all[1], "nine");
	CHECK(!all[2]);
	free(all);
	name = leat_lookup_cname(&r, "nine.alias", NULL, NULL);
	CHECK_STR(name, "ten.example");
	free(name);
}

TEST(services_of_a_file)
{
	write_file(services, "services",
	           "# comment\n"
	           "game\t\t7777/tcp\tplay   # comment\n"
	           "game 7778/udp\n"
	           "bad x/tcp\n"
	           "large 70000/tcp\n"
	           "short\n");
	CHECK_EQ(leat_lookup_port(&r, "tcp", "game", NULL), 7777);
	CHECK_EQ(leat_lookup_port(&r, "tcp6", "Play", NULL), 7777);
	CHECK_EQ(leat_lookup_port(&r, "udp", "game", NULL), 7778);
	CHECK_EQ(leat_lookup_port(&r, "", "game", NULL), 7777);
	CHECK_EQ(leat_lookup_port(&r, "tcp", "bad", NULL), -ENOENT);
	CHECK_EQ(leat_lookup_port(&r, "tcp", "large", NULL), -ENOENT);
	CHECK_EQ(leat_lookup_port(&r, "tcp", "short", NULL), -ENOENT);
	CHECK_EQ(leat_lookup_port(&r, "tcp", "game", NULL), 7777);
}

/* The domain to search is the file's; hosts that are in the other file are not asked for. */
TEST(domains_of_a_file)
{
	const leat_error *e = NULL;
	char **all;
	int asked;

	dns_start();
	r.servers = dns_address;
	write_file(resolv_conf, "resolv.conf", "search test\nnameserver 192.0.2.1\n");
	r.resolv_conf = resolv_conf;
	asked = atomic_load(&dns_asked);
	check_ips("ip", "nine", "192.0.2.9:0", NULL);
	CHECK_EQ(atomic_load(&dns_asked), asked);
	all = leat_lookup_host(&r, "four", NULL, &e);
	if (!all && leat_error_code(e) == -ENOSYS)
		_exit(77);
	CHECK(all);
	CHECK_STR(all[0], "192.0.2.4");
	free(all);
	CHECK(!leat_lookup_host(&r, "nobody", NULL, &e));
	CHECK_STR(leat_error_message(e), "lookup nobody: no such host");
	leat_error_free(e);
	remove(hosts);
	remove(services);
	remove(resolv_conf);
	remove(folder);
}

TEST_MAIN
