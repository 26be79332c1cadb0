/* SPDX-License-Identifier: MIT */
/* CTEST: env:ASAN_OPTIONS=intercept_tls_get_addr=0 */
/*
 * Goal: leat_dump says truly what each goroutine does, whatever that is, and disturbs none.
 * Method: a dump into memory, taken apart into blocks, beside goroutines in known states.
 *
 * The option: LeakSanitizer guesses where the thread-local variables of a library lie that was loaded
 * with dlopen, libdw's here, and with this version of glibc reads from a wrong guess when it ends.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define NOINLINE __attribute__((noinline))

/* Keeps the call before it from being the last thing that its function does. */
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

static char *dump(void)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	CHECK(f != NULL);
	leat_dump(f);
	fclose(f);
	return text;
}

static size_t count(const char *text, const char *words)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words))
		n++;
	return n;
}

static size_t blocks(const char *text)
{
	return count(text, "\ngoroutine ") + (strncmp(text, "goroutine ", 10) == 0);
}

static void need(const char *text, const char *words)
{
	if (strstr(text, words))
		return;
	fprintf(stderr, "\"%s\" is missing in:\n%s\n", words, text);
	exit(1);
}

/* A block of the dump begins with head and has then, before it ends, the words. */
static bool block_has(const char *text, const char *head, const char *words)
{
	for (const char *at = text; (at = strstr(at, head)) != NULL; at++) {
		const char *end = strstr(at, "\n\n"), *found = strstr(at, words);

		if (found && (!end || found < end))
			return true;
	}
	return false;
}

static void need_block(const char *text, const char *head, const char *words)
{
	if (block_has(text, head, words))
		return;
	fprintf(stderr, "no block \"%s\" with \"%s\" in:\n%s\n", head, words, text);
	exit(1);
}

/* Dump until a block is as wanted: for states that come about without a sign. */
static void need_block_soon(const char *head, const char *words)
{
	int64_t end = leat_now() + LEAT_MINUTE;

	for (;;) {
		char *text = dump();
		bool found = block_has(text, head, words);

		if (!found && leat_now() > end)
			need_block(text, head, words);
		free(text);
		if (found)
			return;
		leat_yield();
	}
}

/* --- blocked */

static struct {
	chan(int) c;
	leat_mutex m;
	leat_waitgroup wg;
} all;

/* The end of a goroutine orders nothing, and the next test has another channel. */
static chan(int) the_chan(void)
{
	return __atomic_load_n(&all.c, __ATOMIC_RELAXED);
}

static void make_chan(void)
{
	__atomic_store_n(&all.c, chan_make(int, 0), __ATOMIC_RELAXED);
}

static NOINLINE void receives(void)
{
	chan_recv(the_chan());
	NO_TAIL_CALL();
}

static NOINLINE void sleeps(void)
{
	leat_sleep(LEAT_HOUR);
	NO_TAIL_CALL();
}

static NOINLINE void selects(void)
{
	chan_select {
		case_recv(the_chan()) {
		}
	}
}

static NOINLINE void locks(void)
{
	leat_mutex_lock(&all.m);
	leat_mutex_unlock(&all.m);
}

static NOINLINE void waits(void)
{
	leat_waitgroup_wait(&all.wg);
	NO_TAIL_CALL();
}

TEST(line_162_163_blocked_goroutines_and_their_words)
{
	char *text, place[64];
	int line;

	make_chan();
	leat_mutex_lock(&all.m);
	leat_waitgroup_add(&all.wg, 1);
	line = __LINE__ + 1;
	go0(receives);
	go0(selects);
	go0(locks);
	go0(waits);
	test_parked(4);
	text = dump();
	need_block(text, "[chan receive]:\n", "receives(...)\n");
	need_block(text, "[select]:\n", "selects(...)\n");
	need_block(text, "[sync.Mutex.Lock]:\n", "locks(...)\n");
	need_block(text, "[sync.WaitGroup.Wait]:\n", "waits(...)\n");
	need_block(text, "goroutine 1 [running]:\n",
	           "line_162_163_blocked_goroutines_and_their_words(...)\n");
	snprintf(place, sizeof place, "dump.c:%d +0x", line);
	need_block(text, "[chan receive]:\n", place);
	need_block(text, "[chan receive]:\n",
	           "created by line_162_163_blocked_goroutines_and_their_words in goroutine 1\n");
	/* The oldest first; none of leat's own frames, unless it is told to show them. */
	CHECK(strncmp(text, "goroutine 1 [", 13) == 0);
	if (!getenv("LEAT_TRACEBACK"))
		CHECK(strstr(text, "leat_") == NULL);
	free(text);

	leat_mutex_unlock(&all.m);
	leat_waitgroup_done(&all.wg);
	chan_close(all.c);
	test_goroutines(1);
	chan_free(all.c);
}

