/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out when a test says so: the n-th allocation of this thread from now on fails, and all after
 * it, until oom_end.  glibc lets a program have a malloc of its own; elsewhere, and under sanitizers, which have
 * theirs, there is no OOM_HERE, and such tests are left out.
 */
#ifndef OOM_HELP_H
#define OOM_HELP_H

#include "test.h"

#include <errno.h>

#if defined __GLIBC__ && !defined TEST_SANITIZED
#define OOM_HERE 1

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static __thread long oom_left = -1; /* allocations until none succeed; -1: all do */

static inline bool oom_now(void)
{
	if (oom_left > 0)
		oom_left--;
	return oom_left == 0;
}

void *malloc(size_t bytes)
{
	return oom_now() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
	return oom_now() ? NULL : __libc_calloc(n, bytes);
}

int posix_memalign(void **p, size_t alignment, size_t bytes)
{
	void *got = oom_now() ? NULL : __libc_memalign(alignment, bytes);

	if (!got)
		return ENOMEM;
	*p = got;
	return 0;
}

static inline void oom_begin(long succeed)
{
	oom_left = succeed + 1;
}

static inline void oom_end(void)
{
	oom_left = -1;
}

#endif
#endif
