/* SPDX-License-Identifier: MIT */
/*
 * Blocking calls, announced.
 *
 *	{
 *		leat_blocking();
 *		n = read(fd, buffer, sizeof buffer);
 *	}
 *
 * No call needs this: a goroutine may block its thread in any function, and loses its processor to
 * others once its thread has slept for a while.  One that says so beforehand loses it sooner: at
 * once if others wait and such calls have been long lately, else when the call has kept others waiting
 * for 20 us.  Worth it where calls block often and for less than a millisecond.
 *
 * When the block is left, by whichever way, the goroutine has a processor again: its old one, if
 * nobody took it; else it waits for one.  So it may leave the block on another thread, and what
 * belongs to a thread, errno above all, is best read inside.
 */
#ifndef LEAT_BLOCKING_H
#define LEAT_BLOCKING_H

#include <leat/base.h>

LEAT__BEGIN

/* An announced call under way.  All fields are private. */
typedef struct leat_blocking_call {
	uint64_t leat__began;
	uint32_t leat__outer;
} leat_blocking_call;

/*
 * Say that the caller is about to block.  It may run on without a processor until leat_blocking_end,
 * so it should not compute.  Calls of leat are allowed meanwhile; one that parks ends the
 * announcement.  Nests.  A panic or leat_goexit may pass through: nothing has to be undone.
 *
 * Any goroutine.  On a plain thread it does nothing.  Some nanoseconds when nobody waits.
 * After Go's entry into a system call.
 */
LEAT_API leat_blocking_call leat_blocking_begin(void) LEAT__WARN_UNUSED;

/*
 * The call is over.  In the goroutine that began it; calls that nest end in reverse order.  Takes the old
 * processor back if it is free, else waits for one.  errno keeps its value, though perhaps at another
 * address: what read errno before the begin in the same function may look at the old one.
 * A nanosecond when the processor was not taken.
 */
LEAT_API void leat_blocking_end(const leat_blocking_call *call);

LEAT__END

#ifndef __cplusplus

/* LEAT_BLOCKING(): a declaration; the calls until the end of the enclosing block may block. */
#define LEAT_BLOCKING() LEAT__BLOCKING(__COUNTER__)
#define LEAT__BLOCKING(n)                                                                          \
	leat_blocking_call const LEAT__CAT(leat__b, n) LEAT__CLEANUP(leat_blocking_end) LEAT__UNUSED = \
	    leat_blocking_begin()

#define leat_blocking() LEAT_BLOCKING()

#endif /* !__cplusplus */

#endif
