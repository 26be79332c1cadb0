/* SPDX-License-Identifier: MIT */
/*
 * Goal: panics and leat_catch: what is caught, what passes, what is told about it.
 * Method: small towers of catches, defers and panics, with logs and messages compared.
 */
#include "log_help.h"

#include <pthread.h>
#include <stdatomic.h>

static void set_one(void *arg)
{
	*(int *)arg = 1;
}

static void panic_with(void *arg)
{
	leat_panic("%s", (const char *)arg);
}

TEST(line_78_catch_returns_to_its_caller)
{
	leat_panic_info info;
	int v = 0, local = 3;

	memset(&info, 0x5a, sizeof info);
	CHECK(!leat_catch(set_one, &v, &info));
	CHECK_EQ(v, 1);
	for (size_t i = 0; i < sizeof info; i++)
		CHECK_EQ(((unsigned char *)&info)[i], 0x5a); /* no panic: untouched */
	local++;
	CHECK(leat_catch(panic_with, "one", &info));
	CHECK_STR(info.message, "one");
	CHECK(!info.runtime);
	CHECK_EQ(info.goid, leat_goid());
	CHECK_EQ(local, 4);
	CHECK(leat_catch(panic_with, "two", NULL));
	CHECK(!leat_catch(set_one, &v, NULL));
	CHECK_EQ(local, 4);
}

static void panic_format(void *arg)
{
	leat_panic("%d %s %.3f %%", *(int *)arg, "words", 1.5);
}

static void panic_long(void *arg)
{
	leat_panic("%s", (const char *)arg);
}

TEST(messages_are_formatted_and_cut_at_239_bytes)
{
	leat_panic_info info;
	char longer[1000];
	int v = -42;

	CHECK(test_panics(panic_format, &v, "-42 words 1.500 %"));
	CHECK(test_panics(panic_with, "", ""));
	CHECK(test_panics(panic_with, "%s%n", "%s%n"));
	for (size_t n = 236; n < 244; n++) {
		memset(longer, 'm', n);
		longer[n] = 0;
		CHECK(leat_catch(panic_long, longer, &info));
		CHECK_EQ(strlen(info.message), n < 239 ? n : 239);
		CHECK(strncmp(info.message, longer, strlen(info.message)) == 0);
	}
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	CHECK(leat_catch(panic_long, longer, &info));
	CHECK_EQ(strlen(info.message), 239);
}

static void inner_catches(void *arg)
{
	leat_panic_info info;

	CHECK(leat_catch(panic_with, "inner", &info));
	CHECK_STR(info.message, "inner");
	put("i");
	if (arg)
		leat_panic("outer after %s", info.message);
}

TEST(line_77_the_nearest_catch_gets_it)
{
	CHECK(!leat_catch(inner_catches, NULL, NULL));
	CHECK(test_panics(inner_catches, log_text, "outer after inner"));
	CHECK_LOG("ii");
}

static void tower(void *arg)
{
	int *left = arg;
	leat_panic_info info;

	if (*left == 0)
		leat_panic("0");
	--*left;
	CHECK(leat_catch(tower, left, &info));
	leat_panic("%d", atoi(info.message) + 1);
}

TEST(line_77_a_hundred_catches_inside_each_other)
{
	int left = 100;

	CHECK(test_panics(tower, &left, "100"));
}

static void panic_in_defer(const char *message)
{
	put("d");
	leat_panic("%s", message);
}

static void replaced(void *arg)
{
	(void)arg;
	defer(put, "a");
	defer(panic_in_defer, "newest");
	defer(put, "b");
	leat_panic("first");
}

TEST(line_79_a_panic_in_a_defer_replaces_the_first)
{
	CHECK(test_panics(replaced, NULL, "newest"));
	CHECK_LOG("bda");
}

static void replaced_twice(void *arg)
{
	defer(panic_in_defer, "third");
	defer(panic_in_defer, "second");
	replaced(arg);
}

