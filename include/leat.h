/* SPDX-License-Identifier: MIT */
/*
 * leat: Go's concurrency for C.  One header for all of it; each noun has its own under leat/.
 */
#ifndef LEAT_H
#define LEAT_H

#include <leat/adaptive.h>
#include <leat/addr.h>
#include <leat/any.h>
#include <leat/backoff.h>
#include <leat/base.h>
#include <leat/blocking.h>
#include <leat/breaker.h>
#include <leat/broadcast.h>
#include <leat/chan.h>
#include <leat/cond.h>
#include <leat/conn.h>
#include <leat/copy.h>
#include <leat/coro.h>
#include <leat/ctx.h>
#include <leat/defer.h>
#include <leat/dump.h>
#include <leat/duplicates.h>
#include <leat/errno.h>
#include <leat/error.h>
#include <leat/fd.h>
#include <leat/file.h>
#include <leat/go.h>
#include <leat/heartbeat.h>
#include <leat/interface.h>
#include <leat/keyed_limiter.h>
#include <leat/latest.h>
#include <leat/limiter.h>
#include <leat/lookup.h>
#include <leat/map.h>
#include <leat/multi_limiter.h>
#include <leat/mutex.h>
#include <leat/net.h>
#include <leat/once.h>
#include <leat/packet.h>
#include <leat/panic.h>
#include <leat/path.h>
#include <leat/pipe.h>
#include <leat/pipe_flow.h>
#include <leat/pipe_join.h>
#include <leat/pipe_monitor.h>
#include <leat/pool.h>
#include <leat/process.h>
#include <leat/reader.h>
#include <leat/replicate.h>
#include <leat/retry.h>
#include <leat/rwmutex.h>
#include <leat/scope.h>
#include <leat/select.h>
#include <leat/semaphore.h>
#include <leat/signal.h>
#include <leat/singleflight.h>
#include <leat/steward.h>
#include <leat/thread.h>
#include <leat/ticker.h>
#include <leat/time.h>
#include <leat/timer.h>
#include <leat/tls.h>
#include <leat/waitgroup.h>
#include <leat/workers.h>
#include <leat/writer.h>

#endif
