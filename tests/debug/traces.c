/* SPDX-License-Identifier: MIT */
/*
 * What traces.py looks at: goroutines three calls deep, one in each state, then a report.  `panic`,
 * `fault` and `overflow` (of a stack) die of it, `dump` writes it on stdout, `quit` waits for SIGQUIT.
 *
 * @receiver_inner in a comment names the line where that function calls the next or stays, and
 * @created.receiver the one where that goroutine is created.  No call that returns is the last thing
 * its function does, or else the function would rightly be missing.  The frames are of all kinds that
 * compilers make: of a size that varies, realigned, larger than a page, inlined, cloned for a constant
 * argument, and ending in a call that never returns.
 */
#define _GNU_SOURCE
#include <leat.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define USE(p)   __asm__ volatile("" : : "r"(p) : "memory")
#define AFTER()  __asm__ volatile("" : : : "memory") /* something is left to be done */
#define SPIN()                                                                                     \
	for (;;)                                                                                       \
	atomic_store(&spinning, true) /* wherever it is interrupted is this one line */
#define START(fn, arg)                                                                             \
	leat_go_with(&(leat_go_opts){.name = #fn}, fn, &(struct arguments){arg},                       \
	             sizeof(struct arguments))

struct arguments {
	leat_chan *c;
};

static atomic_bool spinning;
static atomic_int reader_tid;
static const char *mode;
static int *volatile nowhere;

NOINLINE static int receiver_inner(leat_chan *c, int more)
{
	int got = 0;

	leat_chan_recv(c, &got); /* @receiver_inner */
	AFTER();
	return got + more;
}

NOINLINE static void receiver_middle(leat_chan *c, size_t bytes)
{
	char *room = __builtin_alloca(bytes);

	USE(room);
	room[0] = (char)receiver_inner(c, 7); /* @receiver_middle */
	USE(room);
}

static void receiver(void *arg)
{
	receiver_middle(((struct arguments *)arg)->c, strlen(mode) * 100); /* @receiver */
	AFTER();
}

NOINLINE static void selector_inner(recv_chan(int) c)
{
	chan_select { /* @selector_inner */
		case_recv(c)
			AFTER();
		case_timeout(LEAT_HOUR)
			AFTER();
	}
	AFTER();
}

__attribute__((always_inline)) static inline void selector_middle(recv_chan(int) c)
{
	selector_inner(c); /* @selector_middle */
	AFTER();
}

static void selector(void *arg)
{
	_Alignas(64) char room[64];
	chan(int) c = chan_make(int, 1);

	USE(arg);
	USE(room);
	selector_middle(chan_receiver(c)); /* @selector */
	USE(room);
}

NOINLINE static void sleeper_inner(void)
{
	leat_sleep(LEAT_HOUR); /* @sleeper_inner */
	AFTER();
}

NOINLINE void sleeper_middle(void);
void sleeper_middle(void)
{
	char room[10000];

	USE(room);
	sleeper_inner(); /* @sleeper_middle */
	USE(room);
}

static void sleeper(void *arg)
{
	USE(arg);
	sleeper_middle(); /* @sleeper */
	AFTER();
}

NOINLINE static void spinner_inner(void)
{
	SPIN(); /* @spinner_inner */
}

NOINLINE static void spinner_middle(void)
{
	spinner_inner(); /* @spinner_middle */
	AFTER();
}

static void spinner(void *arg)
{
	USE(arg);
	spinner_middle(); /* @spinner */
	AFTER();
}

NOINLINE static ssize_t reader_inner(int fd)
{
	char byte;
	ssize_t n = read(fd, &byte, 1); /* @reader_inner */

	AFTER();
	return n;
}

NOINLINE static void reader_middle(int fd)
{
	reader_inner(fd); /* @reader_middle */
	AFTER();
}

static void reader(void *arg)
{
	int fds[2];

	USE(arg);
	if (pipe(fds) != 0)
		return;
	atomic_store(&reader_tid, (int)syscall(SYS_gettid));
	reader_middle(fds[0]); /* @reader */
	AFTER();
}

/* Whether the thread with this id sleeps in the kernel. */
static bool sleeps(int tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	f = tid ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

NOINLINE static int deeper(int n)
{
	char room[1000];
	int below = 0;

	USE(room);
	if (n)
		below = deeper(n + 1); /* @deeper */
	USE(room);
	return below + 1;
}

__attribute__((noinline, noreturn)) static void crasher_inner(void)
{
	if (strcmp(mode, "overflow") == 0)
		deeper(1); /* @crasher_inner.overflow */
	if (strcmp(mode, "fault") == 0)
		*nowhere = 1; /* @crasher_inner.fault */
	if (strcmp(mode, "quit") == 0 && write(1, "ready\n", 6) == 6)
		leat_sleep(LEAT_HOUR);
	leat_panic("on purpose"); /* @crasher_inner */
}

NOINLINE static void crasher_middle(void)
{
	crasher_inner(); /* @crasher_middle */
}

static void crasher(void *arg)
{
	USE(arg);
	while (leat_num_parked() < 4)
		leat_yield();
	crasher_middle(); /* @crasher */
}

NOINLINE static void start(void)
{
	START(receiver, leat_chan_make(sizeof(int), 0)); /* @created.receiver */
	START(selector, NULL);                           /* @created.selector */
	START(sleeper, NULL);                            /* @created.sleeper */
	START(spinner, NULL);                            /* @created.spinner */
	START(reader, NULL);                             /* @created.reader */
}

NOINLINE static void main_inner(void)
{
	chan(int) c = chan_make(int, 0);

	if (strcmp(mode, "dump") == 0)
		leat_dump(stdout); /* @main_inner.dump */
	else
		chan_recv(c); /* @main_inner */
	AFTER();
}

NOINLINE static void main_middle(void)
{
	main_inner(); /* @main_middle */
	AFTER();
}

int main(int argc, char **argv)
{
	mode = argc > 1 ? argv[1] : "dump";
	start();
	while (leat_num_parked() < 3 || !atomic_load(&spinning) || !sleeps(atomic_load(&reader_tid)))
		leat_yield();
	if (strcmp(mode, "dump") != 0)
		START(crasher, NULL); /* @created.crasher */
	main_middle();            /* @main */
	return 0;
}
