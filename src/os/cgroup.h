/* SPDX-License-Identifier: MIT */
/* How much CPU time the control groups of this process allow it: part of the contract of os.h. */
#ifndef LEAT_OS_CGROUP_H
#define LEAT_OS_CGROUP_H

#include "base/compiler.h"

enum { LEAT__OS_CGROUP_PATH = 1024 };

/* Where the limits of this process stand. */
struct leat__os_cgroup {
	char path[LEAT__OS_CGROUP_PATH]; /* the group's folder; "": there is none */
	size_t mount;                    /* bytes of it that are the mount point, where groups end */
	bool v1;
};

/* Find the group; root stands before every path, "" but in tests.  Reads /proc once. */
void leat__os_cgroup_find(struct leat__os_cgroup *c, const char *root);

/*
 * The CPUs that the quota of the group, or a tighter one of a group around it, is worth, rounded up;
 * INT_MAX when there is none.  Reads one or two small files for each group around.
 */
int leat__os_cgroup_cpus(const struct leat__os_cgroup *c);

#endif
