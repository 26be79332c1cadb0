/* SPDX-License-Identifier: MIT */
/*
 * The memory part of os.h on Linux.
 *
 * Guards.  MADV_GUARD_INSTALL (Linux 6.13) marks pages in the page tables and adds no mapping, so a
 * million of them are fine where a million protected pages would need two million mappings, of which
 * the kernel allows 65,530.  In bulk through process_madvise one costs 0.5 us, by itself 0.5-1.3 us.
 * On older kernels: mprotect, while mappings are left; the caller has a canary for the rest.
 *
 * Touching.  A fault in a virtual machine takes 1.7 us, 0.4 of which is the way into the kernel and back.
 * MADV_POPULATE_WRITE (Linux 5.14) spares that: 1.4 us for one page, 1.27 for one of many ranges in bulk,
 * 1.04 for one of many that lie side by side.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

enum leat__os_guards leat__os_guards;

enum {
	PIDFD_SELF_PROCESS = -10001, /* Linux 6.14: no descriptor needed to name oneself */
	BULK = 64,
};

void *leat__os_reserve(size_t bytes)
{
	int saved = errno;
	/* The raw call: the thread sanitizer takes libc's for a write of the whole range by the caller.
	   Unmapping goes through libc, so that it forgets the range. */
	void *p = (void *)syscall(SYS_mmap, NULL, bytes, PROT_NONE,
	                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);

	if (p == MAP_FAILED) {
		errno = saved;
		return NULL;
	}
	/* A huge page under 8 stacks would make each of them resident whole. */
	madvise(p, bytes, MADV_NOHUGEPAGE);
	errno = saved;
	return p;
}

int leat__os_commit(void *base, size_t bytes)
{
	int saved = errno, err = 0;

	if (mprotect(base, bytes, PROT_READ | PROT_WRITE) != 0)
		err = -errno;
	errno = saved;
	return err;
}

void *leat__os_map(size_t bytes)
{
	void *p = leat__os_reserve(bytes);

	if (p && leat__os_commit(p, bytes) != 0) {
		leat__os_unmap(p, bytes);
		return NULL;
	}
	return p;
}

void leat__os_unmap(void *base, size_t bytes)
{
	int saved = errno;

	munmap(base, bytes);
	errno = saved;
}

void leat__os_may_be_huge(void *base, size_t bytes)
{
	int saved = errno;

	madvise(base, bytes, MADV_HUGEPAGE);
	errno = saved;
}

/* Whether guard markers are to be had, by making one: emulators say yes to any advice and do nothing, so
   the kernel is asked to write there. */
static bool have_markers(const struct leat__range *range)
{
	static _Atomic int known; /* 1: yes, 2: no */
	int answer = load_relaxed(&known);

	if (!answer) {
		answer = madvise(range->base, range->bytes, MADV_GUARD_INSTALL) == 0 &&
		                 syscall(SYS_clock_gettime, CLOCK_MONOTONIC, range->base) != 0
		             ? 1
		             : 2;
		store_relaxed(&known, answer);
	}
	return answer == 1;
}

_Static_assert(sizeof(struct leat__range) == sizeof(struct iovec) &&
                   offsetof(struct leat__range, bytes) == offsetof(struct iovec, iov_len),
               "ranges are handed to the kernel as they are");

/* The same advice on all ranges at once; how many were advised, or -1: not all, or the kernel does not know how. */
static ssize_t advise_bulk(const struct leat__range *ranges, size_t n, int advice,
                           _Atomic int *unavailable)
{
	size_t done = 0;

	if (load_relaxed(unavailable))
		return -1;
	while (done < n) {
		size_t k = n - done < BULK ? n - done : BULK, bytes = 0;
		long advised;

		for (size_t i = 0; i < k; i++)
			bytes += ranges[done + i].bytes;
		advised = syscall(SYS_process_madvise, PIDFD_SELF_PROCESS, ranges + done, k, advice, 0);
		if (advised < 0 && errno != ENOMEM && errno != EAGAIN && errno != EINTR)
			store_relaxed(unavailable, 1);
		if (advised != (long)bytes)
			return -1;
		done += k;
	}
	return (ssize_t)done;
}

/* How many guards by protection are affordable: each splits a mapping in three at worst. */
static long read_budget(void)
{
	char text[32];
	long limit = 65530;
	int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof text - 1);

		if (n > 0) {
			text[n] = '\0';
			limit = atol(text);
		}
		close(fd);
	}
	return limit / 2 - 2000; /* the rest is for the program */
}

/* Take one guard's share of the mappings. */
static bool afford(void)
{
	static _Atomic long budget = LONG_MIN; /* that: yet to be read */
	long left = load_relaxed(&budget);

	if (left == LONG_MIN) {
		long unread = LONG_MIN;

		left = read_budget();
		if (!cas_acq_rel(&budget, &unread, left))
			left = unread;
	}
	while (left > 0)
		if (cas_acq_rel(&budget, &left, left - 1))
			return true;
	return false;
}

size_t leat__os_guard(const struct leat__range *ranges, size_t n)
{
	static _Atomic int no_bulk;
	int saved = errno;
	bool markers = n > 0 && leat__os_guards == LEAT__OS_GUARDS_ALL && have_markers(&ranges[0]);
	ssize_t done = -1;
	size_t i = 0;

	if (markers)
		done = advise_bulk(ranges, n, MADV_GUARD_INSTALL, &no_bulk);
	if (done < 0) {
		for (; i < n && markers; i++)
			if (madvise(ranges[i].base, ranges[i].bytes, MADV_GUARD_INSTALL) != 0)
				break;
		for (; i < n && leat__os_guards != LEAT__OS_GUARDS_NONE; i++)
			if (!afford() || mprotect(ranges[i].base, ranges[i].bytes, PROT_NONE) != 0)
				break;
		done = (ssize_t)i;
	}
	errno = saved;
	return (size_t)done;
}

/* An error may be that memory is short, or a signal, and leaves the rest to faults; EINVAL is a kernel that does not
   know the advice. */
void leat__os_populate(const struct leat__range *ranges, size_t n)
{
	static _Atomic int no_bulk, unknown;
	int saved = errno, failed = 0;

	if (advise_bulk(ranges, n, MADV_POPULATE_WRITE, &no_bulk) < 0 && !load_relaxed(&unknown)) {
		for (size_t i = 0; i < n && !failed; i++)
			failed = madvise(ranges[i].base, ranges[i].bytes, MADV_POPULATE_WRITE);
		if (failed && errno == EINVAL)
			store_relaxed(&unknown, 1);
	}
	errno = saved;
}

void leat__os_discard(const struct leat__range *ranges, size_t n)
{
	static _Atomic int no_bulk;
	int saved = errno;

	if (advise_bulk(ranges, n, MADV_DONTNEED, &no_bulk) < 0)
		for (size_t i = 0; i < n; i++)
			madvise(ranges[i].base, ranges[i].bytes, MADV_DONTNEED);
	errno = saved;
}
