/* SPDX-License-Identifier: MIT */
/* Files of which nobody else has the name. */
#include "base/random.h"
#include "file/file.h"
#include "sched/scheduler.h"

#include <leat/path.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES  10000
#define DIGITS 10

static _Atomic uint64_t names;

uint32_t leat__temp_number(void)
{
	uint64_t seed = leat__random_seed((uint64_t)leat__os_now() ^ (uint64_t)leat__os_tid() << 40);

	return (uint32_t)leat__random_seed(seed + fetch_add_relaxed(&names, 1));
}

/* DIR/BEFORE<number>AFTER in to; pattern is BEFORE*AFTER. */
static void name_by(char *to, size_t bytes, const char *dir, const char *pattern)
{
	const char *star = strrchr(pattern, '*');
	int before = star ? (int)(star - pattern) : (int)strlen(pattern);

	snprintf(to, bytes, "%s%s%.*s%" PRIu32 "%s", dir,
	         *dir && dir[strlen(dir) - 1] == '/' ? "" : "/", before, pattern, leat__temp_number(),
	         star ? star + 1 : "");
}

/* Names of that pattern, until make says something else than that there is one; the name, the caller's, or NULL. */
static char *temp(const char *op, const char *dir, const char *pattern,
                  int (*make)(const char *path, void *arg), void *arg, const leat_error **error)
{
	int err = strchr(pattern, '/') ? -EINVAL : -ENOMEM;
	size_t bytes;
	char *path;

	if (!dir || !*dir)
		dir = getenv("TMPDIR");
	if (!dir || !*dir)
		dir = "/tmp";
	bytes = strlen(dir) + strlen(pattern) + DIGITS + 3;
	path = err == -EINVAL ? NULL : malloc(bytes);
	if (!path) {
		leat__path_failed(op, pattern, err, error);
		return NULL;
	}
	for (int try = 0; try < TRIES; try++) {
		name_by(path, bytes, dir, pattern);
		err = make(path, arg);
		if (err != -EEXIST)
			break;
	}
	if (!err)
		return path;
	leat__path_failed(op, path, err, error);
	free(path);
	return NULL;
}

static int make_file(const char *path, void *arg)
{
	leat_file **f = arg;
	const leat_error *e = NULL;
	int err;

	*f = leat_file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &e);
	err = leat_error_code(e);
	leat_error_free(e);
	return err;
}

leat_file *leat_file_temp(const char *dir, const char *pattern, const leat_error **error)
{
	leat_file *f = NULL;

	free(temp("open", dir, pattern, make_file, &f, error));
	return f;
}

static int make_folder(const char *path, void *unused)
{
	(void)unused;
	return LEAT__ANNOUNCED(leat__os_mkdir(path, 0700));
}

char *leat_mkdir_temp(const char *dir, const char *pattern, const leat_error **error)
{
	return temp("mkdir", dir, pattern, make_folder, NULL, error);
}