TEST(line_163_sleep)
{
	char *text;

	go0(sleeps);
	test_parked(1);
	text = dump();
	need_block(text, "[sleep]:\n", "sleeps(...)\n");
	CHECK_EQ(blocks(text), 2);
	free(text);
}

/* The sleeper of the test before is there to the end. */
enum { SLEEPERS = 1 };

TEST(a_goroutine_has_its_name)
{
	char *text;

	make_chan();
	leat_go_with(&(leat_go_opts){.name = "feeder"}, (void (*)(void *))(void (*)(void))receives,
	             NULL, 0);
	test_parked(SLEEPERS + 1);
	text = dump();
	need_block(text, "\"feeder\" [chan receive]:\n", "receives(...)\n");
	free(text);
	chan_close(all.c);
	test_goroutines(SLEEPERS + 1);
	chan_free(all.c);
}

/* --- not blocked */

static _Atomic bool spinning, enough;

static NOINLINE void spins(void)
{
	while (!atomic_load(&enough))
		atomic_store(&spinning, true);
}

static void spinner(void)
{
	spins();
	NO_TAIL_CALL();
}

static void yielder(void)
{
	while (!atomic_load(&enough))
		leat_yield();
}

static void begin(void)
{
	atomic_store(&spinning, false);
	atomic_store(&enough, false);
}

TEST(line_163_running_in_a_loop_without_end)
{
	begin();
	go0(spinner);
	test_until(atomic_load(&spinning));
	need_block_soon("[running]:\n", "spins(...)\n");
	need_block_soon("[running]:\n", "spinner(...)\n");
	need_block_soon("[running]:\n",
	                "created by line_163_running_in_a_loop_without_end in goroutine 1");
	atomic_store(&enough, true);
	test_goroutines(SLEEPERS + 1);
}

TEST(line_163_runnable)
{
	char *text;

	begin();
	leat_procs(1);
	/* The only processor is ours as long as we are quick; when we are not, it starts. */
	for (;;) {
		go0(yielder);
		text = dump();
		if (block_has(text, "[runnable]:\n", "yielder(...)\n"))
			break;
		free(text);
	}
	need_block(text, "[runnable]:\n", "created by line_163_runnable in goroutine 1");
	free(text);
	/* Started, and in a queue. */
	need_block_soon("[runnable]:\n", "yielder(...)\n");
	atomic_store(&enough, true);
	test_goroutines(SLEEPERS + 1);
	leat_procs(atoi(getenv("LEAT_PROCS") ? getenv("LEAT_PROCS") : "2"));
}

/* --- locked to its thread, whatever it does there */

static void locked(void)
{
	leat_lock_thread();
	receives();
	NO_TAIL_CALL();
}

TEST(a_locked_goroutine_is_said_to_be)
{
	char *text;

	make_chan();
	go0(locked);
	test_parked(SLEEPERS + 1);
	text = dump();
	need_block(text, "[chan receive, locked to thread]:\n", "receives(...)\n");
	free(text);
	chan_close(all.c);
	test_goroutines(SLEEPERS + 1);
	chan_free(all.c);
}

/* --- on a packed stack */

static _Atomic(char *) of_small;

static NOINLINE void dumps(void)
{
	atomic_store(&of_small, dump());
}

TEST(a_goroutine_on_a_small_stack_dumps)
{
	char *text;

	make_chan();
	leat_go_with(&(leat_go_opts){.stack_bytes = 2048}, (void (*)(void *))(void (*)(void))receives,
	             NULL, 0);
	test_parked(SLEEPERS + 1);
	leat_go_with(&(leat_go_opts){.stack_bytes = 2048}, (void (*)(void *))(void (*)(void))dumps,
	             NULL, 0);
	test_until(atomic_load(&of_small) != NULL);
	text = atomic_load(&of_small);
	need_block(text, "[running]:\n", "dumps(...)\n");
	need_block(text, "[chan receive]:\n", "receives(...)\n");
	free(text);
	chan_close(all.c);
	test_goroutines(SLEEPERS + 1);
	chan_free(all.c);
}

/* --- a blocking call goes on */

static int ends[2];
static _Atomic int got;

static NOINLINE void reads(void)
{
	char byte = 0;
	ssize_t n = read(ends[0], &byte, 1);

	atomic_store(&got, n == 1 ? byte : -errno);
}

TEST(line_163_syscall_goes_on_after_a_dump)
{
	CHECK(pipe(ends) == 0);
	go0(reads);
	need_block_soon("[syscall]:\n", "reads(...)\n");
	for (int i = 0; i < 20; i++)
		free(dump());
	CHECK_EQ(atomic_load(&got), 0);
	CHECK(write(ends[1], "x", 1) == 1);
	test_goroutines(SLEEPERS + 1);
	CHECK_EQ(atomic_load(&got), 'x');
	close(ends[0]);
	close(ends[1]);
}

/* --- how many */

