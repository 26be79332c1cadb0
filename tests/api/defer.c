/* SPDX-License-Identifier: MIT */
/*
 * Goal: deferred functions run on every way out of their block, last first, with the operands that
 * the declaration saw.
 * Method: they write their argument into a log, which is compared whole.
 */
#include "log_help.h"

#include <pthread.h>
#include <stdatomic.h>

TEST(line_75_at_the_end_of_a_block_last_first)
{
	log_clear();
	{
		defer(put, "a");
		defer(put, "b");
		{
			defer(put, "c");
			put("1");
		}
		put("2");
	}
	put("3");
	CHECK_LOG("1c2ba3");
}

TEST(line_75_by_break_and_continue)
{
	for (int i = 0; i < 5; i++) {
		defer(put, "d");
		put("i");
		if (i == 1)
			continue;
		defer(put, "e");
		if (i == 3)
			break;
	}
	CHECK_LOG("iedidiedied");
	switch (log_length) {
	case 0: {
		defer(put, "s");
		put("0");
		break;
	}
	default:
		put("x");
	}
	CHECK_LOG("0s");
	do {
		defer(put, "w");
	} while (log_length < 3);
	CHECK_LOG("www");
}

static int by_return(int way, int *v)
{
	defer(put, "a");
	if (way == 0)
		return *v;
	{
		defer(put, "b");
		if (way == 1)
			return *v;
		defer(put, "c");
		if (way == 2)
			return *v;
	}
	put("-");
	return *v;
}

static void make_nine(int *v)
{
	*v = 9;
}

/* The expression of a return is evaluated before what was deferred runs. */
static int return_reads_first(int *v)
{
	defer(make_nine, v);
	return *v;
}

TEST(line_75_by_return)
{
	int v = 7;

	CHECK_EQ(by_return(0, &v), 7);
	CHECK_LOG("a");
	CHECK_EQ(by_return(1, &v), 7);
	CHECK_LOG("ba");
	CHECK_EQ(by_return(2, &v), 7);
	CHECK_LOG("cba");
	CHECK_EQ(by_return(3, &v), 7);
	CHECK_LOG("cb-a");
	CHECK_EQ(return_reads_first(&v), 7);
	CHECK_EQ(v, 9);
}

TEST(line_75_by_goto)
{
	int turn = 0;

	{
		defer(put, "a");
		{
			defer(put, "b");
			goto out;
		}
	}
out:
	CHECK_LOG("ba");
again:
	turn++;
	{
		defer(put, "c");
		if (turn < 3)
			goto again;
		put("-");
	}
	CHECK_LOG("cc-c");
}

static void by_panic(void *arg)
{
	(void)arg;
	defer(put, "a");
	{
		defer(put, "b");
		{
			defer(put, "gone");
			put("");
		}
		leat_panic("here");
	}
}

static void calls_by_panic(void *arg)
{
	defer(put, "c");
	by_panic(arg);
	put("never");
}

TEST(line_75_by_panic)
{
	CHECK(test_panics(calls_by_panic, NULL, "here"));
	CHECK_LOG("gonebac");
}

struct by_goexit {
	leat_waitgroup *wg;
};

static void deep_goexit(void)
{
	defer(put, "b");
	{
		defer(put, "c");
		leat_goexit();
	}
}

static void by_goexit(struct by_goexit *a)
{
	defer(leat_waitgroup_done, a->wg);
	defer(put, "a");
	deep_goexit();
	put("never");
}

TEST(line_05_goexit_runs_what_was_deferred_innermost_first)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go(by_goexit, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_LOG("cba");
	test_goroutines(1);
}

struct end_early {
	int i;
	atomic_int *before, *after;
};

static void end_early(struct end_early *a)
{
	leat_yield();
	atomic_fetch_add(a->before, 1);
	if (a->i % 2)
		leat_goexit();
	leat_yield();
	atomic_fetch_add(a->after, 1);
}

TEST(line_05_goexit_leaves_the_others_alone)
{
	atomic_int before = 0, after = 0;

	for (int i = 0; i < 1000; i++)
		go(end_early, i, &before, &after);
	test_goroutines(1);
	CHECK_EQ(before, 1000);
	CHECK_EQ(after, 500);
}

static void take_letter(char *c)
{
	char s[2] = {*c, 0};

	put(s);
}

static void take_upper(char *c)
{
	char s[2] = {(char)(*c - 'a' + 'A'), 0};

	put(s);
}

static char *count_calls(int *calls, char *c)
{
	++*calls;
	return c;
}

TEST(line_75_operands_are_evaluated_at_the_declaration_once)
{
	char a = 'a', b = 'b', *p = &a;
	void (*f)(char *) = take_letter;
	int calls = 0;

	{
		defer(f, p);
		p = &b;
		f = take_upper;
		defer(f, p);
		defer(take_letter, count_calls(&calls, p));
		CHECK_EQ(calls, 1);
		p = NULL;
		f = NULL;
	}
	CHECK_EQ(calls, 1);
	CHECK_LOG("bBa");
}

