/* SPDX-License-Identifier: MIT */
/* Heartbeats as the steward sees them. */
#ifndef LEAT_SCALE_HEARTBEAT_H
#define LEAT_SCALE_HEARTBEAT_H

#include "base/atomic.h"
#include "sched/timer.h"

#include <leat/heartbeat.h>

/* leat_heartbeat_make of an interval that is not negative; NULL where memory is out. */
leat_heartbeat *leat__heartbeat_new(int64_t interval_ns);

/* Nanoseconds, 0 or less when it is time, until leat_heartbeat_watch with that time-out would find the worker late, if
   no more beats came; LEAT_FOREVER: never. */
int64_t leat__heartbeat_left(leat_heartbeat *h, int64_t timeout_ns);

#endif
