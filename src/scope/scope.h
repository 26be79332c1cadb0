/* SPDX-License-Identifier: MIT */
/* Scopes for what is built on them. */
#ifndef LEAT_SCOPE_SCOPE_H
#define LEAT_SCOPE_SCOPE_H

#include "sched/scheduler.h"

#include <leat/scope.h>

/*
 * Called where the block of a scope with a pipeline is left: its goroutines are joined, its channels and memory are
 * still there.  Set by the pipelines, which stand above, before main.  Out of the runtime.
 */
extern void (*leat__on_pipe_end)(leat_scope *s);

/* leat_scope_go, as if called from there: goroutines that the library starts for a caller.  Reports are to show the
   caller's place, not the library's. */
static inline void leat__scope_go_from(leat_scope *s, void (*fn)(void *), const void *args,
                                       size_t args_bytes, void *created_at)
{
	leat__go_joined(leat__on_start(s), fn, args, args_bytes, created_at);
}

#endif
