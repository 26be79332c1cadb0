/* SPDX-License-Identifier: MIT */
/* Compile one file against leat, into a folder that goes away again. */
#ifndef LEAT_CMD_BUILD_H
#define LEAT_CMD_BUILD_H

#include <limits.h>
#include <stdbool.h>

enum build_sanitizer { BUILD_PLAIN, BUILD_RACE, BUILD_ASAN };

struct build {
	enum build_sanitizer sanitizer;
	bool verbose;     /* show the compiler's command line on stderr */
	const char *file; /* as the user named it */
	char folder
	    [PATH_MAX]; /* of the program and of all that the compiler makes; "" when there is none */
	char program[2 * PATH_MAX];
};

/*
 * Compile build->file as the environment asks (CC, CPPFLAGS, CFLAGS, LDFLAGS, LDLIBS) and set folder
 * and program.  0, or a negative errno code after a message; a signal to leat ends leat in here.
 * child_begin must have been called.  build_done is due on success only.
 */
int build_make(struct build *build);

/* Remove the folder with all that is in it. */
void build_done(struct build *build);

#endif
