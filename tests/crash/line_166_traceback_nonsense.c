/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
#include "line_166_traceback_single.c"
