/* SPDX-License-Identifier: MIT */
/*
 * A goroutine leaves its thread, which holds a lock: the report.
 *
 * A lock of libc's belongs to the thread that took it, and a goroutine that parks may go on on another:
 * there it cannot unlock a recursive mutex, and meanwhile others run where the lock counts as held.
 * libleat itself cannot see such locks.  libleat_locks.so, preloaded, keeps account of them for each
 * thread (cmd/locks), and is asked here whenever a goroutine that is not locked to its thread is about to
 * leave that: it parks, yields to somebody, queues for a processor that was taken from it meanwhile, or
 * ends.  Who sleeps in the kernel, computes, or is stopped in the middle of that keeps his thread, and
 * plain threads keep theirs in any case.
 *
 * Without that library this costs nothing: it is one more bit, LEAT__WATCHED, in the byte of each
 * goroutine's that is looked at in any case where it parks or ends.  Goroutines get it from their stacks,
 * and these when they are made.
 */
#include "sched/locks.h"

#include "os/symbol.h"
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 8

static __typeof__(leat__locks_held) *held;

void leat__locks_init(void)
{
	const char *preload = getenv("LD_PRELOAD");

	/* A look-up in vain would change what dlerror says. */
	if (preload && strstr(preload, "leat_locks"))
		*(void **)&held = leat__symbol_named(LEAT__LOCKS_HELD);
	if (held)
		leat__stack_watched = LEAT__WATCHED;
}

struct mistake {
	const struct leat__g *g;
	bool ends;
};

static void leat__report_locks(void *arg)
{
	static struct leat__lock_held locks[SHOWN];
	const struct mistake *x = arg;
	struct leat__text err = {0};
	char does[64] = "ends", message[192];
	size_t n;

	leat__report_begin();
	n = held(locks, SHOWN);
	for (size_t i = 0; i < n && i < SHOWN; i++) {
		leat__report("runtime: thread %d holds a %s at %p, locked by ", leat__os_tid(),
		             locks[i].kind, locks[i].lock);
		leat__put_place(&err, locks[i].where);
	}
	if (n > SHOWN)
		leat__report("runtime: and %zu more\n", n - SHOWN);
	leat__report(
	    "runtime: a goroutine may go on on another thread: unlock before, or use leat_mutex, "
	    "or leat_pin\n");
	if (!x->ends)
		snprintf(does, sizeof does, "parks [%s]",
		         leat__wait_name((enum leat__wait)load_relaxed(&x->g->wait)));
	snprintf(message, sizeof message, "goroutine %lu %s while its thread holds a %s",
	         (unsigned long)x->g->id, does, locks[0].kind);
	leat__fatal(message);
}

COLD void leat__locks_check(struct leat__g *g, bool ends)
{
	struct mistake x = {g, ends};

	/* Under a policy one thread runs everything. */
	if (!(g->special & LEAT__LOCKED) && !leat__policy && held(NULL, 0) > 0)
		leat__with_room(leat__report_locks, &x);
}
