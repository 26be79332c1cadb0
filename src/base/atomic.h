/* SPDX-License-Identifier: MIT */
/*
 * C11 atomics by names that show the ordering at a glance.  Sequential consistency is never the
 * default here: where a protocol needs it, it says seq_cst and argues why.
 */
#ifndef LEAT_BASE_ATOMIC_H
#define LEAT_BASE_ATOMIC_H

#include <stdatomic.h>

#define load_relaxed(p)     atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p)     atomic_load_explicit((p), memory_order_acquire)
#define store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)

#define fetch_add_relaxed(p, v) atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define fetch_add_acq_rel(p, v) atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define exchange_acquire(p, v)  atomic_exchange_explicit((p), (v), memory_order_acquire)
#define exchange_acq_rel(p, v)  atomic_exchange_explicit((p), (v), memory_order_acq_rel)

/* True when *p was expected and now is desired; acquires and releases. */
#define cas_acq_rel(p, expected, desired)                                                          \
	__extension__({                                                                                \
		__typeof__(*(expected)) *cas_e = (expected);                                               \
		atomic_compare_exchange_strong_explicit((p), cas_e, (desired), memory_order_acq_rel,       \
		                                        memory_order_acquire);                             \
	})

#define fence_seq_cst() atomic_thread_fence(memory_order_seq_cst)

/* The same, right behind an atomic read-modify-write that acquires, which on some processors is that already. */
#if defined(__x86_64__)
#define fence_seq_cst_after_rmw() atomic_signal_fence(memory_order_seq_cst)
#else
#define fence_seq_cst_after_rmw() fence_seq_cst()
#endif

#endif
