/* SPDX-License-Identifier: MIT */
/*
 * A terminal of which a part is taken for what is redrawn in place, and given back on every way out of the process:
 * what gives it back is written by exit, before a report of the process's death, and when SIGINT, SIGTERM or SIGHUP
 * ends it by default.  One at a time in a process.
 */
#ifndef LEAT_OS_TERMINAL_H
#define LEAT_OS_TERMINAL_H

#include <leat/base.h>

bool leat__os_is_terminal(int fd);

/* False: fd does not say. */
bool leat__os_terminal_size(int fd, int *rows, int *columns);

/* Take the only place there is: true.  False: somebody has it, or the process is on its way out. */
bool leat__os_terminal_take(int fd);

/*
 * Write text to it in one piece.  From then on restore, of up to LEAT__RESTORE_BYTES, is what gives it back.
 * False: it was given back already, as the process ends; nothing was written.
 */
enum { LEAT__RESTORE_BYTES = 64 };
bool leat__os_terminal_draw(const char *text, size_t bytes, const char *restore);

/* Give it back, and the place. */
void leat__os_terminal_give(void);

/* The process dies: give it back if anybody has it. */
void leat__os_terminal_last(void);

/* In the child of a fork, at once: it is the parent's. */
void leat__os_terminal_forget(void);

#endif
