/* SPDX-License-Identifier: MIT */
/* What the process is told from outside: the environment, read once at the first call. */
#ifndef LEAT_SCHED_SETTINGS_H
#define LEAT_SCHED_SETTINGS_H

#include "base/compiler.h"

struct leat__settings {
	int procs;           /* LEAT_PROCS, else 0: procs.c */
	uint64_t seed;       /* LEAT_SEED, else from the clock */
	bool fatal_deadlock; /* LEAT_DEBUG=deadlock: also where other threads could still help */
	bool trace_sched;    /* LEAT_DEBUG=sched: a line on the scheduler's state every second */
	bool fenced;         /* LEAT_DEBUG=fenced: as without membarrier */
	bool migrate;        /* LEAT_MIGRATE: every park resumes on another thread */
};

extern struct leat__settings leat__settings;

void leat__settings_read(void);

#endif
