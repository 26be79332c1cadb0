/* SPDX-License-Identifier: MIT */
/*
 * What every benchmark program in C is made of; bench/go/bench.go is the same for Go.
 *
 * A program is one row of one implementation: bench/IMPL/ROW.c.  It measures once, with BENCH_PROCS
 * processors, checks what it computed, and prints lines of a name, a value and a unit:
 *
 *	work 5000000 round trips        what was done, so that the runner can state where rows differ
 *	pingpong 38.21 ns               a figure; a row may have several
 *
 * It exits 0, or 1 when the result is wrong, or 77 with a line on stderr when this machine cannot
 * run it.  The repetitions, medians and ratios are the runner's (bench/run).
 */
#ifndef BENCH_H
#define BENCH_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* How many processors to use. */
static inline int bench_procs(void)
{
	const char *s = getenv("BENCH_PROCS");
	int n = s ? atoi(s) : 2;

	if (n < 1) {
		fprintf(stderr, "BENCH_PROCS is '%s': it must be a number from 1 up\n", s);
		exit(1);
	}
	return n;
}

/* The count of a row that is scaled down to fit the runner's time: all of it under BENCH_FULL. */
static inline int bench_count(int scaled, int full)
{
	return getenv("BENCH_FULL") ? full : scaled;
}

/* Nanoseconds on the monotonic clock. */
static inline int64_t bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void bench_work(int64_t count, const char *what)
{
	printf("work %" PRId64 " %s\n", count, what);
}

static inline void bench_result(const char *name, double value, const char *unit)
{
	printf("%s %.3f %s\n", name, value, unit);
}

/* A figure of the time since start, divided by count. */
static inline void bench_ns_each(const char *name, int64_t start, double count)
{
	bench_result(name, (double)(bench_now() - start) / count, "ns");
}

/* Processor time of this process so far, in nanoseconds. */
static inline int64_t bench_used(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000000) +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * INT64_C(1000);
}

/* A figure of the processor time since start, divided by count. */
static inline void bench_used_each(const char *name, int64_t start, double count)
{
	bench_result(name, (double)(bench_used() - start) / count, "ns");
}

static inline int bench_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The value that a share q of the n sorts below; sorts them.  The median for 0.5. */
static inline double bench_quantile(int64_t *values, size_t n, double q)
{
	qsort(values, n, sizeof *values, bench_compare);
	return n ? (double)values[(size_t)((double)(n - 1) * q)] : 0;
}

static inline void bench_check(int64_t got, int64_t want, const char *what)
{
	if (got == want)
		return;
	fflush(stdout);
	fprintf(stderr, "wrong result: %s is %" PRId64 ", it must be %" PRId64 "\n", what, got, want);
	exit(1);
}

/* A field of a file of lines "Field:   123 kB" in bytes; -1 when there is none. */
static inline int64_t bench_kb_field(const char *file, const char *field)
{
	FILE *f = fopen(file, "r");
	char line[256];
	size_t n = strlen(field);
	int64_t kb = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, field, n) && line[n] == ':') {
			kb = strtoll(line + n + 1, NULL, 10);
			break;
		}
	fclose(f);
	return kb < 0 ? -1 : kb * 1024;
}

/* Memory of this process: resident, and in page tables. */
static inline int64_t bench_rss(void)
{
	return bench_kb_field("/proc/self/status", "VmRSS");
}

static inline int64_t bench_pte(void)
{
	return bench_kb_field("/proc/self/status", "VmPTE");
}

/*
 * Leave the row out, with the reason, when less than bytes of memory are available.  Then use so much
 * for a moment: a virtual machine may get its memory from its host only when it is first used, and
 * give back what is free, and without this a page would cost several times as much to who comes after a
 * program that used less.
 */
static inline void bench_needs_memory(int64_t bytes)
{
	int64_t have = bench_kb_field("/proc/meminfo", "MemAvailable");
	char *p;

	if (have >= 0 && have < bytes) {
		fprintf(stderr, "needs %.1f GB of memory, %.1f GB are available\n", (double)bytes / 1e9,
		        (double)have / 1e9);
		exit(77);
	}
	p = (char *)mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	                 0);
	if (p == MAP_FAILED) {
		fprintf(stderr, "no address space for %.1f GB of memory\n", (double)bytes / 1e9);
		exit(1);
	}
	madvise(p, (size_t)bytes, MADV_HUGEPAGE); /* where it works, the quickest way */
	for (int64_t i = 0; i < bytes; i += 4096)
		*(volatile char *)(p + i) = 1;
	munmap(p, (size_t)bytes);
}

#endif
