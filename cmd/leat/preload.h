/* SPDX-License-Identifier: MIT */
/* Libraries of leat's that programs are to be run with. */
#ifndef LEAT_CMD_PRELOAD_H
#define LEAT_CMD_PRELOAD_H

/*
 * Let the dynamic linker load libleat_locks.so, which lies beside leat's library, into what is started
 * from here on.  0, or a negative errno code after a message: it is not there, or program, an
 * executable file, has no dynamic linker.
 */
int preload_locks(const char *program);

#endif
