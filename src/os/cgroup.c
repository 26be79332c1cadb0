/* SPDX-License-Identifier: MIT */
/*
 * See cgroup.h.
 *
 * /proc/self/cgroup says in which group of each hierarchy this process is, /proc/self/mountinfo where
 * the hierarchy is mounted, and which of its groups the mount shows as its root.  A group's folder is
 * the mount point with the group's path behind it, less that root.  Version 1 has a hierarchy for
 * each set of controllers, and quotas in cpu.cfs_quota_us and cpu.cfs_period_us; version 2 has one,
 * and both numbers in cpu.max.  Where both are mounted, the one that has the cpu controller counts:
 * version 1 if it is there.
 *
 * The kernel enforces the quota of every group around as well, so the least one counts.  A process
 * that is moved to another group keeps the one it was found in.
 *
 * No memory is allocated, since the monitor calls this: files are read through a small buffer, and a
 * line or a path that does not fit is as good as none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_ 4096

/* --- lines of a file */

struct lines {
	int fd;
	size_t at, n; /* what of text is not yet handed out */
	bool end;
	char text[LINE_MAX_];
};

static void lines_open(struct lines *l, const char *root, const char *path)
{
	char whole[LEAT__OS_CGROUP_PATH];
	int n = snprintf(whole, sizeof whole, "%s%s", root, path);

	l->at = l->n = 0;
	l->fd = n < (int)sizeof whole ? open(whole, O_RDONLY | O_CLOEXEC) : -1;
	l->end = l->fd < 0;
}

static void lines_close(struct lines *l)
{
	if (l->fd >= 0)
		close(l->fd);
}

/* Move what is left to the front and read on. */
static void lines_fill(struct lines *l)
{
	ssize_t n;

	memmove(l->text, l->text + l->at, l->n);
	l->at = 0;
	n = read(l->fd, l->text + l->n, sizeof l->text - 1 - l->n);
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		l->end = true;
	else
		l->n += (size_t)n;
}

/* The next line that fits, without its end, or NULL.  It may be written to, until the next call. */
static char *lines_next(struct lines *l)
{
	bool skipping = false;

	for (;;) {
		char *line = l->text + l->at, *newline = memchr(line, '\n', l->n);

		if (newline) {
			*newline = '\0';
			l->n -= (size_t)(newline + 1 - line);
			l->at = (size_t)(newline + 1 - l->text);
			if (!skipping)
				return line;
			skipping = false;
		} else if (l->end) {
			line[l->n] = '\0';
			newline = l->n && !skipping ? line : NULL;
			l->n = 0;
			return newline;
		} else if (l->n == sizeof l->text - 1) {
			l->n = 0;
			skipping = true;
		} else {
			lines_fill(l);
		}
	}
}

/* --- where the group is */

/* Is word among those of list, which commas separate? */
static bool lists(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; list; list = strchr(list, ','), list += list != NULL)
		if (strncmp(list, word, n) == 0 && (list[n] == '\0' || list[n] == ','))
			return true;
	return false;
}

/* The group's path within the hierarchy that has the cpu controller; lines are ID:CONTROLLERS:PATH. */
static bool find_group(const char *root, char *path, size_t bytes, bool *v1)
{
	struct lines l;
	bool found = false;
	char *line;

	*v1 = false;
	lines_open(&l, root, "/proc/self/cgroup");
	while (!*v1 && (line = lines_next(&l))) {
		char *controllers = strchr(line, ':'), *group;

		group = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!group)
			continue;
		*controllers++ = '\0';
		*group++ = '\0';
		*v1 = lists(controllers, "cpu");
		if (*v1 || (*controllers == '\0' && strcmp(line, "0") == 0))
			found = snprintf(path, bytes, "%s", group) < (int)bytes;
	}
	lines_close(&l);
	return found;
}

/* Blanks, backslashes and the like are written in octal, as \040. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
			*to = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

/*
 * "ID PARENT DEVICE ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS": the root and the mount point, if it is
 * the hierarchy wanted.
 */
