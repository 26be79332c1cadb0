/* SPDX-License-Identifier: MIT */
/* smallfiles: see ../leat/smallfiles.c; 8 threads, which open, ask for the size, read to the end and close. */
#include "threads.h"

#include "../files.h"

struct reader {
	int first;
	int64_t bytes;
};

static int64_t read_whole(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat s;
	int64_t all = 0;
	ssize_t n;
	char *b;

	if (fd < 0 || fstat(fd, &s) != 0)
		return 0;
	b = malloc((size_t)s.st_size + 1);
	while ((n = read(fd, b + all, (size_t)(s.st_size + 1 - all))) > 0)
		all += n;
	free(b);
	close(fd);
	return all;
}

static void *reader(void *arg)
{
	struct reader *a = arg;
	char path[256];

	for (int i = a->first; i < SMALL_READS; i += SMALL_READERS)
		a->bytes += read_whole(files_path(path, sizeof path, "s", i % SMALL_FILES));
	return NULL;
}

int main(void)
{
	struct reader readers[SMALL_READERS] = {{0, 0}};
	pthread_t t[SMALL_READERS];
	int64_t all = 0, start;

	threads_limit();
	files_make("s", SMALL_FILES, SMALL_BYTES);
	start = bench_now();
	for (int i = 0; i < SMALL_READERS; i++) {
		readers[i].first = i;
		t[i] = threads_start(reader, &readers[i]);
	}
	for (int i = 0; i < SMALL_READERS; i++)
		pthread_join(t[i], NULL);
	bench_ns_each("smallfiles", start, SMALL_READS);
	for (int i = 0; i < SMALL_READERS; i++)
		all += readers[i].bytes;
	bench_check(all, (int64_t)SMALL_READS * SMALL_BYTES, "bytes read");
	files_remove("s", SMALL_FILES);
	bench_work(SMALL_READS, "files");
	return 0;
}
