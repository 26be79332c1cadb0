/* SPDX-License-Identifier: MIT */
/*
 * The contract of os.h on Linux: threads, time and the process.  Memory is in memory.c.
 *
 * System calls that glibc wraps through errno are made where nobody looks at errno afterwards, or
 * keep it; raw futexes and membarriers are used since the wrappers that exist (pthread mutexes,
 * semaphores) are intercepted by the thread sanitizer, which would then see edges that leat does not
 * promise.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include "arch/sanitizer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int64_t leat__os_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t leat__os_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void leat__os_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
	struct timespec t = {deadline_ns / 1000000000, deadline_ns % 1000000000};
	int saved = errno;

	/* The bitset form takes an absolute time on the monotonic clock. */
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
	        deadline_ns == INT64_MAX ? NULL : &t, NULL, FUTEX_BITSET_MATCH_ANY);
	errno = saved;
}

void leat__os_wake(_Atomic uint32_t *word, int count)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
	errno = saved;
}

void leat__os_backoff(unsigned attempt)
{
	struct timespec pause = {0, 50000};
	int saved = errno;

	/* sched_yield does not run a preempted lock holder of lower weight; a sleep does. */
	if (attempt < 64)
		sched_yield();
	else
		syscall(SYS_nanosleep, &pause, NULL); /* no cancellation point: the caller holds locks */
	errno = saved;
}

int leat__os_thread_start_named(void *(*fn)(void *), void *arg, size_t stack_bytes,
                                const char *name)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int saved = errno;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_attr_setstacksize(&attr, stack_bytes);
	if (!err) {
		/* It sets its mask itself, and until then takes nothing that the caller alone is to take. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		leat__san_orphan_begin();
		err = pthread_create(&thread, &attr, fn, arg);
		leat__san_orphan_end();
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (!err && name)
		pthread_setname_np(thread, name);
	pthread_attr_destroy(&attr);
	errno = saved;
	return -err;
}

int leat__os_thread_start(void *(*fn)(void *), void *arg, size_t stack_bytes)
{
	return leat__os_thread_start_named(fn, arg, stack_bytes, NULL);
}

int leat__os_tid(void)
{
	return (int)syscall(SYS_gettid);
}

void leat__os_signal_thread(int tid, int sig)
{
	syscall(SYS_tgkill, getpid(), tid, sig);
}

bool leat__os_is_initial_thread(void)
{
	return leat__os_tid() == getpid();
}

void leat__os_thread_name(const char *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

static bool is_named(const char *task, const char *name)
{
	char path[64], text[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%.16s/comm", task);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == '\n';
}

int leat__os_threads_named(const char *name)
{
	int saved = errno, found = 0;
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;

	while (tasks && (task = readdir(tasks)) != NULL)
		found += task->d_name[0] != '.' && is_named(task->d_name, name);
	if (tasks)
		closedir(tasks);
	errno = saved;
	return found;
}

/* Read in signal handlers, so it must be there without an allocation. */
__thread bool leat__os_takes_signals __attribute__((tls_model("initial-exec")));

static void open_only(uint64_t which)
{
	static const int open[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		sigdelset(&set, open[i]);
	for (int sig = 1; which; sig++, which >>= 1)
		if (which & 1)
			sigdelset(&set, sig);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

void leat__os_block_signals(void)
{
	open_only(0);
}

void leat__os_take_signals(uint64_t which)
{
	leat__os_takes_signals = true;
	open_only(which);
}

static sigset_t saved_signals;

void leat__os_save_signals(void)
{
	pthread_sigmask(SIG_SETMASK, NULL, &saved_signals);
}

void leat__os_restore_signals(void)
{
	pthread_sigmask(SIG_SETMASK, &saved_signals, NULL);
}

void leat__os_precise_timers(void)
{
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
}

#ifdef __GLIBC__

static char *initial_stack_low(char *low)
{
	return low;
}

#else

/* musl says of the initial thread's stack how far it has grown.  It may grow to its limit, which counts
   from the end of its mapping.  In the child of a fork the first thread may be another, with another stack. */
static char *initial_stack_low(char *low)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t start = 0, end = 0;
	struct rlimit limit;
	char line[512];

	while (maps && fgets(line, sizeof line, maps))
		if (strstr(line, "[stack]"))
			sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end);
	if (maps)
		fclose(maps);
	if ((uintptr_t)low < start || (uintptr_t)low >= end || getrlimit(RLIMIT_STACK, &limit) != 0 ||
	    limit.rlim_cur >= end)
		return low;
	return (char *)(end - limit.rlim_cur);
}

#endif

void leat__os_stack_bounds(void **low, void **high)
{
	pthread_attr_t attr;
	void *base = NULL;
	size_t bytes = 0;

	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		pthread_attr_getstack(&attr, &base, &bytes);
		pthread_attr_destroy(&attr);
	}
	*low = leat__os_is_initial_thread() ? initial_stack_low(base) : base;
	*high = (char *)base + bytes;
}

