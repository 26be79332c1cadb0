/* SPDX-License-Identifier: MIT */
/*
 * Goal: what a goroutine gets when it is started: its arguments, in every size, its id and its
 * name.
 * Method: arguments are overwritten in the caller right after the go, so that only a copy made
 * before the return can still be right; ids of many goroutines are sorted and compared.
 */
#include "test.h"

#include <fenv.h>
#include <stdatomic.h>

struct add_up {
	int v;
	atomic_long *sum;
	leat_waitgroup *wg;
};

static void add_up(struct add_up *a)
{
	atomic_fetch_add(a->sum, a->v);
	leat_waitgroup_done(a->wg);
}

TEST(line_01_arguments_are_copied_before_go_returns)
{
	leat_waitgroup wg = {0};
	atomic_long sum = 0;
	int v;

	leat_waitgroup_add(&wg, 1000);
	for (v = 1; v <= 1000; v++)
		go(add_up, .v = v, .sum = &sum, .wg = &wg);
	v = -1;
	leat_waitgroup_wait(&wg);
	CHECK_EQ(sum, 500500);
}

static int next_value(int *counter)
{
	return ++*counter;
}

TEST(line_01_arguments_are_evaluated_once_in_the_caller)
{
	leat_waitgroup wg = {0};
	atomic_long sum = 0;
	int counter = 0;

	for (int i = 1; i <= 100; i++) {
		leat_waitgroup_add(&wg, 1);
		go(add_up, .v = next_value(&counter), .sum = &sum, .wg = &wg);
		CHECK_EQ(counter, i);
	}
	leat_waitgroup_wait(&wg);
	CHECK_EQ(sum, 5050);
}

static void subtract(struct add_up *a)
{
	atomic_fetch_sub(a->sum, a->v);
	leat_waitgroup_done(a->wg);
}

TEST(line_01_the_function_is_read_before_go_returns)
{
	leat_waitgroup wg = {0};
	atomic_long sum = 0;
	void (*f)(struct add_up *) = add_up;

	leat_waitgroup_add(&wg, 2);
	go_as(add_up, f, .v = 7, .sum = &sum, .wg = &wg);
	f = subtract;
	go_as(add_up, f, .v = 2, .sum = &sum, .wg = &wg);
	f = NULL;
	leat_waitgroup_wait(&wg);
	CHECK_EQ(sum, 5);
}

/* The first bytes of every buffer below; buffers shorter than it hold a pattern alone. */
struct sized_head {
	size_t bytes;
	leat_waitgroup *wg;
	atomic_int *bad;
};

static unsigned char pattern(size_t bytes, size_t i)
{
	return (unsigned char)(bytes * 7 + i * 13 + 1);
}

static void check_sized(void *p)
{
	struct sized_head *h = p;
	unsigned char *b = p;
	size_t bytes = h->bytes;
	atomic_int *bad = h->bad;
	leat_waitgroup *wg = h->wg;

	if ((uintptr_t)p % 16 != 0)
		atomic_fetch_add(bad, 1);
	for (size_t i = sizeof *h; i < bytes; i++)
		if (b[i] != pattern(bytes, i))
			atomic_fetch_add(bad, 1);
	memset(b, 0xee, bytes); /* the copy is the goroutine's own */
	leat_yield();
	for (size_t i = 0; i < bytes; i++)
		if (b[i] != 0xee)
			atomic_fetch_add(bad, 1);
	leat_waitgroup_done(wg);
}

TEST(line_01_arguments_of_every_size_arrive_aligned_to_16)
{
	static const size_t sizes[] = {24,    25,    31,    32,    33,    63,   64,   65,
	                               127,   128,   129,   255,   256,   257,  511,  512,
	                               513,   1000,  1024,  1025,  2048,  4000, 4096, 4097,
	                               16383, 16384, 32768, 65521, 65535, 65536};
	static unsigned char buf[65536];
	atomic_int bad = 0;
	leat_waitgroup wg = {0};

	for (int round = 0; round < 3; round++) {
		for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
			struct sized_head h = {sizes[s], &wg, &bad};

			for (size_t i = 0; i < sizes[s]; i++)
				buf[i] = pattern(sizes[s], i);
			memcpy(buf, &h, sizeof h);
			leat_waitgroup_add(&wg, 1);
			leat_go(check_sized, buf, sizes[s]);
			memset(buf, 0xdd, sizes[s]);
		}
	}
	leat_waitgroup_wait(&wg);
	CHECK_EQ(bad, 0);
}

