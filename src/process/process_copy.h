/* SPDX-License-Identifier: MIT */
/* Between memory and the pipe of a process: a goroutine each.  process/process_copy.c. */
#ifndef LEAT_PROCESS_PROCESS_COPY_H
#define LEAT_PROCESS_PROCESS_COPY_H

#include "base/atomic.h"
#include "sched/scheduler.h"

#include <leat/chan.h>
#include <leat/process.h>

struct leat__process_copy {
	leat_conn *conn; /* NULL: there is none */
	struct leat__g *g;
	leat_chan *over;  /* is sent an event at the end; it has room */
	const char *from; /* for input, NULL: output */
	size_t n;         /* of from; of what was captured */
	char *to;         /* with a NUL at its end */
	size_t room, limit;
	bool cut;
	_Atomic bool
	    failed; /* no memory: from then on it is dropped; who is told that it is over need not order it */
	_Atomic bool dropped; /* nobody wants it */
};

/* Get ready to copy, by way of conn, as io says; 0 or -ENOMEM.  Then start, when nothing can fail; or end without. */
int leat__process_copy_init(struct leat__process_copy *c, const leat_stdio *io, leat_conn *conn,
                            leat_chan *over);
void leat__process_copy_start(struct leat__process_copy *c);
void leat__process_copy_done(struct leat__process_copy *c, bool started);

/* --- process.c: what stream i of p, which was waited for, has captured: the caller's, and p has it no more */
char *leat__process_take(leat_process *p, int i, size_t *n, bool *cut);

#endif