static bool parse_mount(char *line, bool v1, char **mount_root, char **point)
{
	char *tail = strstr(line, " - "), *type, *field = line, *rest;

	if (!tail)
		return false;
	*tail = '\0';
	rest = tail + 3;
	type = strsep(&rest, " ");
	if (strcmp(type, v1 ? "cgroup" : "cgroup2") != 0)
		return false;
	if (v1) {
		strsep(&rest, " "); /* its source */
		if (!rest || !lists(rest, "cpu"))
			return false;
	}
	for (int i = 0; i < 3; i++)
		strsep(&field, " ");
	*mount_root = strsep(&field, " ");
	*point = strsep(&field, " ");
	if (!*mount_root || !*point)
		return false;
	unescape(*mount_root);
	unescape(*point);
	return true;
}

/* What of group is below mount_root, NULL if it is not below. */
static const char *below(const char *group, const char *mount_root)
{
	size_t n = strlen(mount_root);

	if (strcmp(mount_root, "/") == 0)
		return strcmp(group, "/") == 0 ? "" : group;
	if (strncmp(group, mount_root, n) != 0 || (group[n] != '\0' && group[n] != '/'))
		return NULL;
	return group + n;
}

void leat__os_cgroup_find(struct leat__os_cgroup *c, const char *root)
{
	char group[LEAT__OS_CGROUP_PATH], *line;
	int saved = errno;
	struct lines l;

	c->path[0] = '\0';
	if (!find_group(root, group, sizeof group, &c->v1)) {
		errno = saved;
		return;
	}
	lines_open(&l, root, "/proc/self/mountinfo");
	while (c->path[0] == '\0' && (line = lines_next(&l))) {
		char *mount_root, *point;
		const char *tail;
		int mount, all;

		if (!parse_mount(line, c->v1, &mount_root, &point))
			continue;
		tail = below(group, mount_root);
		if (!tail)
			continue;
		mount = snprintf(c->path, sizeof c->path, "%s%s", root, point);
		all = snprintf(c->path, sizeof c->path, "%s%s%s", root, point, tail);
		c->mount = (size_t)mount;
		if (all >= (int)sizeof c->path)
			c->path[0] = '\0';
	}
	lines_close(&l);
	errno = saved;
}

/* --- what it allows */

/* The first line of a file in a folder, its number at to; where the next word begins, or NULL. */
static const char *read_number(struct lines *l, const char *folder, const char *file, long long *to)
{
	char *line, *end = NULL;

	lines_open(l, folder, file);
	line = lines_next(l);
	lines_close(l);
	if (line)
		*to = strtoll(line, &end, 10);
	return end == line ? NULL : end;
}

/* The CPUs that one group's quota is worth. */
static int quota_cpus(const char *folder, bool v1)
{
	long long quota = -1, period = 0, cpus;
	struct lines l;
	const char *end;

	/* Version 2 says "max" for no quota, version 1 says -1. */
	end = read_number(&l, folder, v1 ? "/cpu.cfs_quota_us" : "/cpu.max", &quota);
	if (!end)
		return INT_MAX;
	if (v1)
		read_number(&l, folder, "/cpu.cfs_period_us", &period);
	else
		period = strtoll(end, NULL, 10);
	if (quota <= 0 || period <= 0)
		return INT_MAX;
	cpus = quota / period + (quota % period != 0);
	return cpus < INT_MAX ? (int)cpus : INT_MAX;
}

int leat__os_cgroup_cpus(const struct leat__os_cgroup *c)
{
	char folder[LEAT__OS_CGROUP_PATH];
	int saved = errno, least = INT_MAX;
	size_t n = strlen(c->path);

	memcpy(folder, c->path, n + 1);
	while (n > 0) {
		int cpus = quota_cpus(folder, c->v1);

		if (cpus < least)
			least = cpus;
		if (n <= c->mount)
			break;
		while (n > c->mount && folder[--n] != '/')
			;
		folder[n] = '\0';
	}
	errno = saved;
	return least;
}
