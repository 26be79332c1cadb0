/* SPDX-License-Identifier: MIT */
/* Mutexes inside primitives, which say themselves what orders what. */
#ifndef LEAT_SYNC_MUTEX_H
#define LEAT_SYNC_MUTEX_H

#include <leat/mutex.h>

/* leat_mutex_lock and leat_mutex_unlock, without a word to the thread sanitizer. */
void leat__mutex_lock(leat_mutex *m);
void leat__mutex_unlock(leat_mutex *m);

#endif
