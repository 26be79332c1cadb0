/* SPDX-License-Identifier: MIT */
/*
 * Asymmetric fences: a pair of which one side is cheap.
 *
 * Store-load ordering between two threads needs a full fence in both.  Where one side runs a million
 * times as often as the other, the frequent side keeps only the compiler in order (leat__fence_light)
 * and the rare side makes every running thread execute a barrier (leat__fence_heavy, membarrier(2)).
 * The guarantee is the same as of two full fences: of two threads that each store, fence, and load
 * what the other stored, at least one sees the other's store.
 *
 * Where membarrier is missing (seccomp, old kernels; LEAT_DEBUG=fenced forces it) both are full
 * fences.  The choice is made once, before a second thread of leat exists.
 */
#ifndef LEAT_OS_FENCE_H
#define LEAT_OS_FENCE_H

#include "base/atomic.h"
#include "os/os.h"

extern bool leat__fenced HIDDEN;

static inline void leat__fence_light(void)
{
	if (unlikely(leat__fenced))
		fence_seq_cst();
	else
		compiler_barrier();
}

static inline void leat__fence_heavy(void)
{
	if (unlikely(leat__fenced))
		fence_seq_cst();
	else
		leat__os_membarrier();
}

#endif
