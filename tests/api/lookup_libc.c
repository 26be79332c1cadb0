/* SPDX-License-Identifier: MIT */
/* CTEST: env:LEAT_DEBUG=getaddrinfo nofenced */
/*
 * Goal: without c-ares the C library looks names up, others run meanwhile, and who does not want to wait for it any longer
 * leaves it behind, whose memory is freed when it ends.
 * Method: getaddrinfo and its like are this program's own, and count what is allocated; one name is held back.
 */
#define _GNU_SOURCE
#include "test.h"

#include <leat.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static _Atomic int called, alive;
static _Atomic bool gate;
static leat_resolver no_hosts = {.hosts = "/dev/null"};

struct one {
	struct addrinfo info;
	struct sockaddr_in in4;
};

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
	struct one *one;

	CHECK(!service);
	CHECK_EQ(hints->ai_socktype, SOCK_STREAM);
	atomic_fetch_add(&called, 1);
	if (strcmp(node, "held.test") == 0)
		while (!atomic_load(&gate))
			poll(NULL, 0, 1);
	if (strcmp(node, "nx.test") == 0)
		return EAI_NONAME;
	if (strcmp(node, "fail.test") == 0)
		return EAI_AGAIN;
	if (strcmp(node, "broken.test") == 0)
		return EAI_FAIL;
	if (strcmp(node, "system.test") == 0) {
		errno = EMFILE;
		return EAI_SYSTEM;
	}
	one = calloc(1, sizeof *one);
	one->in4.sin_family = AF_INET;
	one->in4.sin_addr.s_addr = htonl(0xc0000201);
	one->info.ai_family = AF_INET;
	one->info.ai_addr = (struct sockaddr *)&one->in4;
	one->info.ai_addrlen = sizeof one->in4;
	atomic_fetch_add(&alive, 1);
	*found = &one->info;
	return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
	free(found);
	atomic_fetch_sub(&alive, 1);
}

int getnameinfo(const struct sockaddr *restrict addr, socklen_t bytes, char *restrict host,
                socklen_t host_bytes, char *restrict service, socklen_t service_bytes, int flags)
{
	CHECK_EQ(addr->sa_family, AF_INET);
	CHECK_EQ(bytes, sizeof(struct sockaddr_in));
	CHECK(!service && !service_bytes);
	CHECK_EQ(flags, NI_NAMEREQD);
	snprintf(host, host_bytes, "one.test");
	return 0;
}

static void fails(const char *host, int code, const char *message)
{
	const leat_error *e = NULL;

	CHECK(!leat_lookup_host(&no_hosts, host, NULL, &e));
	CHECK_STR(leat_error_message(e), message);
	CHECK_EQ(leat_error_code(e), code);
	leat_error_free(e);
}

TEST(addresses_and_names)
{
	char **all = leat_lookup_host(&no_hosts, "one.test", NULL, NULL), *name;

	CHECK(all);
	CHECK_STR(all[0], "192.0.2.1");
	CHECK(!all[1]);
	free(all);
	all = leat_lookup_addr(&no_hosts, "192.0.2.1", NULL, NULL);
	CHECK(all);
	CHECK_STR(all[0], "one.test");
	free(all);
	name = leat_lookup_cname(&no_hosts, "one.test", NULL, NULL);
	CHECK_STR(name, "one.test");
	free(name);
	CHECK_EQ(atomic_load(&alive), 0);
}

TEST(errors)
{
	leat_resolver servers = {.servers = "127.0.0.1"};
	const leat_error *e = NULL;

	fails("nx.test", -ENOENT, "lookup nx.test: no such host");
	fails("fail.test", -EAGAIN, "lookup fail.test: server misbehaving");
	fails("broken.test", -EREMOTEIO, "lookup broken.test: server misbehaving");
	fails("system.test", -EMFILE, "lookup system.test: too many open files");
	CHECK(!leat_lookup_txt(NULL, "one.test", NULL, &e));
	CHECK_STR(leat_error_message(e), "lookup one.test: libcares.so.2 cannot be loaded");
	CHECK_EQ(leat_error_code(e), -ENOSYS);
	leat_error_free(e);
	CHECK(!leat_lookup_host(&servers, "one.test", NULL, &e));
	CHECK_EQ(leat_error_code(e), -ENOSYS);
	leat_error_free(e);
}

struct cancel_when_called {
	leat_ctx *ctx;
	int times;
};

static void cancel_when_called(struct cancel_when_called *a)
{
	test_until(atomic_load(&called) == a->times);
	leat_ctx_cancel(a->ctx);
}

TEST(who_leaves_leaves_the_call_behind)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int before = atomic_load(&called);
	const leat_error *e = NULL;
	char **all;

	go(cancel_when_called, .ctx = ctx, .times = before + 1);
	CHECK(!leat_lookup_host(&no_hosts, "held.test", ctx, &e));
	CHECK_STR(leat_error_message(e), "lookup held.test: operation was canceled");
	leat_error_free(e);
	leat_ctx_free(ctx);
	for (int i = 0; i < 3; i++) {
		/* These join it. */
		ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
		CHECK(!leat_lookup_host(&no_hosts, "held.test", ctx, &e));
		CHECK_STR(leat_error_message(e), "lookup held.test: i/o timeout");
		leat_error_free(e);
		leat_ctx_free(ctx);
	}
	all = leat_lookup_host(&no_hosts, "one.test", NULL, NULL); /* nobody is held up */
	CHECK(all);
	free(all);
	CHECK_EQ(atomic_load(&called), before + 2);
	atomic_store(&gate, true);
	all = leat_lookup_host(&no_hosts, "held.test", NULL, NULL);
	CHECK(all);
	free(all);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&alive), 0);
}

TEST_MAIN
