/* SPDX-License-Identifier: MIT */
/*
 * Goal: results with errors: what they carry, whose the errors are, and the policy "too many".
 * Method: functions that fail for known values; errors that tell who made them; under the sanitizer nothing leaks and
 * nothing is used after it was freed.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

LEAT_ERROR_TYPE(parsing);
LEAT_ERROR(is_thirteen, -EINVAL, "thirteen");

struct count {
	int next, end;
};

static bool count(int *out, struct count *c)
{
	*out = c->next++;
	return *out < c->end;
}

/* Laid out so that nothing is where one might take it for granted. */
struct parsed {
	char tag;
	const leat_error *error;
	int line;
	long value;
};

struct parse {
	int every;
};

static const leat_error *parse(const int *in, long *value, struct parse *p)
{
	*value = 100L * *in;
	if (*in == 13)
		return &is_thirteen;
	if (p->every && *in % p->every == p->every - 1)
		return leat_error_new(&parsing, "%d is wrong", *in);
	return NULL;
}

/* The error says which stage, and has fn's below it; the value is zero beside it. */
TEST(a_result_is_a_value_or_an_error)
{
	scope(s, NULL);
	int n = 0;

	chan_range(r, pipe_try_map(pipe_at(s, .name = "reader"), pipe_from(s, int, count, .end = 40),
	                           struct parsed, parse, .every = 10)) {
		char text[40];

		if (n == 13) {
			CHECK_STR(leat_error_message(r.error), "reader: thirteen");
			CHECK(leat_error_is(r.error, &is_thirteen));
			CHECK_EQ(leat_error_code(r.error), -EINVAL);
			CHECK_EQ(r.value, 0);
		} else if (n % 10 == 9) {
			snprintf(text, sizeof text, "reader: %d is wrong", n);
			CHECK_STR(leat_error_message(r.error), text);
			CHECK_EQ(r.value, 0);
		} else {
			CHECK(r.error == NULL);
			CHECK_EQ(r.value, 100 * n);
		}
		CHECK(r.tag == 0 && r.line == 0);
		n++;
	}
	CHECK_EQ(n, 40);
}

struct text {
	const leat_error *error;
	char value[20];
};

static atomic_int calls;

static const leat_error *write_down(const long *in, char (*value)[20])
{
	atomic_fetch_add(&calls, 1);
	snprintf(*value, sizeof *value, "%ld", *in);
	if (*in == 500)
		return leat_errorf(NULL, "five hundred");
	return NULL;
}

/* Errors go through the stages that follow untouched, and what these do is not done. */
TEST(then_passes_errors_on)
{
	scope(s, NULL);
	int n = 0;

	atomic_store(&calls, 0);
	chan_range(t, pipe_then0(s,
	                         pipe_try_map(s, pipe_from(s, int, count, .end = 20), struct parsed,
	                                      parse, .every = 10),
	                         struct text, write_down)) {
		char expected[20];

		snprintf(expected, sizeof expected, "%d", 100 * n);
		if (n == 5)
			CHECK_STR(leat_error_message(t.error), "write_down: five hundred");
		else if (n == 13)
			CHECK_STR(leat_error_message(t.error), "parse: thirteen");
		else if (n % 10 == 9)
			CHECK(strstr(leat_error_message(t.error), "parse: ") == leat_error_message(t.error));
		else
			CHECK(t.error == NULL);
		CHECK_STR(t.value, t.error ? "" : expected);
		n++;
	}
	CHECK_EQ(n, 20);
	CHECK_EQ(atomic_load(&calls), 17);
}

/* An error is valid until the scope's end, whoever dropped its result; and longer for who holds it. */
TEST(errors_belong_to_the_scope)
{
	const leat_error *kept[50], *longer;
	int n = 0;

	{
		scope(s, NULL);
		recv_chan(struct parsed) *out =
		    pipe_tee(s,
		             pipe_try_map(pipe_at(s, .workers = 3, .cap = 4),
		                          pipe_from(s, int, count, .next = 100, .end = INT32_MAX),
		                          struct parsed, parse, .every = 1),
		             2);

		while (n < 50) {
			kept[n] = chan_recv(out[0]).error;
			CHECK(chan_recv(out[1]).error == kept[n]);
			n++;
		}
		longer = leat_error_retain(kept[20]);
		for (int i = 0; i < 50; i++)
			CHECK(strstr(leat_error_message(kept[i]), " is wrong") != NULL);
		/* Some are in buffers, in hand, and in functions now. */
	}
	CHECK(strstr(leat_error_message(longer), "parse: ") == leat_error_message(longer));
	leat_error_free(longer);
}

/* --- forgetting */

struct forget {
	leat_scope *s;
	int *n;
};

static void forget(const leat_error *e, struct forget *f)
{
	++*f->n;
	pipe_forget(f->s, e);
}

