/* SPDX-License-Identifier: MIT */
/* CTEST: nomigrate */
/*
 * Goal: what channels and selects need for a wait is given back.  Method: after a warm-up, a great
 * many operations must not make the heap or the resident memory grow.  Under a sanitizer its own
 * allocator is asked, and the resident memory, which holds its quarantine, is not.
 */
#include "chan_help.h"

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, pages = 0;

	if (__sanitizer_get_current_allocated_bytes)
		pages = 0;
	else
		CHECK(f && fscanf(f, "%lu %lu", &size, &pages) == 2);
	if (f)
		fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * Run fn(n) once to warm up and once more; the second run must leave nothing behind.  Stacks are kept
 * for reuse where they were given back, so a processor that joins in late may touch some more of them.
 */
static void check_growth(void (*fn)(int), int n)
{
	size_t heap, rss, slack = (512 + 128 * (size_t)leat_procs(0)) * 1024;

	fn(n / 4 + 10);
	fn(n / 4 + 10);
	heap = test_heap_in_use();
	rss = resident();
	fn(n);
	size_t heap_after = test_heap_in_use(), rss_after = resident();
	if (heap_after >= heap + 110 * 1024 || rss_after >= rss + slack)
		fprintf(stderr, "heap %zu -> %zu, resident %zu -> %zu\n", heap, heap_after, rss, rss_after);
	CHECK(heap_after < heap + 110 * 1024);
	CHECK(rss_after < rss + slack || test_emulated());
}

struct echo {
	chan(int) in, out, idle;
};

/* Both sides wait by selects; every turn parks at least one of them. */
static void echo(struct echo *a)
{
	for (bool more = true; more;) {
		int got = 0;

		chan_select {
			case_recv(a->in, v, ok) {
				got = v;
				more = ok;
			}
			case_recv(a->idle) {
			}
			case_send(a->idle, 1) {
			}
		}
		if (more)
			chan_select {
				case_recv(a->idle) {
				}
				case_send(a->out, got) {
				}
			}
	}
	chan_close(a->out);
}

static void small_selects(int n)
{
	chan(int) in = chan_make(int, 0), out = chan_make(int, 0), idle = chan_make(int, 0);

	go(echo, in, out, idle);
	for (int i = 0; i < n; i++) {
		chan_send(in, i);
		chan_select {
			case_recv(out, v)
				CHECK_EQ(v, i);
			case_timeout(LEAT_HOUR) {
			}
		}
	}
	chan_close(in);
	CHECK(!chan_recv_ok(out, &(int){0}));
	test_goroutines(1);
	chan_free(in);
	chan_free(out);
	chan_free(idle);
}

TEST(line_56_selects_keep_nothing)
{
	check_growth(small_selects, test_count(1000000));
}

/* 20 rounds of ten-case selects and a close: Go's issue 9110. */
struct many {
	chan(int) *c;
	leat_waitgroup *wg;
};

static void many(struct many *a)
{
	chan(int) *c = a->c;

	/* clang-format off */
	chan_select {
		case_recv(c[0]) {} case_recv(c[1]) {} case_recv(c[2]) {} case_recv(c[3]) {}
		case_recv(c[4]) {} case_recv(c[5]) {} case_recv(c[6]) {} case_recv(c[7]) {}
		case_recv(c[8]) {} case_recv(c[9]) {}
	}
	/* clang-format on */
	leat_waitgroup_done(a->wg);
}

static void ten_case_selects(int rounds)
{
	for (int r = 0; r < rounds; r++) {
		enum { WAITERS = 20 };
		chan(int) c[10];
		leat_waitgroup wg = {0};

		for (int i = 0; i < 10; i++)
			c[i] = chan_make(int, 0);
		leat_waitgroup_add(&wg, WAITERS);
		for (int i = 0; i < WAITERS; i++)
			go(many, c, &wg);
		test_parked(WAITERS);
		chan_close(c[r % 10]);
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < 10; i++)
			chan_free(c[i]);
		test_goroutines(1);
	}
}

TEST(line_56_ten_case_selects_keep_nothing)
{
	check_growth(ten_case_selects, test_count(20000));
}

/* Values beyond the select object's 64 bytes, and every way out of a body. */
struct large {
	char bytes[3000];
};

