/* SPDX-License-Identifier: MIT */
/* CTEST: env:ASAN_OPTIONS=intercept_tls_get_addr=0 */
/* Goal: errors that are made when something fails know what, why, when and where; and go with their last holder. */
#include "test.h"

#include <errno.h>

#define NOINLINE __attribute__((noinline))

static LEAT_ERROR_TYPE(lowlevel);
static LEAT_ERROR_TYPE(intermediate);
static LEAT_ERROR(no_answer, -ETIMEDOUT, "no answer");

static int64_t wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

TEST(a_new_one)
{
	int64_t before = wall();
	leat_error *e = leat_error_new(&lowlevel, "disk %d of %s", 7, "nine");
	int line = __LINE__ - 1;
	leat_error_place where = leat_error_where(e);
	size_t n;
	void *const *trace = leat_error_trace(e, &n);

	CHECK_STR(leat_error_message(e), "disk 7 of nine");
	CHECK(leat_error_type_of(e) == &lowlevel);
	CHECK_EQ(leat_error_code(e), 0);
	CHECK(!leat_error_timeout(e));
	CHECK(leat_error_time(e) >= before && leat_error_time(e) <= wall());
	CHECK(ends_with(where.file, "error_wrap.c"));
	CHECK_STR(where.function, "a_new_one");
	CHECK_EQ(where.line, line);
	CHECK(n <= 64 && (n == 0 || trace[0] != NULL));
#ifdef __GLIBC__ /* elsewhere there may be no unwinder */
	CHECK(n > 0);
#endif
	CHECK(!leat_error_unwrap(e) && !leat_error_cause(e, 0));
	CHECK(leat_error_is(e, e) && !leat_error_is(e, &no_answer));
	leat_error_free(e);
}

/* What is longer than the room that printf is given at first. */
/* The first trace of all loads libraries, whose errors are not the caller's. */
TEST(errno_is_left_alone)
{
	leat_error *e;
	char *log;

	errno = EACCES;
	e = leat_error_new(&lowlevel, "%s", strerror(errno));
	CHECK_EQ(errno, EACCES);
	log = leat_error_log_text(e, 1);
	CHECK_EQ(errno, EACCES);
	CHECK(strstr(log, leat_error_message(e)));
	free(log);
	leat_error_free(e);
}

TEST(messages_of_any_length)
{
	static char text[3000];

	for (size_t n = 0; n<sizeof text; n += n> 250 && n < 260 ? 1 : 50) {
		memset(text, 'x', n);
		text[n] = '\0';
		leat_error *e = leat_error_new(NULL, "%s", text);
		leat_error *f = leat_errorf(e, "%s", text);

		CHECK_STR(leat_error_message(e), text);
		CHECK_EQ(strlen(leat_error_message(f)), 2 * n + 2);
		CHECK(ends_with(leat_error_message(f), text));
		CHECK(leat_error_put(f, "key", "%s", text));
		CHECK_STR(leat_error_get(f, "key"), text);
		leat_error_free(f);
	}
}

TEST(a_chain)
{
	const leat_error *system = leat_error_errno(-ENOENT);
	const leat_error *low = leat_error_wrap(system, &lowlevel, "stat %s", "/bad/job/binary");
	const leat_error *mid = leat_errorf(low, "job %d", 1);
	const leat_error *top = leat_error_wrap(mid, &intermediate, "cannot run job");
	const leat_error *other = leat_error_new(&lowlevel, "stat %s", "/bad/job/binary");
	size_t n;

	CHECK_STR(leat_error_message(top), "cannot run job");
	CHECK_STR(leat_error_message(mid), "job 1: stat /bad/job/binary");
	CHECK(leat_error_unwrap(top) == mid && leat_error_cause(top, 0) == mid);
	CHECK(!leat_error_cause(top, 1));
	CHECK(leat_error_unwrap(mid) == low && leat_error_unwrap(low) == system);
	CHECK(!leat_error_unwrap(system));
	CHECK(leat_error_is(top, top) && leat_error_is(top, mid) && leat_error_is(top, low));
	CHECK(leat_error_is(top, leat_error_errno(-ENOENT)));
	CHECK(!leat_error_is(top, leat_error_errno(-EIO)) && !leat_error_is(low, top));
	CHECK(!leat_error_is(top, other));
	CHECK(leat_error_as(top, &lowlevel) == low && leat_error_as(top, &intermediate) == top);
	CHECK(!leat_error_as(low, &intermediate) && !leat_error_as(top, NULL));
	CHECK(!leat_error_type_of(mid));
	CHECK_EQ(leat_error_time(mid), 0);
	leat_error_trace(mid, &n);
	CHECK_EQ(n, 0);
	CHECK(!leat_error_where(mid).file);
	leat_error_free(other);
	leat_error_free(top);
}

