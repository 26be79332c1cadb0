/* SPDX-License-Identifier: MIT */
/*
 * The return addresses on a stack: the calling one, or one that is not running.
 *
 * libunwind does the work.  It is loaded with dlopen when the first trace is wanted, so that a program
 * needs libc alone and one that never asks for a trace never pays for it, and locally, so that its
 * _Unwind_ symbols cannot take the place of libgcc's.  Loading it calls malloc: a handler of faults
 * that may have come from inside malloc must be able to do without an answer (set
 * leat__unwind_without_libraries, or an alarm).  Without libunwind the calling stack comes from
 * glibc's backtrace, and another one, or with another libc both, from the chain of frame pointers, as
 * far as there is one.
 *
 * Any thread, several at a time.  Nothing is kept between calls and nothing is allocated, but for what
 * libunwind caches.  Needs some 8 KiB of stack, 16 KiB under ASan.
 */
#ifndef LEAT_OS_UNWIND_H
#define LEAT_OS_UNWIND_H

#include "arch/arch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Put the addresses of the calling stack into pcs, innermost first, and return how many; 0 is never
 * among them.  pcs[0] is where the caller of this function goes on, or, after skipping `skip` frames,
 * where that one's caller does, and so on.  All are return addresses: the call is at the address before.
 * The stack must end in a frame whose CFI says so, as those of libc and of goroutines do.
 */
size_t leat__unwind_here(void **pcs, size_t max, size_t skip);

/*
 * The same for the context in *regs, which must not run meanwhile, or has just faulted.  pcs[0] is
 * regs->ip itself: exact, the next instruction, if the context faulted or was interrupted, a return
 * address if it gave up its processor in a call.  The others are return addresses.
 * A fault by a jump to a bad address (a call of NULL among them) has that address as pcs[0], even 0,
 * and goes on with the caller.
 * The walk ends at the first frame outside [stack_lo, stack_hi), and reads nothing outside it as long
 * as the stack's own contents are sane; of damaged ones it gives what there is before the damage.
 */
size_t leat__unwind_regs(const struct leat__regs *regs, bool exact, uintptr_t stack_lo,
                         uintptr_t stack_hi, void **pcs, size_t max);

/*
 * The addresses of the calling stack, which is sane, in a fraction of the time, where libunwind and the CPU allow.
 * The first few may be those of frames in here.
 */
size_t leat__unwind_often(void **pcs, size_t max);

/*
 * Whether libraries can be loaded: not into a statically linked program, where they would come with
 * a second libc that knows nothing of the first.
 */
bool leat__unwind_can_load(void);

/* Whether libunwind is here already, so that nothing needs to be loaded for a trace. */
bool leat__unwind_is_loaded(void);

/* Set to do as if libunwind were missing: the tests do, and who must not call malloc. */
extern bool leat__unwind_without_libraries;

#endif