TEST(line_167_as_many_blocks_as_goroutines)
{
	enum { N = 300 };
	char *text;

	make_chan();
	for (int i = 0; i < N; i++)
		go0(receives);
	test_parked(SLEEPERS + N);
	text = dump();
	CHECK_EQ(blocks(text), leat_num_goroutine());
	CHECK_EQ(blocks(text), SLEEPERS + N + 1);
	CHECK_EQ(count(text, "[chan receive]:\nreceives(...)\n"), N);
	/* Oldest first. */
	for (const char *at = text, *next; (next = strstr(at, "\n\ngoroutine ")) != NULL; at = next + 2)
		CHECK(strtoull(at + 10, NULL, 10) < strtoull(next + 12, NULL, 10));
	free(text);
	chan_close(all.c);
	test_goroutines(SLEEPERS + 1);
	chan_free(all.c);
}

/* Line 7: the monitor, a timer's keeper and plain threads have no block. */
static void *plain(void *arg)
{
	char *text = dump();

	CHECK_EQ(blocks(text), leat_num_goroutine());
	need(text, "goroutine 1 [");
	CHECK(!strstr(text, "\nthread "));
	free(text);
	return arg;
}

TEST(line_7_helpers_and_threads_never_appear)
{
	pthread_t thread;

	leat_yield(); /* main is a goroutine from its first call on */
	CHECK(pthread_create(&thread, NULL, plain, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

/* --- several at once, and all the while goroutines start, run, park and end */

static void brief(void)
{
	leat_yield();
	leat_waitgroup_done(&all.wg);
}

static void churn(void)
{
	int ball;

	while (!atomic_load(&enough)) {
		leat_waitgroup_add(&all.wg, 8);
		for (int i = 0; i < 8; i++)
			go0(brief);
		chan_recv(the_chan());
		leat_waitgroup_wait(&all.wg);
	}
	while (chan_recv_ok(the_chan(), &ball))
		;
}

static void feed(void)
{
	while (!atomic_load(&enough))
		chan_send(the_chan(), 1);
	chan_close(all.c);
}

static _Atomic size_t seen, unseen;

static void dumper(leat_waitgroup **wg)
{
	for (int i = 0; i < test_count(50); i++) {
		char *text = dump();

		atomic_fetch_add(&seen, blocks(text));
		atomic_fetch_add(&unseen, count(text, "stack unavailable"));
		need(text, "goroutine 1 [");
		free(text);
	}
	leat_waitgroup_done(*wg);
}

static void *thread_dumper(void *wg)
{
	dumper((leat_waitgroup **)&wg);
	return NULL;
}

TEST(dumps_at_once_while_goroutines_come_and_go)
{
	leat_waitgroup wg = {0}, *to = &wg;
	pthread_t thread;

	begin();
	make_chan();
	go0(feed);
	go0(churn);
	leat_waitgroup_add(&wg, 3);
	for (int i = 0; i < 2; i++)
		leat_go((void (*)(void *))(void (*)(void))dumper, (void *)&to, sizeof(void *));
	CHECK(pthread_create(&thread, NULL, thread_dumper, &wg) == 0);
	leat_waitgroup_wait(&wg);
	atomic_store(&enough, true);
	CHECK(pthread_join(thread, NULL) == 0);
	test_goroutines(SLEEPERS + 1);
	chan_free(all.c);
	/* Hardly a one could not be caught, however short its states. */
	CHECK(atomic_load(&unseen) * 10 <= atomic_load(&seen));
}

/* --- the program's own handler of the signal */

static _Atomic int urgent;

static void on_urgent(int sig)
{
	(void)sig;
	atomic_fetch_add(&urgent, 1);
}

TEST(the_programs_handler_of_SIGURG_stays)
{
	struct sigaction sa = {.sa_handler = on_urgent};

	begin();
	go0(spinner);
	test_until(atomic_load(&spinning));
	CHECK(sigaction(SIGURG, &sa, NULL) == 0);
	need_block_soon("[running]:\n", "spins(...)\n");
	CHECK_EQ(atomic_load(&urgent), 0);
	CHECK(raise(SIGURG) == 0);
	test_until(atomic_load(&urgent) == 1);
	atomic_store(&enough, true);
	test_goroutines(SLEEPERS + 1);
}

/* --- a thread that cannot be looked at does not hold up a dump for long */

static void deaf(void)
{
	sigset_t urgent_set, before;

	sigemptyset(&urgent_set);
	sigaddset(&urgent_set, SIGURG);
	pthread_sigmask(SIG_BLOCK, &urgent_set, &before);
	spins();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

TEST(a_thread_that_blocks_the_signal_is_running_without_a_stack)
{
	char *text;

	begin();
	go0(deaf);
	test_until(atomic_load(&spinning));
	text = dump();
	need_block(text, "[running]:\n", "\tgoroutine running on other thread; stack unavailable\n");
	need_block(text, "stack unavailable\n", "created by a_thread_that_blocks_the_signal");
	free(text);
	atomic_store(&enough, true);
	test_goroutines(SLEEPERS + 1);
}

TEST_MAIN