TEST(a_wrapper_of_nothing_and_errorf_of_nothing)
{
	const leat_error *e = leat_error_wrap(NULL, &lowlevel, "not executable");
	const leat_error *f = leat_errorf(NULL, "plain");

	CHECK_STR(leat_error_message(e), "not executable");
	CHECK_STR(leat_error_message(f), "plain");
	CHECK(!leat_error_unwrap(e) && !leat_error_unwrap(f));
	leat_error_free(e);
	leat_error_free(f);
}

TEST(the_code_is_the_first_in_the_chain)
{
	leat_error *bare = leat_error_new(&lowlevel, "bare");
	leat_error *e = leat_error_wrap(&no_answer, &lowlevel, "asked");
	leat_error *f = leat_errorf(e, "again"), *g;
	const leat_error *two[] = {bare, f, leat_error_errno(-EIO)};

	CHECK_EQ(leat_error_code(f), -ETIMEDOUT);
	CHECK(leat_error_timeout(f));
	g = leat_error_join(two, 3);
	CHECK_EQ(leat_error_code(g), -ETIMEDOUT);
	CHECK(leat_error_set_code(g, -EPERM));
	CHECK(!leat_error_set_code(g, 0) && !leat_error_set_code(g, EIO));
	CHECK_EQ(leat_error_code(g), -EPERM);
	CHECK(!leat_error_timeout(g));
	g = leat_errorf(g, "at last");
	CHECK_EQ(leat_error_code(g), -EPERM);
	leat_error_free(g);
}

TEST(joined)
{
	const leat_error *none[] = {NULL, NULL};
	const leat_error *a = leat_error_new(&lowlevel, "a"), *b = leat_error_errno(-ENOENT);
	const leat_error *c = leat_error_wrap(&no_answer, &intermediate, "c");
	const leat_error *some[] = {NULL, a, b, NULL, c};
	const leat_error *e, *more[2];

	CHECK(!leat_error_join(none, 2) && !leat_error_join(NULL, 0));
	e = leat_error_join(some, 5);
	CHECK_STR(leat_error_message(e), "a\nNo such file or directory\nc");
	CHECK(leat_error_cause(e, 0) == a && leat_error_cause(e, 1) == b);
	CHECK(leat_error_cause(e, 2) == c && !leat_error_cause(e, 3));
	CHECK(!leat_error_unwrap(e));
	CHECK(leat_error_is(e, a) && leat_error_is(e, b) && leat_error_is(e, c));
	CHECK(leat_error_is(e, &no_answer));
	CHECK(leat_error_as(e, &intermediate) == c && leat_error_as(e, &lowlevel) == a);
	/* Within another, and one alone. */
	more[0] = leat_errorf(e, "first");
	more[1] = leat_error_new(&lowlevel, "z");
	e = leat_error_join(more, 2);
	CHECK(leat_error_is(e, c) && leat_error_is(e, more[1]) && leat_error_as(e, &lowlevel) == a);
	more[0] = e;
	e = leat_error_join(more, 1);
	CHECK(e != more[0] && leat_error_cause(e, 0) == more[0] && leat_error_is(e, a));
	CHECK(!leat_error_unwrap(e));
	leat_error_free(e);
}

static const leat_error *join(const leat_error *a, const leat_error *b)
{
	const leat_error *two[] = {a, NULL, b};

	return leat_error_join(two, 3);
}

