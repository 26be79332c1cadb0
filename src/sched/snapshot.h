/* SPDX-License-Identifier: MIT */
/*
 * A goroutine as it was at one instant, taken while all run on: what a dump prints.
 *
 * The caller has the turn to report (report.h), which protects all statics underneath.
 */
#ifndef LEAT_SCHED_SNAPSHOT_H
#define LEAT_SCHED_SNAPSHOT_H

#include "sched/goroutine.h"

enum leat__state {
	LEAT__STATE_RUNNABLE,
	LEAT__STATE_WAITING, /* for what `wait` says */
	LEAT__STATE_RUNNING,
	LEAT__STATE_SYSCALL, /* running, and asleep in the kernel: a blocking call of the program's */
};

struct leat__snapshot {
	uint64_t id, parent;
	void *created_at;
	void (*fn)(void *);
	char name[128]; /* "": none */
	enum leat__state state;
	enum leat__wait wait;
	bool locked;       /* to its thread */
	bool stopped;      /* in the middle of its code: stop.c */
	int64_t blocked_s; /* so long it has waited, give or take a second */

	/* The innermost part of its stack, a copy in which pointers into the stack point into the copy, and
	   the registers, likewise.  bytes is 0 when there is none: it has not begun (fresh), or could not
	   be caught. */
	bool fresh;
	bool exact; /* regs.ip is where it was interrupted, not a return address */
	bool cut;   /* there is more of the stack than was copied */
	struct leat__regs regs;
	uintptr_t stack;
	size_t bytes;
};

/* Before and after some snapshots. */
void leat__snapshots_begin(void);
void leat__snapshots_end(void);

/* False when g is no longer the goroutine with this id.  Not for the calling goroutine. */
bool leat__snapshot(struct leat__g *g, uint64_t id, struct leat__snapshot *s);

#endif
