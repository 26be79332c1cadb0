/* SPDX-License-Identifier: MIT */
/* Commands on their way to being processes: process/command.c. */
#ifndef LEAT_PROCESS_COMMAND_H
#define LEAT_PROCESS_COMMAND_H

#include "base/compiler.h"

#include <leat/process.h>

/* What a process is given, and what is kept of it here. */
struct leat__streams {
	int *child; /* what become its descriptors 0, 1, ...; -1: none */
	int *ours;  /* those that were made for that, to be closed here */
	size_t child_n, ours_n;
	leat_conn *conn[3]; /* our ends of pipes, or NULL */
};

/* Panics for a command that cannot be. */
void leat__command_check(const leat_command *c);

/* The program's path, to be freed; or NULL with *error. */
char *leat__command_path(const leat_command *c, const leat_error **error);

/* Make what it is given; false with *error, and nothing made. */
bool leat__streams_open(struct leat__streams *s, const leat_command *c, const leat_error **error);

/* The child's ends are not ours; and none of it. */
void leat__streams_part(struct leat__streams *s);
void leat__streams_close(struct leat__streams *s);

/* Start it: its number, or -1 with *error. */
int leat__command_spawn(const leat_command *c, const char *path, const struct leat__streams *s,
                        const leat_error **error);

#endif
