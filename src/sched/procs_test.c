/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: the number of processors follows the CPUs and the quota of the process, until someone chooses
 * one.
 * Method: the code itself, with CPUs that the test counts and a quota in a folder of its own; the
 * monitor of the library calls it.  The tests go on where the one before has stopped.
 */
#define leat__os_cpus test_cpus
#include "sched/procs.c"
#undef leat__os_cpus

#include "test.h"

#include <stdatomic.h>
#include <sys/stat.h>

static atomic_int cpus = 16;
static char root[64] = "/tmp/leat-procs-XXXXXX";

int test_cpus(void);

int test_cpus(void)
{
	return cpus;
}

static void write_file(const char *path, const char *text)
{
	char whole[256], fresh[280];
	FILE *f;

	/* At once: the monitor may read at any time. */
	snprintf(whole, sizeof whole, "%s/%s", root, path);
	snprintf(fresh, sizeof fresh, "%s.new", whole);
	f = fopen(fresh, "w");
	CHECK(f != NULL);
	fputs(text, f);
	CHECK_EQ(fclose(f), 0);
	CHECK_EQ(rename(fresh, whole), 0);
}

static void make_folder(const char *path)
{
	char whole[256];

	snprintf(whole, sizeof whole, "%s/%s", root, path);
	CHECK_EQ(mkdir(whole, 0700), 0);
}

static int remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", root);
	return system(command);
}

/* First of all: whoever makes the first call into leat asks for the default. */
TEST(line_14_the_quota_rounded_up_at_the_start)
{
	CHECK(mkdtemp(root) != NULL);
	make_folder("proc");
	make_folder("proc/self");
	make_folder("group");
	write_file("proc/self/cgroup", "0::/\n");
	write_file("proc/self/mountinfo", "35 24 0:30 / /group rw - cgroup2 cgroup2 rw\n");
	write_file("group/cpu.max", "350000 100000\n");
	leat__procs_root = root;
	unsetenv("LEAT_PROCS");
	CHECK_EQ(leat_procs(0), 4);
}

/* test_until yields all the time: something runs.  Each change needs a question of its own. */
TEST(line_14_it_follows_the_quota_and_the_cpus_once_a_second)
{
	int64_t begin = leat_now();

	write_file("group/cpu.max", "600000 100000\n");
	test_until(leat_procs(0) == 6);
	write_file("group/cpu.max", "20000 100000\n");
	test_until(leat_procs(0) == 2);
	write_file("group/cpu.max", "max 100000\n");
	test_until(leat_procs(0) == 16);
	cpus = 1;
	test_until(leat_procs(0) == 1);
	CHECK(leat_now() - begin >= 2 * AGAIN_NS);
}

TEST(line_14_a_number_that_was_chosen_stays)
{
	CHECK_EQ(leat_procs(5), 1);
	cpus = 5000;
	CHECK_EQ(leat__procs_default(), LEAT__MAX_PROCS);
	cpus = 3;
	leat__procs_follow(INT64_MAX);
	CHECK_EQ(leat_procs(0), 5);
	/* Even when the monitor was about to change it. */
	CHECK_EQ(leat__procs_set(3, false), 5);
	CHECK_EQ(leat_procs(0), 5);
	CHECK_EQ(remove_folder(), 0);
}

TEST_MAIN
