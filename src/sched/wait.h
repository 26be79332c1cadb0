/* SPDX-License-Identifier: MIT */
/* What a goroutine does, in the words of Go's reports. */
#ifndef LEAT_SCHED_WAIT_H
#define LEAT_SCHED_WAIT_H

enum leat__wait {
	LEAT__RUNNABLE, /* or running: reports look at who runs on the threads */
	LEAT__WAIT_RECV,
	LEAT__WAIT_SEND,
	LEAT__WAIT_RECV_NIL,
	LEAT__WAIT_SEND_NIL,
	LEAT__WAIT_SELECT,
	LEAT__WAIT_SELECT_NONE,
	LEAT__WAIT_SLEEP,
	LEAT__WAIT_MUTEX,
	LEAT__WAIT_WAITGROUP,
	LEAT__WAIT_SCOPE,
	LEAT__WAIT_IO,
	/* In a queue of leat__waiters, besides channels' (ctx/wait.h). */
	LEAT__WAIT_RLOCK,
	LEAT__WAIT_RWLOCK,
	LEAT__WAIT_COND,
	LEAT__WAIT_SEMAPHORE,
	LEAT__WAIT_FLIGHT,
	LEAT__WAIT_ONCE,
	LEAT__WAITS,
};

/* "chan receive" and so on. */
extern const char *const leat__wait_names[LEAT__WAITS];
const char *leat__wait_name(enum leat__wait wait);

/* A select's claim: its goroutine arms it before it becomes visible on a channel; whoever changes it
   from ARMED to FIRED, once, completes the select. */
enum leat__claim {
	LEAT__UNARMED,
	LEAT__ARMED,
	LEAT__FIRED,
};

#endif
