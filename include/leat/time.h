/* SPDX-License-Identifier: MIT */
/*
 * Time: durations and instants are int64_t nanoseconds; instants are on the monotonic clock.
 * After Go's package time.
 *
 * Nothing happens before its instant, be it a sleep, a timer, a deadline or a case_timeout.  How much later depends
 * on who has to notice: some 50 us where a thread sleeps until then, less where processors take turns, up to 10 ms
 * where all of them compute without one.  Where on an average 8 timers or more of the process are due within 100 us,
 * they are fired many at a time, and each may be later by up to 200 us: a thread that wakes up for each would cost ten
 * times what a timer does.  (Go's timers are up to 1 ms late where all sleep, since it tells epoll a number of
 * milliseconds.)
 */
#ifndef LEAT_TIME_H
#define LEAT_TIME_H

#include <leat/base.h>

#define LEAT_NANOSECOND  INT64_C(1)
#define LEAT_MICROSECOND INT64_C(1000)
#define LEAT_MILLISECOND INT64_C(1000000)
#define LEAT_SECOND      INT64_C(1000000000)
#define LEAT_MINUTE      (60 * LEAT_SECOND)
#define LEAT_HOUR        (60 * LEAT_MINUTE)

LEAT__BEGIN

/*
 * The present instant in nanoseconds on the monotonic clock; its zero is arbitrary.
 *
 * Any goroutine, any thread.  Never parks.  Costs one clock read (about 25 ns).
 */
LEAT_API int64_t leat_now(void);

/*
 * Park the caller for at least duration_ns nanoseconds; a duration of 0 or less returns at once.
 * A duration too long for the clock sleeps for ever.  Not interruptible: leat_sleep_ctx (leat/ctx.h) is, by a
 * context; to wait for time or a channel, select with case_timeout.
 *
 * Any goroutine, any thread.  Takes the lock of the processor's timers; never allocates but to grow
 * their heap, and panics "out of memory" when that fails.  After Go's time.Sleep.
 */
LEAT_API void leat_sleep(int64_t duration_ns);

LEAT__END

#endif