/* What the pointer leads to is read when the function runs, as in any language. */
TEST(line_75_the_pointed_to_value_is_read_late)
{
	char c = 'a';

	{
		defer(take_letter, &c);
		c = 'z';
	}
	CHECK_LOG("z");
}

static void set_and_panic(void *arg)
{
	char *c = arg;

	defer(take_letter, c);
	*c = 'y';
	leat_panic("changed");
}

TEST(line_93_changes_before_the_panic_are_seen)
{
	char c = 'x';

	CHECK(test_panics(set_and_panic, &c, "changed"));
	CHECK_LOG("y");
}

struct letters {
	const char *first, *second;
};

static void put_letters(const struct letters *l)
{
	put(l->first);
	put(l->second);
}

/* Writes over the stack, where something that is gone may have been. */
static __attribute__((noinline)) void use_stack(void)
{
	volatile char room[256];

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = 1;
}

/* It lives as long as the block. */
TEST(a_compound_literal_may_be_the_argument)
{
	log_clear();
	{
		const char *volatile b = "b";

		defer(put_letters, (&(struct letters){"a", b}));
		defer(put_letters, (&(struct letters){b, "c"}));
		use_stack();
	}
	CHECK_LOG("bcab");
}

TEST(functions_of_libraries_may_be_deferred)
{
	char path[] = "/tmp/leat-defer-XXXXXX";
	int fd = mkstemp(path);
	char line[10] = "";
	FILE *f;

	CHECK(fd >= 0);
	{
		FILE *out = fdopen(fd, "w");
		void *memory = malloc(10);

		defer(unlink, path);
		defer(free, memory);
		{
			defer(fclose, out);
			fputs("kept", out);
		}
		f = fopen(path, "r");
		CHECK(f != NULL);
		defer(fclose, f);
		CHECK(fgets(line, sizeof line, f) != NULL);
		CHECK_STR(line, "kept");
	}
	CHECK(access(path, F_OK) != 0);
}

static void park_a_while(const char *s)
{
	leat_yield();
	leat_sleep(100000);
	put(s);
	leat_yield();
}

struct parks_in_defer {
	int how;
	leat_waitgroup *wg;
};

static void panic_now(void *arg)
{
	(void)arg;
	defer(park_a_while, "p");
	leat_panic("parking");
}

static void parks_in_defer(struct parks_in_defer *a)
{
	defer(leat_waitgroup_done, a->wg);
	if (a->how == 1)
		CHECK(test_panics(panic_now, NULL, "parking"));
	defer(park_a_while, "q");
	if (a->how == 2)
		leat_goexit();
}

TEST(deferred_functions_may_park)
{
	static const char *const want[] = {"q", "pq", "q"};

	for (int how = 0; how < 3; how++) {
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 1);
		go(parks_in_defer, how, &wg);
		leat_waitgroup_wait(&wg);
		CHECK_LOG(want[how]);
	}
}

static void count_up(atomic_int *runs)
{
	atomic_fetch_add(runs, 1);
}

static void recurse(int depth, atomic_int *runs)
{
	defer(count_up, runs);
	if (depth > 0)
		recurse(depth - 1, runs);
	if (depth == 0)
		leat_panic("bottom");
}

static void recurse_500(void *runs)
{
	recurse(499, runs);
}

TEST(line_75_a_panic_runs_hundreds_of_frames)
{
	atomic_int runs = 0;

	CHECK(test_panics(recurse_500, &runs, "bottom"));
	CHECK_EQ(runs, 500);
}

struct independent {
	int id;
	leat_waitgroup *wg;
	atomic_int *ok;
};

static void check_id(struct independent *a)
{
	leat_yield();
	if (a->id >= 0)
		atomic_fetch_add(a->ok, 1);
	a->id = -1;
}

static void panic_if_odd(void *arg)
{
	struct independent *a = arg;

	leat_yield();
	defer(check_id, a);
	leat_yield();
	if (a->id % 2)
		leat_panic("%d", a->id);
}

static void independent(struct independent *a)
{
	leat_panic_info info;
	char want[16];
	bool odd = a->id % 2;

	snprintf(want, sizeof want, "%d", a->id);
	CHECK_EQ(leat_catch(panic_if_odd, a, &info), odd);
	if (odd)
		CHECK_STR(info.message, want);
	CHECK_EQ(a->id, -1);
	leat_waitgroup_done(a->wg);
}

/* Lists of records belong to goroutines, wherever they run next. */
TEST(line_75_goroutines_do_not_share_what_they_defer)
{
	int n = test_count(10000);
	leat_waitgroup wg = {0};
	atomic_int ok = 0;

	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(independent, i, &wg, &ok);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(ok, n);
}

static void *in_thread(void *arg)
{
	(void)arg;
	{
		defer(put, "a");
		defer(put, "b");
	}
	CHECK(test_panics(calls_by_panic, NULL, "here"));
	defer(put, "t");
	leat_goexit();
}

TEST(line_75_plain_threads_defer_too)
{
	pthread_t thread;

	log_clear();
	CHECK_EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
	pthread_join(thread, NULL);
	CHECK_LOG("bagonebact");
}

TEST_MAIN
