/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: of a host's addresses of both families the one that answers is taken, whichever comes first; the other attempt, and
 * what it had, are gone by then; a deadline is shared among addresses.
 * Method: a file of hosts gives the order; an address that never answers is a listener whose queue is full.
 */
#include "conn_suite_help.h"
#include "descriptors.h"

static char hosts[] = "/tmp/leat-hosts-XXXXXX";
static leat_resolver r = {.hosts = hosts};
static char text[LEAT_ADDR_TEXT], address[100], wanted[200];
static bool ipv6;

static void write_hosts(void)
{
	int fd = mkstemp(hosts);

	CHECK(fd >= 0);
	dprintf(fd, "::1 six-first\n127.0.0.1 six-first\n");
	dprintf(fd, "127.0.0.1 four-first\n::1 four-first\n");
	dprintf(fd, "127.0.0.2 many\n127.0.0.3 many\n");
	for (int i = 0; i < 8; i++)
		dprintf(fd, "127.0.0.1 many\n");
	close(fd);
}

/* Both families on one port.  One may be silent: then those who filled its queue are kept in full. */
struct place {
	leat_listener *four, *six;
	leat_conn *full[2][20];
	int port, goroutines, descriptors;
};

static bool listen_both(struct place *p)
{
	leat_listen_opts few = {.backlog = 1};
	leat_addr a;

	memset(p, 0, sizeof *p);
	for (int i = 0; i < 100 && !p->six; i++) {
		leat_listener_free(p->four);
		p->four = leat_listen("tcp", "127.0.0.1:0", &few, NULL);
		CHECK(p->four);
		a = leat_listener_addr(p->four);
		p->port = leat_addr_port(&a);
		snprintf(address, sizeof address, "[::1]:%d", p->port);
		p->six = leat_listen("tcp", address, &few, NULL);
	}
	return p->six != NULL;
}

/* Linux lets one more than the backlog in: these two are waited for, however long it takes.  If more get in, they do soon. */
static void silence(struct place *p, leat_listener *l)
{
	leat_dial_opts brief = {0};
	leat_conn **full = p->full[l == p->six];
	leat_addr a = leat_listener_addr(l);
	int n = 0;

	leat_addr_text(&a, text);
	while (n < 20 && (full[n] = leat_dial_with(&brief, "tcp", text, NULL, NULL)))
		brief.timeout_ns = ++n < 2 ? 0 : 50 * LEAT_MILLISECOND;
	CHECK(n < 20);
}

static void begin(struct place *p)
{
	test_goroutines(1);
	p->goroutines = (int)leat_num_goroutine();
	p->descriptors = test_descriptors();
}

/* The goroutine of the lookup may be about to end. */
static void end(struct place *p)
{
	test_goroutines(p->goroutines);
	CHECK_EQ(test_descriptors(), p->descriptors);
}

static void close_both(struct place *p)
{
	for (int i = 0; i < 40; i++)
		leat_conn_free(p->full[i / 20][i % 20]);
	leat_listener_free(p->four);
	leat_listener_free(p->six);
}

static const char *at(const char *host, struct place *p)
{
	snprintf(address, sizeof address, "%s:%d", host, p->port);
	return address;
}

/* Dial it, and see that nothing but the connection is there, to that address. */
static void reaches(struct place *p, const leat_dial_opts *o, const char *host, const char *end_at)
{
	leat_conn *c;
	leat_addr remote;

	begin(p);
	c = leat_dial_with(o, "tcp", at(host, p), NULL, NULL);
	CHECK(c);
	remote = leat_conn_remote(c);
	snprintf(wanted, sizeof wanted, "%s:%d", end_at, p->port);
	CHECK_STR(leat_addr_text(&remote, text), wanted);
	p->descriptors++;
	end(p);
	leat_conn_free(c);
}

static void refuses(struct place *p, const leat_dial_opts *o, const char *host, const char *first)
{
	const leat_error *e = NULL;

	begin(p);
	CHECK(!leat_dial_with(o, "tcp", at(host, p), NULL, &e));
	snprintf(wanted, sizeof wanted, "dial tcp %s:%d: connect: connection refused", first, p->port);
	CHECK_STR(leat_error_message(e), wanted);
	CHECK_EQ(leat_error_code(e), -ECONNREFUSED);
	leat_error_free(e);
	end(p);
}

/* With a time-out in the options. */
static void takes_too_long(struct place *p, const leat_dial_opts *o, const char *host,
                           const char *first)
{
	const leat_error *e = NULL;

	begin(p);
	CHECK(!leat_dial_with(o, "tcp", at(host, p), NULL, &e));
	CHECK_EQ(leat_error_code(e), -ETIMEDOUT);
	snprintf(wanted, sizeof wanted, "dial tcp %s:%d: i/o timeout", first, p->port);
	if (strcmp(leat_error_message(e), wanted) != 0) /* on a slow machine the file took as long */
		snprintf(wanted, sizeof wanted, "dial tcp: lookup %s: i/o timeout", host);
	CHECK_STR(leat_error_message(e), wanted);
	leat_error_free(e);
	end(p);
}