int64_t leat__os_thread_cpu(int tid)
{
	/* The kernel's encoding of a thread's CPU clock: inverted id, "per thread" and "scheduled". */
	clockid_t clock = (clockid_t)((~(unsigned)tid << 3) | 4 | 2);
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		return -1;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum leat__os_state leat__os_thread_state(int tid)
{
	char path[64], text[512];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return LEAT__OS_UNKNOWN;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return LEAT__OS_UNKNOWN;
	text[n] = '\0';
	/* "tid (name) S ...": the name may hold anything, so look for the last parenthesis. */
	state = strrchr(text, ')');
	if (!state || !state[1] || !state[2])
		return LEAT__OS_UNKNOWN;
	return state[2] == 'R' ? LEAT__OS_RUNNING : LEAT__OS_ASLEEP;
}

int leat__os_thread_count(void)
{
	char text[4096];
	const char *line;
	ssize_t n;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	struct stat task;

	/* No descriptor is left: each thread has a directory there, and that links to its parent. */
	if (fd < 0)
		return stat("/proc/self/task", &task) == 0 && task.st_nlink > 2 ? (int)task.st_nlink - 2
		                                                                : -1;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	line = strstr(text, "\nThreads:");
	return line ? atoi(line + 9) : -1;
}

int leat__os_cpus(void)
{
	cpu_set_t set;
	int n = 0;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		n = CPU_COUNT(&set);
	if (n < 1)
		n = (int)sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n;
}

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

bool leat__os_has_membarrier(void)
{
	int saved = errno;
	bool ok = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
	          membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;

	errno = saved;
	return ok;
}

void leat__os_membarrier(void)
{
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

/* The dynamic section of the program itself, or NULL: it is linked statically. */
static const ElfW(Dyn) * program_dynamic(void)
{
	const ElfW(Phdr) *phdr = (const ElfW(Phdr) *)(uintptr_t)getauxval(AT_PHDR);
	size_t n = getauxval(AT_PHNUM);
	uintptr_t bias = 0, dynamic = 0;

	for (size_t i = 0; phdr && i < n; i++) {
		if (phdr[i].p_type == PT_PHDR)
			bias = (uintptr_t)phdr - phdr[i].p_vaddr;
		else if (phdr[i].p_type == PT_DYNAMIC)
			dynamic = phdr[i].p_vaddr;
	}
	return dynamic ? (const ElfW(Dyn) *)(bias + dynamic) : NULL;
}

/* Jump slots without a word that says when. */
static bool binds_lazily(void)
{
	const ElfW(Dyn) *d = program_dynamic();
	const char *now = getenv("LD_BIND_NOW");
	bool lazy = false;

	if (now && *now)
		return false;
	for (; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_JMPREL)
			lazy = true;
		if (d->d_tag == DT_BIND_NOW || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_BIND_NOW)) ||
		    (d->d_tag == DT_FLAGS_1 && (d->d_un.d_val & DF_1_NOW)))
			return false;
	}
	return lazy;
}

bool leat__os_binds_lazily(void)
{
	static _Atomic int known; /* 0: not yet, else 1 + the answer */

	if (unlikely(!load_relaxed(&known)))
		store_relaxed(&known, 1 + binds_lazily());
	return load_relaxed(&known) == 2;
}

void leat__os_write(int fd, const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t n = write(fd, text, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		bytes -= (size_t)n;
	}
}

void leat__os_die(int status)
{
	/* A goroutine that never runs again may hold the stream's lock: then its text is lost. */
	if (ftrylockfile(stdout) == 0)
		fflush_unlocked(stdout);
	_exit(status);
}

static int watchdog_status;

static void watchdog_fire(int sig)
{
	(void)sig;
	_exit(watchdog_status);
}

void leat__os_watchdog(unsigned seconds, int status)
{
	struct sigaction sa = {.sa_handler = watchdog_fire};
	sigset_t set;

	watchdog_status = status;
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	alarm(seconds);
}