TEST(a_joined_one_that_nobody_else_knows_is_extended)
{
	const leat_error *a = leat_error_new(&lowlevel, "a"), *e = NULL, *f;
	char all[400] = "a";

	e = join(e, a);
	for (int i = 0; i < 60; i++) {
		f = join(e, i % 2 ? leat_errorf(&no_answer, "b") : leat_error_errno(-ENOENT));
		strcat(all, i % 2 ? "\nb: no answer" : "\nNo such file or directory");
		if (strlen(all) > 370)
			break;
		CHECK(f == e);
		CHECK_STR(leat_error_message(e), all);
		CHECK(leat_error_cause(e, 0) == a && leat_error_cause(e, (size_t)i + 1));
		CHECK(!leat_error_cause(e, (size_t)i + 2) && !leat_error_unwrap(e));
		CHECK_EQ(leat_error_code(e), -ENOENT);
		CHECK(leat_error_is(e, &no_answer) == (i > 0));
	}
	CHECK(leat_error_as(e, &lowlevel) == a);
	/* Joined in its turn, it has holders, and stays as it is. */
	f = join(&no_answer, e);
	CHECK(f != e && leat_error_cause(f, 1) == e);
	leat_error_free(f);
}

TEST(one_that_others_know_is_a_cause)
{
	const leat_error *e = join(&no_answer, leat_error_errno(-EIO)), *f;

	leat_error_retain(e);
	f = join(e, &no_answer);
	CHECK(f != e && leat_error_cause(f, 0) == e && leat_error_cause(f, 1) == &no_answer);
	leat_error_free(f);
	CHECK(!leat_error_cause(e, 2));
	leat_error_free(e);
	/* Nor is one that was told more, and one alone. */
	for (int i = 0; i < 3; i++) {
		leat_error *told = (leat_error *)(uintptr_t)join(&no_answer, leat_error_errno(-EIO));

		CHECK(i == 0   ? leat_error_put(told, "k", "v")
		      : i == 1 ? leat_error_set_help(told, "h")
		               : leat_error_set_log_id(told, 7));
		f = join(told, &no_answer);
		CHECK(f != told && leat_error_cause(f, 0) == told);
		leat_error_free(f);
	}
	e = join(&no_answer, leat_error_errno(-EIO));
	f = join(e, NULL);
	CHECK(f != e && leat_error_cause(f, 0) == e && !leat_error_cause(f, 1));
	leat_error_free(f);
}

TEST(told_more_until_it_is_shared)
{
	leat_error *low = leat_error_new(&lowlevel, "low"), *e;
	const leat_error *low_then = low;
	const char *key, *value;

	CHECK(leat_error_put(low, "path", "/bad/%s", "job") && leat_error_put(low, "try", "%d", 1));
	CHECK(leat_error_put(low, "try", "%d", 2));
	CHECK(leat_error_set_help(low, "https://example.org/old"));
	CHECK(leat_error_set_help(low, "https://example.org/low"));
	CHECK(leat_error_set_log_id(low, 77));
	CHECK(leat_error_extra(low, 2, &key, &value));
	CHECK_STR(key, "try");
	CHECK_STR(value, "2");
	CHECK(!leat_error_extra(low, 3, &key, &value));
	e = leat_error_wrap(low, &intermediate, "top");
	CHECK(!leat_error_put(low, "late", "x") && !leat_error_set_help(low, "x"));
	CHECK(!leat_error_set_log_id(low, 1) && !leat_error_set_code(low, -EIO));
	/* From below, where it has none of its own. */
	CHECK_STR(leat_error_get(e, "try"), "1");
	CHECK_STR(leat_error_help(e), "https://example.org/low");
	CHECK_EQ(leat_error_log_id(e), 77);
	CHECK(leat_error_put(e, "try", "mine") && leat_error_set_help(e, "man 7 jobs"));
	CHECK(leat_error_set_log_id(e, 78));
	CHECK_STR(leat_error_get(e, "try"), "mine");
	CHECK_STR(leat_error_help(e), "man 7 jobs");
	CHECK_EQ(leat_error_log_id(e), 78);
	CHECK_STR(leat_error_get(low_then, "try"), "1");
	CHECK(!leat_error_get(e, "late"));
	leat_error_retain(e);
	CHECK(!leat_error_put(e, "late", "x") && !leat_error_set_log_id(e, 0));
	leat_error_free(e);
	CHECK(!leat_error_put(e, "late", "x")); /* once shared, for good */
	leat_error_free(e);
}