/* A pipeline that runs for ever does not grow, though all of it fails. */
TEST(forgotten_errors_take_no_memory)
{
	enum { N = 20000 };
	int n = 0;
	size_t before;
	scope(s, NULL);

	before = test_heap_in_use();
	chan_range(v, pipe_values(s,
	                          pipe_try_map(pipe_at(s, .workers = 4),
	                                       pipe_from(s, int, count, .next = 14, .end = N + 14),
	                                       struct parsed, parse, .every = 1),
	                          0, forget, s, &n))
		CHECK(false);
	CHECK_EQ(n, N);
	CHECK(test_heap_in_use() < before + 200000);
}

/* In any order, among others, twice, and what is none. */
TEST(forgetting_in_any_order)
{
	enum { N = 1000 };
	const leat_error *all[N], *foreign = leat_errorf(NULL, "foreign");
	scope(s, NULL);
	recv_chan(struct parsed) out = pipe_try_map(
	    s, pipe_from(s, int, count, .next = 14, .end = N + 14), struct parsed, parse, .every = 1);
	size_t before = test_heap_in_use();
	uint32_t seed = 7;

	for (int i = 0; i < N; i++)
		all[i] = chan_recv(out).error;
	for (int i = N - 1; i > 0; i--) {
		const leat_error *e = all[i];
		int k;

		seed = seed * 1103515245u + 12345;
		k = (int)(seed >> 16) % (i + 1);
		all[i] = all[k];
		all[k] = e;
	}
	for (int i = 0; i < N / 2; i++) {
		char text[40];

		leat_error_retain(all[i]);
		pipe_forget(s, all[i]);
		pipe_forget(s, all[i]); /* once is enough: the test's hold stays */
		snprintf(text, sizeof text, "%s", leat_error_message(all[i]));
		CHECK(strstr(text, " is wrong") != NULL);
		leat_error_free(all[i]);
	}
	for (int i = N / 2; i < N; i++)
		CHECK(strstr(leat_error_message(all[i]), " is wrong") != NULL);
	for (int i = N / 2; i < N; i++)
		pipe_forget(s, all[i]);
	/* A thousand of them take some hundred bytes each, and the account a few for each. */
	CHECK(test_heap_in_use() < before + 50 * 1024);
	pipe_forget(s, foreign);
	pipe_forget(s, &is_thirteen);
	pipe_forget(s, NULL);
	CHECK_STR(leat_error_message(foreign), "foreign");
	leat_error_free(foreign);
}

/* --- the policy */

struct note {
	int *n;
	char *last;
	leat_scope *s;
};

static void note(const leat_error *e, struct note *w)
{
	++*w->n;
	snprintf(w->last, 60, "%s", leat_error_message(e));
	CHECK_EQ(scope_err(w->s), 0); /* not yet */
}

/* PATTERNS 5: three errors are too many. */
TEST(too_many_errors_fail_the_scope)
{
	size_t goroutines = leat_num_goroutine();
	char last[60];
	int errors = 0, n = 0;

	{
		scope(s, NULL);
		recv_chan(long) out =
		    pipe_values(s,
		                pipe_try_map(s, pipe_from(s, int, count, .next = 20, .end = INT32_MAX),
		                             struct parsed, parse, .every = 10),
		                3, note, &errors, last, s);

		chan_range(v, out) {
			CHECK_EQ(v % 100, 0);
			CHECK(v / 100 % 10 != 9);
			n++;
		}
		CHECK_EQ(n, 27); /* 20 to 48 but for two, and none after the third */
		CHECK_EQ(errors, 3);
		CHECK_STR(last, "parse: 49 is wrong");
		CHECK_EQ(scope_wait(s), -EIO);
		CHECK_STR(leat_error_message(chan_reason(out)), "parse: 49 is wrong");
		CHECK_STR(leat_error_message(leat_ctx_cause(s)), "parse: 49 is wrong");
	}
	test_until(leat_num_goroutine() == goroutines);
}

/* The handler forgets the very error that is too many. */
TEST(the_last_error_is_the_cause_though_forgotten)
{
	int errors = 0;
	scope(s, NULL);
	recv_chan(long) out = pipe_values(s,
	                                  pipe_try_map(s, pipe_from(s, int, count, .end = INT32_MAX),
	                                               struct parsed, parse, .every = 10),
	                                  1, forget, s, &errors);

	chan_range(v, out)
		;
	CHECK_EQ(scope_wait(s), -EIO);
	CHECK_STR(leat_error_message(chan_reason(out)), "parse: 9 is wrong");
}

/* The code is the error's own; fewer than that do not matter. */
TEST(fewer_errors_do_not_matter)
{
	char last[60];
	int errors = 0, n = 0;
	scope(s, NULL);

	chan_range(v, pipe_values(s,
	                          pipe_try_map(s, pipe_from(s, int, count, .end = 40), struct parsed,
	                                       parse, .every = 10),
	                          6, note, &errors, last, s))
		n++;
	CHECK_EQ(n, 35);
	CHECK_EQ(errors, 5);
	CHECK_EQ(scope_wait(s), 0);
	chan_range(v, pipe_values(s,
	                          pipe_try_map(s, pipe_from(s, int, count, .next = 13, .end = 14),
	                                       struct parsed, parse, 0),
	                          1, note, &errors, last, s))
		n++;
	CHECK_EQ(scope_wait(s), -EINVAL);
}

TEST_MAIN