static chan(uint64_t) tiny_out;

static void send_tiny(void *p)
{
	uint64_t v = 0;

	/* The last byte says how many bytes there are, as the function cannot know it otherwise. */
	for (int i = 7; i >= 0; i--)
		v = v << 8 | ((unsigned char *)p)[i < ((unsigned char *)p)[0] ? i : 0];
	chan_send(tiny_out, (uintptr_t)p % 16 == 0 ? v : 0);
}

TEST(line_01_arguments_of_one_to_eight_bytes)
{
	tiny_out = chan_make(uint64_t, 0);
	for (size_t n = 1; n <= 8; n++) {
		unsigned char arg[8] = {(unsigned char)n, 2, 3, 4, 5, 6, 7, 8};
		uint64_t want = 0;

		for (size_t i = 8; i-- > 0;)
			want = want << 8 | arg[i < n ? i : 0];
		leat_go(send_tiny, arg, n);
		memset(arg, 0, sizeof arg);
		CHECK(chan_recv(tiny_out) == want);
	}
	chan_free(tiny_out);
}

static atomic_int ran;

static void count_run(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ran, 1);
}

TEST(line_01_no_arguments_at_all)
{
	static const char unread[1] = {0};

	ran = 0;
	leat_go(count_run, NULL, 0);
	leat_go(count_run, unread, 0);
	test_until(atomic_load(&ran) == 2);
	test_goroutines(1);
}

static char too_large[65537];

static void start_too_large(void *arg)
{
	(void)arg;
	leat_go(count_run, too_large, sizeof too_large);
}

TEST(arguments_larger_than_64_kib_panic_and_start_nothing)
{
	leat_panic_info info;

	ran = 0;
	CHECK(leat_catch(start_too_large, NULL, &info));
	CHECK(info.runtime);
	test_goroutines(1);
	CHECK_EQ(ran, 0);
}

static void run0(void)
{
	atomic_fetch_add(&ran, 1);
}

TEST(line_01_go0_and_function_pointers)
{
	void (*f)(void) = run0;

	ran = 0;
	go0(run0);
	go0(f);
	test_until(atomic_load(&ran) == 2);
	test_goroutines(1);
}