static int large_once(chan(struct large) c, int way)
{
	struct large v = {{0}};

	do {
		chan_select {
			case_send((chan(struct large))NULL, v)
				return 1;
			case_send_if(way < 5, c, v) {
				if (way == 0)
					return 1;
				if (way == 1)
					goto out;
				if (way == 2)
					break;
				if (way == 3)
					continue;
			}
			case_recv_if(way >= 5, c, w) {
				if (way == 5)
					return w.bytes[0];
				if (way == 6)
					goto out;
				if (way == 7)
					break;
				if (way == 8)
					continue;
			}
		}
	} while (0);
out:
	return 0;
}

static void large_selects(int n)
{
	chan(struct large) c = chan_make(struct large, 1);

	for (int i = 0; i < n; i++) {
		large_once(c, i % 5);
		large_once(c, 5 + i / 5 % 5);
	}
	CHECK_EQ(chan_len(c), 0);
	chan_free(c);
}

TEST(line_56_large_values_keep_nothing_whichever_way_out)
{
	check_growth(large_selects, test_count(100000));
}

static struct large panicking(void)
{
	leat_panic("operand");
}

static void large_panic(void *p)
{
	chan(struct large) c = p;
	struct large v = {{0}};

	if (c)
		chan_select {
			case_send((chan(struct large))NULL, v) {
			}
			case_send(c, v) {
			}
		}
	else
		chan_select {
			case_send((chan(struct large))NULL, v) {
			}
			case_send(c, panicking()) {
			}
		}
}

static void large_body_panic(void *p)
{
	chan(struct large) c = p;

	chan_select {
		case_recv(c, v)
			leat_panic("body %d", v.bytes[0]);
	}
}

static void panicking_selects(int n)
{
	chan(struct large) c = chan_make(struct large, 1);

	chan_close(c);
	for (int i = 0; i < n; i++) {
		CHECK(leat_catch(large_panic, (void *)c, NULL));
		CHECK(leat_catch(large_panic, NULL, NULL));
		CHECK(leat_catch(large_body_panic, (void *)c, NULL));
	}
	chan_free(c);
}

TEST(line_56_panics_inside_selects_keep_nothing)
{
	check_growth(panicking_selects, test_count(30000));
}

/* The array form allocates when it parks with many cases; timed out, or served. */
static void array_selects(int n)
{
	enum { CASES = 64 };
	leat_chan *c[CASES];
	leat_case cases[CASES];
	int v = 0;

	for (int i = 0; i < CASES; i++) {
		c[i] = leat_chan_make(sizeof(int), 1);
		cases[i] = (leat_case){c[i], LEAT_RECV, &v};
	}
	for (int i = 0; i < n; i++) {
		CHECK_EQ(leat_select(cases, CASES, 1, NULL), LEAT_SELECT_NONE);
		leat_chan_send(c[i % CASES], &i);
		CHECK_EQ(leat_select(cases, CASES, LEAT_HOUR, NULL), i % CASES);
		CHECK_EQ(v, i);
	}
	for (int i = 0; i < CASES; i++)
		leat_chan_free(c[i]);
}

TEST(line_56_array_selects_keep_nothing)
{
	check_growth(array_selects, test_count(50000));
}

/* Waits of plain threads, which come and go. */
static void *thread_echo(void *p)
{
	struct echo *a = p;

	echo(a);
	return NULL;
}

static void threads(int n)
{
	for (int i = 0; i < n; i++) {
		chan(int) in = chan_make(int, 0), out = chan_make(int, 0), idle = chan_make(int, 0);
		struct echo a = {in, out, idle};
		pthread_t t;

		CHECK(pthread_create(&t, NULL, thread_echo, &a) == 0);
		for (int j = 0; j < 5; j++) {
			chan_send(in, j);
			CHECK_EQ(chan_recv(out), j);
		}
		chan_close(in);
		CHECK(pthread_join(t, NULL) == 0);
		chan_free(in);
		chan_free(out);
		chan_free(idle);
	}
}

TEST(line_56_threads_keep_nothing)
{
	check_growth(threads, test_count(2000));
}

static void channels(int n)
{
	for (int i = 0; i < n; i++) {
		leat_chan *c = leat_chan_make((size_t)(i % 100), i % 50);

		leat_chan_free(c);
	}
}

TEST(line_56_freed_channels_keep_nothing)
{
	check_growth(channels, test_count(1000000));
}

TEST_MAIN
