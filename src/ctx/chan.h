/* SPDX-License-Identifier: MIT */
/* A wait on a channel that a context may end, for what is built of channels. */
#ifndef LEAT_CTX_CHAN_H
#define LEAT_CTX_CHAN_H

#include "ctx/wait.h"

enum leat__direction { LEAT__RECEIVES, LEAT__SENDS };

/*
 * In the runtime: do it, waiting if need be until ctx (NULL: none) is done, and leave the runtime.  0; -EPIPE when
 * c is closed, for either direction; or why ctx is done.  What precedes and follows, leat__ctx_begin_wait and
 * leat__ctx_end_wait, is the caller's.
 */
int leat__chan_do_ctx(struct leat__m *m, leat_chan *c, void *elem, enum leat__direction dir,
                      leat_ctx *ctx);

#endif
