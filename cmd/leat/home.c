/* SPDX-License-Identifier: MIT */
/* Where leat's header and library are: see home.h. */
#define _GNU_SOURCE
#include "home.h"

#include "command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Whether folder/relative exists; its canonical name goes to `to`. */
static bool exists(char to[PATH_MAX], const char *folder, const char *relative)
{
	char *path;
	bool found;

	if (asprintf(&path, "%s/%s", folder, relative) < 0)
		return false;
	found = realpath(path, to) != NULL;
	free(path);
	return found;
}

/* The folder above leat.h. */
static bool find_include(char to[PATH_MAX], const char *folder, const char *relative)
{
	if (!exists(to, folder, relative))
		return false;
	*strrchr(to, '/') = '\0';
	return true;
}

static bool in_build_tree(struct home *home, const char *folder)
{
	return exists(home->library, folder, "libleat.a") &&
	       find_include(home->include, folder, "../../include/leat.h");
}

static bool installed(struct home *home, const char *folder)
{
	static const char *const names[] = {"libleat.a", "libleat.so"};
	struct utsname machine;
	char relative[3][128] = {"../lib", "../lib64", ""};

	if (uname(&machine) == 0) /* as Debian names its folders */
		snprintf(relative[2], sizeof relative[2], "../lib/%.64s-linux-gnu", machine.machine);
	for (size_t name = 0; name < 2; name++) {
		for (size_t i = 0; i < 3; i++) {
			char path[512];

			snprintf(path, sizeof path, "%s/%s", relative[i], names[name]);
			if (exists(home->library, folder, path) &&
			    find_include(home->include, folder, "../include/leat.h"))
				return true;
		}
	}
	return false;
}

int home_find(struct home *home)
{
	char folder[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
	char *slash;

	if (length < 0) {
		complain("cannot find out where it is itself: /proc/self/exe: %s", strerror(errno));
		return -ENOENT;
	}
	folder[length] = '\0';
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	if (in_build_tree(home, folder) || installed(home, folder))
		return 0;
	complain("cannot find leat.h and libleat.a, neither from a build tree (%s/libleat.a, "
	         "%s/../../include) nor from an installation (%s/../lib, %s/../include)",
	         folder, folder, folder, folder);
	return -ENOENT;
}
