/* SPDX-License-Identifier: MIT */
/* Mutexes for what is built on them. */
#ifndef LEAT_SYNC_MUTEX_H
#define LEAT_SYNC_MUTEX_H

#include "sched/scheduler.h"

#include <leat/mutex.h>

/* leat_mutex_lock and leat_mutex_unlock for primitives that say themselves what orders what: without a word to
   the thread sanitizer. */
void leat__mutex_lock(leat_mutex *m);
void leat__mutex_unlock(leat_mutex *m);

/* leat_mutex_unlock in the runtime: also by who has queued somewhere, and is about to park. */
void leat__mutex_unlock_inside(struct leat__m *m, leat_mutex *mu);

#endif
