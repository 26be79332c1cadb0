/* SPDX-License-Identifier: MIT */
/* filecopy: see ../leat/filecopy.c; a thread for each. */
#include "threads.h"

#include "../files.h"

static void *copy(void *arg)
{
	int i = (int)(intptr_t)arg, r, w;
	char from[256], to[256], *buffer = malloc(COPY_BUFFER);
	ssize_t n;

	r = open(files_path(from, sizeof from, "a", i), O_RDONLY | O_CLOEXEC);
	w = open(files_path(to, sizeof to, "b", i), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	while ((n = read(r, buffer, COPY_BUFFER)) > 0)
		if (write(w, buffer, (size_t)n) != n)
			break;
	close(r);
	close(w);
	free(buffer);
	return NULL;
}

int main(void)
{
	pthread_t t[COPY_FILES];
	int64_t start;

	threads_limit();
	files_make("a", COPY_FILES, COPY_BYTES);
	start = bench_now();
	for (int i = 0; i < COPY_FILES; i++)
		t[i] = threads_start(copy, (void *)(intptr_t)i);
	for (int i = 0; i < COPY_FILES; i++)
		pthread_join(t[i], NULL);
	bench_result("filecopy",
	             (double)(bench_now() - start) / 1e3 / (COPY_FILES * (COPY_BYTES >> 20)), "us");
	bench_check(files_bytes("b", COPY_FILES), (int64_t)COPY_FILES * COPY_BYTES, "bytes copied");
	for (int i = 0; i < COPY_FILES; i++)
		unlink(files_path((char[256]){0}, 256, "b", i));
	files_remove("a", COPY_FILES);
	bench_work(COPY_FILES * (COPY_BYTES >> 20), "MiB");
	return 0;
}
