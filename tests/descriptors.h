/* SPDX-License-Identifier: MIT */
/*
 * How many descriptors are open.  Those on files of /proc and /sys are not counted: the runtime's monitor reads some,
 * and has them for moments at any time.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include "test.h"

#include <dirent.h>

static inline int test_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *entry;
	int n = 0;

	CHECK(d);
	while ((entry = readdir(d)) != NULL) {
		char path[300], file[8];
		ssize_t bytes;

		snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
		bytes = readlink(path, file, sizeof file - 1);
		if (bytes <= 0)
			continue; /* . and .. and what is closed by now */
		file[bytes] = '\0';
		n += strncmp(file, "/proc/", 6) != 0 && strncmp(file, "/sys/", 5) != 0;
	}
	closedir(d);
	return n;
}

#endif
