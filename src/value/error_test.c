/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nosan nomigrate */
/*
 * Goal: a walk comes to every error below one, once for each way there, an error before its causes and the causes in
 * their order; logs with traces do without memory for them.
 * Method: random trees, against a walk by recursion.
 */
#include "test.h"

#include "oom.h"
#include "os/symbol.h"
#include "value/error.h"

enum { MOST = 10000 };

static const leat_error *seen[MOST];
static size_t n_seen;

static void visit(const leat_error *e)
{
	const leat_error *cause;

	CHECK(n_seen < MOST);
	seen[n_seen++] = e;
	for (size_t i = 0; (cause = leat_error_cause(e, i)); i++)
		visit(cause);
}

static void check_walk(const leat_error *e)
{
	struct leat__error_walk w;
	size_t i = 0;

	n_seen = 0;
	visit(e);
	for (leat__error_walk(&w, e); w.at; leat__error_next(&w)) {
		CHECK(i < n_seen && w.at == seen[i]);
		CHECK_EQ(w.count, i);
		i++;
	}
	CHECK_EQ(i, n_seen);
}

static uint64_t state = 1;

static unsigned below(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static const leat_error *tree(int depth)
{
	const leat_error *all[5];
	size_t n = below(5);

	if (depth == 0 || below(8) == 0)
		return leat_error_errno(-1 - (int)below(30));
	if (below(3) == 0)
		return leat_errorf(tree(depth - 1), "%u", below(100));
	for (size_t i = 0; i < n; i++)
		all[i] = i && below(6) == 0 ? leat_error_retain(all[i - 1]) : tree(depth - 1);
	if (n == 0)
		return leat_errorf(NULL, "leaf");
	return leat_error_join(all, n);
}

TEST(a_walk_over_any_tree)
{
	for (int i = 0; i < 3000; i++) {
		const leat_error *e = tree((int)below(6));

		check_walk(e);
		leat_error_free(e);
	}
}

static int log_text(void *arg)
{
	char *text = leat_error_log_text(arg, 1);

	if (text) {
		CHECK(strstr(text, "[logID: 1] 2") == text && strstr(text, "Z top\n\tat "));
		CHECK(strstr(text, "\n[logID: 1] caused by: low\n") != NULL);
	}
	free(text);
	return OOM_COPED; /* frames may be missing */
}

TEST(logs_with_traces_without_memory)
{
	const leat_error *e = leat_error_wrap(leat_errorf(NULL, "low"), NULL, "top");

	if (!OOM_WORKS)
		return;
	leat__symbol_without_libraries = true; /* which keep what they allocate */
	log_text((void *)(uintptr_t)e);
	CHECK(oom_each(log_text, (void *)(uintptr_t)e) >= 2);
	leat__symbol_without_libraries = false;
	leat_error_free(e);
}

TEST_MAIN
