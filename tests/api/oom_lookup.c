/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where memory runs out in a lookup, all that was taken is given back, and the next one is none the worse. */
#include "descriptors.h"
#include "dns_help.h"
#include "oom.h"

static leat_resolver r = {.servers = dns_address, .hosts = "/dev/null"};

/* c-ares does without some of it. */
static int by_name(void *arg)
{
	const leat_error *e = NULL;
	char **all = leat_lookup_host(&r, arg, NULL, &e);
	int code = leat_error_code(e);

	leat_error_free(e);
	free(all);
	return all ? OOM_COPED : code;
}

static int by_mx(void *arg)
{
	const leat_error *e = NULL;
	size_t n;
	leat_mx *all = leat_lookup_mx(&r, arg, NULL, &n, &e);
	int code = leat_error_code(e);

	leat_error_free(e);
	free(all);
	return all ? OOM_COPED : code;
}

TEST(nothing_is_left)
{
	int descriptors;

	oom_skip();
	dns_start();
	if (by_name("one.test") == -ENOSYS)
		_exit(77); /* no c-ares */
	test_goroutines(3);
	descriptors = test_descriptors();
	CHECK(oom_each(by_name, "127.0.0.1") > 1);
	CHECK(oom_each(by_name, "one.test") > 1);
	CHECK(oom_each(by_mx, "mx.test") > 1);
	test_until(test_descriptors() == descriptors);
}

TEST_MAIN
