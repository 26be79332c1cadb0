/* SPDX-License-Identifier: MIT */
/*
 * How many processors there are when nobody says: the CPUs that this process may run on, or what its
 * CPU quota is worth if that is less, but not fewer than 2 for a quota's sake (a small quota is still
 * better spent by two processors, of which one may block, than by one).
 *
 * Both change while a process runs: a container is resized, taskset moves it.  So the monitor asks
 * again once a second while something runs, until LEAT_PROCS or leat_procs has said a number.
 */
#include "sched/scheduler.h"

#include "os/cgroup.h"

#define AGAIN_NS  INT64_C(1000000000)
#define QUOTA_MIN 2

static struct leat__os_cgroup cgroup;     /* found at the first question */
static const char *leat__procs_root = ""; /* stands before the paths of /proc and /sys: for tests */
static int64_t asked_at;                  /* the monitor's */

int leat__procs_default(void)
{
	static bool found; /* the first question is asked before the monitor begins */
	int cpus = leat__os_cpus(), quota;

	if (!found)
		leat__os_cgroup_find(&cgroup, leat__procs_root);
	found = true;
	quota = leat__os_cgroup_cpus(&cgroup);
	if (quota < QUOTA_MIN)
		quota = QUOTA_MIN;
	if (cpus > quota)
		cpus = quota;
	return cpus < LEAT__MAX_PROCS ? cpus : LEAT__MAX_PROCS;
}

void leat__procs_follow(int64_t now)
{
	if (now - asked_at < AGAIN_NS || load_relaxed(&leat__sched.procs_chosen))
		return;
	asked_at = now;
	leat__procs_set(leat__procs_default(), false);
}