TEST(fresh_log_ids)
{
	uint64_t before = leat_error_new_log_id();
	leat_error *e = leat_error_new(NULL, "x");

	CHECK(before > 0);
	CHECK(leat_error_set_log_id(e, 0));
	CHECK_EQ(leat_error_log_id(e), before + 1);
	CHECK_EQ(leat_error_new_log_id(), before + 2);
	leat_error_free(e);
}

/* A hold too few is a use after the end, one too many a leak: both are ASan's to find, and the heap shows the latter. */
TEST(freed_by_the_last_holder)
{
	size_t before = 0;

	for (int round = 0; round < 50; round++) {
		leat_error *a = leat_error_new(&lowlevel, "a");
		const leat_error *b, *both[2];

		leat_error_put(a, "k", "v");
		leat_error_set_help(a, "h");
		b = leat_error_wrap(leat_error_retain(a), &intermediate, "b");
		both[0] = leat_errorf(leat_error_retain(b), "c");
		both[1] = leat_error_retain(b);
		b = (leat_error_free(b), leat_error_join(both, 2));
		CHECK_STR(leat_error_message(leat_error_cause(b, 1)), "b");
		leat_error_free(b);
		CHECK_STR(leat_error_message(a), "a"); /* still held */
		CHECK_STR(leat_error_get(a, "k"), "v");
		leat_error_free(a);
		if (round == 10)
			before = test_heap_in_use();
	}
	CHECK(test_heap_in_use() <= before + 1000);
}

/* On the stack that a goroutine has: neither freeing nor asking goes down with the chain. */
static void deep(void)
{
	const leat_error *e = leat_error_errno(-EIO), *one = leat_error_new(&lowlevel, "one"), *top;
	int chain = test_count(500000), tree = 1000;

	for (int i = 0; i < chain; i++)
		e = leat_error_wrap_at("f", 1, "g", e, &intermediate, "%d", i);
	CHECK(leat_error_is(e, leat_error_errno(-EIO)) && !leat_error_is(e, one));
	CHECK_EQ(leat_error_code(e), -EIO);
	CHECK(!leat_error_as(e, &lowlevel));
	leat_error_free(e);
	top = leat_error_errno(-EIO);
	for (int i = 0; i < tree; i++) {
		const leat_error *left[] = {top, leat_error_errno(-EPERM)};
		const leat_error *right[] = {leat_error_errno(-EPERM), top};

		top = leat_error_join(i % 2 ? left : right, 2);
	}
	CHECK(leat_error_is(top, leat_error_errno(-EIO)) && !leat_error_is(top, one));
	CHECK(!leat_error_as(top, &lowlevel));
	leat_error_free(top);
	leat_error_free(one);
}

TEST(deep_ones)
{
	go0(deep);
	test_goroutines(1);
}

/* --- the trace */

static bool has_before(const char *text, const char *first, const char *second)
{
	const char *at = strstr(text, first);

	return at && strstr(at, second);
}

/* Names of static functions need libdw, and frames need libunwind or frame pointers. */
static bool names_are_to_be_had(void)
{
	leat_error *e = leat_error_new(NULL, "x");
	char *text = leat_error_log_text(e, 0);
	bool there = strstr(text, "\tnames_are_to_be_had(...)\n") && strstr(text, "\tmain(...)\n");

	free(text);
	leat_error_free(e);
	return there;
}

/* The call is the last thing that they do. */
static NOINLINE leat_error *leaf(int n)
{
	return leat_error_wrap(leat_error_errno(-n), &lowlevel, "leaf");
}

static NOINLINE leat_error *middle(int n)
{
	const leat_error *e = leaf(n);

	return leat_error_wrap(e, &intermediate, "middle");
}

static NOINLINE char *elsewhere(const leat_error *e)
{
	return leat_error_log_text(e, 0);
}