TEST(line_79_again_and_again)
{
	CHECK(test_panics(replaced_twice, NULL, "third"));
	CHECK_LOG("bdadd");
}

static void on_the_normal_way_out(void *arg)
{
	(void)arg;
	defer(put, "a");
	{
		defer(panic_in_defer, "late");
		put("n");
	}
	put("never");
}

TEST(a_defer_that_panics_on_the_normal_way_out)
{
	CHECK(test_panics(on_the_normal_way_out, NULL, "late"));
	CHECK_LOG("nda");
}

static void catch_inside(const char *s)
{
	CHECK(test_panics(panic_with, (void *)"private", "private"));
	put(s);
}

static void goes_on_panicking(void *arg)
{
	(void)arg;
	defer(put, "a");
	defer(catch_inside, "c");
	leat_panic("outer");
}

TEST(line_80_a_panic_caught_inside_a_defer_leaves_the_outer_one)
{
	CHECK(test_panics(goes_on_panicking, NULL, "outer"));
	CHECK_LOG("ca");
}

struct ends {
	void (*fn)(void *);
	leat_waitgroup *wg;
};

static void ends(struct ends *a)
{
	defer(leat_waitgroup_done, a->wg);
	leat_catch(a->fn, NULL, NULL);
	put("never");
}

static void run_to_its_end(void (*fn)(void *))
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go(ends, fn, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

static void goexit_in(void *arg)
{
	(void)arg;
	defer(put, "g");
	leat_goexit();
}

TEST(line_05_goexit_passes_through_catch)
{
	run_to_its_end(goexit_in);
	CHECK_LOG("g");
}

static void goexit_from_defer(const char *s)
{
	put(s);
	leat_goexit();
}

static void goexit_abandons(void *arg)
{
	(void)arg;
	defer(put, "a");
	defer(goexit_from_defer, "x");
	leat_panic("abandoned");
}

TEST(line_92_goexit_in_a_defer_abandons_the_panic)
{
	run_to_its_end(goexit_abandons);
	CHECK_LOG("xa");
}

static void panic_caught_in_goexit(void *arg)
{
	(void)arg;
	defer(put, "a");
	defer(catch_inside, "c");
	leat_goexit();
}

TEST(line_91_a_panic_caught_during_goexit_lets_it_continue)
{
	run_to_its_end(panic_caught_in_goexit);
	CHECK_LOG("ca");
}

static void panic_out_of_goexit(void *arg)
{
	(void)arg;
	defer(put, "a");
	defer(panic_in_defer, "during goexit");
	leat_goexit();
}

/* The catch around the goexit recovers the panic; the goroutine ends all the same. */
TEST(line_91_a_panic_out_of_goexit_recovered_further_out)
{
	run_to_its_end(panic_out_of_goexit);
	CHECK_LOG("da");
}

static void panics_in_goexit(void *arg)
{
	(void)arg;
	defer(put, "b");
	defer(panic_in_defer, "during goexit");
	leat_goexit();
}

static void catches_a_goexit(const char *s)
{
	put(s);
	leat_catch(panics_in_goexit, NULL, NULL);
	put("never");
}

static void goexit_in_a_catch_of_a_defer(void *arg)
{
	(void)arg;
	defer(put, "a");
	defer(catches_a_goexit, "c");
	leat_panic("first");
}

/* The goexit has dropped the panic that the catch would have gone back to. */
TEST(line_91_line_92_goexit_in_a_catch_inside_a_panic)
{
	run_to_its_end(goexit_in_a_catch_of_a_defer);
	CHECK_LOG("cdba");
}

static void goexit_twice(void *arg)
{
	(void)arg;
	defer(put, "a");
	defer(goexit_from_defer, "x");
	defer(goexit_from_defer, "y");
	leat_goexit();
}

TEST(line_05_goexit_in_a_defer_of_goexit)
{
	run_to_its_end(goexit_twice);
	CHECK_LOG("yxa");
}

struct misuse {
	const char *message;
	void (*fn)(void *);
};

static chan(int) closed;

static void send_closed(void *arg)
{
	(void)arg;
	chan_send(closed, 1);
}

static void close_closed(void *arg)
{
	(void)arg;
	chan_close(closed);
}

static void close_nil(void *arg)
{
	(void)arg;
	leat_chan_close(NULL);
}

static void try_send_closed(void *arg)
{
	(void)arg;
	chan_try_send(closed, 1);
}

static void negative_counter(void *arg)
{
	leat_waitgroup wg = {0};

	(void)arg;
	leat_waitgroup_add(&wg, 2);
	leat_waitgroup_add(&wg, -3);
}

static void negative_cap(void *arg)
{
	leat_chan *c = leat_chan_make(4, -1);

	CHECK(c == arg);
}

static void huge_cap(void *arg)
{
	leat_chan *c = leat_chan_make(1 << 20, PTRDIFF_MAX);

	CHECK(c == arg);
}

TEST(line_89_misuse_is_told_apart_from_a_programs_own_panics)
{
	static const struct misuse all[] = {
	    {"send on closed channel", send_closed},
	    {"send on closed channel", try_send_closed},
	    {"close of closed channel", close_closed},
	    {"close of nil channel", close_nil},
	    {"sync: negative WaitGroup counter", negative_counter},
	    {"makechan: size out of range", negative_cap},
	    {"makechan: size out of range", huge_cap},
	};

	closed = chan_make(int, 1);
	chan_close(closed);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		leat_panic_info info;

		CHECK(leat_catch(all[i].fn, NULL, &info));
		CHECK_STR(info.message, all[i].message);
		CHECK(info.runtime);
		CHECK_EQ(info.goid, leat_goid());
	}
	chan_free(closed);
}

