/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
#include "line_166_fatal_shows_all.c"
