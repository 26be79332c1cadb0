/* SPDX-License-Identifier: MIT */
/*
 * Reports in Go's format: of a process that dies, and dumps of one that lives.
 *
 *	goroutine 7 "feeder" [chan receive, 3 minutes]:
 *	consumer(...)
 *		/home/u/p.c:12 +0x2d
 *	created by main in goroutine 1
 *		/home/u/p.c:30 +0x55
 *
 * What finds the frames and their names serves one caller at a time: who has the turn.
 */
#ifndef LEAT_SCHED_REPORT_H
#define LEAT_SCHED_REPORT_H

#include "sched/goroutine.h"

struct leat__snapshot;

/* Where a report goes. */
struct leat__text {
	bool to_memory;      /* else to stderr, at once */
	char *at;            /* from malloc, may be NULL */
	size_t length, room; /* what did not fit when memory was out is left away */
};

void leat__put(struct leat__text *to, const char *format, ...) LEAT__PRINTF(2, 3);

/* leat__put to stderr. */
void leat__report(const char *format, ...) LEAT__PRINTF(1, 2);

/* --- the turn */

/* False when it was not to be had until then. */
bool leat__turn_take(int64_t until_ns);
void leat__turn_give(void);

/* --- the process dies */

/* Become the one who reports, with the turn, for good; others who try sleep for ever. */
void leat__report_begin(void);

/* The calling thread is the one who reports.  In a signal handler, too. */
bool leat__reports_here(void);

/* Sleep for ever if somebody reports. */
void leat__report_wait(void);

/* In the child of a fork: who reported is not here. */
void leat__report_forget(bool had_turn);

/* Before a fork: take the turn.  False when it was not to be had, or is the caller's already. */
bool leat__report_before_fork(void);

/* The report is out: exit with the status, or leave a core file if LEAT_TRACEBACK says so. */
LEAT__NORETURN void leat__report_end(int status);

/* Do without whatever might wait for a lock that this thread holds already. */
void leat__report_without_libraries(void);

/* --- goroutines: who has the turn */

/* What was at an address may be gone by now: before each dump. */
void leat__names_forget(void);

/* "goroutine N [running]:", the caller's frames, "created by ...". */
void leat__put_self(struct leat__text *to);

/* The function at a return address, and its file and line, as of "created by ...". */
void leat__put_place(struct leat__text *to, void *pc);

/* "goroutine N [running]:" and the frames of g, whose thread is the caller's, from the registers that a fault
   left; NULL: the thread never called leat. */
void leat__put_fault(struct leat__text *to, struct leat__g *g, const struct leat__regs *regs);

void leat__put_snapshot(struct leat__text *to, const struct leat__snapshot *s);

/* The frames of a trace of return addresses, without those of leat's own at the top. */
void leat__put_trace(struct leat__text *to, void *const *trace, size_t n);

/* --- all goroutines: dump.c */

/* To stderr, an empty line between two. */
void leat__report_all(void);

/* The same, and one before the first, after the one with this id. */
void leat__report_others(uint64_t id);

/* How many goroutines have been printed so: who does not see it grow may give up hope. */
extern _Atomic uint32_t leat__reported;

/* --- SIGQUIT: quit.c */

void leat__quit_init(void);

/* Somebody wants the report, and the caller, which is the monitor, is to make it. */
extern _Atomic uint32_t leat__quit_asked;
LEAT__NORETURN void leat__quit(void);

#endif