/* An hour's start: those who have to wait for it would be killed. */
static const leat_dial_opts patient = {.resolver = &r, .fallback_delay_ns = LEAT_HOUR};
static const leat_dial_opts hasty = {.resolver = &r, .fallback_delay_ns = LEAT_MILLISECOND};

TEST(the_first_family_answers)
{
	struct place p;

	write_hosts();
	ipv6 = listen_both(&p);
	if (!ipv6)
		printf("no IPv6 here\n");
	else {
		reaches(&p, &patient, "six-first", "[::1]");
		reaches(&p, &patient, "four-first", "127.0.0.1");
	}
	close_both(&p);
}

TEST(the_first_family_never_answers)
{
	static const leat_dial_opts usual = {.resolver = &r};
	struct place p;

	if (!ipv6 || !listen_both(&p))
		return;
	silence(&p, p.six);
	reaches(&p, &hasty, "six-first", "127.0.0.1");
	reaches(&p, &usual, "six-first", "127.0.0.1");
	close_both(&p);
	CHECK(listen_both(&p));
	silence(&p, p.four);
	reaches(&p, &hasty, "four-first", "[::1]");
	close_both(&p);
}

/* Then nobody waits for the start to pass. */
TEST(the_first_family_refuses)
{
	static const leat_dial_opts one_by_one = {.resolver = &r, .fallback_delay_ns = -1};
	struct place p;

	if (!ipv6 || !listen_both(&p))
		return;
	leat_listener_close(p.six);
	reaches(&p, &patient, "six-first", "127.0.0.1");
	reaches(&p, &one_by_one, "six-first", "127.0.0.1");
	close_both(&p);
}

TEST(both_refuse)
{
	static const leat_dial_opts one_by_one = {.resolver = &r, .fallback_delay_ns = -1};
	struct place p;

	if (!ipv6 || !listen_both(&p))
		return;
	leat_listener_close(p.six);
	leat_listener_close(p.four);
	refuses(&p, &patient, "six-first", "[::1]");
	refuses(&p, &one_by_one, "six-first", "[::1]");
	refuses(&p, &patient, "four-first", "127.0.0.1");
	close_both(&p);
}

struct cancel_later {
	leat_ctx *ctx;
};

/* Both are parked in their connects by then, or about to be. */
static void cancel_later(struct cancel_later *a)
{
	test_until(leat_num_parked() >= 2);
	leat_ctx_cancel(a->ctx);
}

TEST(nobody_answers)
{
	leat_dial_opts brief = hasty;
	struct place p;

	if (!ipv6 || !listen_both(&p))
		return;
	silence(&p, p.six);
	silence(&p, p.four);
	brief.timeout_ns = 30 * LEAT_MILLISECOND;
	takes_too_long(&p, &brief, "six-first", "[::1]");
	begin(&p);
	for (int i = 0; i < 5; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		const leat_error *e = NULL;

		go(cancel_later, .ctx = ctx);
		CHECK(!leat_dial_with(&hasty, "tcp", at("six-first", &p), ctx, &e));
		snprintf(wanted, sizeof wanted, "dial tcp [::1]:%d: operation was canceled", p.port);
		CHECK_STR(leat_error_message(e), wanted);
		CHECK_EQ(leat_error_code(e), -ECANCELED);
		leat_error_free(e);
		test_goroutines(p.goroutines);
		end(&p);
		leat_ctx_free(ctx);
	}
	close_both(&p);
}

/* Ten addresses have 20 s: the first, which is silent, has 2 of them, the second refuses, the third answers. */
TEST(a_part_of_the_deadline_for_each)
{
	leat_dial_opts o = {.resolver = &r, .timeout_ns = 20 * LEAT_SECOND};
	leat_listen_opts few = {.backlog = 1};
	leat_listener *l = leat_listen("tcp", "127.0.0.1:0", NULL, NULL);
	struct place p = {.four = l};
	leat_addr a;

	CHECK(l);
	a = leat_listener_addr(l);
	p.port = leat_addr_port(&a);
	p.six = leat_listen("tcp", at("127.0.0.2", &p), &few, NULL);
	CHECK(p.six);
	silence(&p, p.six);
	reaches(&p, &o, "many", "127.0.0.1");
	o.timeout_ns = 30 * LEAT_MILLISECOND;
	takes_too_long(&p, &o, "many", "127.0.0.2");
	close_both(&p);
	unlink(hosts);
}

TEST_MAIN
