/* SPDX-License-Identifier: MIT */
/* A folder for the files of a test, which goes with the program. */
#ifndef FILE_HELP_H
#define FILE_HELP_H

#include "test.h"

#include <ftw.h>
#include <unistd.h>

static char file_folder[] = "/tmp/leat-file-test-XXXXXX";
static pid_t file_owner; /* 0: the folder is not made yet; a child's end leaves it alone */

static inline int file_gone(const char *path, const struct stat *s, int flag, struct FTW *at)
{
	(void)s;
	(void)flag;
	(void)at;
	return remove(path);
}

static inline void file_cleanup(void)
{
	if (getpid() == file_owner)
		nftw(file_folder, file_gone, 16, FTW_DEPTH | FTW_PHYS);
}

/* FOLDER/name; up to 4 at a time. */
static inline const char *file_path(const char *name)
{
	static char paths[4][400];
	static unsigned next;
	char *path = paths[next++ % 4];

	if (!file_owner) {
		CHECK(mkdtemp(file_folder));
		file_owner = getpid();
		atexit(file_cleanup);
	}
	snprintf(path, sizeof paths[0], "%s/%s", file_folder, name);
	return path;
}

/* What an error says, with the folder left out. */
static inline bool file_says(const leat_error *e, const char *before, const char *name,
                             const char *after)
{
	char wanted[256];
	bool same;

	snprintf(wanted, sizeof wanted, "%s %s: %s", before, file_path(name), after);
	same = e && strcmp(leat_error_message(e), wanted) == 0;
	if (!same)
		fprintf(stderr, "\"%s\" instead of \"%s\"\n", leat_error_message(e), wanted);
	leat_error_free(e);
	return same;
}

#endif
