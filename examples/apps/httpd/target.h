/* SPDX-License-Identifier: MIT */
/* What a request asks for: the target of its first line, as a path, and files below a folder. */
#ifndef HTTPD_TARGET_H
#define HTTPD_TARGET_H

#include <stdbool.h>
#include <stddef.h>

enum {
	PATH_BYTES = 4096,
	PATH_SPARE = 16, /* which are left, for the name of a page */
};

/*
 * The path that target names, without its query and with its escapes taken away; it begins with a slash.  0, or the status
 * to answer with: 400 for bad escapes, for NUL, and for "..", in whatever disguise; 414.
 */
int target_path(const char *target, char path[PATH_BYTES]);

/* The target without "http://" and a host, which requests to proxies have; itself where it has none. */
const char *target_origin(const char *target);

/* Is path, which may have a query, the prefix, or below it?  All is below "". */
bool target_below(const char *path, const char *prefix);

/* A Host that names one: letters, digits and what else addresses have. */
bool target_is_host(const char *host);

/*
 * Open the file of that path below the folder root for reading, without waiting for anybody: a descriptor, or a negative errno
 * code.  Symbolic links that lead out of root are refused; without follow all are.
 */
int target_open(int root, const char *path, bool follow);

#endif
