/* SPDX-License-Identifier: MIT */
/* Giving back the pages of stacks that nobody has used for a while; the monitor calls. */
#ifndef LEAT_SCHED_TRIM_H
#define LEAT_SCHED_TRIM_H

#include "base/compiler.h"

/* Do a little of what is due; takes a millisecond or two. */
void leat__trim(int64_t now);

/* When to call leat__trim again although nothing runs; INT64_MAX: not before something did. */
int64_t leat__trim_next(void);

#endif
