/* SPDX-License-Identifier: MIT */
/*
 * Stack overflow: a fault in the guard below a goroutine's stack becomes a report.
 *
 * The handler runs on the thread's alternate stack and does next to nothing: it arranges that the
 * thread continues in the report, on the scheduler context's stack.  Other faults go to whoever
 * handled the signal before, the default action included.
 */
#ifndef LEAT_SCHED_FAULT_H
#define LEAT_SCHED_FAULT_H

struct leat__m;

/* Once, at start. */
void leat__fault_init(void);

/* The alternate stack of the calling thread. */
void leat__fault_init_thread(struct leat__m *m);
void leat__fault_done_thread(struct leat__m *m);

#endif
