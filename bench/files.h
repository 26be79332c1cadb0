/* SPDX-License-Identifier: MIT */
/*
 * What the rows filecopy and smallfiles read: files of their own in a folder of $TMPDIR, else /tmp, which were just written and
 * so are in memory: what is measured is the way there, not the disk.  bench/go/filecopy.go and smallfiles.go do the same.
 */
#ifndef FILES_H
#define FILES_H

#include "bench.h"

#include <fcntl.h>
#include <sys/stat.h>

enum {
	COPY_FILES = 4, /* copied at once, each by one goroutine or thread */
	COPY_BYTES = 16 << 20,
	COPY_BUFFER = 128 << 10,
	SMALL_FILES = 1000,
	SMALL_BYTES = 4096,
	SMALL_READERS = 8,
	SMALL_READS = 100000,
};

static char files_folder[200];

static inline const char *files_path(char *path, size_t room, const char *kind, int i)
{
	snprintf(path, room, "%s/%s%d", files_folder, kind, i);
	return path;
}

static inline void files_make(const char *kind, int n, size_t bytes)
{
	const char *in = getenv("TMPDIR");
	char *b = malloc(bytes), path[256];

	snprintf(files_folder, sizeof files_folder, "%s/leat-bench-%d", in && *in ? in : "/tmp",
	         (int)getpid());
	bench_check(mkdir(files_folder, 0700), 0, "mkdir");
	for (size_t i = 0; i < bytes; i++)
		b[i] = (char)(i * 31);
	for (int i = 0; i < n; i++) {
		int fd = open(files_path(path, sizeof path, kind, i), O_WRONLY | O_CREAT, 0600);

		bench_check((int64_t)write(fd, b, bytes), (int64_t)bytes, "what was written");
		close(fd);
	}
	free(b);
}

static inline void files_remove(const char *kind, int n)
{
	char path[256];

	for (int i = 0; i < n; i++)
		unlink(files_path(path, sizeof path, kind, i));
	rmdir(files_folder);
}

/* The bytes of all copies. */
static inline int64_t files_bytes(const char *kind, int n)
{
	char path[256];
	int64_t all = 0;
	struct stat s;

	for (int i = 0; i < n; i++)
		if (stat(files_path(path, sizeof path, kind, i), &s) == 0)
			all += s.st_size;
	return all;
}

#endif
