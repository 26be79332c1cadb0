/* SPDX-License-Identifier: MIT */
/* What the process is told from outside: the environment, read once at the first call. */
#ifndef LEAT_SCHED_SETTINGS_H
#define LEAT_SCHED_SETTINGS_H

#include "base/compiler.h"

/* How much a dying process says, LEAT_TRACEBACK; each as Go's GOTRACEBACK. */
enum leat__traceback {
	LEAT__TRACE_NONE,   /* the message alone */
	LEAT__TRACE_SINGLE, /* the goroutine that panics; all when it is leat that gives up */
	LEAT__TRACE_ALL,    /* every goroutine */
	LEAT__TRACE_SYSTEM, /* and leat's own frames */
	LEAT__TRACE_CRASH,  /* and a core file */
};

/* LEAT_URING: when operations on files go by way of io_uring. */
enum leat__uring_use {
	LEAT__URING_NEVER,  /* 0 */
	LEAT__URING_WAITS,  /* 1, the default: those that would wait for a device */
	LEAT__URING_ALWAYS, /* 2, for tests: all */
};

struct leat__settings {
	int procs;                      /* LEAT_PROCS, else 0: procs.c */
	uint64_t seed;                  /* LEAT_SEED, else from the clock */
	enum leat__traceback traceback; /* LEAT_TRACEBACK, else LEAT__TRACE_SINGLE */
	bool fatal_deadlock;        /* LEAT_DEBUG=deadlock: also where other threads could still help */
	bool trace_sched;           /* LEAT_DEBUG=sched: a line on the scheduler's state every second */
	bool fenced;                /* LEAT_DEBUG=fenced: as without membarrier */
	bool getaddrinfo;           /* LEAT_DEBUG=getaddrinfo: names are looked up as without c-ares */
	enum leat__uring_use uring; /* LEAT_URING */
	bool migrate;               /* LEAT_MIGRATE: every park resumes on another thread */
};

extern struct leat__settings leat__settings;

void leat__settings_read(void);

#endif