struct in_goroutine {
	leat_waitgroup *wg;
};

static void yield_and_panic(void *arg)
{
	for (int i = 0; i < 3; i++)
		leat_yield();
	leat_sleep(1000);
	leat_panic("%d", *(int *)arg);
}

static void in_goroutine(struct in_goroutine *a)
{
	for (int i = 0; i < 20; i++) {
		leat_panic_info info;

		CHECK(leat_catch(yield_and_panic, &i, &info));
		CHECK_EQ(info.goid, leat_goid());
		CHECK_EQ(atoi(info.message), i);
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

TEST(goroutines_catch_their_own_and_go_on)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 50);
	for (int i = 0; i < 50; i++)
		go(in_goroutine, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

static void *in_thread(void *arg)
{
	leat_panic_info info;

	CHECK(leat_catch(panic_with, arg, &info));
	CHECK_STR(info.message, arg);
	CHECK_EQ(info.goid, 0);
	CHECK(test_panics(goes_on_panicking, NULL, "outer"));
	return NULL;
}

TEST(plain_threads_catch_too)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, in_thread, "from a thread"), 0);
	pthread_join(thread, NULL);
	CHECK_LOG("ca");
}

static leat_mutex mutex;

static void panic_locked(void *arg)
{
	(void)arg;
	with_lock(&mutex);
	leat_panic("locked");
}

TEST(a_panic_unlocks)
{
	for (int i = 0; i < 100; i++) {
		CHECK(test_panics(panic_locked, NULL, "locked"));
		CHECK(leat_mutex_trylock(&mutex));
		leat_mutex_unlock(&mutex);
	}
}

static unsigned long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, pages;

	CHECK(f != NULL);
	CHECK_EQ(fscanf(f, "%lu %lu", &size, &pages), 2);
	fclose(f);
	return pages;
}

TEST(panics_leak_nothing)
{
	int n = test_count(1000000);
	unsigned long before = 0;

	for (int i = 0; i < n; i++) {
		CHECK(leat_catch(replaced, NULL, NULL));
		log_clear();
		if (i == n / 10)
			before = resident();
	}
#ifndef TEST_SANITIZED
	CHECK(resident() < before + 512);
#else
	(void)before;
#endif
}

TEST_MAIN
