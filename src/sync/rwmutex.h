/* SPDX-License-Identifier: MIT */
/* RWMutex, what reading (rwmutex.c, with the argument for all of it) and writing (rwmutex_write.c) share. */
#ifndef LEAT_SYNC_RWMUTEX_H
#define LEAT_SYNC_RWMUTEX_H

#include "ctx/wait.h"
#include "sched/panic.h"
#include "sync/stripes.h"

#include <leat/rwmutex.h>

#include <errno.h>

#define LEAT__RW_WRITER      UINT64_C(1)
#define LEAT__RW_ENTRY_SHIFT 1
#define LEAT__RW_ENTRY       (UINT64_C(0xff) << LEAT__RW_ENTRY_SHIFT) /* its number + 1; 0: none */
#define LEAT__RW_STREAK      (UINT64_C(1) << 9) /* read locks since the last writer; a hint */
#define LEAT__RW_LONG                                                                              \
	(LEAT__RW_STREAK << 12) /* 4,096 of them: there is a 2-us price to earn back */
#define LEAT__RW_STREAKS (UINT64_C(0xffffffff) & ~(LEAT__RW_STREAK - 1))
#define LEAT__RW_READER  (UINT64_C(1) << 32)

#define LEAT__RW_PATIENCE_MOST 63 /* long streaks that are let pass before a lock is striped */

_Static_assert(LEAT__STRIPED < 0xff, "an entry's number fits in the state");

static inline uint64_t leat__rw_state(const leat_rwmutex *mu)
{
	return __atomic_load_n(&mu->leat__state, __ATOMIC_RELAXED);
}

static inline uint64_t leat__rw_add(leat_rwmutex *mu, uint64_t n)
{
	return __atomic_fetch_add(&mu->leat__state, n, __ATOMIC_ACQ_REL);
}

static inline uint64_t leat__rw_clear(leat_rwmutex *mu, uint64_t bits)
{
	return __atomic_fetch_and(&mu->leat__state, ~bits, __ATOMIC_ACQ_REL);
}

static inline bool leat__rw_change(leat_rwmutex *mu, uint64_t *from, uint64_t to)
{
	return __atomic_compare_exchange_n(&mu->leat__state, from, to, false, __ATOMIC_ACQ_REL,
	                                   __ATOMIC_RELAXED);
}

static inline uint32_t leat__rw_count(uint64_t s)
{
	return (uint32_t)(s >> 32);
}

static inline unsigned leat__rw_entry(uint64_t s)
{
	return (unsigned)((s & LEAT__RW_ENTRY) >> LEAT__RW_ENTRY_SHIFT) - 1;
}

static inline struct leat__waiters *leat__rw_readers(leat_rwmutex *mu)
{
	return (struct leat__waiters *)&mu->leat__readers;
}

static inline struct leat__waiters *leat__rw_writer(leat_rwmutex *mu)
{
	return (struct leat__waiters *)&mu->leat__writer;
}

/* What is ordered, for a race detector: who read before who writes next; the address of the state stands for who
   wrote before all others. */
static inline const void *leat__rw_reads(const leat_rwmutex *mu)
{
	return &mu->leat__readers;
}

/* The next time stripes are to begin after a longer streak.  Under the inner lock. */
static inline void leat__rw_be_patient(leat_rwmutex *mu)
{
	if (mu->leat__patience < LEAT__RW_PATIENCE_MOST)
		mu->leat__patience = (uint8_t)(2 * mu->leat__patience + 1);
	mu->leat__skip = mu->leat__patience;
}

/* The entry in s, mu's state, locked; NULL if it is mu's no more: then it is not in the state either, and those
   who are counted there are in, unless there is a writer.
   Under the inner lock. */
struct leat__striped *leat__rwmutex_own_entry(leat_rwmutex *mu, uint64_t s);

/* Lock for reading under the inner lock.  counted: the state counts the caller already, for it found a writer or an
   entry only then.  0, an error of ctx, or -EBUSY where it would wait and is not to. */
int leat__rwmutex_read_slow(leat_rwmutex *mu, leat_ctx *ctx, bool counted, bool waits);

#endif
