/* SPDX-License-Identifier: MIT */
/*
 * programs: what a user waits for, and what he pays.  Whole programs, from their start to their end,
 *
 *	digest_...    the SHA-256 of 20,000 files of 256 bytes to 4 KiB in 400 folders: examples/apps/digest
 *	primes_...    2,000 primes through a row of goroutines that a scope ends: examples/sieve
 *
 * each as time by the clock (..._wall) and as time of the CPUs (..._cpu).  They print into a file, whose
 * lines are counted.  Go's hashes with Go's own code, leat's with OpenSSL's.
 */
#define _GNU_SOURCE
#include "../bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { FILES = 20000, FOLDERS = 400, MOST_BYTES = 4096, PRIMES = 2000 };

static char scratch[PATH_MAX], examples[PATH_MAX];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	vfprintf(stderr, format, words);
	va_end(words);
	fputc('\n', stderr);
	exit(1);
}

static char *path_of(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		fail("out of memory");
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void remove_scratch(void)
{
	nftw(scratch, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
		fail("%s: %s", path, strerror(errno));
}

/* The same tree as Go's. */
static char *make_tree(void)
{
	char *tree = path_of(scratch, "tree"), block[2 * MOST_BYTES];
	uint64_t random = 1;

	for (size_t i = 0; i < sizeof block; i++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		block[i] = (char)(random >> 56);
	}
	if (mkdir(tree, 0700) != 0)
		fail("%s: %s", tree, strerror(errno));
	for (int i = 0; i < FOLDERS; i++) {
		char name[32], *folder;

		snprintf(name, sizeof name, "%d", i);
		folder = path_of(tree, name);
		if (mkdir(folder, 0700) != 0)
			fail("%s: %s", folder, strerror(errno));
		for (int k = i; k < FILES; k += FOLDERS) {
			char *path;

			snprintf(name, sizeof name, "%d", k);
			path = path_of(folder, name);
			write_file(path, block + k % MOST_BYTES, (size_t)256 << k % 5);
			free(path);
		}
		free(folder);
	}
	return tree;
}

static int64_t count_lines(const char *path)
{
	FILE *f = fopen(path, "r");
	int64_t lines = 0;

	if (!f)
		fail("%s: %s", path, strerror(errno));
	for (int c; (c = getc(f)) != EOF;)
		lines += c == '\n';
	fclose(f);
	return lines;
}

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static void measure(const char *figure, const char *example, const char *argument, int64_t lines)
{
	char *path = path_of(examples, example), *out = path_of(scratch, "out"), name[64];
	char *const argv[] = {path, (char *)argument, NULL};
	posix_spawn_file_actions_t actions;
	struct rusage used;
	int64_t begun, wall;
	int err, status;
	pid_t pid;

	if (access(path, X_OK) != 0) {
		fprintf(stderr, "%s was not built\n", path);
		exit(77);
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC,
	                                 0600);
	begun = bench_now();
	err = posix_spawn(&pid, path, &actions, NULL, argv, environ);
	if (err)
		fail("%s: %s", path, strerror(err));
	if (wait4(pid, &status, 0, &used) < 0 || status != 0)
		fail("%s ended with status %d", path, status);
	wall = bench_now() - begun;
	posix_spawn_file_actions_destroy(&actions);
	bench_check(count_lines(out), lines, "the number of lines printed");
	snprintf(name, sizeof name, "%s_wall", figure);
	bench_result(name, (double)wall / 1e6, "ms");
	snprintf(name, sizeof name, "%s_cpu", figure);
	bench_result(name, ms(used.ru_utime) + ms(used.ru_stime), "ms");
	free(path);
	free(out);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char procs[16], self[PATH_MAX] = {0}, primes[16], *tree;

	/* BUILD/bench/leat/programs */
	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		fail("/proc/self/exe: %s", strerror(errno));
	for (int i = 0; i < 3; i++)
		*strrchr(self, '/') = '\0';
	snprintf(examples, sizeof examples, "%.*s/examples", PATH_MAX - 16, self);

	snprintf(procs, sizeof procs, "%d", bench_procs());
	setenv("LEAT_PROCS", procs, 1);
	snprintf(scratch, sizeof scratch, "%.*s/leat-bench-XXXXXX", PATH_MAX - 32, tmp ? tmp : "/tmp");
	if (!mkdtemp(scratch))
		fail("%s: %s", scratch, strerror(errno));
	atexit(remove_scratch);
	tree = make_tree();
	bench_work(FILES, "files");
	measure("digest", "apps/digest", tree, FILES);
	snprintf(primes, sizeof primes, "%d", PRIMES);
	measure("primes", "sieve", primes, PRIMES);
	free(tree);
	return 0;
}
