/* SPDX-License-Identifier: MIT */
/*
 * What every test program is made of.
 *
 *	TEST(line_38_send_blocks_iff_full)     the line of the semantics that it shows comes first
 *	{
 *		CHECK(leat_chan_len(c) == 0);
 *	}
 *	TEST_MAIN
 *
 * A program runs its tests in the order of the file and exits 0, or 1 at the first failed check with
 * the place and the values, or 77 if it skipped.  Arguments name the tests to run.  Tests never sleep
 * to synchronise: they wait until what they need is observable (test_until, test_parked).
 * Counts that make a test long are scaled: test_count(1000000) is a tenth of it, the whole under
 * TEST_FULL=1 (make soak), a hundredth under a sanitizer or LEAT_MIGRATE.
 */
#ifndef TEST_H
#define TEST_H

#include <leat.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

static struct test *test_first, **test_last = &test_first;

static inline void test_register(struct test *t)
{
	*test_last = t;
	test_last = &t->next;
}

#define TEST(fn)                                                                                   \
	static void fn(void);                                                                          \
	__attribute__((constructor)) static void test_register_##fn(void)                              \
	{                                                                                              \
		static struct test t = {#fn, fn, NULL};                                                    \
		test_register(&t);                                                                         \
	}                                                                                              \
	static void fn(void)

__attribute__((noreturn)) static inline void test_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
	fflush(NULL);
	_exit(1);
}

#define CHECK(cond)                                                                                \
	do {                                                                                           \
		if (!(cond))                                                                               \
			test_fail(__FILE__, __LINE__, #cond);                                                  \
	} while (0)

/* Compare two integers and show both. */
#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                           \
		long long test_a = (long long)(a), test_b = (long long)(b);                                \
		if (test_a != test_b) {                                                                    \
			fprintf(stderr, "%s:%d: %s is %lld, %s is %lld\n", __FILE__, __LINE__, #a, test_a, #b, \
			        test_b);                                                                       \
			fflush(NULL);                                                                          \
			_exit(1);                                                                              \
		}                                                                                          \
	} while (0)

#define CHECK_STR(a, b)                                                                            \
	do {                                                                                           \
		const char *test_a = (a), *test_b = (b);                                                   \
		if (strcmp(test_a, test_b) != 0) {                                                         \
			fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #a, test_a,   \
			        test_b);                                                                       \
			fflush(NULL);                                                                          \
			_exit(1);                                                                              \
		}                                                                                          \
	} while (0)

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define TEST_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif

static inline int test_count(int full)
{
	int n = full / 10;

	if (getenv("TEST_FULL"))
		return full;
	if (getenv("LEAT_MIGRATE"))
		n = full / 100;
#ifdef TEST_SANITIZED
	n = full / 100;
#endif
	return n > 0 ? n : 1;
}

__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

/* Bytes that malloc has given out; 0 where the C library cannot say. */
static inline size_t test_heap_in_use(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
#ifdef __GLIBC__
	return mallinfo2().uordblks + mallinfo2().hblkhd;
#else
	return 0;
#endif
}

/* An emulator runs the test: memory and time are the emulator's, too. */
static inline bool test_emulated(void)
{
	return getenv("TEST_EMULATED") != NULL;
}

/* Yield until cond holds; a minute without it fails the test.  cond must be a data-race-free read. */
#define test_until(cond)                                                                           \
	do {                                                                                           \
		int64_t test_end = leat_now() + LEAT_MINUTE;                                               \
		while (!(cond)) {                                                                          \
			leat_yield();                                                                          \
			if (leat_now() > test_end)                                                             \
				test_fail(__FILE__, __LINE__, "waited a minute for " #cond);                       \
		}                                                                                          \
	} while (0)

/* Wait until n goroutines and threads are parked in leat.  Counting them walks all, so look seldom. */
#define test_parked(n)                                                                             \
	do {                                                                                           \
		for (int test_i = 0; test_i < 2 * (int)(n) && test_i < 1000; test_i++)                     \
			leat_yield();                                                                          \
		test_until(leat_num_parked() == (size_t)(n));                                              \
	} while (0)

/* Wait until only n goroutines exist. */
#define test_goroutines(n) test_until(leat_num_goroutine() == (size_t)(n))

/* True when calling fn(arg) panics with exactly this message. */
static inline bool test_panics(void (*fn)(void *), void *arg, const char *message)
{
	leat_panic_info info;

	if (!leat_catch(fn, arg, &info)) {
		fprintf(stderr, "no panic; \"%s\" was due\n", message);
		return false;
	}
	if (strcmp(info.message, message) != 0) {
		fprintf(stderr, "panic \"%s\" instead of \"%s\"\n", info.message, message);
		return false;
	}
	return true;
}

/*
 * No look for leaks as a child of fork exits: gcc 12's LeakSanitizer would wait for the lock of a thread that the parent was just
 * making, and that the child has not.
 */
#ifdef __SANITIZE_ADDRESS__
static pid_t test_pid;

__attribute__((constructor)) static void test_know_pid(void)
{
	test_pid = getpid();
}

/* Weak, for programs of several files. */
int __lsan_is_turned_off(void);
__attribute__((weak, visibility("default"))) int __lsan_is_turned_off(void)
{
	return getpid() != test_pid;
}
#endif

static inline int test_main(int argc, char **argv)
{
	int ran = 0;

	for (struct test *t = test_first; t; t = t->next) {
		bool wanted = argc < 2;

		for (int i = 1; i < argc; i++)
			wanted |= strstr(t->name, argv[i]) != NULL;
		if (!wanted)
			continue;
		fprintf(stderr, "%s\n", t->name);
		t->run();
		ran++;
	}
	if (ran == 0) {
		fprintf(stderr, "no such test\n");
		return 1;
	}
	return 0;
}

#define TEST_MAIN                                                                                  \
	int main(int argc, char **argv)                                                                \
	{                                                                                              \
		return test_main(argc, argv);                                                              \
	}

#endif
