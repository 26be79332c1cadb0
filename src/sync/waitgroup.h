/* SPDX-License-Identifier: MIT */
/* Wait groups for what is built on them: the same operations inside the runtime. */
#ifndef LEAT_SYNC_WAITGROUP_H
#define LEAT_SYNC_WAITGROUP_H

#include "sched/scheduler.h"

#include <leat/waitgroup.h>

/* Add delta in the runtime; NULL, or the message to panic with. */
const char *leat__waitgroup_add(struct leat__m *m, leat_waitgroup *wg, int delta);

/* Wait in the runtime, shown as why. */
struct leat__m *leat__waitgroup_wait(struct leat__m *m, leat_waitgroup *wg, enum leat__wait why);

/* Between leat__ctx_begin_wait and leat__ctx_end_wait, with a context that can be done. */
struct leat__m *leat__waitgroup_wait_ctx(struct leat__m *m, leat_waitgroup *wg, leat_ctx *ctx,
                                         int *err);

#endif
