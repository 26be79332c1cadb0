/* SPDX-License-Identifier: MIT */
/* smallfiles: 100,000 times a file of 4 KiB is read whole, one of 1,000, by 8 at once; the figure is the time for one. */
#include "../files.h"

#include <leat.h>

struct reader {
	int first;
	int64_t *bytes;
	leat_waitgroup *done;
};

static void reader(struct reader *a)
{
	char path[256];

	for (int i = a->first; i < SMALL_READS; i += SMALL_READERS) {
		size_t n = 0;
		char *b = leat_read_file(files_path(path, sizeof path, "s", i % SMALL_FILES), &n, NULL);

		*a->bytes += (int64_t)n;
		free(b);
	}
	leat_waitgroup_done(a->done);
}

int main(void)
{
	int64_t bytes[SMALL_READERS] = {0}, all = 0, start;
	leat_waitgroup done = {0};

	leat_procs(bench_procs());
	files_make("s", SMALL_FILES, SMALL_BYTES);
	start = bench_now();
	leat_waitgroup_add(&done, SMALL_READERS);
	for (int i = 0; i < SMALL_READERS; i++)
		go(reader, .first = i, .bytes = &bytes[i], .done = &done);
	leat_waitgroup_wait(&done);
	bench_ns_each("smallfiles", start, SMALL_READS);
	for (int i = 0; i < SMALL_READERS; i++)
		all += bytes[i];
	bench_check(all, (int64_t)SMALL_READS * SMALL_BYTES, "bytes read");
	files_remove("s", SMALL_FILES);
	bench_work(SMALL_READS, "files");
	return 0;
}
