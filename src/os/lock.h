/* SPDX-License-Identifier: MIT */
/*
 * The lock of the runtime: a byte that is 1 while held, taken by exchange, released by a plain store.
 *
 * Held only inside the runtime (in_runtime is set, so the processor is not taken from the holder) and
 * for some tens of nanoseconds; no system call is made under it but futex wakes and, seldom, a membarrier, or where a
 * processor's timers need more memory, and nobody waits but some microseconds for a biased lock (biased.h, mutex.c).  The kernel may still
 * preempt a holder, hence the back-off to yielding and then to sleeping.  Measured against a fair
 * ticket lock and a futex lock: the exchange and the plain store cost 2.5 ns together, a second locked
 * instruction for the release 2 more; backing off exponentially is worth 12 against 20 ns on a
 * contended channel.
 */
#ifndef LEAT_OS_LOCK_H
#define LEAT_OS_LOCK_H

#include "arch/arch.h"
#include "os/os.h"

void leat__lock_slow(uint8_t *lock);

static inline bool leat__trylock(uint8_t *lock)
{
	return __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void leat__lock(uint8_t *lock)
{
	if (unlikely(!leat__trylock(lock)))
		leat__lock_slow(lock);
}

static inline void leat__unlock(uint8_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
