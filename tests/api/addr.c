/* SPDX-License-Identifier: MIT */
/* Goal: texts of addresses mean what they say, come back as they were, and what is none is refused. */
#include "test.h"

#include <errno.h>
#include <netinet/in.h>

/* Parsed, and written again. */
static const char *again(const char *text)
{
	static char out[LEAT_ADDR_TEXT];
	leat_addr a;

	CHECK_EQ(leat_addr_parse(&a, text), 0);
	CHECK(leat_addr_text(&a, out) == out);
	return out;
}

TEST(texts_come_back)
{
	static const char *same[] = {
	    "127.0.0.1:80", "0.0.0.0:0",        "255.255.255.255:65535",
	    "[::1]:8080",   "[2001:db8::7]:53", "[::]:1",
	    "/run/socket",  "./socket",         "@name",
	};

	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		CHECK_STR(again(same[i]), same[i]);
	CHECK_STR(again(":80"), "[::]:80");
	CHECK_STR(again("[0:0:0:0:0:0:0:1]:00080"), "[::1]:80");
	CHECK_STR(again("[fe80::1%lo]:80"), "[fe80::1%lo]:80");
	CHECK_STR(again("[fe80::1%1]:80"), "[fe80::1%lo]:80");
}

TEST(what_is_no_address_is_refused)
{
	static const char *bad[] = {
	    "",
	    "127.0.0.1",
	    "127.0.0.1:",
	    "127.0.0.1:65536",
	    "127.0.0.1:-1",
	    "127.0.0.1:http",
	    "::1:80",
	    "[::1]",
	    "[::1]80",
	    "[127.0.0.1]:80",
	    "[]:80",
	    "[:80",
	    "]:80",
	    "1.2.3:80",
	    "1.2.3.4.5:80",
	    "256.1.1.1:80",
	    "localhost:80",
	    "[::1%]:80",
	    "[::1%no]:1",
	    "[::1]:99999999999999999999",
	    "127.0.0.1: 80",
	    "[::g]:1",
	    "[[::1]]:1",
	};
	leat_addr a, before;

	memset(&a, 7, sizeof a);
	before = a;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (leat_addr_parse(&a, bad[i]) != -EINVAL) {
			fprintf(stderr, "\"%s\" was taken\n", bad[i]);
			CHECK(false);
		}
		CHECK(memcmp(&a, &before, sizeof a) == 0);
	}
}

TEST(unix_paths_to_the_last_byte)
{
	char path[200] = "/", out[LEAT_ADDR_TEXT];
	leat_addr a;

	memset(path + 1, 'p', 106);
	CHECK_EQ(leat_addr_parse(&a, path), 0); /* 107, and its NUL */
	CHECK_STR(leat_addr_text(&a, out), path);
	path[107] = 'p';
	CHECK_EQ(leat_addr_parse(&a, path), -ENAMETOOLONG);
	path[0] = '@';
	CHECK_EQ(leat_addr_parse(&a, path), 0); /* names have none */
	CHECK_STR(leat_addr_text(&a, out), path);
	path[108] = 'p';
	CHECK_EQ(leat_addr_parse(&a, path), -ENAMETOOLONG);
}

TEST(ports)
{
	leat_addr a, none = {0};
	char out[LEAT_ADDR_TEXT];

	CHECK_EQ(leat_addr_parse(&a, "127.0.0.1:80"), 0);
	CHECK_EQ(leat_addr_port(&a), 80);
	leat_addr_set_port(&a, 65535);
	CHECK_STR(leat_addr_text(&a, out), "127.0.0.1:65535");
	CHECK_EQ(leat_addr_parse(&a, "[::1]:1"), 0);
	leat_addr_set_port(&a, 2);
	CHECK_EQ(leat_addr_port(&a), 2);
	CHECK_EQ(leat_addr_parse(&a, "@x"), 0);
	leat_addr_set_port(&a, 2);
	CHECK_EQ(leat_addr_port(&a), 0);
	CHECK_EQ(leat_addr_port(&none), 0);
	CHECK_STR(leat_addr_text(&none, out), "");
}

static bool equal(const char *x, const char *y)
{
	leat_addr a, b;

	CHECK_EQ(leat_addr_parse(&a, x), 0);
	CHECK_EQ(leat_addr_parse(&b, y), 0);
	return leat_addr_equal(&a, &b);
}

TEST(equality)
{
	leat_addr a, b, none = {0};

	CHECK(equal("127.0.0.1:80", "127.0.0.1:80"));
	CHECK(!equal("127.0.0.1:80", "127.0.0.1:81"));
	CHECK(!equal("127.0.0.1:80", "127.0.0.2:80"));
	CHECK(!equal("0.0.0.0:80", "[::]:80"));
	CHECK(!equal("[fe80::1%lo]:80", "[fe80::1]:80"));
	CHECK(!equal("@x", "./x"));
	CHECK_EQ(leat_addr_parse(&a, "[::1]:80"), 0);
	b = a;
	((struct sockaddr_in6 *)&b.any)->sin6_flowinfo = 7; /* no part of it */
	CHECK(leat_addr_equal(&a, &b));
	CHECK(leat_addr_equal(&none, &none));
	CHECK(!leat_addr_equal(&a, &none));
}

static bool loopback(const char *text)
{
	leat_addr a;

	CHECK_EQ(leat_addr_parse(&a, text), 0);
	return leat_addr_is_loopback(&a);
}

TEST(loopbacks)
{
	leat_addr none = {0};

	CHECK(loopback("127.0.0.1:1"));
	CHECK(loopback("127.255.0.9:1"));
	CHECK(loopback("[::1]:1"));
	CHECK(loopback("/x"));
	CHECK(!loopback("128.0.0.1:1"));
	CHECK(!loopback("0.0.0.0:1"));
	CHECK(!loopback("[::]:1"));
	CHECK(!leat_addr_is_loopback(&none));
}

TEST_MAIN
