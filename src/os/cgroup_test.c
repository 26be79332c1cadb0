/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: the CPU quota is found where systems, containers and both versions of control groups put it.
 * Method: trees of files as these have them, in a folder of its own.
 */
#include "os/cgroup.h"

#include "test.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

static char root[64];

/* Write a file below root, with the folders above it. */
static void put(const char *path, const char *text)
{
	char whole[512];
	FILE *f;

	snprintf(whole, sizeof whole, "%s%s", root, path);
	for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		CHECK(mkdir(whole, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	f = fopen(whole, "w");
	CHECK(f != NULL);
	fputs(text, f);
	CHECK_EQ(fclose(f), 0);
}

static void begin(const char *cgroup, const char *mountinfo)
{
	snprintf(root, sizeof root, "/tmp/leat-cgroup-XXXXXX");
	CHECK(mkdtemp(root) != NULL);
	put("/proc/self/cgroup", cgroup);
	put("/proc/self/mountinfo", mountinfo);
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", root);
	CHECK_EQ(system(command), 0);
}

static int cpus(void)
{
	static struct leat__os_cgroup c;

	errno = 0;
	leat__os_cgroup_find(&c, root);
	int n = leat__os_cgroup_cpus(&c);
	CHECK_EQ(errno, 0);
	return n;
}

static const char v2_mount[] =
    "22 27 0:21 / /proc rw,nosuid - proc proc rw\n"
    "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(line_14_version_2)
{
	begin("0::/user.slice/app.scope\n", v2_mount);
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "max 100000\n");
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "350000 100000\n");
	CHECK_EQ(cpus(), 4);
	put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "400000 100000\n");
	CHECK_EQ(cpus(), 4);
	put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "1000 100000\n");
	CHECK_EQ(cpus(), 1);
	end();
}

TEST(line_14_the_tightest_group_around_counts)
{
	begin("0::/a/b/c\n", v2_mount);
	put("/sys/fs/cgroup/a/b/c/cpu.max", "900000 100000\n");
	put("/sys/fs/cgroup/a/cpu.max", "250000 50000\n");
	CHECK_EQ(cpus(), 5);
	put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
	CHECK_EQ(cpus(), 3);
	put("/sys/fs/cgroup/a/b/c/cpu.max", "200000 100000\n");
	CHECK_EQ(cpus(), 2);
	/* Above the mount there is nothing of groups. */
	put("/sys/fs/cpu.max", "100000 100000\n");
	CHECK_EQ(cpus(), 2);
	end();
}

TEST(line_14_version_1_beside_version_2)
{
	begin("12:cpuset:/\n4:cpuacct,cpu:/jobs/seven\n0::/\n",
	      "30 24 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	      "31 24 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
	      "33 24 0:28 / /sys/fs/cgroup/cpu\\040time rw - cgroup cgroup rw,cpuacct,cpu\n");
	put("/sys/fs/cgroup/unified/cpu.max", "100000 100000\n");
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/cpu time/jobs/seven/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu time/jobs/seven/cpu.cfs_period_us", "100000\n");
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/cpu time/jobs/seven/cpu.cfs_quota_us", "610000\n");
	CHECK_EQ(cpus(), 7);
	put("/sys/fs/cgroup/cpu time/jobs/cpu.cfs_quota_us", "40000\n");
	put("/sys/fs/cgroup/cpu time/jobs/cpu.cfs_period_us", "20000\n");
	CHECK_EQ(cpus(), 2);
	end();
}

/* Seen from within a container without a namespace of its own, the mount shows its group as root. */
TEST(line_14_a_mount_that_shows_a_part)
{
	begin("0::/docker/abc/child\n",
	      "34 24 0:30 /docker/ab /other rw - cgroup2 cgroup2 rw\n"
	      "35 24 0:30 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	put("/other/cpu.max", "100000 100000\n");
	put("/sys/fs/cgroup/child/cpu.max", "800000 100000\n");
	CHECK_EQ(cpus(), 8);
	put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
	CHECK_EQ(cpus(), 3);
	end();
}

TEST(line_14_nothing_and_nonsense)
{
	static char longest[6000];
	static char mounts[7000];

	begin("", v2_mount);
	CHECK_EQ(cpus(), INT_MAX);
	put("/proc/self/cgroup", "0::/x");
	put("/sys/fs/cgroup/x/cpu.max", "many 100000\n");
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/x/cpu.max", "200000\n");
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/x/cpu.max", "200000 0\n");
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/x/cpu.max", "9223372036854775807 1\n");
	CHECK_EQ(cpus(), INT_MAX);
	put("/sys/fs/cgroup/x/cpu.max", "200000 100000");
	CHECK_EQ(cpus(), 2);
	/* A line that is too long is passed over; the next one counts. */
	memset(longest, 'x', sizeof longest - 1);
	snprintf(mounts, sizeof mounts, "%s - cgroup2\n%s", longest, v2_mount);
	put("/proc/self/mountinfo", mounts);
	CHECK_EQ(cpus(), 2);
	put("/proc/self/mountinfo", " - \n - cgroup2\n1 2 - cgroup2 x\n");
	CHECK_EQ(cpus(), INT_MAX);
	end();
}

TEST_MAIN
