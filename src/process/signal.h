/* SPDX-License-Identifier: MIT */
/* Signals for what is built on them. */
#ifndef LEAT_PROCESS_SIGNAL_H
#define LEAT_PROCESS_SIGNAL_H

/* "signal: killed" and the like.  Valid for ever. */
const char *leat__signal_text(int sig);

#endif
