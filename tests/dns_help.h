/* SPDX-License-Identifier: MIT */
/*
 * A server of the Domain Name System, on a port of this machine's that is free: in dns_address, for leat_resolver's servers.
 * What it answers is told by the first part of the name that is asked for (".test" follows):
 *
 *	one         192.0.2.1 and 2001:db8::1
 *	four, six   one of these, and nothing of the other family
 *	many        192.0.2.1 to 192.0.2.40, too many for a datagram: it is cut short, all of it comes over TCP
 *	alias       an alias of one.test
 *	stray       an alias of one.test; behind that comes another alias, of which no name here is one
 *	ring        192.0.2.1, and an alias of ring2.test, which is one of ring.test
 *	local       127.0.0.1; local6: ::1; both: both; dead: 127.0.0.2, 127.0.0.3 and 127.0.0.1
 *	mx, txt, ns, srv (also of _http._tcp.srv.test)      records
 *	none        no record of any kind
 *	nx          there is no such name; also what is not listed here
 *	fail, refuse, torn          SERVFAIL, REFUSED, a reply that ends in the middle of a record
 *	noise, forged               noise first, or a forged reply with another id, and then as one
 *	silent      no answer
 *	held        as one, once dns_let has been called
 *
 * and 1.2.0.192.in-addr.arpa is one.test and uno.test.  dns_asked counts the questions that were
 * read, dns_held those for held.
 */
#ifndef DNS_HELP_H
#define DNS_HELP_H

#include "test.h"

#include <leat.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33
};

static int dns_udp;
static leat_listener *dns_tcp;
static char dns_address[LEAT_ADDR_TEXT];
static chan(char) dns_gate; /* closed by dns_let */
static _Atomic int dns_asked, dns_held;

struct dns_message {
	uint8_t bytes[2000];
	size_t n, answers;
};

static inline void dns_put(struct dns_message *m, const void *from, size_t n)
{
	memcpy(m->bytes + m->n, from, n);
	m->n += n;
}

static inline void dns_put16(struct dns_message *m, unsigned value)
{
	uint8_t two[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	dns_put(m, two, 2);
}

/* "one.test" as lengths and labels. */
static inline void dns_put_name(struct dns_message *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");
		uint8_t length = (uint8_t)n;

		dns_put(m, &length, 1);
		dns_put(m, name, n);
		name += n + (name[n] == '.');
	}
	dns_put(m, "", 1);
}

/* A record of the name asked for; its data follows, and then dns_end. */
static inline size_t dns_begin(struct dns_message *m, unsigned type)
{
	dns_put16(m, 0xc00c);
	dns_put16(m, type);
	dns_put16(m, 1);
	dns_put16(m, 0);
	dns_put16(m, 60);
	dns_put16(m, 0);
	m->answers++;
	return m->n;
}

static inline void dns_end(struct dns_message *m, size_t began)
{
	size_t n = m->n - began;

	m->bytes[began - 2] = (uint8_t)(n >> 8);
	m->bytes[began - 1] = (uint8_t)n;
}

static inline void dns_put_ip(struct dns_message *m, unsigned type, const char *ip)
{
	uint8_t bytes[16];
	size_t at = dns_begin(m, type);

	CHECK_EQ(inet_pton(type == DNS_A ? AF_INET : AF_INET6, ip, bytes), 1);
	dns_put(m, bytes, type == DNS_A ? 4 : 16);
	dns_end(m, at);
}

static inline void dns_put_record(struct dns_message *m, unsigned type, int a, int b, int c,
                                  const char *name)
{
	size_t at = dns_begin(m, type);

	if (a >= 0)
		dns_put16(m, (unsigned)a);
	if (b >= 0) {
		dns_put16(m, (unsigned)b);
		dns_put16(m, (unsigned)c);
	}
	dns_put_name(m, name);
	dns_end(m, at);
}

/* from, which is not the name asked for, is an alias of to. */
static inline void dns_put_alias(struct dns_message *m, const char *from, const char *to)
{
	size_t at;

	dns_put_name(m, from);
	dns_put(m, "\0\5\0\1\0\0\0\74\0\0", 10);
	m->answers++;
	at = m->n;
	dns_put_name(m, to);
	dns_end(m, at);
}

