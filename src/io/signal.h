/* SPDX-License-Identifier: MIT */
/* Signals for what is built on them. */
#ifndef LEAT_IO_SIGNAL_H
#define LEAT_IO_SIGNAL_H

/* "signal: killed" and the like.  Valid for ever. */
const char *leat__signal_text(int sig);

#endif
