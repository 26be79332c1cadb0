/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 timeout=300 notsan nomigrate */
/*
 * Goal: a million goroutines (a tenth of that, but in make soak) take what is promised, all wake, and a
 * process that has them exits cleanly, by main's return or by exit in one of them.
 * Method: each in a child, so that memory is counted from nothing and an exit can be seen.
 * The thread sanitizer starts no threads after a fork.
 */
#include "test.h"

#include <stdatomic.h>
#include <sys/wait.h>

static long status_kib(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	size_t n = strlen(field);
	long kib = -1;

	CHECK(f != NULL);
	while (kib < 0 && fgets(line, sizeof line, f))
		if (strncmp(line, field, n) == 0)
			kib = strtol(line + n + 1, NULL, 10);
	fclose(f);
	CHECK(kib >= 0);
	return kib;
}

static atomic_long woken;

struct parker {
	chan(int) c;
};

static void parker(struct parker *a)
{
	chan_recv(a->c);
	atomic_fetch_add(&woken, 1);
}

static void quit(void)
{
	exit(3);
}

enum ending { WAKE_ALL, RETURN, EXIT };

/* In a child: n goroutines that take at most most_bytes each. */
static void park(const leat_go_opts *opts, int n, long most_bytes, enum ending ending)
{
	chan(int) c = chan_make(int, 0);
	long rss, pte, bytes;

	leat_yield();
	rss = status_kib("VmRSS");
	pte = status_kib("VmPTE");
	for (int i = 0; i < n; i++)
		go_with(opts, parker, c);
	test_parked(n);
	bytes = (status_kib("VmRSS") - rss) * 1024 / n;
	fprintf(stderr, "\t%ld bytes each, and %ld of page tables\n", bytes,
	        (status_kib("VmPTE") - pte) * 1024 / n);
#ifndef TEST_SANITIZED
	CHECK(bytes <= most_bytes);
#else
	(void)most_bytes;
#endif
	if (ending == WAKE_ALL) {
		chan_close(c);
		test_until(atomic_load(&woken) == n);
		test_goroutines(1);
	} else if (ending == EXIT) {
		go0(quit);
		leat_sleep(LEAT_HOUR);
	}
}

static void check_child(const leat_go_opts *opts, long most_bytes, enum ending ending)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		park(opts, test_count(1000000), most_bytes, ending);
		exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), ending == EXIT ? 3 : 0);
}

TEST(line_09_parked_goroutines_take_4400_bytes)
{
	check_child(NULL, 4400, WAKE_ALL);
}

TEST(line_09_parked_goroutines_on_2_kib_take_2400_bytes)
{
	check_child(&(leat_go_opts){.stack_bytes = 2048}, 2400, WAKE_ALL);
}

TEST(line_03_main_returns_beside_a_million_goroutines)
{
	check_child(NULL, 4400, RETURN);
}

TEST(line_04_one_of_a_million_goroutines_exits)
{
	check_child(&(leat_go_opts){.stack_bytes = 2048}, 2400, EXIT);
}

TEST_MAIN