TEST(the_trace_is_that_of_the_wrap_not_of_the_log)
{
	leat_error *e = middle(EIO);
	char *text = elsewhere(e);
	const char *low = strstr(text, "lowlevel: leaf\n");

	CHECK(low != NULL);
	CHECK(!strstr(text, "elsewhere"));
	CHECK(!strstr(text, "leat_error_")); /* the library's own frames */
	if (names_are_to_be_had()) {
		const char *top = strstr(text, "\tmiddle(...)\n");

		CHECK(top && top < low);
		CHECK(has_before(low, "\tleaf(...)\n", "\tmiddle(...)\n"));
		CHECK(has_before(low, "\tmiddle(...)\n", "\tmain(...)\n"));
		CHECK(strstr(low, "error_wrap.c:") != NULL);
	}
	free(text);
	leat_error_free(e);
}

static NOINLINE int down(int depth, const leat_error **e)
{
	int below = 0;

	if (depth)
		below = down(depth - 1, e);
	else
		*e = leat_error_new(NULL, "deep");
	__asm__ volatile("" ::: "memory");
	return below + 1;
}

TEST(traces_have_64_frames_at_most)
{
	const leat_error *e = NULL;
	size_t n;

	down(100, &e);
	leat_error_trace(e, &n);
	CHECK(n <= 64);
	if (names_are_to_be_had())
		CHECK_EQ(n, 64);
	leat_error_free(e);
}

/* --- goroutines */

/* It looks at nothing itself: musl's strstr takes more stack than it has. */
struct on_a_small_stack {
	char **log, **text;
	leat_waitgroup *done;
};

static NOINLINE void on_a_small_stack(struct on_a_small_stack *a)
{
	leat_error *e = leat_error_new(&lowlevel, "small %d", 1), *f;
	const leat_error *both[2];

	CHECK(leat_error_put(e, "key", "%s", "value"));
	f = leat_error_wrap(e, &intermediate, "smaller");
	both[0] = leat_errorf(f, "smallest %g", 0.5);
	both[1] = leat_error_errno(-ENOENT);
	f = leat_error_join(both, 2);
	*a->log = leat_error_log_text(f, 5);
	*a->text = leat_error_text(f, NULL, 5);
	leat_error_free(f);
	leat_waitgroup_done(a->done);
}

TEST(from_goroutines_on_stacks_of_any_size)
{
	size_t sizes[] = {2048, 4096, 8192, 65536, 1 << 20};
	leat_waitgroup done = {0};
	char *log, *text;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		leat_go_opts opts = {.stack_bytes = sizes[i]};

		leat_waitgroup_add(&done, 1);
		go_with(&opts, on_a_small_stack, &log, &text, &done);
		leat_waitgroup_wait(&done);
		CHECK(strstr(log, "[logID: 5] 2 joined errors\n") == log);
		CHECK(has_before(log, "smallest 0.5: smaller\n", "lowlevel: small 1\n"));
		CHECK(has_before(log, "\tkey: value\n", "\tat on_a_small_stack ("));
		CHECK(has_before(log, "\tat on_a_small_stack (",
		                 "\n[logID: 5] caused by: No such file or directory\n"));
		CHECK_STR(text, "[5] smallest 0.5: smaller\nNo such file or directory\n");
		free(log);
		free(text);
		test_goroutines(1);
	}
}

static NOINLINE void in_a_goroutine(leat_chan *to)
{
	const leat_error *e = leat_error_new(&lowlevel, "over there");

	leat_chan_send(to, &e);
}

struct sender {
	leat_chan *to;
};

static void sender(struct sender *a)
{
	in_a_goroutine(a->to);
	__asm__ volatile("" ::: "memory");
}

TEST(the_trace_of_a_goroutine_ends_with_it)
{
	leat_chan *c = leat_chan_make(sizeof(const leat_error *), 0);
	const leat_error *e;
	char *text;

	go(sender, c);
	leat_chan_recv(c, &e);
	text = leat_error_log_text(e, 0);
	CHECK(!strstr(text, "leat__goroutine_start"));
	if (names_are_to_be_had())
		CHECK(has_before(text, "\tin_a_goroutine(...)\n", "\tsender(...)\n"));
	free(text);
	leat_error_free(e);
	test_goroutines(1);
	leat_chan_free(c);
}

TEST_MAIN
