/* SPDX-License-Identifier: MIT */
/*
 * That nothing outside of root is opened is the kernel's business, openat2 with RESOLVE_BENEATH (Linux 5.6), which looks at
 * each step of the way while it goes it.  Where there is none, and where links are not wanted anyway, the way is gone
 * here, a folder at a time, and no link followed.
 */
#define _GNU_SOURCE
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	READ_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	TRIES = 8, /* while others rename folders on the way */
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *target_origin(const char *target)
{
	if (strncasecmp(target, "http://", 7) != 0)
		return target;
	target += 7;
	target += strcspn(target, "/?#");
	return *target == '/' ? target : "/";
}

static bool climbs(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if (at[-1] == '/' && (at[2] == '/' || at[2] == '\0'))
			return true;
	return false;
}

int target_path(const char *target, char path[PATH_BYTES])
{
	size_t n = 0;

	target = target_origin(target);
	if (*target != '/')
		return 400;
	for (; *target && *target != '?' && *target != '#'; target++) {
		char c = *target;

		if (c == '%') {
			int high = hex(target[1]), low = high < 0 ? -1 : hex(target[2]);

			if (low < 0 || high + low == 0)
				return 400;
			c = (char)(high * 16 + low);
			target += 2;
		}
		if (n == PATH_BYTES - PATH_SPARE)
			return 414;
		path[n++] = c;
	}
	path[n] = '\0';
	return climbs(path) ? 400 : 0;
}

bool target_below(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(path, prefix, n) != 0)
		return false;
	return n == 0 || path[n] == '\0' || strchr("/?#", path[n]);
}

bool target_is_host(const char *host)
{
	return host[strspn(
	           host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]%!$&'()"
	                 "*+,;=")] == '\0';
}

/* --- opening */

static int open_beneath(int root, const char *path)
{
	struct open_how how = {.flags = READ_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	for (int i = 0;; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof how);

		if (fd >= 0 || errno != EAGAIN || i == TRIES)
			return fd < 0 ? -errno : (int)fd;
	}
}

/* One folder after the other, no link. */
static int open_stepwise(int root, const char *path)
{
	int at = root, fd;

	for (;;) {
		char name[256];
		size_t n = strcspn(path, "/");
		const char *rest = path + n + strspn(path + n, "/");
		bool last = path[n] == '\0';

		if (n >= sizeof name) {
			fd = -ENAMETOOLONG;
		} else {
			memcpy(name, path, n);
			name[n] = '\0';
			fd = openat(at, n ? name : ".",
			            O_NOFOLLOW | (last ? READ_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC));
			if (fd < 0)
				fd = -errno;
		}
		if (at != root)
			close(at);
		if (fd < 0 || last)
			return fd;
		at = fd;
		path = rest;
	}
}

int target_open(int root, const char *path, bool follow)
{
	static _Atomic bool without; /* the kernel, or who watches over it, has no openat2 */
	int fd;

	path += strspn(path, "/");
	if (!*path)
		path = ".";
	if (!follow || without)
		return open_stepwise(root, path);
	fd = open_beneath(root, path);
	if (fd != -ENOSYS && fd != -EPERM)
		return fd;
	without = fd == -ENOSYS;
	return open_stepwise(root, path);
}
