/* SPDX-License-Identifier: MIT */
/* filecopy: 4 files of 16 MiB are copied at once, 128 KiB at a time; the figure is the time for a MiB. */
#include "../files.h"

#include <leat.h>

struct copy {
	int i;
	leat_waitgroup *done;
};

static void copy(struct copy *a)
{
	char from[256], to[256], *buffer = malloc(COPY_BUFFER);
	leat_file *r = leat_file_open(files_path(from, sizeof from, "a", a->i), O_RDONLY, 0, NULL);
	leat_file *w = leat_file_create(files_path(to, sizeof to, "b", a->i), NULL);
	ssize_t n;

	while (r && w && (n = leat_file_read(r, buffer, COPY_BUFFER)) > 0)
		if (leat_file_write(w, buffer, (size_t)n, NULL) != 0)
			break;
	leat_file_free(r);
	leat_file_free(w);
	free(buffer);
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_waitgroup done = {0};
	int64_t start;

	leat_procs(bench_procs());
	files_make("a", COPY_FILES, COPY_BYTES);
	start = bench_now();
	leat_waitgroup_add(&done, COPY_FILES);
	for (int i = 0; i < COPY_FILES; i++)
		go(copy, .i = i, .done = &done);
	leat_waitgroup_wait(&done);
	bench_result("filecopy",
	             (double)(bench_now() - start) / 1e3 / (COPY_FILES * (COPY_BYTES >> 20)), "us");
	bench_check(files_bytes("b", COPY_FILES), (int64_t)COPY_FILES * COPY_BYTES, "bytes copied");
	for (int i = 0; i < COPY_FILES; i++)
		unlink(files_path((char[256]){0}, 256, "b", i));
	files_remove("a", COPY_FILES);
	bench_work(COPY_FILES * (COPY_BYTES >> 20), "MiB");
	return 0;
}