/* A go is an expression statement wherever C allows one. */
TEST(go_is_one_statement)
{
	leat_waitgroup wg = {0};
	atomic_long sum = 0;

	leat_waitgroup_add(&wg, 2);
	if (sum == 0)
		go(add_up, .v = 1, .sum = &sum, .wg = &wg);
	else
		go(add_up, .v = 100, .sum = &sum, .wg = &wg);
	for (int i = 0; i < 1; i++)
		go(add_up, 5, &sum, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(sum, 6);
	test_goroutines(1); /* what is done may have yet to end */
}

TEST(line_07_counting_goroutines)
{
	chan(int) c = chan_make(int, 0);
	leat_waitgroup wg = {0};
	atomic_long sum = 0;

	/* Timers and the monitor are running by the end, and never count. */
	CHECK_EQ(leat_num_goroutine(), 1);
	leat_sleep(LEAT_MILLISECOND);
	CHECK_EQ(leat_num_goroutine(), 1);
	CHECK_EQ(leat_num_parked(), 0);
	leat_waitgroup_add(&wg, 50);
	for (int i = 0; i < 50; i++)
		go(add_up, .v = 1, .sum = &sum, .wg = &wg);
	CHECK(leat_num_goroutine() <= 51);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
	chan_free(c);
}

struct park_on {
	chan(int) c;
};

static void park_on(struct park_on *a)
{
	chan_recv(a->c);
}

TEST(line_07_parked_goroutines_count)
{
	chan(int) c = chan_make(int, 0);

	for (int i = 0; i < 100; i++)
		go(park_on, c);
	test_parked(100);
	CHECK_EQ(leat_num_goroutine(), 101);
	chan_close(c);
	test_goroutines(1);
	CHECK_EQ(leat_num_parked(), 0);
	chan_free(c);
}

struct tell_id {
	uint64_t *id;
	leat_waitgroup *wg;
};

static void tell_id(struct tell_id *a)
{
	uint64_t id = leat_goid();

	leat_yield();
	*a->id = leat_goid() == id ? id : 0;
	leat_waitgroup_done(a->wg);
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

TEST(line_08_main_is_goroutine_1_and_ids_are_never_used_again)
{
	int n = test_count(1000000), batch = 1000;
	uint64_t *ids = calloc((size_t)n + (size_t)batch, sizeof *ids);
	int got = 0;

	CHECK(ids != NULL);
	CHECK_EQ(leat_goid(), 1);
	while (got < n) {
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, batch);
		for (int i = 0; i < batch; i++)
			go(tell_id, .id = &ids[got + i], .wg = &wg);
		leat_waitgroup_wait(&wg);
		got += batch;
	}
	CHECK_EQ(leat_goid(), 1);
	qsort(ids, (size_t)got, sizeof *ids, compare_ids);
	CHECK(ids[0] > 1);
	for (int i = 1; i < got; i++)
		CHECK(ids[i] != ids[i - 1]);
	free(ids);
	test_goroutines(1);
}

struct check_name {
	const char *want;
	leat_waitgroup *wg;
};

static void check_name(struct check_name *a)
{
	CHECK_STR(leat_name(), a->want);
	leat_yield();
	CHECK_STR(leat_name(), a->want);
	leat_waitgroup_done(a->wg);
}

TEST(names_are_copied_and_belong_to_their_goroutine)
{
	static const char *const names[] = {"", "a", "walker",
	                                    "a name of some forty characters, or more"};
	leat_waitgroup wg = {0};
	char buf[64];

	for (int i = 0; i < 40; i++) {
		leat_go_opts opts = {.name = buf};

		strcpy(buf, names[i % 4]);
		leat_waitgroup_add(&wg, 1);
		go_with(&opts, check_name, .want = names[i % 4], .wg = &wg);
		memset(buf, 'x', sizeof buf - 1);
		opts.name = NULL;
	}
	leat_waitgroup_wait(&wg);
	leat_waitgroup_add(&wg, 2);
	go(check_name, .want = "", .wg = &wg);
	go_with(NULL, check_name, .want = "", .wg = &wg);
	leat_waitgroup_wait(&wg);
	CHECK_STR(leat_name(), "");
	test_goroutines(1);
}

/* A goroutine that reuses another's descriptor must not inherit its name. */
TEST(names_do_not_survive_their_goroutine)
{
	for (int i = 0; i < 100; i++) {
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 1);
		go_with(&(leat_go_opts){.name = "first"}, check_name, .want = "first", .wg = &wg);
		leat_waitgroup_wait(&wg);
		leat_waitgroup_add(&wg, 1);
		go(check_name, .want = "", .wg = &wg);
		leat_waitgroup_wait(&wg);
	}
}

/* --- rounding */

struct quotients {
	double positive, negative;
};

/* What a third is depends on the rounding mode, and tells all four apart. */
static struct quotients divide(void)
{
	volatile double one = 1, three = 3;
	struct quotients q = {one / three, -one / three};

	return q;
}

struct round_as {
	int mode;
	leat_waitgroup *wg;
};

/* The mode belongs to the goroutine, as does what it does to a division.  On x86 it stands in two
   places: fegetround looks at the x87 control word, a division at MXCSR. */
static void round_as(struct round_as *a)
{
	struct quotients mine;

	CHECK_EQ(fegetround(), FE_TONEAREST); /* not that of whoever started us */
	CHECK_EQ(fesetround(a->mode), 0);
	mine = divide();
	for (int i = 0; i < 200; i++) {
		struct quotients now;

		leat_yield();
		CHECK_EQ(fegetround(), a->mode);
		now = divide();
		CHECK(now.positive == mine.positive && now.negative == mine.negative);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_25_each_goroutine_has_its_own_rounding_mode)
{
	static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
	leat_waitgroup wg = {0};

	CHECK_EQ(fesetround(FE_UPWARD), 0);
	leat_waitgroup_add(&wg, 40);
	for (int i = 0; i < 40; i++)
		go(round_as, .mode = modes[i % 4], .wg = &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(fegetround(), FE_UPWARD);
	CHECK_EQ(fesetround(FE_TONEAREST), 0);
}

TEST_MAIN
