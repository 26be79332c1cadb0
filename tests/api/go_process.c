/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 noemulator */
/*
 * Goal: what concerns the whole process: how it ends, what it does while idle, how many processors
 * it starts with.
 * Method: the program runs itself with the name of one part; the parent never calls leat and looks
 * at the exit status and the output.
 */
#define _GNU_SOURCE
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct part {
	const char *name;
	int (*run)(void);
};

static char output[4096];

/* Run one part in a process of its own; its stdout comes to output, its exit status back. */
static int run_part(const char *name)
{
	size_t used = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execl("/proc/self/exe", "part", "--part", name, (char *)NULL);
		_exit(99);
	}
	close(fds[1]);
	while ((n = read(fds[0], output + used, sizeof output - 1 - used)) > 0)
		used += (size_t)n;
	output[used] = 0;
	close(fds[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void hang_on(void)
{
	chan(int) c = NULL;

	chan_recv(c);
}

static void say(const char *s)
{
	puts(s);
}

static void hang_with_defer(void)
{
	defer(say, "deferred");
	leat_sleep(LEAT_HOUR);
}

static int returns(void)
{
	for (int i = 0; i < 10; i++) {
		go0(hang_on);
		go0(hang_with_defer);
	}
	while (leat_num_parked() < 20)
		leat_yield();
	printf("main was here");
	return 0;
}

TEST(line_03_return_from_main_ends_the_process)
{
	CHECK_EQ(run_part("returns"), 0);
	CHECK_STR(output, "main was here");
}

static void exit_seven(void)
{
	defer(say, "deferred");
	printf("going");
	exit(7);
}

static int exits(void)
{
	defer(say, "deferred in main");
	go0(exit_seven);
	leat_sleep(LEAT_MINUTE);
	return 0;
}

TEST(line_04_exit_from_a_goroutine)
{
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(run_part("exits"), 7);
		CHECK_STR(output, "going");
	}
}

static void at_exit(void)
{
	printf("at exit");
}

static int exits_with_handlers(void)
{
	atexit(at_exit);
	go0(exit_seven);
	hang_on();
	return 0;
}

TEST(line_04_exit_from_a_goroutine_runs_atexit)
{
	CHECK_EQ(run_part("exits_with_handlers"), 7);
	CHECK_STR(output, "goingat exit");
}

static void spawn_without_end(void)
{
	for (;;) {
		go0(leat_yield);
		leat_yield();
	}
}

/* The others are in the middle of everything when main ends. */
static int returns_amid_work(void)
{
	for (int i = 0; i < 20; i++)
		go0(spawn_without_end);
	leat_sleep(3 * LEAT_MILLISECOND);
	printf("end");
	return 5;
}

TEST(line_03_return_from_main_amid_work)
{
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(run_part("returns_amid_work"), 5);
		CHECK_STR(output, "end");
	}
}

struct add_to {
	atomic_int *n;
};

static void add_to(struct add_to *a)
{
	atomic_fetch_add(a->n, 1);
}

static int tell_procs(void)
{
	atomic_int n = 0;

	printf("%d", leat_procs(0));
	for (int i = 0; i < 3000; i++)
		go(add_to, &n);
	while (atomic_load(&n) < 3000)
		leat_yield();
	return 0;
}

TEST(line_15_1024_processors_start_and_exit)
{
	setenv("LEAT_PROCS", "1024", 1);
	CHECK_EQ(run_part("tell_procs"), 0);
	CHECK_STR(output, "1024");
	setenv("LEAT_PROCS", "3", 1);
	CHECK_EQ(run_part("tell_procs"), 0);
	CHECK_STR(output, "3");
}

TEST(line_14_the_default_is_the_number_of_usable_cpus)
{
	static const char *const no_numbers[] = {"", "0", "-2", "many"};
	cpu_set_t all, one;
	char want[16];

	CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
	snprintf(want, sizeof want, "%d", CPU_COUNT(&all));
	unsetenv("LEAT_PROCS");
	CHECK_EQ(run_part("tell_procs"), 0);
	CHECK_STR(output, want);
	for (int i = 0; i < 4; i++) {
		setenv("LEAT_PROCS", no_numbers[i], 1);
		CHECK_EQ(run_part("tell_procs"), 0);
		CHECK_STR(output, want);
	}
	unsetenv("LEAT_PROCS");
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &all)) {
			CPU_SET(i, &one);
			break;
		}
	}
	CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
	CHECK_EQ(run_part("tell_procs"), 0);
	CHECK_STR(output, "1");
	CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

static int64_t cpu_ns(void)
{
	struct rusage r;

	CHECK_EQ(getrusage(RUSAGE_SELF, &r), 0);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * LEAT_SECOND +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * LEAT_MICROSECOND;
}

static int pipe_fds[2];

static void block_in_read(void)
{
	char byte;

	CHECK_EQ(read(pipe_fds[0], &byte, 1), 1);
}

/*
 * Warm everything up, so that every part that could keep turning is there; then measure silence,
 * once the monitor has taken the processors of those that block and gone to rest.
 */
static int idle_with(int blocked, int64_t limit_ns)
{
	atomic_int n = 0;
	int64_t before, used;

	leat_procs(8);
	for (int i = 0; i < 1000; i++)
		go(add_to, &n);
	while (atomic_load(&n) < 1000)
		leat_yield();
	CHECK_EQ(pipe(pipe_fds), 0);
	for (int i = 0; i < blocked; i++)
		go0(block_in_read);
	for (int i = 0; i < 20; i++)
		go0(hang_with_defer);
	leat_sleep(300 * LEAT_MILLISECOND);
	before = cpu_ns();
	leat_sleep(300 * LEAT_MILLISECOND);
	used = cpu_ns() - before;
	fprintf(stderr, "\t%" PRId64 " us of CPU in 300 ms\n", used / 1000);
#ifdef TEST_SANITIZED
	limit_ns += 100 * LEAT_MILLISECOND; /* TSan has a thread of its own that turns */
#endif
	return used < limit_ns ? 0 : 1;
}

static int idles(void)
{
	return idle_with(0, 10 * LEAT_MILLISECOND);
}

static int idles_with_blocked(void)
{
	return idle_with(4, 10 * LEAT_MILLISECOND);
}

TEST(an_idle_program_uses_no_cpu)
{
	CHECK_EQ(run_part("idles"), 0);
}

TEST(a_program_blocked_in_system_calls_uses_no_cpu)
{
	CHECK_EQ(run_part("idles_with_blocked"), 0);
}

/* A daemon forks before it begins; the child's main is its goroutine 1. */
static int forks_first(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		atomic_int n = 0;

		CHECK_EQ(leat_goid(), 1);
		for (int i = 0; i < 100; i++)
			go(add_to, &n);
		while (atomic_load(&n) < 100)
			leat_yield();
		exit(3);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(leat_goid(), 1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

TEST(leat_may_begin_after_a_fork)
{
	CHECK_EQ(run_part("forks_first"), 3);
}

static const struct part parts[] = {
    {"returns", returns},
    {"exits", exits},
    {"exits_with_handlers", exits_with_handlers},
    {"returns_amid_work", returns_amid_work},
    {"tell_procs", tell_procs},
    {"idles", idles},
    {"idles_with_blocked", idles_with_blocked},
    {"forks_first", forks_first},
};

int main(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "--part") != 0)
		return test_main(argc, argv);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strcmp(parts[i].name, argv[2]) == 0)
			return parts[i].run();
	return 98;
}
