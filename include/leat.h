/* SPDX-License-Identifier: MIT */
/*
 * leat: Go's concurrency for C.  One header for all of it; each noun has its own under leat/.
 */
#ifndef LEAT_H
#define LEAT_H

#include <leat/any.h>
#include <leat/base.h>
#include <leat/blocking.h>
#include <leat/broadcast.h>
#include <leat/chan.h>
#include <leat/cond.h>
#include <leat/coro.h>
#include <leat/ctx.h>
#include <leat/defer.h>
#include <leat/dump.h>
#include <leat/errno.h>
#include <leat/error.h>
#include <leat/fd.h>
#include <leat/go.h>
#include <leat/interface.h>
#include <leat/latest.h>
#include <leat/limiter.h>
#include <leat/map.h>
#include <leat/mutex.h>
#include <leat/once.h>
#include <leat/panic.h>
#include <leat/pool.h>
#include <leat/rwmutex.h>
#include <leat/scope.h>
#include <leat/select.h>
#include <leat/semaphore.h>
#include <leat/singleflight.h>
#include <leat/thread.h>
#include <leat/ticker.h>
#include <leat/time.h>
#include <leat/timer.h>
#include <leat/waitgroup.h>

#endif