/* one.test's address. */
static inline void dns_put_one(struct dns_message *m)
{
	dns_put_name(m, "one.test");
	dns_put(m, "\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 14);
	m->answers++;
}

static inline void dns_put_texts(struct dns_message *m)
{
	size_t at = dns_begin(m, DNS_TXT);

	dns_put(m, "\5first\7 record", 14);
	dns_end(m, at);
	at = dns_begin(m, DNS_TXT);
	dns_put(m, "\6second", 7);
	dns_end(m, at);
}

static inline void dns_put_addresses(struct dns_message *m, unsigned type, const char *name)
{
	static const struct {
		const char *name, *v4[3], *v6;
	} hosts[] = {
	    {"one.", {"192.0.2.1"}, "2001:db8::1"},
	    {"held.", {"192.0.2.1"}, "2001:db8::1"},
	    {"noise.", {"192.0.2.1"}, "2001:db8::1"},
	    {"forged.", {"192.0.2.1"}, "2001:db8::1"},
	    {"four.", {"192.0.2.4"}, NULL},
	    {"six.", {NULL}, "2001:db8::6"},
	    {"local.", {"127.0.0.1"}, NULL},
	    {"local6.", {NULL}, "::1"},
	    {"both.", {"127.0.0.1"}, "::1"},
	    {"dead.", {"127.0.0.2", "127.0.0.3", "127.0.0.1"}, NULL},
	};

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		if (strncmp(name, hosts[i].name, strlen(hosts[i].name)) != 0)
			continue;
		for (int k = 0; type == DNS_A && k < 3 && hosts[i].v4[k]; k++)
			dns_put_ip(m, DNS_A, hosts[i].v4[k]);
		if (type == DNS_AAAA && hosts[i].v6)
			dns_put_ip(m, DNS_AAAA, hosts[i].v6);
	}
}

static inline bool dns_is(const char *name, const char *first)
{
	return strncmp(name, first, strlen(first)) == 0 && name[strlen(first)] == '.';
}

/* The records; what else there is to be said in the flags. */
static inline unsigned dns_answer(struct dns_message *m, unsigned type, const char *name, bool tcp)
{
	static const char *const known[] = {"one",  "held",  "noise",  "forged", "four",
	                                    "six",  "local", "local6", "both",   "dead",
	                                    "many", "alias", "stray",  "ring",   "mx",
	                                    "txt",  "ns",    "srv",    "none",   "_http._tcp.srv"};
	char ip[INET_ADDRSTRLEN];
	size_t i = 0;

	if (strcmp(name, "1.2.0.192.in-addr.arpa") == 0 && type == DNS_PTR) {
		dns_put_record(m, DNS_PTR, -1, -1, -1, "one.test");
		dns_put_record(m, DNS_PTR, -1, -1, -1, "uno.test");
		return 0;
	}
	if (dns_is(name, "fail"))
		return 2;
	if (dns_is(name, "refuse"))
		return 5;
	while (i < sizeof known / sizeof *known && !dns_is(name, known[i]))
		i++;
	if (i == sizeof known / sizeof *known && !dns_is(name, "torn"))
		return 3;
	dns_put_addresses(m, type, name);
	if (dns_is(name, "alias")) {
		dns_put_record(m, DNS_CNAME, -1, -1, -1, "one.test");
		if (type == DNS_A)
			dns_put_one(m);
	} else if (dns_is(name, "stray")) {
		dns_put_record(m, DNS_CNAME, -1, -1, -1, "one.test");
		if (type == DNS_A)
			dns_put_one(m);
		dns_put_alias(m, "other.test", "elsewhere.test");
	} else if (dns_is(name, "ring")) {
		dns_put_record(m, DNS_CNAME, -1, -1, -1, "ring2.test");
		dns_put_alias(m, "ring2.test", "ring.test");
		if (type == DNS_A)
			dns_put_ip(m, DNS_A, "192.0.2.1");
	} else if (dns_is(name, "many") && type == DNS_A) {
		for (int k = 1; k <= (tcp ? 40 : 2); k++) {
			snprintf(ip, sizeof ip, "192.0.2.%d", k);
			dns_put_ip(m, DNS_A, ip);
		}
		return tcp ? 0 : 0x200;
	} else if (dns_is(name, "mx") && type == DNS_MX) {
		dns_put_record(m, DNS_MX, 20, -1, -1, "second.test");
		dns_put_record(m, DNS_MX, 10, -1, -1, "first.test");
	} else if (dns_is(name, "ns") && type == DNS_NS) {
		dns_put_record(m, DNS_NS, -1, -1, -1, "a.test");
		dns_put_record(m, DNS_NS, -1, -1, -1, "b.test");
	} else if (dns_is(name, "txt") && type == DNS_TXT) {
		dns_put_texts(m);
	} else if (strstr(name, "srv.") && type == DNS_SRV) {
		dns_put_record(m, DNS_SRV, 2, 0, 8082, "last.test");
		dns_put_record(m, DNS_SRV, 1, 10, 8080, "light.test");
		dns_put_record(m, DNS_SRV, 1, 90, 8081, "heavy.test");
	}
	return 0;
}

