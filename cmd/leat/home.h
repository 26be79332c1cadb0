/* SPDX-License-Identifier: MIT */
/* Where leat's header and library are, found from where the command itself is. */
#ifndef LEAT_CMD_HOME_H
#define LEAT_CMD_HOME_H

#include <limits.h>

struct home {
	char include[PATH_MAX]; /* the folder of leat.h */
	char library[PATH_MAX]; /* libleat.a, or else libleat.so */
};

/*
 * Fill in *home.  0, or -ENOENT after a message that says where was looked.
 *
 * The command is either in a build tree two folders below the sources (build/release), beside the
 * library, or in PREFIX/bin of an installation, which may have been moved.
 */
int home_find(struct home *home);

#endif