/* The reply to what was asked in n bytes, and the name of that. */
static inline void dns_reply(const uint8_t *asked, size_t n, bool tcp, struct dns_message *m,
                             char *name)
{
	size_t at = 12, end = 0;
	unsigned type, flags;

	memset(m, 0, sizeof *m);
	while (at < n && asked[at]) {
		memcpy(name + end, asked + at + 1, asked[at]);
		end += asked[at];
		name[end++] = '.';
		at += asked[at] + 1U;
	}
	name[end ? end - 1 : 0] = '\0';
	CHECK(at + 5 <= n);
	type = asked[at + 2];
	dns_put(m, asked, 12);
	dns_put(m, asked + 12, at + 5 - 12);
	flags = dns_answer(m, type, name, tcp);
	if (dns_is(name, "torn")) {
		m->answers = 1;
		dns_put(m, "\300\14\0\1", 4);
	}
	m->bytes[2] = (uint8_t)(0x81 | flags >> 8);
	m->bytes[3] = (uint8_t)(0x80 | (flags & 15));
	m->bytes[7] = (uint8_t)m->answers;
	m->bytes[9] = m->bytes[11] = 0;
}

struct dns_answer_later {
	struct dns_message *m;
	struct sockaddr_in to;
};

static inline void dns_answer_later(struct dns_answer_later *a)
{
	chan_recv(dns_gate);
	sendto(dns_udp, a->m->bytes, a->m->n, 0, (struct sockaddr *)&a->to, sizeof a->to);
	free(a->m);
}

static inline void dns_send(struct dns_message *m, const char *name, const struct sockaddr_in *to)
{
	const struct sockaddr *any = (const void *)to;
	struct dns_message *later;

	if (dns_is(name, "silent"))
		return;
	if (dns_is(name, "held")) {
		later = malloc(sizeof *later);
		CHECK(later);
		*later = *m;
		atomic_fetch_add(&dns_held, 1);
		go(dns_answer_later, .m = later, .to = *to);
		return;
	}
	if (dns_is(name, "noise"))
		sendto(dns_udp, "\1\2\3 what is this?", 18, 0, any, sizeof *to);
	if (dns_is(name, "forged")) {
		struct dns_message other = *m;

		other.bytes[1] ^= 1;
		other.bytes[other.n - 1] ^= 0x40;
		sendto(dns_udp, other.bytes, other.n, 0, any, sizeof *to);
	}
	sendto(dns_udp, m->bytes, m->n, 0, any, sizeof *to);
}

static inline void dns_serve_udp(void)
{
	struct dns_message m;
	struct sockaddr_in from;
	socklen_t bytes;
	uint8_t asked[512];
	char name[512];
	ssize_t n;
	int fd = dns_udp;

	for (;;) {
		bytes = sizeof from;
		n = recvfrom(fd, asked, sizeof asked, MSG_DONTWAIT, (struct sockaddr *)&from, &bytes);
		if (n < 0 && errno != EAGAIN)
			return;
		if (n < 0 && leat_wait_fd(fd, POLLIN, LEAT_FOREVER) == -ECANCELED)
			return;
		if (n < 0)
			continue;
		dns_reply(asked, (size_t)n, false, &m, name);
		atomic_fetch_add(&dns_asked, 1);
		dns_send(&m, name, &from);
	}
}

static inline void dns_serve_tcp(void)
{
	struct dns_message m;
	uint8_t asked[514];
	char name[512];
	leat_conn *c;

	while ((c = leat_accept(dns_tcp, NULL, NULL))) {
		while (leat_conn_read_full(c, asked, 2, NULL, NULL) == 0) {
			size_t n = (size_t)asked[0] << 8 | asked[1];

			CHECK(n <= 512);
			CHECK_EQ(leat_conn_read_full(c, asked + 2, n, NULL, NULL), 0);
			dns_reply(asked + 2, n, true, &m, name);
			memmove(m.bytes + 2, m.bytes, m.n);
			m.bytes[0] = (uint8_t)(m.n >> 8);
			m.bytes[1] = (uint8_t)m.n;
			if (leat_conn_write(c, m.bytes, m.n + 2, NULL))
				break;
		}
		leat_conn_free(c);
	}
}

/* UDP takes any port that is free, until TCP can have the same. */
static inline void dns_start(void)
{
	leat_addr a;

	do {
		dns_udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		CHECK(dns_udp >= 0);
		leat_addr_parse(&a, "127.0.0.1:0");
		CHECK_EQ(bind(dns_udp, &a.any, a.bytes), 0);
		CHECK_EQ(getsockname(dns_udp, &a.any, &a.bytes), 0);
		dns_tcp = leat_listen("tcp", leat_addr_text(&a, dns_address), NULL, NULL);
		if (!dns_tcp)
			close(dns_udp);
	} while (!dns_tcp);
	dns_gate = chan_make(char, 0);
	go0(dns_serve_udp);
	go0(dns_serve_tcp);
}

static inline void dns_let(void)
{
	chan_close(dns_gate);
}

#endif
